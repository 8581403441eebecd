import type { WirePoint } from '../live/frame.ts';
import type { Known } from './page-context.ts';
import type { Range } from './view.ts';

/** A column of a counter's line: what was added in so many seconds. */
export interface CounterCell {
  second: number;
  span: number;
  /** Null where it is not known: before the collector began, or too long ago. */
  added: number | null;
  perSecond: number | null;
}

/** How much of what was counted last makes the rate of now. */
const NOW_SECONDS = 10;

/**
 * Returns the columns of a range. A second without a point is one in which nothing was added, as
 * far as all is known; elsewhere there is no rate. The rate of a column that is not over yet is
 * that of its part.
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
    const seconds = Math.min(span, knownTo - second);
    const isInGap = gaps.some((gap) => second >= gap.from && second + span <= gap.to);
    const isKnown = second + span > knownFrom && seconds > 0 && !isInGap;
    if (!isKnown) return { second, span, added: null, perSecond: null };
    return { second, span, added: sum, perSecond: sum / seconds };
  });
}

/** Returns the rate of now: that of the last seconds, as far as they are known. */
export function rateOfNow(cells: readonly CounterCell[], knownTo: number): number {
  const lately = cells.filter(({ second, span, perSecond }) => {
    return perSecond !== null && second + span > knownTo - NOW_SECONDS;
  });
  const sum = lately.reduce((all, { perSecond }) => all + perSecond!, 0);
  return sum / Math.max(1, lately.length);
}

/** Returns cells as a table. */
export function counterTable(name: string, cells: readonly CounterCell[]): (string | number)[][] {
  const rows = cells.map(({ second, span, added, perSecond }) => {
    const time = new Date(second * 1000).toISOString();
    return [time, span, name, added ?? '', perSecond ?? ''];
  });
  return [['time', 'seconds', 'name', 'added', 'per second'], ...rows];
}
