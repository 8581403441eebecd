import { bareLength, markOf, type TagDialect } from './dialects.ts';
import { isDigits, readNumber } from './number.ts';
import { PACKET_BYTES_MAX } from './packet.ts';
import { createParsedLine, Kind, type ParsedLine } from './parsed-line.ts';
import { Verdict } from './reasons.ts';

export { Kind, type ParsedLine } from './parsed-line.ts';

/** The longest datagram UDP over IPv4 can carry, and the longest line that is read. */
export const DATAGRAM_BYTES_MAX = 65_507;
/** The longest name, in bytes, before its tags. */
export const NAME_BYTES_MAX = 512;

/** Reads lines; see {@link createParser}. */
export interface Parser {
  /** The line read last; valid until the next call. */
  readonly line: ParsedLine;
  /** Reads `bytes[start…end)`, one line without its LF, into {@link Parser.line}. Never throws. */
  parse(bytes: Uint8Array, start: number, end: number): Verdict;
}

/**
 * Creates a reader of StatsD lines.
 *
 *     checkout.time:320:310|ms|@0.1|#zone:eu
 *     ^^^^^^^^^^^^^ ^^^ ^^^ ^^ ^^^^ ^^^^^^^^
 *     name        values  type rate tags
 *
 * A line is accepted or refused as a whole: nothing is added before all of it has been read. The
 * names and tags are only located here; they are checked when a spelling is first seen (see
 * `names.ts`), because that is done once and this for each line.
 *
 * Cost: one pass over the bytes; no allocation, but for numbers with over 15 digits.
 *
 * @param dialect of tags in names, which do not count for how long a name is.
 */
export function createParser(dialect?: TagDialect): Parser {
  const tagMark = markOf(dialect);
  const line = createParsedLine(SAMPLES_PER_LINE_MAX);
  // What the line being read has shown so far. `at` is where reading goes on.
  let at = 0;
  let type = 0;
  let rate = 1;
  let tagsSeen = false;

  return { line, parse };

  function parse(bytes: Uint8Array, start: number, end: number): Verdict {
    line.bytes = bytes;
    line.count = 0;
    line.tagsStart = line.tagsEnd = 0;
    tagsSeen = false;
    if (isEventOrCheck(bytes, start, end)) return Verdict.unsupported;

    const named = readName(bytes, start, end);
    if (named !== Verdict.accepted) return named;
    // One turn per `values|type|@rate`; a bit list has several: `a:1|c:2|ms|@0.5:3|d`.
    do {
      const read = readBit(bytes, end);
      if (read !== Verdict.accepted) return read;
    } while (at < end);
    return Verdict.accepted;
  }

  //     checkout.time;zone=eu:320|ms
  //     ^^^^^^^^^^^^^^^^^^^^^
  function readName(bytes: Uint8Array, start: number, end: number): Verdict {
    const mark = tagMark; // at hand: it is looked at for each byte
    let baseEnd = -1; // where the first `;` or the dialect's mark begins the tags
    let byte = 0;
    for (at = start; at < end; at++) {
      byte = bytes[at]!;
      if (byte === COLON || byte === PIPE) break;
      if ((byte === SEMICOLON || byte === mark) && baseEnd < 0) baseEnd = at;
    }
    if (at >= end) return Verdict.noSeparator;
    line.nameStart = start;
    line.nameEnd = at;
    const length = baseEnd < 0 ? at - start : bareLength(bytes, start, baseEnd, at);
    if (byte === COLON && length > 0 && length <= NAME_BYTES_MAX) {
      at++;
      return Verdict.accepted;
    }
    const missing = byte === PIPE ? COLON : PIPE;
    if (find(bytes, missing, at, end) < 0) return Verdict.noSeparator;
    return length > NAME_BYTES_MAX ? Verdict.nameTooLong : Verdict.badName;
  }

  //     320:310|ms|@0.1|#zone:eu        and, in a bit list, up to the `:` of the next bit
  //     ^^^^^^^ ^^ ^^^^^^^^^^^^^
  function readBit(bytes: Uint8Array, end: number): Verdict {
    const valuesStart = at;
    const valuesEnd = find(bytes, PIPE, at, end);
    // The line holds no `|` at all, or (in a later bit) values without a type.
    if (valuesEnd < 0) return line.count > 0 ? Verdict.badType : Verdict.noSeparator;
    at = valuesEnd + 1;
    type = readType(bytes, end);
    if (type === 0) return Verdict.badType;

    const first = line.count;
    const valued = readValues(bytes, valuesStart, valuesEnd);
    if (valued !== Verdict.accepted) return valued;
    rate = 1;
    const read = readFields(bytes, end);
    if (read !== Verdict.accepted) return read;
    return rate === 1 ? Verdict.accepted : applyRate(first);
  }

  /** Reads the type and leaves `at` on what ends it. Returns 0 for an unknown one. */
  function readType(bytes: Uint8Array, end: number): number {
    const byte = at < end ? bytes[at]! : 0;
    const next = at + 1 < end ? bytes[at + 1]! : PIPE;
    if (next === PIPE || next === COLON) {
      at++;
      return byte === C || byte === M || byte === H || byte === D || byte === G || byte === S
        ? byte
        : 0;
    }
    if (byte !== M || next !== S) return 0;
    at += 2;
    return at >= end || bytes[at] === PIPE || bytes[at] === COLON ? MS : 0;
  }

  function readValues(bytes: Uint8Array, start: number, end: number): Verdict {
    if (type === S) {
      if (end === start) return Verdict.badValue;
      const index = line.count++;
      line.kinds[index] = Kind.set;
      line.values[index] = start;
      line.weights[index] = end;
      return Verdict.accepted;
    }
    let found = false;
    for (let from = start; from <= end;) {
      let to = from;
      while (to < end && bytes[to] !== COLON) to++;
      if (to > from) {
        const value = readNumber(bytes, from, to);
        if (!Number.isFinite(value) || (type === MS && value < 0)) return Verdict.badValue;
        found = true;
        addSample(value, bytes[from]!);
      }
      from = to + 1;
    }
    return found ? Verdict.accepted : Verdict.badValue;
  }

  function addSample(value: number, firstByte: number): void {
    const index = line.count++;
    line.kinds[index] = type === C || type === M ? Kind.counter : Kind.timing;
    line.values[index] = value;
    line.weights[index] = 1;
    if (type !== G) return;
    line.kinds[index] = Kind.gauge;
    line.relative[index] = firstByte === PLUS || firstByte === MINUS ? 1 : 0;
  }

  /** Reads `|field` after `|field`, in any order, up to the end or the `:` of the next bit. */
  function readFields(bytes: Uint8Array, end: number): Verdict {
    let rateSeen = false;
    while (at < end) {
      if (bytes[at] === COLON) {
        at++;
        // `a:1|c:` ends in a bit without values.
        return at < end ? Verdict.accepted : Verdict.badValue;
      }
      const start = ++at;
      const mark = at < end ? bytes[at]! : PIPE;
      while (at < end && bytes[at] !== PIPE && (mark !== AT || bytes[at] !== COLON)) at++;
      if (mark === AT) {
        rate = readNumber(bytes, start + 1, at);
        if (rateSeen || !(rate > 0 && rate <= 1)) return Verdict.badRate;
        rateSeen = true;
      } else if (mark === HASH) {
        if (tagsSeen) return Verdict.badTags;
        tagsSeen = true;
        line.tagsStart = start + 1;
        line.tagsEnd = at;
      } else if (mark === T && (type === C || type === M || type === G)) {
        if (!isDigits(bytes, start + 1, at)) return Verdict.badValue;
      }
    }
    return Verdict.accepted;
  }

  /**
   * A rate is a weight: a counter's value is divided by it, a timing counts 1/rate times. A gauge
   * or a member is what it is however seldom it is told.
   */
  function applyRate(first: number): Verdict {
    if (type === G || type === S) return Verdict.accepted;
    const weight = 1 / rate;
    for (let index = first; index < line.count; index++) {
      line.weights[index] = weight;
      let added = weight;
      if (line.kinds[index] === Kind.counter) {
        added = line.values[index]! / rate;
        line.values[index] = added;
      }
      if (!Number.isFinite(added)) return Verdict.badValue;
    }
    return Verdict.accepted;
  }
}

/**
 * Calls `onLine` for each line of a datagram, in order, without its LF and one CR before it.
 * Empty lines are skipped; the last LF may be missing.
 */
export function forEachLine(
  bytes: Uint8Array,
  length: number,
  onLine: (bytes: Uint8Array, start: number, end: number) => void,
): void {
  for (let start = 0; start < length;) start = nextLine(bytes, start, length, onLine);
}

/** Calls `onLine` for the line that begins at `start`, as above; returns where the next one does. */
export function nextLine(
  bytes: Uint8Array,
  start: number,
  packetEnd: number,
  onLine: (bytes: Uint8Array, start: number, end: number) => void,
): number {
  let end = start;
  while (end < packetEnd && bytes[end] !== LF) end++;
  const trimmed = end > start && bytes[end - 1] === CR ? end - 1 : end;
  if (trimmed > start) onLine(bytes, start, trimmed);
  return end + 1;
}

/** `_e{…}` is an event, `_sc|…` a service check. */
function isEventOrCheck(bytes: Uint8Array, start: number, end: number): boolean {
  if (bytes[start] !== UNDERSCORE || end - start < 4) return false;
  const second = bytes[start + 1];
  const third = bytes[start + 2];
  if (second === LOWER_E) return third === BRACE;
  return second === S && third === C && bytes[start + 3] === PIPE;
}

function find(bytes: Uint8Array, byte: number, start: number, end: number): number {
  for (let index = start; index < end; index++) if (bytes[index] === byte) return index;
  return -1;
}

/** A value takes two bytes at least, so no line that fits a datagram holds more. */
const SAMPLES_PER_LINE_MAX = PACKET_BYTES_MAX / 2;

const LF = 0x0a;
const CR = 0x0d;
const HASH = 0x23;
const PLUS = 0x2b;
const MINUS = 0x2d;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
const AT = 0x40;
const T = 0x54;
const UNDERSCORE = 0x5f;
const C = 0x63;
const D = 0x64;
const LOWER_E = 0x65;
const G = 0x67;
const H = 0x68;
const M = 0x6d;
const S = 0x73;
const BRACE = 0x7b;
const PIPE = 0x7c;
/** Not a byte: stands for the two bytes `ms` where a type is kept. */
const MS = 0x100;
