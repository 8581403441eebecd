import type { Traced } from '../window/counter-trace.ts';
import type { CounterEntry } from './counter-book.ts';
import type { GaugeEntry } from './gauge-book.ts';
import type { SetEntry } from './set-book.ts';
import type { TimingEntry } from './timing-book.ts';

/**
 * What the entries of one ledger are in the books: found once, not at each flip. Null where there
 * is no room for the name.
 */
export interface KnownEntries {
  counters: (CounterEntry | null)[];
  /** Of counters what was added, of gauges and sets how often they were written. */
  traced: Traced[];
  gauges: (GaugeEntry | null)[];
  timings: (TimingEntry | null)[];
  sets: (SetEntry | null)[];
  /** Those that further sets of tags of a name share. */
  others: Set<number>;
}

/** Returns what is known of a ledger at first. */
export function nothingKnown(): KnownEntries {
  return { counters: [], traced: [], gauges: [], timings: [], sets: [], others: new Set() };
}

/** Returns what is known of an entry, or finds it out with `look` and remembers it. */
export function lookUp<Entry>(
  known: (Entry | null)[],
  id: number,
  look: () => Entry | null,
): Entry | null {
  const before = known[id];
  return before === undefined ? (known[id] = look()) : before;
}
