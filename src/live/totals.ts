import { type Layout, TOTAL_FIELD } from '../flush/layout.ts';
import { type Time, within } from '../flush/time.ts';
import type { Store } from '../sinks/store.ts';

/** What the store holds of counters that are looked at; all who look share it. */
export interface CounterTotals {
  /**
   * Has counters read, as far as they were not in this second and there is room for it. Resolves
   * when that is done, or half a second later; never rejects.
   *
   * @param sharers how many there are who ask each second.
   */
  read(names: Iterable<string>, second: number, sharers: number): Promise<void>;
  /** All digits of what was read last; null where it is not there or was never told. */
  last(name: string): string | null;
  /** Forgets them: nobody looks. */
  clear(): void;
}

/** A counter's first place in the store. */
export interface CounterPlace {
  hash: string;
  field: string;
  otherHashes: number;
}

interface Entry {
  text: string | null;
  /** When it was last asked for, and last read. */
  askedSecond: number;
  readSecond: number;
  reading: Promise<void> | undefined;
}

/** Reads a second, and at once. */
const READS_MAX = 64;
const WAIT_MS = 500;
/** What nobody asked for in so long is forgotten. */
const FORGET_SECONDS = 60;
/** An integer has 20 characters at most; what others write in its place may be of any length. */
const TEXT_LENGTH_MAX = 100;

/** Creates totals of which none is known. */
export function createCounterTotals(store: Store, layout: Layout, time: Time): CounterTotals {
  const entries = new Map<string, Entry>();
  let presentSecond = -Infinity;
  let begun = 0;
  let inFlight = 0;

  return {
    async read(names, second, sharers) {
      if (second !== presentSecond) begin(second);
      const wanted = Array.from(new Set(names), (name) => [name, entryOf(name)] as const);
      for (const [, entry] of wanted) entry.askedSecond = second;
      const room = Math.min(READS_MAX - begun, READS_MAX - inFlight, READS_MAX / sharers);
      wanted
        .filter(([, { readSecond, reading }]) => readSecond < second && reading === undefined)
        .toSorted(([, one], [, other]) => one.readSecond - other.readSecond)
        .slice(0, Math.max(0, Math.ceil(room)))
        .forEach(([name, entry]) => readOne(name, entry));
      const reading = wanted.map(([, entry]) => entry.reading).filter((one) => one !== undefined);
      if (reading.length > 0) await within(time, WAIT_MS, Promise.all(reading));
    },
    last: (name) => entries.get(name)?.text ?? null,
    clear: () => entries.clear(),
  };

  function begin(second: number): void {
    presentSecond = second;
    begun = 0;
    for (const [name, { askedSecond }] of entries) {
      if (askedSecond < second - FORGET_SECONDS) entries.delete(name);
    }
  }

  function entryOf(name: string): Entry {
    let entry = entries.get(name);
    if (entry === undefined) {
      entry = { text: null, askedSecond: 0, readSecond: -Infinity, reading: undefined };
      entries.set(name, entry);
    }
    return entry;
  }

  function readOne(name: string, entry: Entry): void {
    const { hash, field } = placeOf(layout, name);
    begun++;
    inFlight++;
    entry.readSecond = presentSecond;
    entry.reading = store
      .readField(hash, field)
      .then((text) => {
        entry.text = text !== null && text.length > TEXT_LENGTH_MAX ? null : text;
      })
      .catch(() => {}) // what is known stays: that the store is away is told elsewhere
      .finally(() => {
        entry.reading = undefined;
        inFlight--;
      });
  }
}

/** Returns where a counter is counted. */
export function placeOf(layout: Layout, name: string): CounterPlace {
  const [first, ...others] = layout.place(name);
  const { hash, field } = first!;
  return { hash, field: field ?? TOTAL_FIELD, otherHashes: others.length };
}
