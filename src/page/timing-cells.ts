import { highEdge, lowEdge } from '../histogram-bin.ts';
import type { WireColumn } from '../live/frame.ts';
import { binsOf, type Figures, figuresOf, merge, type Merged } from './bins.ts';
import { knownSeconds } from './known.ts';
import type { Known } from './page-context.ts';
import type { Range } from './view.ts';

/** A point of a curve stands for so many seconds up to it: of one alone a percentile says little. */
export const CURVE_SECONDS = 10;

/** A column of the heatmap: the data of so many seconds. */
export interface Cell {
  /** When it begins, and how many seconds it is wide. */
  second: number;
  span: number;
  /** Whether anything is known of it: else that it has no samples says nothing. */
  isKnown: boolean;
  columns: readonly WireColumn[];
  merged: Merged;
  figures: Figures;
}

const NOTHING: Figures = { average: NaN, p50: NaN, p90: NaN, p99: NaN };

/** A column of data does not change once it is there: its figures are found once. */
const figuresKnown = new WeakMap<WireColumn, { merged: Merged; figures: Figures }>();

/** Returns the columns of a heatmap, as many as fit in the range; each with its figures. */
export function cellsOf(data: readonly WireColumn[], { from, to }: Range, known: Known): Cell[] {
  const { span } = known;
  const completeFrom = Math.min(known.completeFrom, data[0]?.second ?? Infinity);
  const parts: WireColumn[][] = Array.from({ length: Math.round((to - from) / span) }, () => []);
  for (const column of data) {
    // One that spans several cells counts to each: its figures are theirs.
    const last = column.second + Math.max(span, column.span) - 1;
    for (let at = column.second; at <= last; at += span) {
      parts[Math.floor((at - from) / span)]?.push(column);
    }
  }
  return parts.map((columns, at) => ({
    second: from + at * span,
    span,
    isKnown:
      columns.length > 0 ||
      knownSeconds({ second: from + at * span, span }, { ...known, completeFrom }) > 0,
    columns,
    ...(columns.length === 1 ? knownOf(columns[0]!) : figured(columns)),
  }));
}

/** Returns those that begin in a range. */
export function within(data: readonly WireColumn[], { from, to }: Range): WireColumn[] {
  return data.filter(({ second, span }) => second + span > from && second < to);
}

/** Returns cells as a table: figures, then a column for each bin that there is. */
export function tableOf(name: string, cells: readonly Cell[]): (string | number)[][] {
  const columns = cells.flatMap((cell) => [...cell.columns]);
  const codes = [...new Set(columns.flatMap((one) => [...binsOf(one)].map(([code]) => code)))];
  codes.sort((a, b) => a - b);
  const bins = codes.map((code) => `${lowEdge(code)} to ${highEdge(code)} ms`);
  const head = ['time', 'seconds', 'name', 'count', 'average', 'p50', 'p99', 'min', 'max', ...bins];
  const rows = cells.map(({ second, span, isKnown, merged, figures: { average, p50, p99 } }) => {
    const time = new Date(second * 1000).toISOString();
    if (!isKnown) return [time, span, name, ...head.slice(3).map(() => '')];
    const counts = new Map(merged.codes.map((code, at) => [code, merged.counts[at]!]));
    return [
      time,
      span,
      name,
      Math.round(merged.weight),
      average,
      p50,
      p99,
      merged.min,
      merged.max,
      ...codes.map((code) => counts.get(code) ?? 0),
    ];
  });
  return [head, ...rows];
}

/** Figures of a curve's point, by the last column they are made of. */
const curves = new WeakMap<WireColumn, { first: WireColumn; used: number; figures: Figures }>();

/** Returns the figures of curves at each cell; those of columns seen before are not made again. */
export function curveFigures(cells: readonly Cell[]): Figures[] {
  return cells.map((cell, at) => {
    const reach = Math.max(1, Math.round(CURVE_SECONDS / cell.span));
    const last = cell.columns.at(-1);
    if (last === undefined || cell.merged.samples === 0) return NOTHING;
    const used = cells.slice(Math.max(0, at + 1 - reach), at + 1).flatMap((one) => one.columns);
    const seen = curves.get(last);
    if (seen?.first === used[0] && seen?.used === used.length) return seen.figures;
    const { figures } = figured([...new Set(used)]);
    curves.set(last, { first: used[0]!, used: used.length, figures });
    return figures;
  });
}

function knownOf(column: WireColumn): { merged: Merged; figures: Figures } {
  let found = figuresKnown.get(column);
  if (found === undefined) figuresKnown.set(column, (found = figured([column])));
  return found;
}

function figured(columns: readonly WireColumn[]): { merged: Merged; figures: Figures } {
  const merged = merge(columns);
  return { merged, figures: merged.samples === 0 ? NOTHING : figuresOf(merged) };
}
