import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

import { errorText } from './errors.ts';
import { createCounterBook } from './flush/counter-book.ts';
import { createCounterFlusher } from './flush/counter-flusher.ts';
import { createDrainer } from './flush/drainer.ts';
import type { Log } from './flush/health.ts';
import { createLayout } from './flush/layout.ts';
import { createTally } from './flush/tally.ts';
import { createTicker, systemTime, within } from './flush/time.ts';
import { createTimingBook } from './flush/timing-book.ts';
import { createTimingFlusher } from './flush/timing-flusher.ts';
import { createRoutes } from './http/routes.ts';
import { createHttpServer } from './http/server.ts';
import { hostPort } from './ingest/address.ts';
import { createIngest, type IngestOptions } from './ingest/ingest.ts';
import { createKernelDrops, receiveBufferAdvice } from './ingest/kernel.ts';
import { ledgerLimits } from './ledger/ledger.ts';
import { type Given, readOptions } from './options.ts';
import type { Options } from './option-specs.ts';
import { createMemoryStore } from './sinks/memory.ts';
import { createRedisStore } from './sinks/redis.ts';
import type { Store } from './sinks/store.ts';
import { createTrap, type Trap } from './sinks/trap.ts';
import { version } from './version.ts';
import { readReasons, readVitals, type Vitals, type VitalsParts } from './vitals.ts';
import { createWindow } from './window.ts';

/** What a collector may be given: the flags of `statcol listen`, in camelCase. See the README. */
export interface CollectorOptions {
  host?: string | undefined;
  port?: number | undefined;
  redis?: string | undefined;
  collection?: string | readonly string[] | undefined;
  layout?: 'flat' | 'split' | undefined;
  counterInterval?: number | undefined;
  trap?: string | undefined;
  trapCa?: string | undefined;
  trapServername?: string | undefined;
  timingInterval?: number | undefined;
  /** `off`, a port, or `host:port`. */
  http?: string | number | undefined;
  httpToken?: string | undefined;
  names?: 'statsd' | 'keep' | undefined;
  maxKeys?: number | undefined;
  stopTimeout?: number | undefined;
  instance?: string | undefined;
}

/** What a collector tells the one who runs it. */
export interface CollectorEvents {
  /** Something worth a line in a log. Silent when absent. */
  onLog?: Log;
  /** It cannot go on: what was accepted can still be delivered with `stop`. */
  onFatal?: (error: Error) => void;
}

/** Where a collector listens. */
export interface Endpoints {
  /** Such as `udp://127.0.0.1:8125`. */
  udp: string;
  /** Such as `http://127.0.0.1:8127/`; undefined when it is off. */
  http: string | undefined;
}

/** What a collector could not deliver before its deadline, in samples. */
export interface Undelivered {
  counters: number;
  timings: number;
}

/** A StatsD collector within this process. */
export interface Collector {
  /**
   * Binds and begins to receive. Rejects with `ERR_LISTEN` where an address is not to be had; then
   * nothing is bound. Redis or the trap being away is no error: it is tried again.
   */
  start(): Promise<Endpoints>;
  /** The collector's own numbers, of this moment. Between `start` and `stop`. */
  vitals(): Promise<Vitals>;
  /**
   * Reads what lies in the socket, closes it, delivers everything, and closes the rest. Takes
   * `stopTimeout` milliseconds at most, and resolves with what could not be delivered by then.
   */
  stop(): Promise<Undelivered>;
}

/** Asked of the kernel: a second of 300,000 small datagrams. */
const RECEIVE_BUFFER_BYTES = 16 << 20;
const REDIS_TIMEOUT_MS = 5000;
const TRAP_TIMEOUT_MS = 10_000;
const TRAP_BODY_BYTES_MAX = 4 << 20;
/** What may wait for a trap that is away: 40 MB as numbers. */
const PENDING_TIMINGS_MAX = 5_000_000;
const WINDOW = { windowMs: 5 * 60_000, slotMs: 10_000, budgetBytes: 64 << 20 };

/**
 * Creates a collector: the daemon as a library. It does nothing until `start`.
 *
 * @throws {StatcolError} `ERR_OPTIONS`, listing every fault.
 */
export function createCollector(
  options: CollectorOptions = {},
  events: CollectorEvents = {},
): Collector {
  const given = Object.entries(options).map(([key, value]): [string, Given] => {
    return [key, { value, from: `\`${key}\`` }];
  });
  const readText = (path: string): string => readFileSync(path, 'utf8');
  const around = { hostName: hostname(), pid: process.pid, readText };
  return assembleCollector(readOptions(Object.fromEntries(given), around), events);
}

/** Creates a collector from options that are complete and checked. */
export function assembleCollector(options: Options, events: CollectorEvents = {}): Collector {
  const log: Log = events.onLog ?? (() => {});
  const time = systemTime();
  const nowMs = (): number => time.nowMs();
  const instance = `${options.instance}-${randomBytes(8).toString('hex')}`;

  // In the order in which a sample passes: the socket and the ledger,
  const ingest = createIngest(ingestOptions(options), {
    onHalfFull: () => void flush(undefined),
    onDeath: fatal,
  });
  // where it waits on this thread,
  const counterBook = createCounterBook(options.maxKeys);
  const timingBook = createTimingBook(PENDING_TIMINGS_MAX, TRAP_BODY_BYTES_MAX);
  const window = createWindow({ ...WINDOW, nowMs });
  // and where it goes.
  const store = openStore(options, instance, (error) => counterFlusher.health.failed(error));
  const sending = { time, random: Math.random, log };
  const layout = createLayout(options.layout, options.collection);
  const counterFlusher = createCounterFlusher({
    ...sending,
    book: counterBook,
    store,
    layout,
    lanesMax: options.maxKeys,
  });
  const trap = openTrap(options);
  const timingFlusher =
    trap && createTimingFlusher({ ...sending, book: timingBook, trap, instance });
  const timingTally = timingFlusher?.tally ?? createTally();
  const drainer = createDrainer({
    ingest,
    counters: counterBook,
    timings: timingBook,
    window,
    timingTally,
    hasTrap: timingFlusher !== undefined,
    log,
    nowMs,
  });
  const http =
    options.http === null
      ? undefined
      : createHttpServer({
          ...options.http,
          token: options.httpToken,
          routes: createRoutes({ vitals, reasons, hashes, store, timings }),
          log,
        });
  const tickers = [
    createTicker(options.counterInterval, time, () => flush(counterFlusher)),
    createTicker(options.timingInterval, time, () => flush(timingFlusher)),
  ];
  let vitalsParts: VitalsParts | undefined;
  let stopping: Promise<Undelivered> | undefined;

  return { start, vitals, stop: () => (stopping ??= stop()) };

  async function start(): Promise<Endpoints> {
    const socket = await ingest.start();
    vitalsParts = {
      version,
      startMs: nowMs(),
      nowMs,
      socket,
      kernelDrops: createKernelDrops(socket.address, socket.port),
      received: drainer.received,
      counterBook,
      counterFlusher,
      timingBook,
      timingTally,
      timingFlusher,
      keysMax: options.maxKeys,
      store,
    };
    const advice = receiveBufferAdvice(RECEIVE_BUFFER_BYTES, socket.receiveBufferBytes);
    if (advice !== undefined) log('info', advice);
    try {
      const url = await http?.listen();
      counterFlusher.flush(); // connects
      for (const ticker of tickers) ticker.start();
      return { udp: `udp://${hostPort(socket.address, socket.port)}`, http: url };
    } catch (error) {
      await ingest.end();
      counterFlusher.stop();
      store.close();
      throw error;
    }
  }

  async function stop(): Promise<Undelivered> {
    const deadlineMs = nowMs() + options.stopTimeout;
    for (const ticker of tickers) ticker.stop();
    // Half of the time for reading what came: the other half is needed to deliver it.
    if (!(await ingest.stop(options.stopTimeout / 2))) {
      log('warn', 'more datagrams came than could be read before the deadline: the rest was left');
    }
    await drainer.drain();
    await ingest.end();
    const delivered = Promise.all([counterFlusher.flushLast(), timingFlusher?.flushLast()]);
    await within(time, Math.max(0, deadlineMs - nowMs()), delivered);
    counterFlusher.stop();
    timingFlusher?.stop();
    store.close();
    await http?.close();
    const left = vitalsParts === undefined ? undefined : readVitals(vitalsParts);
    return { counters: left?.counters.pending ?? 0, timings: left?.timings.pending ?? 0 };
  }

  /** Counts what was read up to now, and sends a flusher on its way with it. */
  async function flush(flusher: { flush(): void } | undefined): Promise<void> {
    try {
      await drainer.drain();
      flusher?.flush();
    } catch (error) {
      fatal(error);
    }
  }

  /** A defect: nothing a user or a network does comes here. */
  function fatal(error: unknown): void {
    log('error', errorText(error));
    events.onFatal?.(error instanceof Error ? error : new Error(String(error)));
  }

  async function vitals(): Promise<Vitals> {
    if (vitalsParts === undefined) throw new Error('the collector has not been started');
    await drainer.drain();
    return readVitals(vitalsParts);
  }

  function reasons(): string[] {
    const { counterInterval: counterMs, timingInterval: timingMs } = options;
    return vitalsParts === undefined ? [] : readReasons(vitalsParts, { counterMs, timingMs });
  }

  function hashes(): string[] {
    const configured = layout.name === 'flat' ? options.collection : [];
    return [...new Set([...configured, ...counterFlusher.hashes()])];
  }

  async function timings(): Promise<ReturnType<typeof window.summaries>> {
    await drainer.drain();
    return window.summaries();
  }
}

function ingestOptions({ host, port, names, maxKeys }: Options): IngestOptions {
  return {
    host,
    port,
    names,
    limits: ledgerLimits(maxKeys),
    hashSeed: randomBytes(4).readInt32LE(),
    receiveBufferBytes: RECEIVE_BUFFER_BYTES,
  };
}

function openStore(
  { redis: url }: Options,
  instance: string,
  onLost: (error: string) => void,
): Store {
  return url === undefined
    ? createMemoryStore()
    : createRedisStore({ url, instance, timeoutMs: REDIS_TIMEOUT_MS, onLost });
}

function openTrap({
  trap: url,
  trapCa: ca,
  trapServername: servername,
}: Options): Trap | undefined {
  return url === undefined
    ? undefined
    : createTrap({ url, ca, servername, timeoutMs: TRAP_TIMEOUT_MS });
}
