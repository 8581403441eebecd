import type {
  Frame,
  Watched,
  WatchedCounter,
  WatchedHeld,
  WatchedTiming,
  WireColumn,
  WireHeld,
  WirePoint,
} from '../live/frame.ts';
import type { Range, Shown } from './view.ts';

/** What is known of a timing that is shown. */
export interface TimingData {
  /** Undefined until the collector has told of it. */
  latest: WatchedTiming | undefined;
  /** Ascending, without gaps in between other than where nothing was timed. */
  columns: WireColumn[];
}

/** What is known of a counter that is shown. */
export interface CounterData {
  latest: WatchedCounter | undefined;
  points: WirePoint[];
}

/** What is known of a gauge or set that is shown. */
export interface HeldData {
  latest: WatchedHeld | undefined;
  points: WireHeld[];
}

/** What is known of all counters that begin alike. */
export interface PrefixData {
  matching: number;
  /** By name, as the collector lists them. */
  counters: ReadonlyMap<string, CounterData>;
}

/** What the collector has told, as far as it may be shown. */
export interface DataStore {
  timing(name: string): TimingData;
  counter(name: string): CounterData;
  held(kind: WatchedHeld['kind'], name: string): HeldData;
  prefix(name: string): PrefixData;
  /** Up to which second all of it is known; 0 for nothing. */
  knownTo(one: Shown): number;
  /**
   * Parts of time of which nothing is known because nobody could tell of them: the collector was
   * away, or the page was for longer than the collector remembers.
   */
  gaps(): readonly Range[];
  /** From which second on all that there was of it is here, but for gaps; Infinity for nothing. */
  completeFrom(one: Shown): number;
  /** When the collector's present life began, if what is here is of an earlier one too; else 0. */
  lifeFrom(): number;
  /** Takes in a frame. */
  take(frame: Frame): void;
  /** Forgets what is not among these, and what is older than `span` but for the range to be kept. */
  keep(shown: readonly Shown[], span: number, kept: Range | undefined): void;
  /** Forgets everything. */
  clear(): void;
}

/** Creates an empty store. It holds as much as is shown: seconds of a span for each name. */
export function createDataStore(): DataStore {
  const timings = new Map<string, TimingData>();
  const counters = new Map<string, CounterData>();
  /** Gauges and sets, by kind and name. */
  const held = new Map<string, HeldData>();
  const prefixes = new Map<string, { matching: number; counters: Map<string, CounterData> }>();
  const known = new Map<string, number>();
  let latestSecond = 0;
  let gaps: Range[] = [];
  /** Since when each was told at first; and what has been forgotten since, of all alike. */
  const toldFrom = new Map<string, number>();
  let forgottenTo = 0;
  /** What is between the range that was to be kept and what is kept anyway. */
  let hole: Range | undefined;
  let instance = '';
  let lifeFrom = 0;

  return {
    timing: (name) => timings.get(name) ?? { latest: undefined, columns: [] },
    counter: (name) => counters.get(name) ?? nothing(),
    held: (kind, name) => held.get(keyOf({ kind, name })) ?? nothing(),
    prefix: (name) => prefixes.get(name) ?? { matching: 0, counters: new Map() },
    knownTo: (one) => known.get(keyOf(one)) ?? 0,
    gaps: () => (hole === undefined ? gaps : [...gaps, hole]),
    completeFrom: (one) => Math.max(toldFrom.get(keyOf(one)) ?? Infinity, forgottenTo),
    lifeFrom: () => lifeFrom,
    take(frame) {
      if (frame.reset) clear();
      else if (latestSecond > 0 && frame.countersFrom > latestSecond + 1) {
        gaps.push({ from: latestSecond + 1, to: frame.countersFrom });
      }
      if (known.size > 0 && frame.instance !== instance) lifeFrom = frame.countersFrom;
      ({ second: latestSecond, instance } = frame);
      for (const one of frame.watched) {
        takeOne(one);
        const key = keyOf(shownBy(one));
        known.set(key, frame.second);
        if (!toldFrom.has(key)) toldFrom.set(key, frame.countersFrom);
      }
    },
    keep(shown, span, kept) {
      const keys = new Set(shown.map(keyOf));
      for (const map of [known, toldFrom]) {
        for (const key of map.keys()) if (!keys.has(key)) map.delete(key);
      }
      const isShown = (kind: Shown['kind'], name: string): boolean =>
        keys.has(keyOf({ kind, name }));
      for (const name of timings.keys()) if (!isShown('timing', name)) timings.delete(name);
      for (const name of counters.keys()) if (!isShown('counter', name)) counters.delete(name);
      for (const key of held.keys()) if (!keys.has(key)) held.delete(key);
      for (const name of prefixes.keys()) if (!isShown('prefix', name)) prefixes.delete(name);
      const oldest = latestSecond + 1 - span;
      const isWanted = (second: number, wide: number): boolean =>
        second + wide > oldest ||
        (kept !== undefined && second + wide > kept.from && second < kept.to);
      forget(oldest, kept);
      gaps = gaps.filter(({ from, to }) => isWanted(from, to - from));
      for (const data of timings.values()) {
        prune(data.columns, ({ second, span: wide }) => isWanted(second, wide));
      }
      const lists = [...prefixes.values()].flatMap((one) => [...one.counters.values()]);
      for (const data of [...counters.values(), ...lists]) {
        prune(data.points, ([second, wide]) => isWanted(second, wide));
      }
      for (const { points } of held.values()) {
        // What was written holds until it is written again.
        prune(points, ([second], at) =>
          isWanted(second, (points[at + 1]?.[0] ?? Infinity) - second),
        );
      }
    },
    clear,
  };

  function clear(): void {
    for (const map of [timings, counters, held, prefixes, known, toldFrom]) map.clear();
    gaps = [];
    hole = undefined;
    forgottenTo = lifeFrom = 0;
  }

  /** Notes what is not complete any more. */
  function forget(oldest: number, kept: Range | undefined): void {
    forgottenTo = Math.max(forgottenTo, Math.min(oldest, kept?.from ?? oldest));
    const before = hole;
    hole = kept !== undefined && kept.to < oldest ? { from: kept.to, to: oldest } : undefined;
    // What was forgotten does not come back when another range is kept.
    if (before !== undefined && !(hole !== undefined && hole.from <= before.from))
      gaps.push(before);
  }

  function takeOne(one: Watched): void {
    if (one.kind === 'timing') {
      const data = entry(timings, one.name, () => ({ latest: undefined, columns: [] }));
      data.latest = { ...one, columns: [] };
      append(data.columns, one.columns, ({ second }) => second);
    } else if (one.kind === 'counter') {
      takePoints(entry(counters, one.name, nothing), one);
    } else if (one.kind !== 'prefix') {
      takePoints(entry(held, keyOf(one), nothing), one);
    } else {
      const before = prefixes.get(one.prefix)?.counters;
      const now = new Map(one.counters.map(({ name }) => [name, before?.get(name) ?? nothing()]));
      for (const counter of one.counters) takePoints(now.get(counter.name)!, counter);
      prefixes.set(one.prefix, { matching: one.matching, counters: now });
    }
  }
}

function takePoints<Told extends WatchedCounter | WatchedHeld>(
  data: { latest: Told | undefined; points: Told['points'] },
  one: Told,
): void {
  data.latest = { ...one, points: [] };
  append<WirePoint | WireHeld>(data.points, one.points, ([second]) => second);
}

function shownBy(one: Watched): Shown {
  return one.kind === 'prefix' ? { kind: 'prefix', name: one.prefix } : one;
}

function keyOf({ kind, name }: Shown): string {
  return `${kind} ${name}`;
}

function nothing(): { latest: undefined; points: never[] } {
  return { latest: undefined, points: [] };
}

function entry<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  let found = map.get(key);
  if (found === undefined) map.set(key, (found = make()));
  return found;
}

/** Appends what is new; what begins at or after its first replaces what was there. */
function append<Item>(to: Item[], items: readonly Item[], second: (item: Item) => number): void {
  if (items.length === 0) return;
  const first = second(items[0]!);
  while (to.length > 0 && second(to.at(-1)!) >= first) to.pop();
  to.push(...items);
}

/** In place: the same array goes on. */
function prune<Item>(items: Item[], isWanted: (item: Item, at: number) => boolean): void {
  if (items.every(isWanted)) return;
  const kept = items.filter(isWanted);
  items.length = 0;
  items.push(...kept);
}
