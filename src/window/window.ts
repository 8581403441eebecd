import { highEdge, lowEdge, NOT_A_NUMBER } from '../histogram-bin.ts';
import type { Histogram } from '../histogram.ts';
import type { BinList } from '../histogram-bins.ts';
import { type Carry, wholeSamples } from '../weights.ts';
import {
  addToColumn,
  appendColumn,
  type Column,
  coarsenLog,
  COLUMN_COUNT_MAX,
  type ColumnLog,
  emptyColumn,
  dropTo,
  emptyLog,
  forEachPlace,
  mergeFromLog,
  takeLast,
} from './column.ts';

/** What the window tells of one name. Values are milliseconds. */
export interface TimingSummary {
  /** Rounded sum of the samples' weights. */
  count: number;
  /** Exact, as all but the percentiles. */
  min: number;
  max: number;
  /** Weighted. */
  mean: number;
  /** The middle of a histogram's bin: off by 5 % at most. Never outside `min` and `max`. */
  p50: number;
  p90: number;
  p99: number;
}

/** How the window keeps to its memory. */
export interface WindowUsage {
  /** How many names there are, of 131,072. */
  names: number;
  /** What the columns take, but for about one of each name. */
  bytes: number;
  /** Columns of a second that were merged into columns of 30. */
  columnsMerged: number;
  /** Columns that had to go before their time. */
  columnsDropped: number;
}

/** The last minutes of every timing, a histogram per second: what the page and the API show. */
export interface LiveWindow {
  /**
   * Adds samples of a name to the present second; false where the name is new and there are too
   * many already. The arrays are not kept.
   */
  add(name: string, values: Float64Array, weights: Float64Array): boolean;
  /** Adds a value that was counted elsewhere, so many times; as {@link LiveWindow.add}. */
  addCounted(name: string, value: number, count: number): boolean;
  /** Adds what was counted elsewhere, bins at their middles; as {@link LiveWindow.add}. */
  addHistogram(name: string, histogram: Histogram): boolean;
  /** Returns a summary per name that has samples in the window, in order of first appearance. */
  summaries(): [name: string, summary: TimingSummary][];
  /** Returns the columns of a name, oldest first; none for an unknown name. */
  columns(name: string): Column[];
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
  nowMs: () => number;
}

interface Series extends Carry {
  readonly log: ColumnLog;
}

/** A merged column spans this many seconds, and begins at a multiple of them. */
const COARSE_SECONDS = 30;
/** Each name may have so much, about a column, beside the budget: new ones push nobody's past out. */
const FREE_BYTES = 128;
/** A name and its last column take about half a kB. */
const NAMES_MAX = 131_072;
/** Names from a trap may be 4 kB long. */
const NAME_LENGTHS_MAX = 16 << 20;

/** Creates an empty window. */
export function createWindow({ windowSeconds, budgetBytes, nowMs }: WindowOptions): LiveWindow {
  const series = new Map<string, Series>();
  let columnsMerged = 0;
  let columnsDropped = 0;
  let nameLengths = 0;
  let sweptSecond = second();
  // The one series that is being added to, and its column of the present second: the others have
  // all of theirs in their logs, where 100,000 take 70 MB less than as objects.
  let open: Series | undefined;
  const live = emptyColumn(0, 1);

  return {
    add(name, values, weights) {
      const one = present(name);
      if (one === undefined) return false;
      for (let index = 0; index < values.length; index++) {
        const weight = weights[index]!;
        const count = wholeSamples(one, weight, COLUMN_COUNT_MAX);
        addToColumn(live, values[index]!, weight, count);
      }
      return true;
    },
    addCounted(name, value, count) {
      const one = present(name);
      if (one !== undefined) addToColumn(live, value, count, count);
      return one !== undefined;
    },
    addHistogram(name, histogram) {
      const one = present(name);
      if (one === undefined) return false;
      // The middle of a bin is in it, whichever bin it is; its edges may be in the next one.
      for (const { from, to, count } of histogram.bins()) {
        addToColumn(live, (from + to) / 2, count, count);
      }
      return true;
    },
    summaries() {
      sweep();
      const found: [string, TimingSummary][] = [];
      for (const [name, one] of series) {
        const all = whole(one);
        if (all.weight > 0) found.push([name, summaryOf(all)]); // else there are no numbers in it
      }
      return found;
    },
    columns(name) {
      sweep();
      const one = series.get(name);
      return one === undefined ? [] : columnsOf(one.log);
    },
    usage: () => ({ names: series.size, bytes: bytesUsed(), columnsMerged, columnsDropped }),
  };

  /** Returns the series of a name and opens it: `live` is its column of the present second. */
  function present(name: string): Series | undefined {
    const now = second();
    if (now !== sweptSecond) sweep();
    let one = series.get(name);
    if (one === undefined) {
      if (series.size >= NAMES_MAX || nameLengths + name.length > NAME_LENGTHS_MAX)
        return undefined;
      nameLengths += name.length;
      one = { log: emptyLog(), carry: 0 };
      series.set(name, one);
    }
    if (one !== open) {
      close();
      takeLast(one.log, now, live);
      open = one;
    }
    return one;
  }

  /** Puts the column of the open series into its log. */
  function close(): void {
    if (open !== undefined) appendColumn(open.log, live);
    open = undefined;
  }

  /** Lets go of what is too old, and merges where the rest is too much. Once a second at most. */
  function sweep(): void {
    close();
    sweptSecond = second();
    const oldest = sweptSecond - windowSeconds + 1;
    for (const [name, { log }] of series) {
      dropBefore(log, oldest);
      if (log.start < log.end) continue;
      series.delete(name);
      nameLengths -= name.length;
    }
    while (bytesUsed() > budgetBytes && makeRoom());
  }

  /** Merges the next 30 seconds of every name, or drops the oldest; false if nothing is left. */
  function makeRoom(): boolean {
    const first = oldestFine();
    if (first === undefined) return dropOldest();
    // Of the 30 seconds that are not over yet, those that are: the others join them later.
    const before = first - (first % COARSE_SECONDS) + COARSE_SECONDS;
    for (const { log } of series.values()) columnsMerged += coarsenLog(log, before, COARSE_SECONDS);
    return true;
  }

  function oldestFine(): number | undefined {
    let first: number | undefined;
    for (const { log } of series.values()) {
      forEachPlace(log, (_at, at, span) => {
        if (span > 1) return true;
        first = Math.min(first ?? Infinity, at);
        return false;
      });
    }
    return first;
  }

  function dropOldest(): boolean {
    let oldest = Infinity;
    for (const { log } of series.values()) {
      forEachPlace(log, (_at, from, span) => {
        oldest = Math.min(oldest, from + span);
        return false;
      });
    }
    if (oldest === Infinity) return false;
    for (const { log } of series.values()) columnsDropped += dropBefore(log, oldest);
    return true;
  }

  function bytesUsed(): number {
    let bytes = 0;
    for (const { log } of series.values()) bytes += Math.max(0, log.bytes.length - FREE_BYTES);
    return bytes;
  }

  function second(): number {
    return Math.floor(nowMs() / 1000);
  }
}

function columnsOf(log: ColumnLog): Column[] {
  const columns: Column[] = [];
  forEachPlace(log, (at, second, span) => {
    const column = emptyColumn(second, span);
    mergeFromLog(log, at, column);
    columns.push(column);
    return true;
  });
  return columns;
}

/** Lets go of the columns that end before a second; returns how many. */
function dropBefore(log: ColumnLog, second: number): number {
  let dropped = 0;
  let start = log.end;
  forEachPlace(log, (at, from, span) => {
    const keep = from + span > second;
    if (keep) start = at;
    else dropped++;
    return !keep;
  });
  if (dropped > 0) dropTo(log, start);
  return dropped;
}

function whole({ log }: Series): Column {
  const all = emptyColumn(0, 1);
  forEachPlace(log, (at) => {
    mergeFromLog(log, at, all);
    return true;
  });
  return all;
}

function summaryOf({ min, max, weight, weightedSum, bins }: Column): TimingSummary {
  const within = (value: number): number => Math.min(max, Math.max(min, value));
  // Of weights beyond reason the sums are no numbers; what is shown stays one.
  const mean = within(Number.isFinite(weightedSum / weight) ? weightedSum / weight : max);
  const count = Math.min(Number.MAX_VALUE, Math.round(weight));
  const [p50, p90, p99] = percentiles(bins, [0.5, 0.9, 0.99]).map((found) => {
    return Number.isNaN(found) ? max : within(found);
  });
  return { count, min, max, mean, p50: p50!, p90: p90!, p99: p99! };
}

/** The middle of the bin that each ascending `q` falls into; NaN where no bin is of numbers. */
function percentiles({ codes, counts, used }: BinList, qs: readonly number[]): number[] {
  const first = used > 0 && codes[0] === NOT_A_NUMBER ? 1 : 0;
  let total = 0;
  for (let bin = first; bin < used; bin++) total += counts[bin]!;
  let at = first;
  let passed = counts[first] ?? 0;
  return qs.map((q) => {
    if (first === used) return NaN;
    while (passed < q * total && at < used - 1) passed += counts[++at]!;
    return (lowEdge(codes[at]!) + highEdge(codes[at]!)) / 2;
  });
}
