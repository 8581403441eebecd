import { highEdge, lowEdge, NOT_A_NUMBER } from './histogram-bin.ts';

/** Bins as a column of the live window has them: ascending codes, and their counts. */
export interface CountedBins {
  readonly codes: ArrayLike<number>;
  readonly counts: ArrayLike<number>;
  /** How many of both are in use. */
  readonly used: number;
}

/**
 * Returns the middle of the bin that each ascending `q` falls into; NaN where no bin is of numbers.
 * What is not a number has no part in it. Off by 5 % at most.
 *
 * What the API tells and what the page draws comes from here: the two are to agree to the digit.
 */
export function binQuantiles(bins: CountedBins, qs: readonly number[]): number[] {
  const { codes, counts, used } = bins;
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
