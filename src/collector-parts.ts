import { randomBytes } from 'node:crypto';

import { ErrorCode, StatcolError } from './errors.ts';
import { type CounterBook, createCounterBook } from './flush/counter-book.ts';
import type { CounterFlusher, CounterFlusherParts } from './flush/counter-flusher.ts';
import type { DrainerParts } from './flush/drainer.ts';
import { createGaugeBook, type GaugeBook } from './flush/gauge-book.ts';
import type { Log } from './flush/health.ts';
import { createTally, type Tally } from './flush/tally.ts';
import type { Time } from './flush/time.ts';
import { createSetBook, type SetBook } from './flush/set-book.ts';
import type { SetSender, SetSenderParts } from './flush/set-sender.ts';
import { createTimingBook, type TimingBook } from './flush/timing-book.ts';
import { TRAP_BODY_BYTES_MAX } from './flush/trap-body.ts';
import { heatmapRoute } from './http/heatmap.ts';
import { createMetrics } from './http/metrics.ts';
import { createRoutes, type RouteSources } from './http/routes.ts';
import { readSets } from './http/read-sets.ts';
import { createHttpServer, type HttpServer } from './http/server.ts';
import { streamRoute } from './http/stream.ts';
import type { IngestOptions } from './ingest/ingest.ts';
import { createFoldedLog } from './ingest/folded-log.ts';
import { RECEIVE_BUFFER_BYTES, receiveBufferAdvice } from './ingest/kernel.ts';
import { plainLedgers } from './ingest/kept-ledger.ts';
import type { BoundSocket } from './ingest/messages.ts';
import { hostPort } from './ingest/address.ts';
import { ledgerLimits } from './ledger/ledger.ts';
import { createLive, type Live, type LiveParts } from './live/live.ts';
import type { Options } from './option-types.ts';
import type { SetStore } from './sinks/set-store.ts';
import type { Store } from './sinks/store.ts';
import { createTrap, type Trap, TRAP_TIMEOUT_MS } from './sinks/trap.ts';
import { createStateDir, type StateDir } from './state/state-dir.ts';
import { createTrapReceiver } from './trap-receiver/handler.ts';
import type { TrapSink } from './trap-receiver/values.ts';
import type { ReceiverUsage } from './vitals.ts';
import type { LiveMemory } from './window/live-memory.ts';
import { createLifetimeHistograms, type LifetimeHistograms } from './window/lifetime-histograms.ts';
import type { LiveWindow } from './window/window.ts';

// Parts of the collector, made of its options.

const NO_SHARING =
  'dgram shares a port between threads on Linux, from Node 22.12 on; recvmmsg (koffi) does with any';

const NO_TOKEN =
  'can be reached from elsewhere, but without --http-token all but /healthz answers only to ' +
  'http://127.0.0.1 and http://localhost: give a token, or bind 127.0.0.1';

/** What is served over HTTP. */
export interface HttpSide {
  server: HttpServer;
  /** What goes on each second so that there is something to show. */
  tickers: Pick<Live, 'start' | 'stop'>[];
  /** See `Live.tellAnew`. */
  tellAnew: () => void;
}

/** What is shown over HTTP, and what comes in that way. */
export type HttpParts = Omit<RouteSources, 'metrics' | 'collections' | 'sets'> &
  Omit<LiveParts, 'intervals'> & {
    histograms: LifetimeHistograms | undefined;
    store: Store & SetStore;
    setSender: SetSender;
    /** Where it is counted what the trap receiver takes. */
    taken: ReceiverUsage;
    log: Log;
  };

/** Returns page, API, metrics and trap receiver; undefined where HTTP is off. */
export function openHttp(options: Options, parts: HttpParts): HttpSide | undefined {
  const { http: address, httpToken: token, trapSecret: secret } = options;
  if (address === null) return undefined;
  const { memory, histograms, taken, time, log } = parts;
  const sink = intoWindow(memory.window, histograms, taken);
  const nowMs = (): number => time.nowMs();
  const receiver =
    secret === undefined ? undefined : createTrapReceiver({ secret, sink, nowMs, log });
  const live = createLive({ ...parts, intervals: options });
  const { collections } = parts.layout;
  const { store } = parts;
  const sets: RouteSources['sets'] = (isWanted) =>
    readSets({ collections, store, today: () => parts.setSender.today() }, isWanted);
  const metrics = createMetrics({ ...parts, collections, sets });
  const routes = [
    ...createRoutes({ ...parts, metrics, collections, sets }),
    streamRoute(live, log),
    heatmapRoute(memory),
  ];
  const server = createHttpServer({ ...address, token, routes, receiver, log });
  return { server, tickers: [memory, live], tellAnew: live.tellAnew };
}

/** Others' timings enter window and histograms beside our own, and are not passed on. */
function intoWindow(
  window: LiveWindow,
  histograms: LifetimeHistograms | undefined,
  taken: ReceiverUsage,
): TrapSink {
  const count = (shown: boolean, samples: number): void => {
    taken.samples += samples;
    if (!shown) taken.leftOut += samples;
  };
  return {
    sample(name, value, times) {
      histograms?.addCounted(name, value, times);
      count(window.addCounted(name, value, times), times);
    },
    histogram(name, one) {
      histograms?.addHistogram(name, one);
      count(window.addHistogram(name, one), one.count);
    },
  };
}

/** Where samples wait on the main thread. */
export interface Books {
  counters: CounterBook;
  gauges: GaugeBook;
  timings: TimingBook;
  sets: SetBook;
}

/** Creates books of nothing. */
export function createBooks({ maxKeys, trapType }: Options): Books {
  return {
    counters: createCounterBook(maxKeys),
    gauges: createGaugeBook(),
    sets: createSetBook(),
    timings: createTimingBook(trapType, TRAP_BODY_BYTES_MAX),
  };
}

/** What is kept of what comes, to be shown. */
type Kept = Pick<DrainerParts, 'clock' | 'window' | 'histograms' | 'trace' | 'writes'> &
  Pick<CounterFlusherParts, 'onGauge'> &
  Pick<SetSenderParts, 'onCount'>;

/** Returns where it is kept; without HTTP, by which alone it is seen, only what all need. */
export function keptOf({ http }: Options, memory: LiveMemory): Kept {
  const { clock, window, trace, gauges, sets } = memory;
  if (http === null) return { clock, window };
  const histograms = createLifetimeHistograms();
  const writes = { gauges: gauges.writes, sets: sets.writes };
  return { clock, window, histograms, trace, writes, onGauge: gauges.hold, onCount: sets.hold };
}

/** Returns where it is counted what becomes of samples; without a trap of timings, too. */
export function talliesOf(
  { tally: counterTally, gaugeTally }: CounterFlusher,
  { tally: setTally }: SetSender,
  timingFlusher: { tally: Tally } | undefined,
): { counterTally: Tally; gaugeTally: Tally; setTally: Tally; timingTally: Tally } {
  return { counterTally, gaugeTally, setTally, timingTally: timingFlusher?.tally ?? createTally() };
}

/** Returns what to say when a collector is started a second time. */
export function startedBefore(): StatcolError {
  const message = 'a collector starts once: create another with createCollector';
  return new StatcolError(ErrorCode.ERR_STATE, message);
}

/** Says what of the sockets is less than was asked for, and why. */
export function sayReceiver(socket: BoundSocket, options: Options, log: Log): void {
  const { threads, http, httpToken } = options;
  const advice = receiveBufferAdvice(socket.receiveBufferBytes);
  if (advice !== undefined) log('info', advice);
  if (socket.note !== undefined) log('info', `receives with dgram: ${socket.note}`);
  if (threads > 1 && !socket.isShared)
    log('warn', `one ingest thread instead of ${threads}: ${NO_SHARING}`);
  if (http !== null && httpToken === undefined && !/^(?:127\.|::1$)/.test(http.host))
    log('warn', `--http ${hostPort(http.host, http.port)} ${NO_TOKEN}`);
}

/** Returns the state directory, which nothing was done to yet; undefined without one. */
export function openState(
  { stateDir: folder, spoolLimit: limitBytes, maxKeys, redis }: Options,
  parts: { instance: string; nowMs: () => number; log: Log },
): StateDir | undefined {
  if (folder === undefined) return undefined;
  const store = redis === undefined ? 'memory' : 'redis';
  const limits = ledgerLimits(maxKeys);
  return createStateDir({ folder, limitBytes, limits, store, ...parts });
}

/** Returns what the ingest threads are made with. */
export function ingestOptions(
  { host, names, tags: dialect, tagSetsPerName, maxKeys, receiver }: Options,
  state: StateDir | undefined,
  log: Log,
): IngestOptions {
  return {
    host,
    names,
    dialect,
    tagSetsMax: tagSetsPerName,
    onFolded: createFoldedLog(tagSetsPerName, log),
    receiver,
    createLedger: state === undefined ? plainLedgers(ledgerLimits(maxKeys)) : state.createLedger,
    hashSeed: randomBytes(4).readInt32LE(),
    receiveBufferBytes: RECEIVE_BUFFER_BYTES,
  };
}

/** Returns the trap; undefined without one. */
export function openTrap(
  { trap: url, trapCa: ca, trapServername: servername }: Options,
  time: Time,
): Trap | undefined {
  if (url === undefined) return undefined;
  return createTrap({ url, ca, servername, timeoutMs: TRAP_TIMEOUT_MS, time });
}
