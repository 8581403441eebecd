import type { CounterTrace } from '../window/counter-trace.ts';
import type { LiveWindow } from '../window/window.ts';
import type { StoreNames } from './store-names.ts';

/** Where names come from, and what is known of each. */
export interface NameSources {
  trace: Pick<CounterTrace, 'names' | 'has' | 'size' | 'points' | 'recentSum' | 'recentAmount'>;
  window: Pick<LiveWindow, 'names' | 'usage' | 'summary' | 'recentWeight' | 'columnsSince'>;
  storeNames: StoreNames;
  /** The last second of the clock that is over. */
  lastSecond: () => number;
  /** Returns the seconds up to one over which rates are taken: 10, or fewer after the start. */
  rateSpan: (second: number) => RateSpan;
}

/** Seconds of the clock, first and last, over which rates are taken. */
export interface RateSpan {
  from: number;
  to: number;
}

/** Yields the names of all counters; one that is forgotten and comes back meanwhile may be twice. */
export function* counterNames({ trace, storeNames }: NameSources): Generator<string> {
  yield* trace.names();
  for (const name of storeNames.names()) if (!trace.has(name)) yield name;
}

/** Increments or samples per second. */
export function rateOf(
  { trace, window }: NameSources,
  { isTiming, name }: { isTiming: boolean; name: string },
  { from, to }: RateSpan,
): number {
  const sum = isTiming ? window.recentWeight(name, from, to) : trace.recentSum(name, from, to);
  return sum / (to - from + 1);
}
