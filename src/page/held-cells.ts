import type { WireHeld } from '../live/frame.ts';
import type { Known } from './page-context.ts';
import type { Range } from './view.ts';

/** A column of the line of what holds until it is written again. All null where it is not known. */
export interface HeldCell {
  second: number;
  span: number;
  /** At its end. */
  value: number | null;
  /** The lowest and the highest in it. */
  low: number | null;
  high: number | null;
}

const DAY_SECONDS = 86_400;

/**
 * Returns the columns of a range. Before the first write nothing is known; what was written holds
 * until it is written again, but not beyond a time of which nobody could tell.
 *
 * @param isDaily whether it is 0 when a day begins (UTC): members of sets are of a day.
 */
export function heldCells(
  points: readonly WireHeld[],
  { from, to }: Range,
  { span, knownTo, gaps }: Pick<Known, 'span' | 'knownTo' | 'gaps'>,
  isDaily: boolean,
): HeldCell[] {
  const cells: HeldCell[] = [];
  let held: number | null = null;
  let heldSince = -Infinity;
  let next = 0;
  for (let second = from; second < to; second += span) {
    const seen: (number | null)[] = [];
    // What is older than the range holds when it begins.
    for (; next < points.length && points[next]![0] < second; next++) hold(points[next]!);
    if (gaps.some((gap) => heldSince < gap.from && second >= gap.from)) held = null;
    if (isDaily && held !== null && dayOf(heldSince) < dayOf(second)) held = 0;
    if (held !== null) seen.push(held);
    for (; next < points.length && points[next]![0] < second + span; next++) {
      const [, , , low, high] = points[next]!;
      hold(points[next]!);
      seen.push(low, high);
    }
    const known = second < knownTo ? seen.filter((value) => value !== null) : [];
    const isKnown = held !== null && known.length > 0;
    const ends = isKnown ? [Math.min(...known), Math.max(...known)] : [];
    const value = isKnown ? held : null;
    cells.push({ second, span, value, low: ends[0] ?? null, high: ends[1] ?? null });
  }
  return cells;

  function hold([second, , last]: WireHeld): void {
    held = last;
    heldSince = second;
  }
}

/**
 * Returns what is drawn, as steps: times, and at each the value, the highest and the lowest. What
 * ends is drawn to its end.
 */
export function heldLine(
  cells: readonly HeldCell[],
): [times: number[], value: Line, high: Line, low: Line] {
  const times: number[] = [];
  const lines: [Line, Line, Line] = [[], [], []];
  for (const [at, { second, span, value, low, high }] of cells.entries()) {
    const put = (time: number): void => {
      times.push(time);
      for (const [of, one] of [value, high, low].entries()) lines[of]!.push(one);
    };
    put(second);
    const isLast = (cells[at + 1]?.value ?? null) === null;
    if (value !== null && isLast) put(second + (at + 1 < cells.length ? 0.98 * span : span));
  }
  return [times, ...lines];
}

type Line = (number | null)[];

/** Returns between which values there is room for some, 0 among them where it is not far off. */
export function heldRange(low: number | null, high: number | null): [low: number, high: number] {
  if (low === null || high === null) return [0, 1];
  const from = low > 0 && (low <= high / 2 || low === high) ? 0 : low;
  const to = high < 0 && (high >= low / 2 || low === high) ? 0 : high;
  // Scaled before it is subtracted: it may be more than any number.
  const room = from === to ? 0.05 : 0.05 * to - 0.05 * from;
  const most = Number.MAX_VALUE;
  return [
    from === 0 ? 0 : Math.max(-most, from - room),
    to === 0 && from < 0 ? 0 : Math.min(most, to + room),
  ];
}

/** Returns the lowest and the highest of all; null where nothing is known. */
export function heldEnds(cells: readonly HeldCell[]): { low: number | null; high: number | null } {
  let [low, high] = [Infinity, -Infinity];
  for (const cell of cells) {
    low = Math.min(low, cell.low ?? Infinity);
    high = Math.max(high, cell.high ?? -Infinity);
  }
  return low <= high ? { low, high } : { low: null, high: null };
}

/** Returns cells as a table. */
export function heldTable(name: string, cells: readonly HeldCell[]): (string | number)[][] {
  const rows = cells.map(({ second, span, value, low, high }) => {
    const time = new Date(second * 1000).toISOString();
    return [time, span, name, value ?? '', low ?? '', high ?? ''];
  });
  return [['time', 'seconds', 'name', 'last', 'lowest', 'highest'], ...rows];
}

function dayOf(second: number): number {
  return Math.floor(second / DAY_SECONDS);
}
