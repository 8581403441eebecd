import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

import { createAdmin } from './admin/admin.ts';
import {
  createBooks,
  ingestOptions,
  keptOf,
  openHttp,
  openState,
  openTrap,
  sayReceiver,
  startedBefore,
  talliesOf,
} from './collector-parts.ts';
import type {
  Collector,
  CollectorEvents,
  CollectorOptions,
  Endpoints,
  Undelivered,
} from './collector-types.ts';
import { errorText, type StatcolError } from './errors.ts';
import { createCounterFlusher } from './flush/counter-flusher.ts';
import { createDrainer } from './flush/drainer.ts';
import type { Log } from './flush/health.ts';
import { NO_JOURNAL } from './flush/journal.ts';
import { createLayout } from './flush/layout.ts';
import { createSetSender } from './flush/set-sender.ts';
import { createTicker, systemTime, within } from './flush/time.ts';
import { createTimingFlusher } from './flush/timing-flusher.ts';
import type { RouteSources } from './http/routes.ts';
import { guarded } from './in-process/say.ts';
import { hostPort } from './ingest/address.ts';
import { createInputs } from './ingest/inputs.ts';
import { createKernelDrops } from './ingest/kernel.ts';
import { createUnixWatch } from './ingest/unix-watch.ts';
import { newInstance } from './instance.ts';
import { membersOf, readOptions } from './options.ts';
import type { Options } from './option-types.ts';
import { openStore } from './sinks/open-store.ts';
import { attachState, NOT_RECOVERED, type Recovered } from './state/attach.ts';
import type { StateDir } from './state/state-dir.ts';
import { readReasons, readVitals, type Vitals, type VitalsParts } from './vitals.ts';
import { version } from './version.ts';
import { createLiveMemory } from './window/live-memory.ts';

const MEMORY_IS_NOT_KEPT =
  "--state-dir without --redis keeps timings and what was not yet counted, not the memory store's totals";
/** Threads that die more often than this are not replaced any more. */
const DEATHS_MAX = 5;
const DEATHS_MS = 60_000;

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
  const clocks = { nowMs, wallNowMs: Date.now };
  const ownInstance = newInstance(options.instance);
  const state = openState(options, { instance: ownInstance, nowMs, log });
  const instance = (): string => state?.instance ?? ownInstance;

  // In the order in which a sample passes: sockets and ledgers,
  const onHalfFull = (): void => void flush(timingFlusher);
  const receiving = ingestOptions(options, state, log);
  const isHeld = (): boolean => books.sets.isHalfFull && store.connected;
  const ingest = createInputs(options, receiving, { onHalfFull, onDeath, isHeld, log });
  // where it waits on this thread,
  const books = createBooks(options);
  const memory = createLiveMemory({ time, wallNowMs: Date.now, drain: () => flush(), log });
  const live = keptOf(options, memory);
  const { histograms, window } = live;
  // and where it goes.
  const onLost = (error: string): void => counterFlusher.health.failed(error);
  const store = openStore(options, instance, { time, onLost });
  const sending = { time, random: Math.random, log, journal: state?.journal ?? NO_JOURNAL };
  const layout = createLayout(options.layout, options.collection);
  const storing = { store, layout, log, ...live, onSettled: ingest.goOn };
  const setSender = createSetSender({ ...storing, ...clocks, book: books.sets, memory: state });
  const filling = { gauges: books.gauges, sendMore: setSender.send, lanesMax: options.maxKeys };
  const counters = { book: books.counters, ...filling, ...storing };
  const keepsRemainders = (): boolean => state !== undefined && state.failure() === undefined;
  const counterFlusher = createCounterFlusher({ ...sending, ...counters, keepsRemainders });
  const trap = openTrap(options, time);
  const pushing = { ...sending, book: books.timings, instance };
  const timingFlusher = trap && createTimingFlusher({ ...pushing, trap });
  const from = { ingests: ingest.all, namesMax: options.maxKeys, memory: state, hasTrap: !!trap };
  const tallies = talliesOf(counterFlusher, setSender, timingFlusher);
  const drainer = createDrainer({ ...from, ...books, ...live, ...tallies, log, ...clocks });
  const taken = { configured: options.trapSecret !== undefined, samples: 0, leftOut: 0 };
  const told = { vitals, reasons, timings, hashes, vitalsParts: () => vitalsParts };
  const shown = { ...told, memory, histograms, taken, store, layout, setSender, books };
  const http = openHttp(options, { ...shown, instance: ownInstance, time, log });
  const admin = createAdmin(options, { ...shown, ...sending, drainer, counterFlusher, http });
  const tickers = [
    createTicker(options.counterInterval, time, () => flush(counterFlusher)),
    createTicker(options.timingInterval, time, () => flush(timingFlusher)),
    ...(http?.tickers ?? []),
  ];
  let vitalsParts: VitalsParts | undefined;
  let recovered = NOT_RECOVERED;
  let deaths = 0;
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
    if (state !== undefined) recovered = await attach(state);
    const {
      udp: socket,
      tcp,
      unix,
    } = await ingest.start().catch(async (error: unknown) => {
      await state?.close();
      throw error;
    });
    const unixWatch = unix === undefined ? undefined : createUnixWatch(unix, log);
    if (unixWatch !== undefined) tickers.push(unixWatch.ticker);
    vitalsParts = {
      version,
      startMs: nowMs(),
      nowMs,
      socket,
      threads: ingest.threads,
      kernelDrops: createKernelDrops(() => ingest.kernelDrops, { nowMs, log }),
      tcp: () => ingest.tcpUsage(),
      hasUnix: options.unix !== null,
      unixFault: () => unixWatch?.fault(),
      received: drainer.received,
      growth: drainer.growth,
      counterBook: books.counters,
      counterFlusher,
      gaugeBook: books.gauges,
      setBook: books.sets,
      setSender,
      timingBook: books.timings,
      timingTally: tallies.timingTally,
      timingFlusher,
      keysMax: options.maxKeys,
      window,
      receiver: taken,
      recovered,
      state,
      store,
      saidDown: () => admin?.saidDown(),
    };
    sayReceiver(socket, options, log);
    try {
      const adminUrl = await admin?.listen();
      const url = await http?.server.listen();
      counterFlusher.flush(); // connects
      for (const ticker of tickers) ticker.start();
      const bound = {
        udp: `udp://${hostPort(socket.address, socket.port)}`,
        tcp: tcp && `tcp://${hostPort(tcp.address, tcp.port)}`,
        unix: unix && `unix://${unix}`,
        admin: adminUrl,
        http: url,
      };
      admin?.tell(bound);
      return bound;
    } catch (error) {
      admin?.close();
      await ingest.end();
      ingest.release();
      counterFlusher.stop();
      store.close();
      await state?.close();
      throw error;
    }
  }

  async function stop(): Promise<Undelivered> {
    const deadlineMs = nowMs() + options.stopTimeout;
    for (const ticker of tickers) ticker.stop();
    admin?.close();
    // Another thread, if it can be had, reads what is in the socket of one that died.
    if (ingest.all.some((one) => one.isDead)) await drainer.drain();
    // Half of the time for reading what came: the other half is needed to deliver it.
    const drained = await ingest.stop(options.stopTimeout / 2);
    if (!drained) log('warn', 'not all that lay in the sockets could be read before the deadline');
    vitalsParts?.kernelDrops.close();
    await drainer.drain();
    await ingest.end();
    const delivered = Promise.all([counterFlusher.flushLast(), timingFlusher?.flushLast()]);
    await within(time, Math.max(0, deadlineMs - nowMs()), delivered);
    counterFlusher.stop();
    timingFlusher?.stop();
    store.close();
    await http?.server.close();
    // One that a last request has asked for is over then; nothing is to be made anew any more.
    await drainer.drain().catch(() => {});
    drainer.sayDropped(true);
    counterFlusher.batch.sayDropped(true);
    setSender.sayDropped(true);
    ingest.release();
    const left = vitalsParts === undefined ? undefined : readVitals(vitalsParts);
    const isKept = (await state?.close()) ?? false;
    const undelivered = {
      counters: left?.counters.pending ?? 0,
      timings: left?.timings.pending ?? 0,
      ...pendingOf(left, 'gauges'),
      ...pendingOf(left, 'sets'),
    };
    return isKept ? { ...undelivered, keptIn: options.stateDir } : undelivered;
  }

  function attach(to: StateDir): Promise<Recovered> {
    if (options.redis === undefined) log('warn', MEMORY_IS_NOT_KEPT);
    const { batch } = counterFlusher;
    const sources = { ...books, ...tallies, ...clocks, setSender, batch };
    return attachState(to, { ...sources, timingFlusher, window, histograms, log });
  }

  /** What a thread has accepted is drained before another takes its place. */
  function onDeath(error: StatcolError, mayGoOn: boolean): void {
    if (!mayGoOn || ++deaths > DEATHS_MAX) fatal(error);
    else if (vitalsParts !== undefined && stopping === undefined) {
      log('error', `${errorText(error)}; another takes its place`);
      void flush(counterFlusher);
      time.after(DEATHS_MS, () => void deaths--);
    }
  }

  /** Counts what was read up to now, and sends a flusher on its way with it. */
  async function flush(flusher?: { flush(): void }): Promise<void> {
    try {
      await (ingest.all.some((one) => one.isDead) ? drainer.drain() : drainer.drainNew());
      vitalsParts?.kernelDrops.read();
      flusher?.flush();
      if (books.sets.isHalfFull) counterFlusher.flush();
      ingest.goOn();
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

  async function timings(): ReturnType<RouteSources['timings']> {
    await drainer.drain();
    return window.summaries();
  }
}

function pendingOf(
  vitals: Vitals | undefined,
  kind: 'gauges' | 'sets',
): Partial<Record<typeof kind, number>> {
  const pending = vitals?.[kind].pending ?? 0;
  return pending === 0 ? {} : { [kind]: pending };
}
