import type { CounterTrace } from '../window/counter-trace.ts';
import type { HeldValues } from '../window/held-values.ts';
import type { LiveWindow } from '../window/window.ts';
import type { StoreNames } from './store-names.ts';

/** Where names come from, and what is known of each. */
export interface NameSources {
  trace: Pick<CounterTrace, 'names' | 'has' | 'size' | 'points' | 'recentSum' | 'recentAmount'>;
  window: Pick<LiveWindow, 'names' | 'usage' | 'summary' | 'recentWeight' | 'columnsSince'>;
  /** The counters that the store knows beside. */
  storeNames: OtherNames;
  gauges: HeldNames;
  sets: HeldNames;
  /** The last second of the clock that is over. */
  lastSecond: () => number;
  /** By how much the clock is behind that of the system. */
  offsetSeconds: () => number;
  /** Returns the seconds up to one over which rates are taken: 10, or fewer after the start. */
  rateSpan: (second: number) => RateSpan;
}

/** Names that are known though nothing came of them lately. */
export type OtherNames = Pick<StoreNames, 'version'> & { names(): Iterable<string> };

/** Gauges or sets. */
export interface HeldNames {
  memory: Pick<HeldValues, 'writes' | 'values'>;
  others: OtherNames;
}

/** Seconds of the clock, first and last, over which rates are taken. */
export interface RateSpan {
  from: number;
  to: number;
}

/** Yields the names of all counters; one that is forgotten and comes back meanwhile may be twice. */
export function* counterNames({
  trace,
  storeNames,
}: Pick<NameSources, 'trace' | 'storeNames'>): Generator<string> {
  yield* trace.names();
  for (const name of storeNames.names()) if (!trace.has(name)) yield name;
}
