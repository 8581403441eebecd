import type { Histogram } from '../histogram.ts';
import { wholeSamples } from '../weights.ts';
import type { Ranked } from './busiest.ts';
import type { WindowClock } from './clock.ts';
import {
  addToColumn,
  appendColumn,
  coarsenLog,
  type Column,
  COLUMN_COUNT_MAX,
  type ColumnLog,
  dropTo,
  emptyColumn,
  forEachPlace,
  mergeFromLog,
  takeLast,
  weightWithin,
} from './column.ts';
import {
  columnsOf,
  dropBefore,
  emptySeries,
  mergeAll,
  oldestEnd,
  oldestFine,
  type Series,
  summaryOf,
} from './series.ts';
import type { TimingSummary, WindowUsage } from './summary.ts';

export type { TimingSummary, WindowUsage } from './summary.ts';

/** The last minutes of every timing, a histogram per second: what the page and the API show. */
export interface LiveWindow {
  /**
   * Adds samples of a name to the second of the clock; false where the name is new and there are
   * too many already. The arrays are not kept.
   */
  add(name: string, values: Float64Array, weights: Float64Array): boolean;
  /** Adds a value that was counted elsewhere, so many times; as {@link LiveWindow.add}. */
  addCounted(name: string, value: number, count: number): boolean;
  /** Adds what was counted elsewhere, bins at their middles; as {@link LiveWindow.add}. */
  addHistogram(name: string, histogram: Histogram): boolean;
  /** The names that have columns, and some that had until a moment ago. */
  names(): Iterable<string>;
  /** The same, with their ranks. */
  timings(): Iterable<Ranked>;
  has(name: string): boolean;
  /**
   * Yields a summary per name that has samples in the window, in order of first appearance; each is
   * made when it is asked for, so that others may have turns.
   */
  summaries(): Iterable<[name: string, summary: TimingSummary]>;
  /** Returns the same of one name; undefined where it has no samples. */
  summary(name: string): TimingSummary | undefined;
  /** Returns the columns of a name, oldest first; none for an unknown name. */
  columns(name: string): Column[];
  /** Returns those that begin after a second, as far as they are over. */
  columnsSince(name: string, second: number): Column[];
  /** Adds those that begin from one second to another to `into`, as far as they are over. */
  mergeInto(into: Column, name: string, from: number, to: number): void;
  /** Forgets a name and all its samples; false for an unknown one. */
  remove(name: string): boolean;
  /** The first second that the window reaches back to. */
  oldestSecond(): number;
  /** Sum of the weights from a second on, to the last one that is over if not to one before. */
  recentWeight(name: string, fromSecond: number, toSecond?: number): number;
  /**
   * Lets go of what is too old, and merges where the rest is too much; yields often. To be run
   * about once a second; where nobody does, adding does it now and then, all at once.
   */
  tend(): Iterable<void>;
  usage(): WindowUsage;
}

/** What a window is made with. */
export interface WindowOptions {
  /** How far back it reaches. */
  windowSeconds: number;
  /**
   * What columns may take, but for about one of each name. Beyond it the oldest seconds of all
   * names merge into columns of 30, and then the oldest of these go.
   */
  budgetBytes: number;
  clock: WindowClock;
}

/** A merged column spans this many seconds, and begins at a multiple of them. */
const COARSE_SECONDS = 30;
/** Each name may have so much, about a column, beside the budget: new ones push nobody's past out. */
const FREE_BYTES = 128;
/** A name and its last column take about half a kB. */
const NAMES_MAX = 131_072;
/** Names from a trap may be 4 kB long. */
const NAME_LENGTHS_MAX = 16 << 20;
/** After so long without being tended, adding sees to it. */
const OVERDUE_SECONDS = 3;

/** Creates an empty window. */
export function createWindow({ windowSeconds, budgetBytes, clock }: WindowOptions): LiveWindow {
  const series = new Map<string, Series>();
  let columnsMerged = 0;
  let columnsDropped = 0;
  let nameLengths = 0;
  let bytesUsed = 0;
  let tendedSecond = clock.present();
  // The one series that is being added to, and its column of the second that is added to: the
  // others have all of theirs in their logs, where 100,000 take 70 MB less than as objects.
  let open: Series | undefined;
  const live = emptyColumn(0, 1);

  return {
    add(name, values, weights) {
      const one = opened(name);
      if (one === undefined) return false;
      for (let index = 0; index < values.length; index++) {
        const weight = weights[index]!;
        const count = wholeSamples(one, weight, COLUMN_COUNT_MAX);
        addToColumn(live, values[index]!, weight, count);
      }
      return true;
    },
    addCounted(name, value, count) {
      const one = opened(name);
      if (one !== undefined) addToColumn(live, value, count, count);
      return one !== undefined;
    },
    addHistogram(name, histogram) {
      const one = opened(name);
      if (one === undefined) return false;
      // The middle of a bin is in it, whichever bin it is; its edges may be in the next one.
      for (const { from, to, count } of histogram.bins()) {
        addToColumn(live, (from + to) / 2, count, count);
      }
      return true;
    },
    names: () => series.keys(),
    timings: () => series.values(),
    has: (name) => series.has(name),
    *summaries() {
      for (const [name, { log }] of series) {
        const found = summaryFrom(log);
        if (found !== undefined) yield [name, found];
      }
    },
    summary(name) {
      const log = logOf(name);
      return log && summaryFrom(log);
    },
    columns(name) {
      const log = logOf(name);
      const before = oldestSecond();
      return log === undefined ? [] : columnsOf(log, (second, span) => second + span > before);
    },
    columnsSince(name, since) {
      const log = logOf(name);
      if (log === undefined) return [];
      const before = oldestSecond();
      const last = clock.complete();
      const isWanted = (second: number, span: number): boolean =>
        second > since && second + span > before && second <= last;
      return columnsOf(log, isWanted);
    },
    mergeInto(into, name, from, to) {
      const log = logOf(name);
      if (log === undefined) return;
      const last = Math.min(to, clock.complete());
      forEachPlace(log, (at, second) => {
        if (second >= from && second <= last) mergeFromLog(log, at, into);
        return second <= last;
      });
    },
    recentWeight(name, from, to = Infinity) {
      const log = logOf(name);
      return log === undefined ? 0 : weightWithin(log, from, Math.min(to, clock.complete()));
    },
    remove,
    oldestSecond,
    tend,
    usage: () => ({ names: series.size, bytes: bytesUsed, columnsMerged, columnsDropped }),
  };

  /** Returns the series of a name and opens it: `live` is the column to be added to. */
  function opened(name: string): Series | undefined {
    const second = clock.second();
    if (second > tendedSecond + OVERDUE_SECONDS) for (const _ of tend());
    let one = series.get(name);
    if (one === undefined) {
      if (series.size >= NAMES_MAX || nameLengths + name.length > NAME_LENGTHS_MAX)
        return undefined;
      nameLengths += name.length;
      one = emptySeries(name);
      series.set(name, one);
    }
    if (one !== open || live.second < second) {
      close();
      takeLast(one.log, second, live);
      open = one;
    }
    return one;
  }

  /** Puts the column of the open series into its log. */
  function close(): void {
    if (open === undefined) return;
    const { log } = open;
    open = undefined;
    changing(log, () => appendColumn(log, live));
  }

  /** Returns the log of a name to be read, all that was added being in it. */
  function logOf(name: string): ColumnLog | undefined {
    close();
    return series.get(name)?.log;
  }

  function summaryFrom(log: ColumnLog): TimingSummary | undefined {
    close();
    const all = emptyColumn(0, 1);
    mergeAll(log, oldestSecond(), all);
    return all.weight > 0 ? summaryOf(all) : undefined; // else there are no numbers in it
  }

  function oldestSecond(): number {
    return clock.present() - windowSeconds + 1;
  }

  function remove(name: string): boolean {
    const log = logOf(name);
    if (log === undefined) return false;
    changing(log, () => dropTo(log, log.end, true));
    nameLengths -= name.length;
    return series.delete(name);
  }

  /** Between two turns may be added to any series. */
  function* tend(): Generator<void> {
    tendedSecond = clock.present();
    const from = oldestSecond();
    for (const { name, log } of each()) {
      changing(log, () => dropBefore(log, from));
      if (log.start === log.end) remove(name);
      yield;
    }
    while (bytesUsed > budgetBytes && (yield* makeRoom()));
  }

  /** Merges the next 30 seconds of every name, or drops the oldest; false if nothing is left. */
  function* makeRoom(): Generator<void, boolean> {
    let first = Infinity;
    for (const { log } of each()) {
      first = Math.min(first, oldestFine(log) ?? Infinity);
      yield;
    }
    if (first === Infinity) return yield* dropOldest();
    // Of the 30 seconds that are not over yet, those that are: the others join them later.
    const before = first - (first % COARSE_SECONDS) + COARSE_SECONDS;
    for (const { log } of each()) {
      if ((oldestFine(log) ?? before) < before) {
        columnsMerged += changing(log, () => coarsenLog(log, before, COARSE_SECONDS));
      }
      yield;
    }
    return true;
  }

  function* dropOldest(): Generator<void, boolean> {
    let end = Infinity;
    for (const { log } of each()) {
      end = Math.min(end, oldestEnd(log) ?? Infinity);
      yield;
    }
    if (end === Infinity) return false;
    for (const { log } of each()) {
      columnsDropped += changing(log, () => dropBefore(log, end, true));
      yield;
    }
    return true;
  }

  /** Yields every series, all that was added up to that moment being in its log. */
  function* each(): Generator<Series> {
    for (const one of series.values()) {
      if (one === open) close();
      yield one;
    }
  }

  /** Changes a log, and keeps the account of what all take. */
  function changing<Result>(log: ColumnLog, change: () => Result): Result {
    const before = costOf(log);
    const result = change();
    bytesUsed += costOf(log) - before;
    return result;
  }
}

function costOf({ bytes }: ColumnLog): number {
  return Math.max(0, bytes.length - FREE_BYTES);
}
