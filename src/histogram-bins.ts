import { StatcolError } from './errors.ts';
import { nameOf } from './histogram-bin.ts';

/**
 * A histogram's bins: `codes[i]` holds `counts[i]` for i below `used`. Codes ascend, none stands
 * twice, and no count is 0. Both arrays are of one length and may have room for more.
 */
export interface BinList {
  codes: Int16Array;
  counts: Float64Array;
  used: number;
}

/** The most that one bin, and all bins together, can count: doubles are exact up to here. */
export const COUNT_MAX: number = 2 ** 53;

/** Room for the first bins: the engine keeps arrays this small within the heap. */
const CAPACITY_MIN = 8;
const NO_CODES = new Int16Array(0);
const NO_COUNTS = new Float64Array(0);

/**
 * By the low 16 bits of a code: the index at which it was last found, in whichever list. Samples
 * come in runs for one histogram and into bins seen before, so this is mostly right and spares the
 * search. It is never trusted: the code at that index decides.
 */
const HINTS = new Uint16Array(65_536);

/** Returns a list of no bins, which takes no memory for any. */
export function emptyBins(): BinList {
  return { codes: NO_CODES, counts: NO_COUNTS, used: 0 };
}

/** Returns the error for a count that would pass {@link COUNT_MAX}. */
export function fullError(): StatcolError {
  return new StatcolError('ERR_HISTOGRAM_FULL', 'A histogram counts to 2^53 and not further');
}

/**
 * Returns the index of the bin `code`, which is put in with a count of 0 when it is missing: the
 * caller is to count at least 1.
 */
export function placeOf(bins: BinList, code: number): number {
  const hint = HINTS[code & 0xffff]!;
  if (hint < bins.used && bins.codes[hint] === code) return hint;
  const index = indexFrom(bins, code);
  HINTS[code & 0xffff] = index;
  if (index < bins.used && bins.codes[index] === code) return index;
  reserve(bins, bins.used + 1);
  bins.codes.copyWithin(index + 1, index, bins.used);
  bins.counts.copyWithin(index + 1, index, bins.used);
  bins.codes[index] = code;
  bins.counts[index] = 0;
  bins.used++;
  return index;
}

/** Adds the counts of `other`, which may be `bins` itself. Sums are not checked. One pass. */
export function mergeBins(bins: BinList, other: BinList): void {
  let mine = bins.used - 1;
  let theirs = other.used - 1;
  let to = bins.used + missingIn(bins, other) - 1;
  reserve(bins, to + 1);
  bins.used = to + 1;
  const { codes, counts } = bins;
  // From the top down, what is written to is never below what is read next, so it works in place.
  for (; theirs >= 0; to--) {
    const code = other.codes[theirs]!;
    const own = mine < 0 ? -Infinity : codes[mine]!;
    const ownCount = own >= code ? counts[mine--]! : 0;
    const otherCount = code >= own ? other.counts[theirs--]! : 0;
    codes[to] = Math.max(own, code);
    counts[to] = ownCount + otherCount;
  }
}

/**
 * Takes out the counts of `other`, which may be `bins` itself, and the bins this empties.
 *
 * @throws {StatcolError} `ERR_HISTOGRAM_UNDERRUN`; then nothing has changed.
 */
export function subtractBins(bins: BinList, other: BinList): void {
  refuseUnderrun(bins, other);
  const { codes, counts } = bins;
  let kept = 0;
  let theirs = 0;
  for (let index = 0; index < bins.used; index++) {
    const code = codes[index]!;
    let count = counts[index]!;
    if (theirs < other.used && other.codes[theirs] === code) count -= other.counts[theirs++]!;
    if (count === 0) continue;
    codes[kept] = code;
    counts[kept++] = count;
  }
  bins.used = kept;
}

function refuseUnderrun(bins: BinList, other: BinList): void {
  for (let theirs = 0; theirs < other.used; theirs++) {
    const code = other.codes[theirs]!;
    const count = other.counts[theirs]!;
    const index = indexFrom(bins, code);
    const held = index < bins.used && bins.codes[index] === code ? bins.counts[index]! : 0;
    if (count <= held) continue;
    throw new StatcolError(
      'ERR_HISTOGRAM_UNDERRUN',
      `Bin ${nameOf(code)} holds ${held}, of which ${count} were to be taken out`,
    );
  }
}

/** The index of the first code from `code` up; `used` where all are below it. */
function indexFrom(bins: BinList, code: number): number {
  const { codes, used } = bins;
  if (used === 0) return 0;
  let low = 0;
  // The sign bit of a difference of codes picks the half: a branch here would be mispredicted
  // every other time, which costs more than the rest of the search.
  for (let size = used; size > 1;) {
    const half = size >> 1;
    low += half & ((codes[low + half - 1]! - code) >> 31);
    size -= half;
  }
  return low + ((codes[low]! - code) >>> 31);
}

/** How many bins of `other` are not in `bins`. */
function missingIn(bins: BinList, other: BinList): number {
  let missing = 0;
  let mine = 0;
  for (let theirs = 0; theirs < other.used; theirs++) {
    const code = other.codes[theirs]!;
    while (mine < bins.used && bins.codes[mine]! < code) mine++;
    if (mine >= bins.used || bins.codes[mine] !== code) missing++;
  }
  return missing;
}

/** Makes room for `size` bins, at least doubling it, so that growth costs little for each bin. */
function reserve(bins: BinList, size: number): void {
  if (size <= bins.codes.length) return;
  const capacity = Math.max(CAPACITY_MIN, size, bins.codes.length * 2);
  const codes = new Int16Array(capacity);
  const counts = new Float64Array(capacity);
  codes.set(bins.codes);
  counts.set(bins.counts);
  bins.codes = codes;
  bins.counts = counts;
}
