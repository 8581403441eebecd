import type { WirePoint } from '../live/frame.ts';
import { knownSeconds } from './known.ts';
import type { Known } from './page-context.ts';
import type { Range } from './view.ts';

/** A column of a counter's line: what was added in so many seconds. */
export interface CounterCell {
  second: number;
  span: number;
  /** How many of its seconds are known: those that its rate is of. */
  known: number;
  /** Null where it is not known: before the collector began, or too long ago. */
  added: number | null;
  perSecond: number | null;
}

/** How much of what was counted last makes the rate of now. */
const NOW_SECONDS = 10;

/**
 * Returns the columns of a range. A second without a point is one in which nothing was added, as
 * far as all is known; elsewhere there is no rate. The rate of a column that is known in part, or
 * is not over yet, is that of its part.
 */
export function counterCells(
  points: readonly WirePoint[],
  { from, to }: Range,
  { span, completeFrom, knownTo, gaps }: Known,
): CounterCell[] {
  const sums = new Float64Array(Math.max(0, Math.round((to - from) / span)));
  for (const [second, wide, sum] of points) {
    const cellsWide = Math.max(1, Math.round(wide / span));
    const first = Math.floor((second - from) / span);
    for (let at = first; at < first + cellsWide; at++) {
      if (at >= 0 && at < sums.length) sums[at] = sums[at]! + sum / cellsWide;
    }
  }
  const knownFrom = Math.min(completeFrom, points[0]?.[0] ?? Infinity);
  return Array.from(sums, (sum, at) => {
    const second = from + at * span;
    const seconds = knownSeconds({ second, span }, { completeFrom: knownFrom, knownTo, gaps });
    if (seconds === 0) return { second, span, known: 0, added: null, perSecond: null };
    return { second, span, known: seconds, added: sum, perSecond: sum / seconds };
  });
}

/** Returns the rate up to a second: that of the last ones before, null where none is known. */
export function rateUpTo(cells: readonly CounterCell[], to: number): number | null {
  const lately = cells.filter(({ second, span, perSecond }) => {
    return perSecond !== null && second < to && second + span > to - NOW_SECONDS;
  });
  const sum = lately.reduce((all, { perSecond }) => all + perSecond!, 0);
  return lately.length === 0 ? null : sum / lately.length;
}

/** Returns what was added in some columns, and how much that is per second of those known. */
export function addedIn(
  cells: readonly CounterCell[],
): { added: number; perSecond: number } | undefined {
  const added = sumOf(cells.map((cell) => cell.added ?? 0));
  const known = sumOf(cells.map((cell) => cell.known));
  return known === 0 ? undefined : { added, perSecond: added / known };
}

/** Returns cells as a table. */
export function counterTable(name: string, cells: readonly CounterCell[]): (string | number)[][] {
  const rows = cells.map(({ second, span, added, perSecond }) => {
    const time = new Date(second * 1000).toISOString();
    return [time, span, name, added ?? '', perSecond ?? ''];
  });
  return [['time', 'seconds', 'name', 'added', 'per second'], ...rows];
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}
