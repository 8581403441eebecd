import type { Traced } from '../window/counter-trace.ts';
import type { CounterEntry } from './counter-book.ts';
import type { TimingEntry } from './timing-book.ts';

/**
 * What the entries of one ledger are in the books: found once, not at each flip. Null where there
 * is no room for the name.
 */
export interface KnownEntries {
  counters: (CounterEntry | null)[];
  traced: Traced[];
  timings: (TimingEntry | null)[];
  /** Those that further sets of tags of a name share. */
  others: Set<number>;
}

/** Finds what an entry of a ledger is in the books. */
export interface FindEntry {
  counterAt(id: number): CounterEntry | null;
  timingAt(id: number): TimingEntry | null;
}

/** Returns what is known of a ledger at first. */
export function nothingKnown(): KnownEntries {
  return { counters: [], traced: [], timings: [], others: new Set() };
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
