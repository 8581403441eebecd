import { ErrorCode, errorText, StatcolError } from './errors.ts';
import type { Log } from './flush/health.ts';
import { createLayout } from './flush/layout.ts';
import type { Account } from './in-process/account.ts';
import { bare } from './in-process/bare.ts';
import { answer, type Callback } from './in-process/callback.ts';
import { type Counting, createCounting, type StoreChoice } from './in-process/counting.ts';
import { guarded, warn } from './in-process/say.ts';
import {
  functionSpec,
  KEYS,
  maxKeysSpec,
  readSettings,
  redisSpec,
  STOP_TIMEOUT,
} from './in-process/settings.ts';
import { integer } from './option-readers.ts';
import type { BorrowedClient } from './sinks/redis-access.ts';

/** What a stats buffer is made with; all of it may be left out. */
export interface StatsOptions {
  /**
   * Where counts go: the URL of a Redis, or a client of node-redis that the application connects
   * and closes. Default: memory, which forgets when the process ends.
   */
  redis?: string | BorrowedClient | undefined;
  /**
   * The hashes that every count is added to, in full; `{host}` and `{pid}` are replaced. Default
   * `['statcol:stats']`. With none, nothing is kept anywhere.
   */
  keys?: readonly string[] | undefined;
  /** How long counts are buffered, in milliseconds; 0: until `write`. Default 1000. */
  writeFrequency?: number | undefined;
  /** How many names may be in use at once. Default 1,000,000. */
  maxKeys?: number | undefined;
  /** How long `stop` may take, in milliseconds. Default 10,000. */
  stopTimeout?: number | undefined;
  /** Told what a log should say. Default: warnings and errors go to `process.emitWarning`. */
  onLog?: Log | undefined;
}

/** Every hash and its fields, as Redis has them: texts. The objects have no prototype. */
export type AllStats = Record<string, Record<string, string>>;

interface Settings {
  redis: StoreChoice | undefined;
  keys: readonly string[] | undefined;
  writeFrequency: number;
  maxKeys: number;
  stopTimeout: number;
  onLog: Log | undefined;
}

const SPECS = [
  redisSpec('redis'),
  KEYS,
  { key: 'writeFrequency', fallback: '1000', ...integer(0, 86_400_000) },
  maxKeysSpec(1_000_000),
  STOP_TIMEOUT,
  functionSpec('onLog'),
];
const DEFAULT_KEYS = ['statcol:stats'];

/**
 * Counts inside a process, and adds what was counted to one or more Redis hashes every so often,
 * each increment exactly once, however often Redis is away.
 *
 * It begins with the constructor and does not keep the process alive; a program that comes to its
 * natural end writes what is left before it exits. A program that is ended by a signal or
 * `process.exit` calls `stop` first.
 */
export class Stats {
  readonly #counting: Counting;
  readonly #keys: readonly string[];
  #release: (() => void) | undefined;
  #reads = 0;
  #stopping: Promise<number> | undefined;

  /** @throws {StatcolError} `ERR_OPTIONS`, listing every fault. */
  constructor(options: StatsOptions = {}) {
    const settings = readSettings(SPECS, options) as unknown as Settings;
    this.#keys = [...new Set(settings.keys ?? DEFAULT_KEYS)];
    this.#counting = createCounting({
      store: settings.redis ?? { kind: 'memory' },
      layout: createLayout('flat', this.#keys),
      maxKeys: settings.maxKeys,
      forgetsIdle: true,
      intervalMs: settings.writeFrequency,
      stopTimeoutMs: settings.stopTimeout,
      log: guarded(settings.onLog ?? warn),
    });
  }

  /**
   * Adds to a count, in memory. A fraction is kept: the integer part of the sum is written, the
   * rest stays until it makes a whole one, and is rounded at the end.
   *
   * @param key any text, such as `thing:stuff`.
   * @param count from -(2^53 - 1) to 2^53 - 1; may be 0: then the field is written all the same.
   * @throws {TypeError} for a key that is no text, or a count that is no such number.
   */
  increment(key: string, count = 1): void {
    const isText = typeof count === 'string' && (count as string).trim() !== '';
    const amount = isText ? Number(count) : count;
    if (typeof key !== 'string') {
      throw new TypeError(`Expected a text as key, got ${key === null ? 'null' : typeof key}`);
    }
    if (typeof amount !== 'number' || !(Math.abs(amount) <= Number.MAX_SAFE_INTEGER)) {
      throw new TypeError(
        `Expected a number from -(2^53 - 1) to 2^53 - 1 to add to ${JSON.stringify(key)}, ` +
          `got ${typeof count === 'number' ? count : typeof count}`,
      );
    }
    if (this.#keys.length > 0) this.#counting.add(this.#counting.entry(key), amount);
  }

  /**
   * What is counted and not in every hash yet, by name: also what is being written just now, and
   * the rest of a fraction. A copy, without a prototype.
   */
  get pending(): Record<string, number> {
    return bare(this.#counting.pendingAmounts());
  }

  /**
   * Reads a count as it has been written: a text, or null where there is none.
   *
   * @param collection the hash; the first of `keys` if absent.
   * @throws {StatcolError} (rejects) `ERR_SOURCE` if Redis does not give it.
   */
  get(key: string, collection?: string): Promise<string | null>;
  get(key: string, callback: Callback<string | null>): void;
  get(key: string, collection: string | undefined, callback: Callback<string | null>): void;
  get(
    key: string,
    collection?: string | Callback<string | null>,
    callback?: Callback<string | null>,
  ): Promise<string | null> | undefined | void {
    if (typeof collection === 'function') return this.get(key, undefined, collection);
    const hash = collection ?? this.#keys[0];
    const reading = this.#read((store) => {
      return hash === undefined ? Promise.resolve(null) : store.readField(hash, key);
    });
    return answer(reading, callback);
  }

  /**
   * Reads all counts as they have been written.
   *
   * @param collections the hashes; those of `keys` if absent. One that does not exist is `{}`.
   * @throws {StatcolError} (rejects) `ERR_SOURCE` if Redis does not give them.
   */
  getAll(collections?: readonly string[]): Promise<AllStats>;
  getAll(callback: Callback<AllStats>): void;
  getAll(collections: readonly string[] | undefined, callback: Callback<AllStats>): void;
  getAll(
    collections?: readonly string[] | Callback<AllStats>,
    callback?: Callback<AllStats>,
  ): Promise<AllStats> | undefined | void {
    if (typeof collections === 'function') return this.getAll(undefined, collections);
    const hashes = [...new Set([collections ?? this.#keys].flat())];
    const reading = this.#read(async (store) => {
      const found = hashes.map(async (hash) => [hash, bare(await store.read(hash))] as const);
      return bare(await Promise.all(found));
    });
    return answer(reading, callback);
  }

  /**
   * Writes what is buffered, without waiting for the timer.
   *
   * @throws {StatcolError} (rejects) `ERR_NOT_WRITTEN` if that failed: everything is kept and
   *   tried again; or if it was stopped, and could not write all.
   */
  write(): Promise<void>;
  write(callback: Callback<void>): void;
  write(callback?: Callback<void>): Promise<void> | undefined {
    return answer(this.#write(), callback);
  }

  async #write(): Promise<void> {
    const left = await this.#stopping;
    if (left === 0) return;
    if (left !== undefined) throw notWritten(`${left} were left when it was stopped`);
    try {
      await this.#counting.write();
    } catch (cause) {
      throw notWritten(`${errorText(cause)}; they are kept and tried again`, cause);
    }
  }

  /** Keeps the process alive from now until `stop`. */
  start(): void {
    if (this.#stopping === undefined) this.#release ??= this.#counting.hold.take();
  }

  /**
   * Writes what is left, fractions rounded, and closes; takes `stopTimeout` at most. Resolves with
   * how many increments could not be written: 0, unless Redis is away. Counts can be read also
   * afterwards; increments are then dropped, and counted in `vitals().dropped.stopped`.
   */
  stop(): Promise<number>;
  stop(callback: Callback<number>): void;
  stop(callback?: Callback<number>): Promise<number> | undefined {
    this.#stopping ??= this.#counting.stop().finally(() => this.#release?.());
    return answer(this.#stopping, callback);
  }

  /** Returns what has become of the increments, and how the store is doing. */
  vitals(): Account {
    return this.#counting.account();
  }

  #read<Result>(work: (store: Counting['store']) => Promise<Result>): Promise<Result> {
    const { store, hold } = this.#counting;
    return hold.during(async () => {
      this.#reads++;
      try {
        return await work(store);
      } catch (cause) {
        const message = `no counts from ${store.label}: ${errorText(cause)}`;
        throw new StatcolError(ErrorCode.ERR_SOURCE, message, { cause });
      } finally {
        this.#reads--;
        this.#closeAfterReads();
      }
    });
  }

  /** Who reads after the end leaves no connection open. */
  #closeAfterReads(): void {
    void this.#stopping?.then(() => {
      if (this.#reads === 0) this.#counting.store.close();
    });
  }
}

function notWritten(why: string, cause?: unknown): StatcolError {
  return new StatcolError(ErrorCode.ERR_NOT_WRITTEN, `counts not written: ${why}`, { cause });
}
