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

/** Makes a column one of nothing again, in the memory that it has. */
export function clearColumn(column: Column, second: number, span: number): void {
  column.second = second;
  column.span = span;
  column.min = Infinity;
  column.max = -Infinity;
  column.weight = 0;
  column.weightedSum = 0;
  column.bins.used = 0;
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
  /** What lies from `start` to `end` is in use, and the last column begins at `last`. */
  start: number;
  last: number;
  end: number;
}

const HEAD_BYTES = 4 + 4 + 2 + 4 * 8 + 2;
/** Of a bin: its code, and a count below 2^42. */
const BIN_BYTES_MAX = 2 + 6;

const NO_BYTES = new Uint8Array(0);

/** Returns a log of no columns, which takes no memory for any. */
export function emptyLog(): ColumnLog {
  return { bytes: NO_BYTES, start: 0, last: 0, end: 0 };
}

/** Lets go of what lies before a place, and of memory not in use once that is half of all. */
export function dropTo(log: ColumnLog, place: number, isNow = false): void {
  log.start = place;
  if (!isNow && 2 * (log.end - place) > log.bytes.length) return;
  log.start = 0;
  log.last -= place;
  log.end -= place;
  log.bytes = moved(log.bytes, place, place + log.end, roomFor(log.end));
}

/** Appends a column. */
export function appendColumn(log: ColumnLog, column: Column): void {
  reserve(log, HEAD_BYTES + column.bins.used * BIN_BYTES_MAX);
  log.last = log.end;
  log.end = writeColumn(log, log.end, column);
}

/**
 * Takes the last column out of a log if what belongs to a second is to be added to it; else `into`
 * is of nothing. What comes late, for a second before the last column, joins that one: so they
 * ascend.
 */
export function takeLast(log: ColumnLog, second: number, into: Column): void {
  clearColumn(into, second, 1);
  if (log.start === log.end) return;
  const view = viewOf(log.bytes);
  const last = view.getUint32(log.last + 4);
  const span = view.getUint16(log.last + 8);
  if (last < second || (last === second && span > 1)) return;
  clearColumn(into, last, span);
  mergeFromLog(log, log.last, into);
  log.end = log.last; // the next one that is appended knows where the last one is
}

/** Writes a column to a place where there is room; returns where it ends. */
function writeColumn({ bytes }: ColumnLog, end: number, column: Column): number {
  const { bins } = column;
  const view = viewOf(bytes);
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
  return at;
}

const scratch = emptyColumn(0, 1);

/**
 * Merges the columns of single seconds that begin before a second into columns of `span` seconds;
 * returns how many it merged. In place: a merged column takes no more bytes than its parts.
 */
export function coarsenLog(log: ColumnLog, before: number, span: number): number {
  let merged = 0;
  let to = log.start;
  let isOpen = false; // whether `scratch` holds a column that is to be written
  const close = (): void => {
    if (isOpen) {
      log.last = to;
      to = writeColumn(log, to, scratch);
    }
    isOpen = false;
  };
  const { bytes } = log;
  const view = viewOf(bytes);
  for (let at = log.start, next = at; at < log.end; at = next) {
    next = at + view.getUint32(at);
    const second = view.getUint32(at + 4);
    const from = second - (second % span);
    const isFine = view.getUint16(at + 8) === 1 && second < before;
    // One that was merged before takes in what has come late for it.
    const joins = isOpen && scratch.second === from && isFine;
    if (!joins) close();
    if (isFine || (view.getUint16(at + 8) === span && second < before)) {
      if (!joins) clearColumn(scratch, from, span);
      isOpen = true;
      mergeFromLog(log, at, scratch);
      if (isFine) merged++;
    } else {
      bytes.copyWithin(to, at, next);
      log.last = to;
      to += next - at;
    }
  }
  close();
  log.end = to;
  if (merged > 0) dropTo(log, log.start, true);
  return merged;
}

/** Calls `visit` with the place and second of each column, oldest first; false ends it. */
export function forEachPlace(
  log: ColumnLog,
  visit: (at: number, second: number, span: number) => boolean,
): void {
  if (log.start === log.end) return;
  const view = viewOf(log.bytes);
  for (let at = log.start; at < log.end; at += view.getUint32(at)) {
    if (!visit(at, view.getUint32(at + 4), view.getUint16(at + 8))) return;
  }
}

/** Sum of the weights of the columns that begin from one second to another. */
export function weightWithin(log: ColumnLog, from: number, to: number): number {
  let weight = 0;
  if (log.start === log.end) return weight;
  const view = viewOf(log.bytes);
  for (let at = log.start; at < log.end; at += view.getUint32(at)) {
    const second = view.getUint32(at + 4);
    if (second > to) break;
    if (second >= from) weight += view.getFloat64(at + 26);
  }
  return weight;
}

/** Adds the column at a place of a log to `into`. */
export function mergeFromLog({ bytes }: ColumnLog, place: number, into: Column): void {
  const view = viewOf(bytes);
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
  log.bytes = roomy
    ? log.bytes.copyWithin(0, log.start, log.end)
    : moved(log.bytes, log.start, log.end, roomFor(used + bytes));
  log.last -= log.start;
  log.start = 0;
  log.end = used;
}

/** How much memory is taken for so many bytes, so that not each column needs more. */
function roomFor(bytes: number): number {
  return Math.ceil(bytes * 1.125) + 64;
}

function moved(bytes: Uint8Array, from: number, to: number, size: number): Uint8Array {
  const target = new Uint8Array(size);
  target.set(bytes.subarray(from, to));
  return target;
}

/** A view is not kept: of 100,000 names they would take 12 MB. */
function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
