import { highEdge, lowEdge, NOT_A_NUMBER } from '../histogram-bin.ts';
import type { Histogram } from '../histogram.ts';
import type { BinList } from '../histogram-bins.ts';
import { type Carry, wholeSamples } from '../weights.ts';
import {
  addToColumn,
  appendColumn,
  type Column,
  COLUMN_COUNT_MAX,
  type ColumnLog,
  emptyColumn,
  emptyLog,
  forEachPlace,
  mergeColumn,
  mergeFromLog,
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
  /** What the columns take. */
  bytes: number;
  /** Columns of a second that were merged into columns of 30. */
  columnsMerged: number;
  /** Columns that had to go before their time. */
  columnsDropped: number;
}

/** The last minutes of every timing, a histogram per second: what the page and the API show. */
export interface LiveWindow {
  /** Adds samples of a name to the present second. The arrays are not kept. */
  add(name: string, values: Float64Array, weights: Float64Array): void;
  /** Adds a value that was counted elsewhere, so many times, to the present second. */
  addCounted(name: string, value: number, count: number): void;
  /** Adds what was counted elsewhere to the present second: its bins, at their middles. */
  addHistogram(name: string, histogram: Histogram): void;
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
  /** What it may take; beyond it, the oldest seconds of all names merge into columns of 30. */
  budgetBytes: number;
  nowMs: () => number;
}

interface Series extends Carry {
  readonly log: ColumnLog;
  /** The second being added to. */
  live: Column;
}

/** A merged column spans this many seconds, and begins at a multiple of them. */
const COARSE_SECONDS = 30;
/** What a name costs beside its columns, measured at about this. */
const SERIES_BYTES = 600;

/** Creates an empty window. */
export function createWindow({ windowSeconds, budgetBytes, nowMs }: WindowOptions): LiveWindow {
  const series = new Map<string, Series>();
  let columnsMerged = 0;
  let columnsDropped = 0;
  // All columns of seconds before this one are merged.
  let coarseBefore = 0;
  let sweptSecond = second();

  return {
    add(name, values, weights) {
      const one = present(name);
      for (let index = 0; index < values.length; index++) {
        const weight = weights[index]!;
        const count = wholeSamples(one, weight, COLUMN_COUNT_MAX);
        addToColumn(one.live, values[index]!, weight, count);
      }
    },
    addCounted(name, value, count) {
      addToColumn(present(name).live, value, count, count);
    },
    addHistogram(name, histogram) {
      const { live } = present(name);
      // The middle of a bin is in it, whichever bin it is; its edges may be in the next one.
      for (const { from, to, count } of histogram.bins()) {
        addToColumn(live, (from + to) / 2, count, count);
      }
    },
    summaries() {
      sweep();
      return Array.from(series, ([name, one]) => [name, summaryOf(whole(one))]);
    },
    columns(name) {
      sweep();
      const one = series.get(name);
      return one === undefined ? [] : [...columnsOf(one.log), one.live];
    },
    usage: () => ({ bytes: bytesUsed(), columnsMerged, columnsDropped }),
  };

  /** Returns the series of a name, its live column being that of the present second. */
  function present(name: string): Series {
    const now = second();
    if (now !== sweptSecond) sweep();
    let one = series.get(name);
    if (one === undefined) {
      one = { log: emptyLog(), live: emptyColumn(now, 1), carry: 0 };
      series.set(name, one);
    } else if (one.live.second !== now) {
      appendColumn(one.log, one.live);
      one.live = emptyColumn(now, 1);
    }
    return one;
  }

  /** Lets go of what is too old, and merges where the rest is too much. Once a second at most. */
  function sweep(): void {
    sweptSecond = second();
    const oldest = sweptSecond - windowSeconds + 1;
    for (const [name, { log, live }] of series) {
      dropBefore(log, oldest);
      if (log.start === log.end && live.second < oldest) series.delete(name);
    }
    while (bytesUsed() > budgetBytes && makeRoom());
  }

  /** Merges the next 30 seconds of every name, or drops the oldest; false if nothing is left. */
  function makeRoom(): boolean {
    const unfinished = sweptSecond - (sweptSecond % COARSE_SECONDS);
    const first = oldestFine();
    if (first !== undefined && first < unfinished) {
      coarseBefore = first - (first % COARSE_SECONDS) + COARSE_SECONDS;
      for (const { log } of series.values()) columnsMerged += coarsen(log, coarseBefore);
      return true;
    }
    return dropOldest();
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
      if (log.start < log.end) oldest = Math.min(oldest, log.view.getUint32(log.start + 4));
    }
    if (oldest === Infinity) return false;
    for (const { log } of series.values()) {
      columnsDropped += dropBefore(log, oldest + COARSE_SECONDS);
    }
    return true;
  }

  function bytesUsed(): number {
    let bytes = 0;
    for (const { log, live } of series.values()) {
      bytes += SERIES_BYTES + log.bytes.length + 10 * live.bins.codes.length;
    }
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
  log.start = start;
  return dropped;
}

/** Merges the columns of single seconds before one by thirties; returns how many it merged. */
function coarsen(log: ColumnLog, before: number): number {
  const columns = columnsOf(log);
  const merged: Column[] = [];
  let count = 0;
  for (const column of columns) {
    const from = column.second - (column.second % COARSE_SECONDS);
    const last = merged.at(-1);
    if (column.second >= before || column.span > 1) merged.push(column);
    else {
      count++;
      if (last?.second === from && last.span > 1) mergeColumn(last, column);
      else {
        const coarse = emptyColumn(from, COARSE_SECONDS);
        mergeColumn(coarse, column);
        merged.push(coarse);
      }
    }
  }
  if (count === 0) return 0;
  Object.assign(log, emptyLog());
  for (const column of merged) appendColumn(log, column);
  return count;
}

function whole({ log, live }: Series): Column {
  const all = emptyColumn(0, 1);
  forEachPlace(log, (at) => {
    mergeFromLog(log, at, all);
    return true;
  });
  mergeColumn(all, live);
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
