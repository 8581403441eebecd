import type { SaidDown } from './admin/commands.ts';
import type { CounterFlusher } from './flush/counter-flusher.ts';
import type { CounterBook } from './flush/counter-book.ts';
import type { GaugeBook } from './flush/gauge-book.ts';
import type { Growth } from './flush/growth.ts';
import type { Received } from './flush/received.ts';
import type { SetBook } from './flush/set-book.ts';
import type { SetSender } from './flush/set-sender.ts';
import type { Tally } from './flush/tally.ts';
import type { TimingBook } from './flush/timing-book.ts';
import type { TimingFlusher } from './flush/timing-flusher.ts';
import type { KernelDrops } from './ingest/kernel.ts';
import type { BoundSocket } from './ingest/messages.ts';
import type { Store } from './sinks/store.ts';
import type { Recovered } from './state/attach.ts';
import type { StateDir } from './state/state-dir.ts';
import type { Fate, ReceiverUsage, TcpUsage, Vitals } from './vitals-types.ts';
import type { LiveWindow } from './window/window.ts';

export type { Fate, ReceiverUsage, Vitals } from './vitals-types.ts';

/** Where the numbers come from. */
export interface VitalsParts {
  version: string;
  startMs: number;
  nowMs: () => number;
  /** The first one; the others are as it is. */
  socket: BoundSocket;
  threads: number;
  kernelDrops: KernelDrops;
  /** What has come over TCP. */
  tcp: () => TcpUsage;
  /** Whether there is a unix socket. */
  hasUnix: boolean;
  /** What keeps senders from it, if something does. */
  unixFault: () => string | undefined;
  received: Received;
  growth: Growth;
  counterBook: CounterBook;
  counterFlusher: CounterFlusher;
  gaugeBook: GaugeBook;
  setBook: SetBook;
  setSender: SetSender;
  timingBook: TimingBook;
  timingTally: Tally;
  /** Undefined without a trap. */
  timingFlusher: TimingFlusher | undefined;
  keysMax: number;
  window: LiveWindow;
  receiver: ReceiverUsage;
  recovered: Recovered;
  /** Undefined without a state directory. */
  state: StateDir | undefined;
  store: Store;
  /** Who has taken the collector out of service, if somebody has. */
  saidDown: () => SaidDown | undefined;
}

/**
 * Returns the numbers as they are. Right after a drain they are of one moment, and the identities
 * hold in them: every term was counted where it happened, none is the difference of others.
 */
export function readVitals(parts: VitalsParts): Vitals {
  const { received, counterBook, counterFlusher, gaugeBook, timingBook, timingFlusher, socket } =
    parts;
  return {
    uptimeSeconds: Math.round((parts.nowMs() - parts.startMs) / 100) / 10,
    version: parts.version,
    udp: {
      receiver: socket.receiver,
      threads: parts.threads,
      datagrams: received.datagrams,
      bytes: received.bytes,
      kernelDrops: parts.kernelDrops.read(),
      receiveBufferBytes: socket.receiveBufferBytes,
    },
    tcp: parts.tcp(),
    unix: { configured: parts.hasUnix, ...received.unix },
    lines: {
      accepted: received.linesAccepted,
      rejected: Object.fromEntries(received.linesRejected),
    },
    samples: samplesOf(received),
    counters: fate(
      parts.recovered.counters,
      counterFlusher.tally,
      counterBook.pendingSamples + counterFlusher.pendingSamples,
    ),
    timings: fate(
      parts.recovered.timings,
      parts.timingTally,
      timingBook.pendingSamples + (timingFlusher?.pendingSamples ?? parts.recovered.waiting()),
    ),
    gauges: fate(
      parts.recovered.gauges,
      counterFlusher.gaugeTally,
      gaugeBook.pendingSamples + counterFlusher.pendingGaugeSamples,
    ),
    sets: fate(
      parts.recovered.sets,
      parts.setSender.tally,
      parts.setBook.pendingSamples + parts.setSender.pendingSamples,
    ),
    keys: keysOf(parts),
    growth: parts.growth.top(),
    window: parts.window.usage(),
    receiver: { ...parts.receiver },
    store: {
      kind: parts.store.kind,
      up: counterFlusher.health.up,
      lastError: counterFlusher.health.lastError,
      lastFlushMs: counterFlusher.health.lastMs,
    },
    state: {
      configured: parts.state !== undefined,
      up: parts.state !== undefined && parts.state.failure() === undefined,
      lastError: parts.state?.failure()?.error ?? null,
      spoolBytes: parts.state?.spoolBytes ?? 0,
    },
    trap: {
      configured: timingFlusher !== undefined,
      up: timingFlusher?.health.up ?? false,
      lastError: timingFlusher?.health.lastError ?? null,
      lastPushMs: timingFlusher?.health.lastMs ?? null,
    },
  };
}

/** What keeps a collector from being well, for `/healthz`; empty when nothing does. */
export function readReasons(
  { counterFlusher, timingFlusher, nowMs, state, store, saidDown, unixFault }: VitalsParts,
  intervals: { counterMs: number; timingMs: number },
): string[] {
  const reasons: string[] = [];
  const down = saidDown();
  if (down !== undefined) {
    const ago = seconds(nowMs() - down.sinceMs);
    const said = `${down.peer} said "health down" at the admin console ${ago} ago`;
    reasons.push(`${said}: say "health up" there to undo it`);
  }
  const { health, refusing } = counterFlusher;
  const storeLimitMs = 3 * intervals.counterMs;
  if (health.downMs() > storeLimitMs) {
    const error = health.lastError ?? 'not reached yet';
    reasons.push(`${store.kind} has failed for ${seconds(health.downMs())}: ${error}`);
  }
  for (const [hash, { reason, sinceMs }] of refusing) {
    const ms = nowMs() - sinceMs;
    if (ms > storeLimitMs) reasons.push(`${hash} has refused for ${seconds(ms)}: ${reason}`);
  }
  const trap = timingFlusher?.health;
  if (trap !== undefined && trap.downMs() > 3 * intervals.timingMs) {
    reasons.push(`the trap has failed for ${seconds(trap.downMs())}: ${trap.lastError}`);
  }
  const failure = state?.failure();
  if (failure !== undefined) {
    const since = seconds(nowMs() - failure.sinceMs);
    reasons.push(`the state directory has failed for ${since}: ${failure.error}`);
  }
  const unix = unixFault();
  if (unix !== undefined) reasons.push(unix);
  return reasons;
}

function samplesOf(received: Received): Vitals['samples'] {
  return {
    counters: received.counterSamples,
    timings: received.timingSamples,
    gauges: received.gaugeSamples,
    sets: received.setSamples,
  };
}

function keysOf(parts: VitalsParts): Vitals['keys'] {
  return {
    counters: parts.counterBook.size,
    timings: parts.timingBook.size,
    gauges: parts.gaugeBook.size,
    sets: parts.setBook.size,
    limit: parts.keysMax,
    tagSetsFolded: parts.received.tagSetsFolded,
  };
}

function fate(recovered: number, { delivered, dropped }: Tally, pending: number): Fate {
  return { recovered, delivered, pending, dropped: Object.fromEntries(dropped) };
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
