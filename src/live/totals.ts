import { type Layout, TOTAL_FIELD } from '../flush/layout.ts';
import { type Time, within } from '../flush/time.ts';
import { setKey, type SetStore } from '../sinks/set-store.ts';
import type { Store } from '../sinks/store.ts';
import type { Kind, WatchedStored } from './frame.ts';

/** What the store keeps. */
export type StoredKind = Exclude<Kind, 'timing'>;

/** What the store holds of names of one kind that are looked at; all who look share it. */
export interface Totals {
  /**
   * Has names read, as far as they were not in this second and there is room for it. Resolves
   * when that is done, or half a second later; never rejects.
   *
   * @param sharers how many there are who ask each second.
   */
  read(names: Iterable<string>, second: number, sharers: number): Promise<void>;
  /** What was read last, as it stands there; null where it is not there or was never told. */
  last(name: string): string | null;
  /** Forgets them: nobody looks. */
  clear(): void;
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
/** A plain decimal has 325 characters at most; what others write may be of any length. */
const TEXT_LENGTH_MAX = 400;

/** Creates totals of all kinds, of which none is known. `day` is the present one. */
export function createAllTotals(
  store: Store & Pick<SetStore, 'countMembers'>,
  layout: Layout,
  time: Time,
  day: () => string,
): Record<StoredKind, Totals> {
  const readField = (kind: 'counter' | 'gauge') => (name: string) => {
    const { hash, field } = placeOf(layout, kind, name, day());
    return store.readField(hash, field ?? TOTAL_FIELD);
  };
  const readSet = async (name: string): Promise<string> => {
    return String(await store.countMembers(placeOf(layout, 'set', name, day()).hash));
  };
  return {
    counter: createTotals(readField('counter'), time),
    gauge: createTotals(readField('gauge'), time),
    set: createTotals(readSet, time),
  };
}

/** Creates totals of which none is known; `readText` asks the store. */
export function createTotals(
  readText: (name: string) => Promise<string | null>,
  time: Time,
): Totals {
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
    begun++;
    inFlight++;
    entry.readSecond = presentSecond;
    entry.reading = readText(name)
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

/** Returns where a name is kept; a set by day. */
export function placeOf(
  layout: Layout,
  kind: StoredKind,
  name: string,
  day: string,
): Pick<WatchedStored, 'hash' | 'field' | 'otherHashes'> {
  if (kind === 'set') {
    const [first, ...others] = layout.collections;
    return { hash: setKey(first!, name, day), field: null, otherHashes: others.length };
  }
  const [first, ...others] = kind === 'gauge' ? layout.placeGauge(name) : layout.place(name);
  const { hash, field } = first!;
  return { hash, field: field ?? TOTAL_FIELD, otherHashes: others.length };
}
