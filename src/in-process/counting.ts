import { createCounterBook, type CounterEntry } from '../flush/counter-book.ts';
import { createCounterFlusher } from '../flush/counter-flusher.ts';
import type { Log } from '../flush/health.ts';
import type { Layout } from '../flush/layout.ts';
import { createSparing } from '../flush/sparing.ts';
import { countDropped } from '../flush/tally.ts';
import { type Cancel, systemTime } from '../flush/time.ts';
import { createMemoryStore } from '../sinks/memory.ts';
import { createRedisStore } from '../sinks/redis.ts';
import {
  type BorrowedClient,
  createBorrowedAccess,
  createOwnAccess,
} from '../sinks/redis-access.ts';
import { type RedisAddress, REDIS_TIMEOUT_MS } from '../sinks/redis-link.ts';
import { HashFault, type Store } from '../sinks/store.ts';
import { type Account, counted, readAccount } from './account.ts';
import { newInstance } from '../instance.ts';
import { createHold, type Hold } from './hold.ts';
import { createOutlet } from './outlet.ts';

/** Where counters are written: memory, a Redis of that address, or an application's client. */
export type StoreChoice =
  | { kind: 'memory' }
  | { kind: 'own'; address: RedisAddress }
  | { kind: 'borrowed'; client: BorrowedClient };

/** What counting inside an application is made with. */
export interface CountingOptions {
  store: StoreChoice;
  layout: Layout;
  /** Names held at once; beyond, increments of further ones are dropped. */
  maxKeys: number;
  /** Whether names that are not used for a while are forgotten; entries must not be kept then. */
  forgetsIdle: boolean;
  intervalMs: number;
  stopTimeoutMs: number;
  log: Log;
}

/** Counters inside an application: book, flusher and store, as a collector has them. */
export interface Counting {
  readonly store: Store;
  readonly hold: Hold;
  /** Returns a name's counter, made if it is new and there is room. */
  entry(name: string): CounterEntry | undefined;
  /** Adds to a counter; without one, there was no room for its name. */
  add(entry: CounterEntry | undefined, amount: number): void;
  /** Sees to it that a counter's field is written once, be it with 0. */
  register(entry: CounterEntry | undefined): void;
  /** What is not in every hash yet, by name. */
  pendingAmounts(): Map<string, number>;
  account(): Account;
  /** Begins to write what waits; returns at once. */
  flush(): void;
  /** Writes what waits; rejects where a try failed: it goes on by itself. */
  write(): Promise<void>;
  /** Writes what is left, and closes; returns the samples that could not be written. */
  stop(): Promise<number>;
}

const HELD_RETRY_MS = 500;
/** Idle names are forgotten after one to two of these, as in a collector. */
const PERIOD_MS = 10 * 60_000;

/** Creates counting that has begun. */
export function createCounting(options: CountingOptions): Counting {
  const { layout, maxKeys, log } = options;
  const hold = createHold();
  const time = systemTime(true);
  const book = createCounterBook(maxKeys);
  const store = openStore();
  const sending = { book, store, layout, time, random: Math.random, log };
  const flusher = createCounterFlusher({ ...sending, lanesMax: maxKeys });
  const mayBeSaid = createSparing(() => time.nowMs(), 60_000);
  let samples = 0;
  let stopped = false;
  let cancelRetry: Cancel = () => {};
  let periodStartMs = time.nowMs();
  const outlet = createOutlet({
    flusher,
    time,
    hold,
    intervalMs: options.intervalMs,
    stopTimeoutMs: options.stopTimeoutMs,
    beforeFlush,
    isWaiting: () => notWritten() > 0,
    isHopeless: () => store.closed,
    close: () => store.close(),
    onUndelivered,
  });

  return {
    store,
    hold,
    entry: (name) => (book.size < maxKeys || book.has(name) ? book.entry(name) : undefined),
    add,
    register(entry) {
      if (entry?.written === false) book.add(entry, 0, 0);
    },
    pendingAmounts,
    account,
    flush: () => flusher.flush(),
    write,
    async stop() {
      stopped = true;
      cancelRetry();
      await outlet.stop();
      flusher.batch.sayDropped(true);
      return notWritten();
    },
  };

  async function write(): Promise<void> {
    try {
      await hold.during(() => flusher.write());
    } catch (error) {
      if (error instanceof HashFault) retryHeld();
      throw error;
    }
  }

  /** What a hash refuses is tried again with each flush; where nothing else flushes, by this. */
  function retryHeld(): void {
    if (options.intervalMs > 0 || stopped) return;
    cancelRetry();
    cancelRetry = time.after(HELD_RETRY_MS, () => void retry());
  }

  async function retry(): Promise<void> {
    flusher.flush();
    await flusher.settled();
    if (flusher.refusing.size > 0) retryHeld();
  }

  function openStore(): Store {
    const choice = options.store;
    if (choice.kind === 'memory') return createMemoryStore();
    const timeoutMs = REDIS_TIMEOUT_MS;
    const access =
      choice.kind === 'borrowed'
        ? createBorrowedAccess(choice.client, { time, timeoutMs })
        : createOwnAccess({ ...choice, time, isBackground: true, timeoutMs, onLost });
    const instance = newInstance();
    return createRedisStore(access, () => instance);
  }

  function onLost(error: string): void {
    flusher.health.failed(error);
  }

  function add(entry: CounterEntry | undefined, amount: number): void {
    samples++;
    if (entry !== undefined && !stopped) book.add(entry, amount, 1);
    else if (stopped) drop('stopped', 'the application counts on after stop()');
    else drop('key_limit', `more than ${maxKeys} names are in use`);
  }

  function drop(reason: string, why: string): void {
    countDropped(flusher.tally, reason, 1);
    if (mayBeSaid(reason)) log('warn', `increments dropped: ${reason}: ${why}`);
  }

  function beforeFlush(): void {
    if (!options.forgetsIdle || time.nowMs() - periodStartMs < PERIOD_MS) return;
    periodStartMs = time.nowMs();
    book.nextPeriod();
  }

  function pendingSamples(): number {
    return book.pendingSamples + flusher.pendingSamples;
  }

  function pendingAmounts(): Map<string, number> {
    const amounts = flusher.pendingAmounts();
    for (const [name, sum] of book.amounts()) amounts.set(name, (amounts.get(name) ?? 0) + sum);
    return amounts;
  }

  /**
   * Also what is no sample any more, the rest of a fraction, or none at all, a name that is to be
   * written with 0: one for each name.
   */
  function notWritten(): number {
    return Math.max(pendingSamples(), pendingAmounts().size);
  }

  /** A hash that refuses is as bad as a store that is away, though others are well. */
  function account(): Account {
    const refusal = flusher.refused();
    const one = readAccount(samples, pendingSamples(), flusher);
    return refusal === undefined ? one : { ...one, up: false, lastError: refusal };
  }

  function onUndelivered(): void {
    const closed = store.closed ? 'it is closed; call stop() before you close it' : undefined;
    const why = closed ?? flusher.refused() ?? flusher.health.lastError ?? 'there was no time';
    log('error', `not written: ${counted(notWritten(), 'increment')}: ${store.label}: ${why}`);
  }
}
