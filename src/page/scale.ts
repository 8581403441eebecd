import { highEdge, lowEdge } from '../histogram-bin.ts';
import type { WireColumn } from '../live/frame.ts';
import { binsOf } from './bins.ts';

/** The values between which panels show timings; both above 0. */
export interface ValueRange {
  low: number;
  high: number;
  /** Whether there are values at or below 0: they have the lowest row, below all others. */
  hasZero?: boolean;
}

/** So large a part of the scale is below the least value above 0, where there are others. */
const ZERO_SHARE = 0.06;

/** What is shown where nothing was timed yet. */
const NOTHING: ValueRange = { low: 1, high: 1000 };

/** Returns the range that holds all samples, from 1, 2 or 5 times a power of ten to another. */
export function valueRange(columns: Iterable<WireColumn>): ValueRange {
  let low = Infinity;
  let high = 0;
  let hasZero = false;
  for (const column of columns) {
    for (const [code] of binsOf(column)) {
      const [from, to] = [lowEdge(code), highEdge(code)];
      if (to <= 0) hasZero = true;
      if (!(to > 0)) continue; // what is no number stands nowhere
      low = Math.min(low, from);
      high = Math.max(high, to);
    }
  }
  const range = high === 0 ? NOTHING : roundRange(low, high);
  if (!hasZero) return range;
  return { ...range, low: range.low / (range.high / range.low) ** ZERO_SHARE, hasZero };
}

/** Returns whether a place on the scale is that of values at or below 0. */
export function isZeroAt(value: number, { low, high, hasZero }: ValueRange): boolean {
  return hasZero === true && value < low * (high / low) ** (ZERO_SHARE / 2);
}

function roundRange(low: number, high: number): ValueRange {
  const range = { low: roundDown(low), high: roundUp(high) };
  // One value alone would be a band as high as the panel.
  if (range.high / range.low < 5) return { low: roundDown(low / 2), high: roundUp(high * 2) };
  return range;
}

/** Returns the values at which a scale is marked: powers of ten, and 2 and 5 times where they fit. */
export function valueMarks({ low, high, hasZero }: ValueRange, most: number): number[] {
  if (hasZero === true) return [low, ...valueMarks({ low: low * 1.0001, high }, most)];
  for (const factors of [[1, 2, 5], [1, 3], [1]]) {
    const marks = logMarksOf(factors, low, high);
    if (marks.length <= most) return marks;
  }
  return logMarksOf([1], low, high).filter((_, index) => index % 3 === 0);
}

function logMarksOf(factors: readonly number[], low: number, high: number): number[] {
  const marks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power++) {
    for (const factor of factors) {
      const mark = Number(`${factor}e${power}`);
      if (mark >= low && mark <= high) marks.push(mark);
    }
  }
  return marks;
}

function roundDown(value: number): number {
  const power = Math.floor(Math.log10(value) + 1e-9);
  const digits = value / 10 ** power;
  return Number(`${digits >= 5 ? 5 : digits >= 2 ? 2 : 1}e${power}`);
}

function roundUp(value: number): number {
  const power = Math.floor(Math.log10(value) + 1e-9);
  const digits = value / 10 ** power;
  return Number(
    digits <= 1.0001 ? `1e${power}` : `${digits <= 2 ? 2 : digits <= 5 ? 5 : 10}e${power}`,
  );
}
