import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { StatcolError } from '../../src/errors.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { Histogram } from '../../src/histogram.ts';

/** In the file NaN and the infinities are strings. */
export type Num = number | 'NaN' | 'Infinity' | '-Infinity';

export interface Vectors {
  buckets: {
    value: Num;
    val: number;
    exp: number;
    text: string;
    edge: Num;
    width: Num;
    midpoint: Num;
  }[];
  histograms: {
    name: string;
    samples: [Num, string][];
    b64: string;
    bins: [number, number, string][];
    count: string;
    mean: Num;
    sum: Num;
    stddev: Num;
    q: number[];
    quantile_type1: Num[];
    quantile_type7: Num[];
  }[];
}

export const vectors: Vectors = JSON.parse(
  readFileSync(new URL('../vectors/circllhist.json', import.meta.url), 'utf8'),
);

/** Counts beyond 2^53 are refused here. */
export const ABOVE = 'counts above 2^53 and max';
/** The writer that made the file cuts two of these counts short. */
export const TRUNCATED = 'counts 2^32..2^52 (upstream truncates two windows)';
export const WITHIN = vectors.histograms.filter(({ name }) => name !== ABOVE);

/** Returns the histogram of `values`. */
export function histogramOf(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.add(value);
  return histogram;
}

/** Passes when the two differ by no more than `tolerance` times `scale`, or are both NaN. */
export function expectNear(
  actual: number,
  expected: number,
  tolerance: number,
  scale = Math.abs(expected),
): void {
  if (Number.isNaN(expected) && Number.isNaN(actual)) return;
  expect(Math.abs(actual - expected), `${actual} for ${expected}`).to.be.at.most(tolerance * scale);
}

/** Passes when `call` throws a StatcolError of `code` whose message matches. */
export function expectCode(call: () => unknown, code: ErrorCode, message = /./): void {
  expect(call).to.throw(StatcolError, message).with.property('code', code);
}
