import type { Health } from '../flush/health.ts';
import type { Tally } from '../flush/tally.ts';
import type { Vitals } from '../vitals-types.ts';
import type { VitalsParts } from '../vitals.ts';
import type { Down, Standing } from './problems.ts';
import type { Flow, Recent, Totals } from './recent.ts';

/** What is beside the collector's own numbers. */
export interface StandingParts {
  recent: Recent;
  /** Returns a moment of the collector's clock in Unix milliseconds. */
  toUnixMs: (ms: number) => number;
  /** How often counters and timings are delivered. */
  intervals: { counterMs: number; timingMs: number };
}

/** What fails is tried again in a moment: only what fails for longer is told. */
const DOWN_MIN_MS = 1000;
/** As healthz has it, and the second within which it is looked at. */
const INTERVALS_MAX = 3;
const LAG_SLACK_MS = 1500;

/** Returns what has come and gone so far. */
export function readTotals(parts: VitalsParts): Totals {
  const { received, kernelDrops, counterFlusher, setSender, timingTally, recovered } = parts;
  return {
    atMs: parts.nowMs(),
    datagrams: received.datagrams + received.unix.datagrams,
    linesAccepted: received.linesAccepted,
    linesRejected: new Map(received.linesRejected),
    kernelDrops: kernelDrops.read() ?? 0,
    counters: flowOf(received.counterSamples + recovered.counters, counterFlusher.tally),
    gauges: flowOf(received.gaugeSamples + recovered.gauges, counterFlusher.gaugeTally),
    sets: flowOf(received.setSamples + recovered.sets, setSender.tally),
    timings: flowOf(received.timingSamples + recovered.timings, timingTally),
  };
}

function flowOf(taken: number, { delivered, dropped }: Tally): Flow {
  return { taken, delivered, dropped: new Map(dropped) };
}

/** Returns how things stand. */
export function readStanding(
  parts: VitalsParts,
  vitals: Vitals,
  { recent, toUnixMs, intervals }: StandingParts,
): Standing {
  const { counterFlusher, timingFlusher, store, state, nowMs, received } = parts;
  const down = parts.saidDown();
  const failure = state?.failure();
  const downOf = ({ up, lastError: error, downMs }: Health): Down | undefined => {
    const ms = downMs();
    return up || ms < DOWN_MIN_MS ? undefined : { error, sinceMs: toUnixMs(nowMs() - ms) };
  };
  return {
    vitals,
    saidDown: down && { peer: down.peer, sinceMs: toUnixMs(down.sinceMs) },
    lastMinute: recent.lastMinute(),
    store: {
      label: store.label,
      down: downOf(counterFlusher.health),
      refusing: Array.from(counterFlusher.refusing, ([hash, { reason, sinceMs }]) => {
        return { hash, reason, sinceMs: toUnixMs(sinceMs) };
      }),
    },
    trap: timingFlusher && downOf(timingFlusher.health),
    state: failure && { error: failure.error, sinceMs: toUnixMs(failure.sinceMs) },
    spoolFilled: state?.spoolFilled ?? 0,
    refusals: received.refusals,
    lag: {
      counters: waiting(recent.lagMs('counters'), intervals.counterMs),
      timings: waiting(recent.lagMs('timings'), intervals.timingMs),
    },
  };
}

function waiting(lagMs: number, intervalMs: number): { lagMs: number; limitMs: number } {
  return { lagMs, limitMs: INTERVALS_MAX * intervalMs + LAG_SLACK_MS };
}
