import type { Histogram } from '../histogram.ts';
import { type Carry, WHOLE_MAX, wholeSamples } from '../weights.ts';

/** What was timed under one name since the start. */
export interface LifetimeHistogram {
  name: string;
  /** How many samples are at most each of {@link BOUNDS}, and last how many there are. */
  cumulative: Float64Array;
  /** Sum of values times weights; always finite. */
  sum: number;
}

/**
 * Histograms that only ever grow, one for each timing that ever came: what Prometheus wants, which
 * takes the difference of two looks by itself. The live window forgets, and cannot give that.
 *
 * Memory: 168 bytes a name, in pages of 256 names, and 40 for its place beside the name itself: of
 * 131,072 names 22 MB and 5 MB. Names stay until they are removed: one that went away by itself and
 * came back would have lost what it had counted. Cost: 10 to 25 ns a sample.
 */
export interface LifetimeHistograms {
  /** Adds samples that are exact: a value on a bound is within it. The arrays are not kept. */
  add(name: string, values: Float64Array, weights: Float64Array): void;
  /** Adds a value that was counted elsewhere, so many times. */
  addCounted(name: string, value: number, count: number): void;
  /**
   * Adds what was counted elsewhere, bins at their middles. Every bound is an edge of bins, so no
   * bin lies on both sides of one, and its upper edge would say the same.
   */
  addHistogram(name: string, histogram: Histogram): void;
  /** How many names there are. */
  readonly size: number;
  names(): Iterable<string>;
  /** Forgets a name and all its samples; false for an unknown one. Its place is used again. */
  remove(name: string): boolean;
  /** How many samples were passed over because there was no room for their names. */
  readonly samplesLeftOut: number;
  /**
   * Yields each histogram, names in order of first appearance: one object, used again and again.
   * Samples may be added meanwhile; each histogram is as it is at the moment when it is yielded.
   */
  read(): Generator<LifetimeHistogram, void, undefined>;
}

/** The upper bounds of the buckets, themselves within; what is above the last is in none but Inf. */
export const BOUNDS: readonly number[] = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000,
];

/** A name's numbers lie side by side: of each bucket its own samples, then sum and carry. */
const BUCKETS = BOUNDS.length + 1;
const SUM_AT = BUCKETS;
const CARRY_AT = BUCKETS + 1;
const SLOTS = BUCKETS + 2;
const PAGE_NAMES = 256;

/** As many as the live window has. */
const NAMES_MAX = 131_072;
/** Names from a trap may be 4 kB long. */
const NAME_LENGTHS_MAX = 16 << 20;
/** A bucket counts up to here, so that all of a name together stay exact, below 2^53. */
const BUCKET_MAX = 2 ** 48;

/** Creates histograms of nothing. */
export function createLifetimeHistograms(): LifetimeHistograms {
  const places = new Map<string, number>();
  const pages: Float64Array[] = [];
  // Those of names that were removed: empty, and the next to be given away.
  const freePlaces: number[] = [];
  const carrying: Carry = { carry: 0 };
  let nameLengths = 0;
  let samplesLeftOut = 0;

  return {
    add(name, values, weights) {
      const place = placeOf(name, values.length);
      if (place === undefined) return;
      const page = pageOf(place);
      const from = slotOf(place);
      for (let index = 0; index < values.length; index++) {
        const value = values[index]!;
        const weight = weights[index]!;
        const bucket = from + bucketOf(value);
        carrying.carry = page[from + CARRY_AT]!;
        page[bucket]! += wholeSamples(carrying, weight, BUCKET_MAX - page[bucket]!);
        page[from + CARRY_AT] = carrying.carry;
        // Cut as the count is: after one absurd weight the sum would tell nothing for ever.
        addToSum(page, from, value * Math.min(weight, WHOLE_MAX));
      }
    },
    addCounted(name, value, count) {
      const place = placeOf(name, count);
      if (place !== undefined) addTo(place, value, count);
    },
    addHistogram(name, histogram) {
      const place = placeOf(name, histogram.count);
      if (place === undefined) return;
      for (const { from, to, count } of histogram.bins()) addTo(place, (from + to) / 2, count);
    },
    get size() {
      return places.size;
    },
    names: () => places.keys(),
    remove(name) {
      const place = places.get(name);
      if (place === undefined) return false;
      pageOf(place).fill(0, slotOf(place), slotOf(place) + SLOTS);
      nameLengths -= name.length;
      freePlaces.push(place);
      return places.delete(name);
    },
    get samplesLeftOut() {
      return samplesLeftOut;
    },
    *read() {
      const shown = { name: '', cumulative: new Float64Array(BUCKETS), sum: 0 };
      for (const [name, place] of places) {
        const page = pageOf(place);
        const from = slotOf(place);
        let count = 0;
        for (let bucket = 0; bucket < BUCKETS; bucket++) {
          count += page[from + bucket]!;
          shown.cumulative[bucket] = count;
        }
        shown.name = name;
        shown.sum = page[from + SUM_AT]!;
        yield shown;
      }
    },
  };

  /** Returns the place of a name, made if it is new; undefined where there is no room for it. */
  function placeOf(name: string, samples: number): number | undefined {
    const found = places.get(name);
    if (found !== undefined) return found;
    if (places.size >= NAMES_MAX || nameLengths + name.length > NAME_LENGTHS_MAX) {
      samplesLeftOut += samples;
      return undefined;
    }
    // Places given away once are a whole number of names from 0 on.
    const place = freePlaces.pop() ?? places.size;
    nameLengths += name.length;
    places.set(name, place);
    if (place === pages.length * PAGE_NAMES) pages.push(new Float64Array(PAGE_NAMES * SLOTS));
    return place;
  }

  function pageOf(place: number): Float64Array {
    return pages[Math.floor(place / PAGE_NAMES)]!;
  }

  function addTo(place: number, value: number, count: number): void {
    const page = pageOf(place);
    const from = slotOf(place);
    const bucket = from + bucketOf(value);
    page[bucket] = Math.min(BUCKET_MAX, page[bucket]! + count);
    addToSum(page, from, value * count);
  }
}

/** Where the numbers of a place begin in its page. */
function slotOf(place: number): number {
  return (place % PAGE_NAMES) * SLOTS;
}

/** The first bucket that a value is within; the last one where it is no number. */
function bucketOf(value: number): number {
  let low = 0;
  let high = BUCKETS - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value <= BOUNDS[middle]!) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** What is no number has no part in the sum, and one beyond all doubles stays a number. */
function addToSum(page: Float64Array, from: number, amount: number): void {
  if (Number.isNaN(amount)) return;
  const sum = page[from + SUM_AT]! + amount;
  page[from + SUM_AT] = Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, sum));
}
