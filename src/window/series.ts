import { binQuantiles } from '../histogram-quantiles.ts';
import type { Carry } from '../weights.ts';
import type { Ranked } from './busiest.ts';
import {
  type Column,
  type ColumnLog,
  dropTo,
  emptyColumn,
  emptyLog,
  forEachPlace,
  mergeFromLog,
} from './column.ts';
import type { TimingSummary } from './summary.ts';

/** What the window has of one name. */
export interface Series extends Carry, Ranked {
  readonly log: ColumnLog;
}

/** Returns a series of nothing. */
export function emptySeries(name: string): Series {
  return { name, log: emptyLog(), carry: 0, score: 0 };
}

/** Returns the columns of a log that are wanted, oldest first. */
export function columnsOf(
  log: ColumnLog,
  isWanted: (second: number, span: number) => boolean,
): Column[] {
  const columns: Column[] = [];
  forEachPlace(log, (at, second, span) => {
    if (isWanted(second, span)) {
      const column = emptyColumn(second, span);
      mergeFromLog(log, at, column);
      columns.push(column);
    }
    return true;
  });
  return columns;
}

/** Returns the second of the oldest column of a single second; undefined where there is none. */
export function oldestFine(log: ColumnLog): number | undefined {
  let first: number | undefined;
  forEachPlace(log, (_at, second, span) => {
    if (span === 1) first = second;
    return span > 1;
  });
  return first;
}

/** Returns when the oldest column ends; undefined where there is none. */
export function oldestEnd(log: ColumnLog): number | undefined {
  let end: number | undefined;
  forEachPlace(log, (_at, second, span) => {
    end = second + span;
    return false;
  });
  return end;
}

/** Lets go of the columns that end before a second, and of their memory in time; returns how many. */
export function dropBefore(log: ColumnLog, second: number, isNow = false): number {
  let dropped = 0;
  let start = log.end;
  forEachPlace(log, (at, from, span) => {
    const keep = from + span > second;
    if (keep) start = at;
    else dropped++;
    return !keep;
  });
  if (dropped > 0) dropTo(log, start, isNow);
  return dropped;
}

/** Adds all columns that end after a second to `into`. */
export function mergeAll(log: ColumnLog, after: number, into: Column): void {
  forEachPlace(log, (at, from, span) => {
    if (from + span > after) mergeFromLog(log, at, into);
    return true;
  });
}

/** Returns what there is to say of a column in which there are numbers. */
export function summaryOf({ min, max, weight, weightedSum, bins }: Column): TimingSummary {
  const within = (value: number): number => Math.min(max, Math.max(min, value));
  // Of weights beyond reason the sums are no numbers; what is shown stays one.
  const mean = within(Number.isFinite(weightedSum / weight) ? weightedSum / weight : max);
  const count = Math.min(Number.MAX_VALUE, Math.round(weight));
  const [p50, p90, p99] = binQuantiles(bins, [0.5, 0.9, 0.99]).map((found) => {
    return Number.isNaN(found) ? max : within(found);
  });
  return { count, min, max, mean, p50: p50!, p90: p90!, p99: p99! };
}
