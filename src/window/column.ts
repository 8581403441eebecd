import { type BinList, emptyBins, placeOf } from '../histogram-bins.ts';
import { codeOf } from '../histogram-bin.ts';

/** The timings of one name in one span of time. */
export interface Column {
  /** When it begins, in whole seconds. */
  second: number;
  /** How many seconds it spans. */
  span: number;
  /** Exact. */
  min: number;
  max: number;
  /** Sum of the weights, and of values times weights. */
  weight: number;
  weightedSum: number;
  /** Whole samples per bin. */
  readonly bins: BinList;
}

/** Counts of a column stop here, so that those of a whole window can be added up exactly. */
export const COLUMN_COUNT_MAX: number = 2 ** 40;

/** Returns a column of nothing. */
export function emptyColumn(second: number, span: number): Column {
  return {
    second,
    span,
    min: Infinity,
    max: -Infinity,
    weight: 0,
    weightedSum: 0,
    bins: emptyBins(),
  };
}

/** Adds `count` whole samples of a value whose weight is `weight`. */
export function addToColumn(column: Column, value: number, weight: number, count: number): void {
  // What came as no number has a bin of its own, and no part in the rest.
  if (!Number.isNaN(value)) {
    if (value < column.min) column.min = value;
    if (value > column.max) column.max = value;
    column.weight += weight;
    column.weightedSum += value * weight;
  }
  if (count > 0) addToBin(column.bins, codeOf(value), count);
}

/** Adds all of `from`. */
export function mergeColumn(into: Column, from: Column): void {
  into.min = Math.min(into.min, from.min);
  into.max = Math.max(into.max, from.max);
  into.weight += from.weight;
  into.weightedSum += from.weightedSum;
  for (let at = 0; at < from.bins.used; at++) {
    addToBin(into.bins, from.bins.codes[at]!, from.bins.counts[at]!);
  }
}

function addToBin(bins: BinList, code: number, count: number): void {
  const place = placeOf(bins, code);
  bins.counts[place] = Math.min(COLUMN_COUNT_MAX, bins.counts[place]! + count);
}

/**
 * Columns that are done, one behind the other in as few bytes as they need:
 *
 *     u32   u32     u16   f64  f64  f64     f64     u16   per bin: i16, then 7 bits a byte,
 *     size  second  span  min  max  weight  sum     bins  code and count, lowest first
 *
 * A column of 20 samples takes about 90 bytes; as objects it would be 600.
 */
export interface ColumnLog {
  bytes: Uint8Array;
  view: DataView;
  /** What lies from `start` to `end` is in use. */
  start: number;
  end: number;
}

const HEAD_BYTES = 4 + 4 + 2 + 4 * 8 + 2;
/** Of a bin: its code, and a count below 2^42. */
const BIN_BYTES_MAX = 2 + 6;

const NO_BYTES = new Uint8Array(0);
const NO_VIEW = new DataView(NO_BYTES.buffer);

/** Returns a log of no columns, which takes no memory for any. */
export function emptyLog(): ColumnLog {
  return { bytes: NO_BYTES, view: NO_VIEW, start: 0, end: 0 };
}

/** Lets go of what lies before a place, and of its memory once that is half of all. */
export function dropTo(log: ColumnLog, place: number): void {
  log.start = place;
  if (2 * (log.end - place) > log.bytes.length) return;
  const rest = log.bytes.slice(place, log.end);
  Object.assign(log, { bytes: rest, view: new DataView(rest.buffer), start: 0, end: rest.length });
}

/** Appends a column. */
export function appendColumn(log: ColumnLog, column: Column): void {
  const { bins } = column;
  reserve(log, HEAD_BYTES + bins.used * BIN_BYTES_MAX);
  const { bytes, view, end } = log;
  view.setUint32(end + 4, column.second);
  view.setUint16(end + 8, column.span);
  view.setFloat64(end + 10, column.min);
  view.setFloat64(end + 18, column.max);
  view.setFloat64(end + 26, column.weight);
  view.setFloat64(end + 34, column.weightedSum);
  view.setUint16(end + 42, bins.used);
  let at = end + HEAD_BYTES;
  for (let bin = 0; bin < bins.used; bin++, at++) {
    view.setInt16(at, bins.codes[bin]!);
    at += 2;
    let count = bins.counts[bin]!;
    for (; count >= 128; count = Math.floor(count / 128)) bytes[at++] = (count % 128) | 128;
    bytes[at] = count;
  }
  view.setUint32(end, at - end);
  log.end = at;
}

/** Calls `visit` with the place and second of each column, oldest first; false ends it. */
export function forEachPlace(
  log: ColumnLog,
  visit: (at: number, second: number, span: number) => boolean,
): void {
  for (let at = log.start; at < log.end; at += log.view.getUint32(at)) {
    if (!visit(at, log.view.getUint32(at + 4), log.view.getUint16(at + 8))) return;
  }
}

/** Adds the column at a place of a log to `into`. */
export function mergeFromLog({ bytes, view }: ColumnLog, place: number, into: Column): void {
  into.min = Math.min(into.min, view.getFloat64(place + 10));
  into.max = Math.max(into.max, view.getFloat64(place + 18));
  into.weight += view.getFloat64(place + 26);
  into.weightedSum += view.getFloat64(place + 34);
  let at = place + HEAD_BYTES;
  for (let left = view.getUint16(place + 42); left > 0; left--) {
    const code = view.getInt16(at);
    at += 2;
    let count = 0;
    let byte = 128;
    for (let scale = 1; byte >= 128; scale *= 128) {
      byte = bytes[at++]!;
      count += (byte & 127) * scale;
    }
    addToBin(into.bins, code, count);
  }
}

/** Makes room for as many bytes, moving what is in use to the front or to a larger place. */
function reserve(log: ColumnLog, bytes: number): void {
  const used = log.end - log.start;
  if (log.end + bytes <= log.bytes.length) return;
  const roomy = used + bytes <= log.bytes.length * 0.75;
  const target = roomy ? log.bytes : new Uint8Array(Math.ceil((used + bytes) * 1.25) + 64);
  target.set(log.bytes.subarray(log.start, log.end));
  log.bytes = target;
  log.view = new DataView(target.buffer);
  log.start = 0;
  log.end = used;
}
