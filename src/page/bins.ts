import { highEdge, lowEdge, NOT_A_NUMBER } from '../histogram-bin.ts';
import { binQuantiles } from '../histogram-quantiles.ts';
import type { WireColumn } from '../live/frame.ts';

/** Samples of a span of time, merged from its columns. */
export interface Merged {
  weight: number;
  min: number;
  max: number;
  weightedSum: number;
  /** Ascending. */
  codes: number[];
  counts: number[];
  /** Sum of the counts. */
  samples: number;
}

/** What is drawn over a heatmap, and said of a span. */
export interface Figures {
  average: number;
  p50: number;
  p90: number;
  p99: number;
}

/** A bin of a column, as the cursor reads it. */
export interface BinReading {
  from: number;
  to: number;
  count: number;
}

/** Merges columns into one span. */
export function merge(columns: Iterable<WireColumn>): Merged {
  const counts = new Map<number, number>();
  const all = { weight: 0, min: Infinity, max: -Infinity, weightedSum: 0 };
  for (const column of columns) {
    all.weight += column.weight;
    all.weightedSum += column.weightedSum;
    all.min = Math.min(all.min, column.min ?? Infinity);
    all.max = Math.max(all.max, column.max ?? -Infinity);
    for (const [code, count] of binsOf(column)) counts.set(code, (counts.get(code) ?? 0) + count);
  }
  const codes = [...counts.keys()].filter((code) => code !== NOT_A_NUMBER).toSorted(ascending);
  const found = codes.map((code) => counts.get(code)!);
  return { ...all, codes, counts: found, samples: found.reduce((sum, one) => sum + one, 0) };
}

/** Returns average and percentiles; not finite where nothing was timed. */
export function figuresOf(merged: Merged): Figures {
  const { codes, counts, min, max } = merged;
  const within = (value: number): number => Math.min(max, Math.max(min, value));
  const bins = { codes, counts, used: codes.length };
  const [p50, p90, p99] = binQuantiles(bins, [0.5, 0.9, 0.99]).map(within);
  return { average: merged.weightedSum / merged.weight, p50: p50!, p90: p90!, p99: p99! };
}

/** Yields code and count of a column's bins, lowest first. */
export function* binsOf({ bins }: WireColumn): Generator<[code: number, count: number]> {
  for (let at = 0; at < bins.length; at += 2) yield [bins[at]!, bins[at + 1]!];
}

/** Returns the bin that is nearest to a value among those with samples, if one is close to it. */
export function readBin(column: WireColumn, value: number): BinReading | undefined {
  let best: BinReading | undefined;
  let bestDistance = Math.log(1.06);
  for (const [code, count] of binsOf(column)) {
    const [from, to] = [lowEdge(code), highEdge(code)];
    const distance = value >= from && value <= to ? 0 : farFrom(value, from, to);
    if (distance > bestDistance || Number.isNaN(from)) continue;
    bestDistance = distance;
    best = { from, to, count };
  }
  return best;
}

/** Returns what is at or below 0, as one; undefined where nothing is. */
export function readZero(column: WireColumn): BinReading | undefined {
  const below = [...binsOf(column)].filter(([code]) => highEdge(code) <= 0);
  if (below.length === 0) return undefined;
  const count = below.reduce((sum, [, one]) => sum + one, 0);
  return { from: lowEdge(below[0]![0]), to: 0, count };
}

/** How far a value is from a bin beside it, as a ratio's logarithm. */
function farFrom(value: number, from: number, to: number): number {
  if (value <= 0 || from <= 0) return Infinity;
  return value < from ? Math.log(from / value) : Math.log(value / to);
}

function ascending(a: number, b: number): number {
  return a - b;
}
