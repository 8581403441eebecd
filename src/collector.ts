import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

import { ErrorCode, errorText, StatcolError } from './errors.ts';
import type {
  Collector,
  CollectorEvents,
  CollectorOptions,
  Endpoints,
  Undelivered,
} from './collector-types.ts';
import { createCounterBook } from './flush/counter-book.ts';
import { createCounterFlusher } from './flush/counter-flusher.ts';
import { createDrainer } from './flush/drainer.ts';
import type { Log } from './flush/health.ts';
import { createLayout } from './flush/layout.ts';
import { createTally } from './flush/tally.ts';
import { createTicker, systemTime, type Time, within } from './flush/time.ts';
import { createTimingBook } from './flush/timing-book.ts';
import { createTimingFlusher } from './flush/timing-flusher.ts';
import { TRAP_BODY_BYTES_MAX } from './flush/trap-body.ts';
import { createRoutes } from './http/routes.ts';
import { guarded } from './in-process/say.ts';
import { createHttpServer, type HttpOptions, type HttpServer } from './http/server.ts';
import { hostPort } from './ingest/address.ts';
import type { IngestOptions } from './ingest/ingest.ts';
import { createIngestThreads } from './ingest/ingest-threads.ts';
import { createKernelDrops, RECEIVE_BUFFER_BYTES, receiveBufferAdvice } from './ingest/kernel.ts';
import { type BoundSocket } from './ingest/messages.ts';
import { newInstance } from './instance.ts';
import { ledgerLimits } from './ledger/ledger.ts';
import { membersOf, readOptions } from './options.ts';
import type { Options } from './option-specs.ts';
import { createMemoryStore } from './sinks/memory.ts';
import { createRedisStore } from './sinks/redis.ts';
import { createOwnAccess } from './sinks/redis-access.ts';
import { REDIS_TIMEOUT_MS } from './sinks/redis-link.ts';
import type { Store } from './sinks/store.ts';
import { createTrap, type Trap, TRAP_TIMEOUT_MS } from './sinks/trap.ts';
import { version } from './version.ts';
import type { TrapSink } from './trap-receiver/values.ts';
import {
  readReasons,
  readVitals,
  type ReceiverUsage,
  type Vitals,
  type VitalsParts,
} from './vitals.ts';
import { createTrapReceiver, type TrapReceiver } from './trap-receiver/handler.ts';
import { createWindow, type LiveWindow } from './window/window.ts';

const NO_SHARING =
  'dgram shares a port between threads on Linux, from Node 22.12 on; recvmmsg (koffi) does with any';
const WINDOW = { windowSeconds: 300, budgetBytes: 64 << 20 };

/**
 * Creates a collector: the daemon as a library. It does nothing until `start`.
 *
 * @throws {StatcolError} `ERR_OPTIONS`, listing every fault.
 */
export function createCollector(
  options: CollectorOptions = {},
  events: CollectorEvents = {},
): Collector {
  const readText = (path: string): string => readFileSync(path, 'utf8');
  const around = { hostName: hostname(), pid: process.pid, readText };
  return assembleCollector(readOptions(membersOf(options), around), events);
}

/** Creates a collector from options that are complete and checked. */
export function assembleCollector(options: Options, events: CollectorEvents = {}): Collector {
  const log: Log = guarded(events.onLog ?? (() => {}));
  const time = systemTime();
  const nowMs = (): number => time.nowMs();
  const instance = newInstance(options.instance);

  // In the order in which a sample passes: sockets and ledgers,
  const ingest = createIngestThreads(options.threads, ingestOptions(options), {
    onHalfFull: () => void flush(timingFlusher),
    onDeath: fatal,
  });
  // where it waits on this thread,
  const counterBook = createCounterBook(options.maxKeys);
  const timingBook = createTimingBook(options.trapType, TRAP_BODY_BYTES_MAX);
  const window = createWindow({ ...WINDOW, nowMs });
  // and where it goes.
  const onLost = (error: string): void => counterFlusher.health.failed(error);
  const store = openStore(options, instance, { time, onLost });
  const sending = { time, random: Math.random, log };
  const layout = createLayout(options.layout, options.collection);
  const counterFlusher = createCounterFlusher({
    ...sending,
    book: counterBook,
    store,
    layout,
    lanesMax: options.maxKeys,
  });
  const trap = openTrap(options, time);
  const timingFlusher =
    trap && createTimingFlusher({ ...sending, book: timingBook, trap, instance });
  const timingTally = timingFlusher?.tally ?? createTally();
  const drainer = createDrainer({
    ingests: ingest.all,
    namesMax: options.maxKeys,
    counters: counterBook,
    timings: timingBook,
    window,
    counterTally: counterFlusher.tally,
    timingTally,
    hasTrap: timingFlusher !== undefined,
    log,
    nowMs,
  });
  const taken = { configured: options.trapSecret !== undefined, samples: 0, leftOut: 0 };
  const receiver = openReceiver(options, intoWindow(window, taken), { nowMs, log });
  const routes = createRoutes({ vitals, reasons, hashes, store, timings });
  const http = openHttp(options, { routes, receiver, log });
  const tickers = [
    createTicker(options.counterInterval, time, () => flush(counterFlusher)),
    createTicker(options.timingInterval, time, () => flush(timingFlusher)),
  ];
  let vitalsParts: VitalsParts | undefined;
  let starting: Promise<Endpoints> | undefined;
  let stopping: Promise<Undelivered> | undefined;

  return { start: startOnce, vitals, stop: stopOnce };

  function startOnce(): Promise<Endpoints> {
    if (starting ?? stopping) return Promise.reject(startedBefore());
    return (starting = start());
  }

  /** Not before the start is over, or it would go on behind our back. */
  function stopOnce(): Promise<Undelivered> {
    return (stopping ??= Promise.resolve(starting).then(stop, stop));
  }

  async function start(): Promise<Endpoints> {
    const socket = await ingest.start(options.port);
    vitalsParts = {
      version,
      startMs: nowMs(),
      nowMs,
      socket,
      threads: ingest.all.length,
      kernelDrops: createKernelDrops(() => ingest.kernelDrops, { nowMs, log }),
      received: drainer.received,
      counterBook,
      counterFlusher,
      timingBook,
      timingTally,
      timingFlusher,
      keysMax: options.maxKeys,
      window,
      receiver: taken,
      store,
    };
    sayReceiver(socket, options, log);
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
    const drained = await ingest.stop(options.stopTimeout / 2);
    if (!drained) log('warn', 'not all datagrams in the socket could be read before the deadline');
    vitalsParts?.kernelDrops.close();
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
      await drainer.drainNew();
      vitalsParts?.kernelDrops.read();
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

function openHttp(
  { http: address, httpToken: token }: Options,
  parts: Pick<HttpOptions, 'routes' | 'receiver' | 'log'>,
): HttpServer | undefined {
  return address === null ? undefined : createHttpServer({ ...address, token, ...parts });
}

function openReceiver(
  { trapSecret: secret }: Options,
  sink: TrapSink,
  parts: { nowMs: () => number; log: Log },
): TrapReceiver | undefined {
  return secret === undefined ? undefined : createTrapReceiver({ secret, sink, ...parts });
}

/** Others' timings enter the live window beside our own, and are not passed on. */
function intoWindow(window: LiveWindow, taken: ReceiverUsage): TrapSink {
  const count = (shown: boolean, samples: number): void => {
    taken.samples += samples;
    if (!shown) taken.leftOut += samples;
  };
  return {
    sample: (name, value, times) => count(window.addCounted(name, value, times), times),
    histogram: (name, one) => count(window.addHistogram(name, one), one.count),
  };
}

function startedBefore(): StatcolError {
  const message = 'a collector starts once: create another with createCollector';
  return new StatcolError(ErrorCode.ERR_STATE, message);
}

/** Says what of the socket is less than was asked for, and why. */
function sayReceiver(socket: BoundSocket, { threads }: Options, log: Log): void {
  const advice = receiveBufferAdvice(socket.receiveBufferBytes);
  if (advice !== undefined) log('info', advice);
  if (socket.note !== undefined) log('info', `receives with dgram: ${socket.note}`);
  if (threads > 1 && !socket.isShared)
    log('warn', `one ingest thread instead of ${threads}: ${NO_SHARING}`);
}

function ingestOptions({ host, names, maxKeys, receiver }: Options): IngestOptions {
  return {
    host,
    names,
    receiver,
    limits: ledgerLimits(maxKeys),
    hashSeed: randomBytes(4).readInt32LE(),
    receiveBufferBytes: RECEIVE_BUFFER_BYTES,
  };
}

function openStore(
  { redis: url }: Options,
  instance: string,
  parts: { time: Time; onLost: (error: string) => void },
): Store {
  if (url === undefined) return createMemoryStore();
  const address = { url };
  const access = createOwnAccess({ address, timeoutMs: REDIS_TIMEOUT_MS, ...parts });
  return createRedisStore(access, instance);
}

function openTrap(
  { trap: url, trapCa: ca, trapServername: servername }: Options,
  time: Time,
): Trap | undefined {
  if (url === undefined) return undefined;
  return createTrap({ url, ca, servername, timeoutMs: TRAP_TIMEOUT_MS, time });
}
