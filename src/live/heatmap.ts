import { highEdge, lowEdge, NOT_A_NUMBER } from '../histogram-bin.ts';
import type { Column } from '../window/column.ts';
import type { LiveMemory } from '../window/live-memory.ts';

/** Part of the past, in seconds of Unix time: from the first on, and up to before the second. */
export interface HeatmapRange {
  from: number;
  to: number;
}

/** One span of time of a timing, as `/api/heatmap` tells it. */
export interface HeatmapColumn {
  second: number;
  span: number;
  /** Rounded sum of the weights. */
  count: number;
  /** Null where nothing in it is a number. */
  min: number | null;
  max: number | null;
  mean: number | null;
  /** Ascending; those below zero are mirrored, their far edge first. */
  bins: [from: number, to: number, count: number][];
  /** How many samples were no numbers; left out where none were. */
  notANumber?: number;
}

const WINDOW_SECONDS = 300;
const SPAN_SECONDS = 30;
/** Beyond what a date can be. */
const SECOND_MAX = 8.64e12;

/**
 * Reads the part of the past that is asked for: seconds of Unix time, or, below zero, seconds
 * before now. Without them it is the live window.
 *
 * @returns one text per fault instead, where there are any.
 */
export function readRange(query: URLSearchParams, now: number): HeatmapRange | string[] {
  const faults: string[] = [];
  const range = { from: second('from', now - WINDOW_SECONDS), to: second('to', now) };
  if (faults.length === 0 && range.from >= range.to) {
    faults.push(`expected from to be before to, got ${range.from} and ${range.to}`);
  }
  return faults.length > 0 ? faults : range;

  function second(key: string, none: number): number {
    const given = query.get(key);
    if (given === null) return none;
    const value = Number(given);
    if (/^-?\d{1,16}$/.test(given) && Math.abs(value) <= SECOND_MAX) {
      return value < 0 ? now + value : value;
    }
    const got = given === '' ? 'nothing' : JSON.stringify(given.slice(0, 100));
    faults.push(
      `${key}: expected a whole number, seconds of Unix time or below zero before now, got ${got}`,
    );
    return none;
  }
}

/**
 * Returns the columns of a timing that lie in a part of the past, oldest first: those of a second
 * as far back as there are, and before them those of 30. Undefined for an unknown name.
 */
export function heatmapColumns(
  { clock, window, history }: Pick<LiveMemory, 'clock' | 'window' | 'history'>,
  name: string,
  { from, to }: HeatmapRange,
): HeatmapColumn[] | undefined {
  if (!window.has(name) && !history.has('timing', name)) return undefined;
  const offset = clock.offsetSeconds();
  const fine = window.columnsSince(name, -Infinity);
  const long = history.timing(name, -Infinity);
  // The first whole span that the window reaches: before it, seconds that the history has as well.
  const reach = Math.ceil(window.oldestSecond() / SPAN_SECONDS) * SPAN_SECONDS;
  const border = long.length === 0 ? -Infinity : reach;
  return [
    ...long.filter(({ second }) => second < border),
    ...fine.filter(({ second }) => second >= border),
  ]
    .filter(({ second, span }) => second + offset < to && second + span + offset > from)
    .map((column) => heatmapColumn(column, offset));
}

function heatmapColumn(column: Column, offset: number): HeatmapColumn {
  const { second, span, weight, weightedSum, min, max, bins } = column;
  const hasNumbers = min <= max;
  const mean = Number.isFinite(weightedSum / weight) ? weightedSum / weight : max;
  const told: HeatmapColumn = {
    second: second + offset,
    span,
    count: Math.min(Number.MAX_VALUE, Math.round(weight)),
    min: hasNumbers ? min : null,
    max: hasNumbers ? max : null,
    mean: hasNumbers ? Math.min(max, Math.max(min, mean)) : null,
    bins: [],
  };
  for (let bin = 0; bin < bins.used; bin++) {
    const code = bins.codes[bin]!;
    const count = bins.counts[bin]!;
    if (code === NOT_A_NUMBER) told.notANumber = count;
    else told.bins.push([lowEdge(code), highEdge(code), count]);
  }
  return told;
}
