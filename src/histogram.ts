import {
  codeOf,
  exponentOf,
  highEdge,
  lowEdge,
  midpointOf,
  nameOf,
  NOT_A_NUMBER,
  valueOf,
  widthOf,
} from './histogram-bin.ts';
import {
  COUNT_MAX,
  emptyBins,
  fullError,
  mergeBins,
  placeOf,
  subtractBins,
} from './histogram-bins.ts';
import type { BinList } from './histogram-bins.ts';
import { decodeBins, encodeBins } from './histogram-codec.ts';

/** A non-empty bin: from <= value < to above zero, from < value <= to below. */
export interface HistogramBin {
  /** The edge nearest to minus infinity; 0 for the zero bin, NaN for the bin of no numbers. */
  from: number;
  /** The edge nearest to plus infinity; 0 for the zero bin, NaN for the bin of no numbers. */
  to: number;
  /** Samples in the bin, 1 to 2^53. */
  count: number;
}

/** The format's own name of a bin: it starts at value / 10 * 10^exponent. */
export interface HistogramBinName {
  /** 10 to 99 with either sign; 0 for zero; -1 for what is not a number. */
  value: number;
  /** -128 to 127; 0 for zero and for what is not a number. */
  exponent: number;
}

/**
 * Counts values in the log-linear bins of OpenHistogram: 90 to a decade, from 1e-128 to 1e128 with
 * either sign, one for zero and one for what is not a number (NaN, the infinities, 1e128 and up).
 *
 * Histograms of the same values are the same, however the values were split and in whatever order
 * they were merged. Values lose all but their bin; `min` and `max` are kept beside. What is not a
 * number is counted, written and merged, and has no part in `min`, `max` and the estimates.
 *
 * Counts are exact up to 2^53, in each bin and in all. A call that would pass this throws
 * `ERR_HISTOGRAM_FULL` and changes nothing.
 *
 * Cost: 10 bytes for each non-empty bin (up to twice that after growth); `add` is a division
 * and mostly one look-up, else a binary search, and allocates only for a new bin.
 *
 * Source: libcircllhist (2025-09-04), with which the estimates agree.
 */
export class Histogram {
  #bins: BinList = emptyBins();
  /** The sum of the bins' counts. */
  #count = 0;
  #min = Infinity;
  #max = -Infinity;

  /**
   * Counts `value`, `count` times.
   *
   * @param value any number.
   * @param count an integer from 0 to 2^53 - 1; 0 does nothing.
   * @throws {RangeError} for another `count`.
   * @throws {StatcolError} `ERR_HISTOGRAM_FULL`.
   */
  add(value: number, count = 1): void {
    if (count !== 1 && !isCount(count)) return;
    if (count > COUNT_MAX - this.#count) throw fullError();
    const bins = this.#bins;
    const code = codeOf(value);
    const index = placeOf(bins, code);
    bins.counts[index] = bins.counts[index]! + count;
    this.#count += count;
    if (code === NOT_A_NUMBER) return;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
  }

  /**
   * Adds all that `other` holds; a histogram can be merged into itself.
   *
   * @throws {StatcolError} `ERR_HISTOGRAM_FULL`; then neither histogram has changed.
   *
   * Cost: one pass over the bins of both; allocates only when the bins outgrow their place.
   */
  merge(other: Histogram): void {
    if (other.#count > COUNT_MAX - this.#count) throw fullError();
    mergeBins(this.#bins, other.#bins);
    this.#count += other.#count;
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
  }

  /**
   * Takes out all that `other` holds: what a merge of `other` put in.
   *
   * The values are gone, so `min` and `max` become bounds. They stay as they are while their bin
   * holds anything, and otherwise move to the outer edge of the bin that is now the outermost.
   *
   * @throws {StatcolError} `ERR_HISTOGRAM_UNDERRUN` when a bin of `other` holds more than the bin
   *   here; then nothing has changed.
   */
  subtract(other: Histogram): void {
    const lowest = this.#bins.codes[this.#first()];
    const highest = this.#bins.codes[this.#bins.used - 1];
    subtractBins(this.#bins, other.#bins);
    this.#count -= other.#count;
    this.#narrow(lowest, highest);
  }

  /** All samples, with those that are not a number; 0 when empty. */
  get count(): number {
    return this.#count;
  }

  /** Non-empty bins, with the one for what is not a number. Costs nothing. */
  get binCount(): number {
    return this.#bins.used;
  }

  /**
   * The least number added; NaN when there is none.
   *
   * Exact for what was added, and for merges of such. After decoding it is the lower edge of the
   * lowest bin, and after {@link Histogram.subtract} a bound: no number is below it, but for
   * what the format rounds: a relative 1e-14 at bin edges, and to 0 what is below 1e-128 in size.
   */
  get min(): number {
    // + 0 turns -0 into 0, so that the order of merges never shows.
    return this.#min <= this.#max ? this.#min + 0 : NaN;
  }

  /** The greatest number added; NaN when there is none. Exact, or the upper edge, as `min` is. */
  get max(): number {
    return this.#min <= this.#max ? this.#max + 0 : NaN;
  }

  /** Returns the estimated mean, NaN when empty. Off by 1/21 at most for values of one sign. */
  mean(): number {
    return this.sum() / this.#numbers();
  }

  /** Returns the estimated sum, 0 when empty. Off by 1/21 at most for values of one sign. */
  sum(): number {
    const { codes, counts, used } = this.#bins;
    let sum = 0;
    for (let index = this.#first(); index < used; index++) {
      sum += midpointOf(codes[index]!) * counts[index]!;
    }
    return sum;
  }

  /**
   * Returns the estimated standard deviation of the population, NaN when empty, 0 for one bin.
   *
   * Takes the squares about the mean, where the original takes the difference of two large sums:
   * the same to a relative 1e-12 where that difference is well conditioned, and never NaN.
   */
  stddev(): number {
    const { codes, counts, used } = this.#bins;
    const first = this.#first();
    if (used - first === 1) return 0;
    const mean = this.mean();
    let squares = 0;
    for (let index = first; index < used; index++) {
      squares += (midpointOf(codes[index]!) - mean) ** 2 * counts[index]!;
    }
    return Math.sqrt(squares / this.#numbers());
  }

  /** Returns one of {@link Histogram.quantiles}. */
  quantile(q: number, type: 1 | 7 = 1): number {
    return this.quantiles([q], type)[0]!;
  }

  /**
   * Returns the estimated quantile for each of `qs`, NaN for each when there are no numbers.
   *
   * The sample asked for has rank q n (`type` 1, of which the next whole rank counts) or
   * floor((n - 1) q + 1) (`type` 7); the samples of a bin are taken as evenly spread within it.
   * So for positive values it is off by less than 10 %, and by 5 % where a bin holds one sample.
   * It can lie outside `min` and `max`.
   *
   * @param qs each from 0 to 1, in any order; one pass when they ascend.
   * @throws {RangeError} for a `q` outside, and for another `type`.
   *
   * Source: libcircllhist `hist_approx_quantile` and `hist_approx_quantile7`; types after Hyndman &
   * Fan (1996).
   */
  quantiles(qs: readonly number[], type: 1 | 7 = 1): number[] {
    if (type !== 1 && type !== 7) {
      throw new RangeError(`Expected \`type\` to be 1 or 7, got ${String(type)}`);
    }
    const { codes, counts, used } = this.#bins;
    const numbers = this.#numbers();
    const first = this.#first();
    let index = first;
    let below = 0;
    return qs.map((q) => {
      if (!(q >= 0 && q <= 1)) throw new RangeError(`Expected \`q\` to be from 0 to 1, got ${q}`);
      if (numbers === 0) return NaN;
      const rank = type === 1 ? q * numbers : Math.floor((numbers - 1) * q + 1);
      if (rank <= below) [index, below] = [first, 0];
      while (index < used - 1 && below + counts[index]! < rank) below += counts[index++]!;
      const code = codes[index]!;
      const place = Math.max(1, Math.ceil(rank - below)) / (counts[index]! + 1);
      return lowEdge(code) + place * widthOf(code);
    });
  }

  /**
   * Yields the non-empty bins, ascending: first the one for what is not a number, whose edges are
   * both NaN, then negatives, zero (from 0 to 0) and positives. A bin's `to` is the next one's
   * `from`. Do not change the histogram meanwhile.
   */
  *bins(): Generator<HistogramBin, void, undefined> {
    const { codes, counts, used } = this.#bins;
    for (let index = 0; index < used; index++) {
      const code = codes[index]!;
      yield { from: lowEdge(code), to: highEdge(code), count: counts[index]! };
    }
  }

  /** Returns the bins as texts, ascending: `H[1.2e+01]=3`; zero `H[0.0e+00]=1`, NaN `H[NaN]=1`. */
  toStrings(): string[] {
    const { codes, counts, used } = this.#bins;
    return Array.from(
      { length: used },
      (_, index) => `H[${nameOf(codes[index]!)}]=${counts[index]}`,
    );
  }

  /** Returns the format's binary form in base64; `AAA=` when empty. `min` and `max` are not in it. */
  toBase64(): string {
    return encodeBins(this.#bins);
  }

  /**
   * Returns the histogram that `text` holds: the format's binary form in base64.
   *
   * White space is skipped, and so are bins that are empty or unknown to the format; bins in
   * disorder are sorted. `min` and `max` are the outer edges of the outer bins.
   *
   * @throws {StatcolError} `ERR_HISTOGRAM_FORMAT`, with the place, for text that is not padded
   *   base64 or bytes that are no histogram; `ERR_HISTOGRAM_FULL` for counts above 2^53.
   */
  static fromBase64(text: string): Histogram {
    const histogram = new Histogram();
    histogram.#bins = decodeBins(text);
    for (const bin of histogram.bins()) histogram.#count += bin.count;
    histogram.#narrow();
    return histogram;
  }

  /** Returns the format's pair for the bin that `value` falls into: 12.5 is in (12, 1). */
  static binOf(value: number): HistogramBinName {
    const code = codeOf(value);
    return { value: valueOf(code), exponent: exponentOf(code) };
  }

  /** The index of the first bin of numbers: all but the one that sorts before them. */
  #first(): number {
    return this.#bins.used > 0 && this.#bins.codes[0] === NOT_A_NUMBER ? 1 : 0;
  }

  /** How many samples are numbers. */
  #numbers(): number {
    return this.#first() === 1 ? this.#count - this.#bins.counts[0]! : this.#count;
  }

  /** Moves `min` and `max` to the outer bins' outer edges where these are not the bins given. */
  #narrow(lowest?: number, highest?: number): void {
    const { codes, used } = this.#bins;
    const first = this.#first();
    if (first === used) {
      this.#min = Infinity;
      this.#max = -Infinity;
      return;
    }
    const low = codes[first] === lowest ? this.#min : lowEdge(codes[first]!);
    const high = codes[used - 1] === highest ? this.#max : highEdge(codes[used - 1]!);
    // A value rounded into its bin can lie outside the edges: 5e-324 is in the bin from 0 to 0.
    this.#min = Math.min(low, high);
    this.#max = Math.max(low, high);
  }
}

/** Whether there is anything to count. Out of the way of what counts by ones. */
function isCount(count: number): boolean {
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new RangeError(`Expected \`count\` to be an integer from 0 to 2^53 - 1, got ${count}`);
  }
  return count > 0;
}
