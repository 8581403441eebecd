import { StatcolError } from './errors.ts';
import { codeFrom, exponentOf, valueOf } from './histogram-bin.ts';
import { COUNT_MAX, fullError } from './histogram-bins.ts';
import type { BinList } from './histogram-bins.ts';

/**
 * Returns the binary form of the bins in base64 (standard alphabet, padded).
 *
 *     00 02  0A  00  00  01  0C  01  01  2C 01
 *     ^^^^^  ^^  ^^  ^^  ^^  ^^^^^^^^^^^^^^^^^
 *     bins   val exp w   count      the next bin: (12,1) holds 300
 *
 * `bins` has 2 bytes, high byte first. `val` and `exp` are signed bytes. `count` has w + 1 bytes,
 * low byte first, and as few as hold it (1 to 7). Bins ascend: NaN, negatives, zero, positives.
 *
 * Source: libcircllhist `hist_serialize`. Its table of limits has an `f` too many in two places, so
 * that it cuts counts from 2^32 to 2^36 to 4 bytes and from 2^48 to 2^52 to 6. Here they have the
 * 5 and 7 bytes they need, which every reader takes.
 */
export function encodeBins(bins: BinList): string {
  let size = 2;
  for (let index = 0; index < bins.used; index++) size += 3 + bytesOf(bins.counts[index]!);
  const bytes = new Uint8Array(size);
  bytes[0] = bins.used >> 8;
  bytes[1] = bins.used;
  let at = 2;
  for (let index = 0; index < bins.used; index++) {
    const code = bins.codes[index]!;
    let count = bins.counts[index]!;
    const width = bytesOf(count);
    bytes[at++] = valueOf(code);
    bytes[at++] = exponentOf(code);
    bytes[at++] = width - 1;
    for (let byte = 0; byte < width; byte++) {
      bytes[at++] = count % 256;
      count = Math.floor(count / 256);
    }
  }
  return toBase64(bytes);
}

/**
 * Returns the bins of a text that {@link encodeBins} or another writer of the format has made.
 *
 * White space in the text is skipped; so are bins that hold 0 and bins whose pair is none of the
 * format's, as the original does. Bins in disorder are sorted, and equal ones added up.
 *
 * @throws {StatcolError} `ERR_HISTOGRAM_FORMAT`, with the place, for text that is not padded
 *   base64, fewer than 2 bytes, a width over 8 bytes, a bin cut short or missing, bytes left over.
 *   `ERR_HISTOGRAM_FULL` when the counts are more than 2^53 together.
 *
 * Source: libcircllhist `hist_deserialize_b64`, except that it takes text that ends between two
 * bins: samples would be lost unseen, so this is refused.
 */
export function decodeBins(text: string): BinList {
  const bytes = fromBase64(text);
  if (bytes.length < 2) throw formatError(`${bytes.length} bytes, 2 at least`);
  const announced = bytes[0]! * 256 + bytes[1]!;
  // A bin has 4 bytes at least: the memory taken is bounded by the text, not by what it claims.
  const most = Math.min(announced, bytes.length >> 2);
  const bins = { codes: new Int16Array(most), counts: new Float64Array(most), used: 0 };
  let total = 0;
  let ascending = true;
  let at = 2;
  for (let bin = 0; bin < announced; bin++) {
    const size = sizeOfBin(bytes, at, `bin ${bin + 1} of ${announced}`);
    const code = codeFrom(signed(bytes[at]!), signed(bytes[at + 1]!));
    const count = readCount(bytes, at + 3, at + size);
    at += size;
    if (code === undefined || count === 0) continue;
    if (count > COUNT_MAX - total) throw fullError();
    total += count;
    if (bins.used > 0 && code <= bins.codes[bins.used - 1]!) ascending = false;
    bins.codes[bins.used] = code;
    bins.counts[bins.used++] = count;
  }
  if (at < bytes.length) {
    throw formatError(`${bytes.length - at} bytes left over at byte ${at}, after the last bin`);
  }
  return ascending ? bins : sorted(bins);
}

/** The bytes of the bin that starts at `at`, all of which are there. */
function sizeOfBin(bytes: Uint8Array, at: number, what: string): number {
  const width = bytes[at + 2] ?? 0;
  if (width > 7) throw formatError(`${what}, at byte ${at}: a count of ${width + 1} bytes`);
  if (at + 4 + width > bytes.length) {
    throw formatError(`${what}, at byte ${at}: cut short by the end at byte ${bytes.length}`);
  }
  return 4 + width;
}

/** Low byte first. Above 2^53 the last digits are lost, but never so many as to get below it. */
function readCount(bytes: Uint8Array, from: number, to: number): number {
  let count = 0;
  for (let at = to - 1; at >= from; at--) count = count * 256 + bytes[at]!;
  // 2^53 + 1 rounds to 2^53, which would pass: the lowest byte tells them apart.
  return count === COUNT_MAX && bytes[from] !== 0 ? Infinity : count;
}

/** Code and place in one number, so that the plain sort of integers puts the bins in order. */
function sorted(bins: BinList): BinList {
  const keys = new Int32Array(bins.used);
  for (let index = 0; index < bins.used; index++) keys[index] = (bins.codes[index]! << 16) | index;
  keys.sort();
  const result = {
    codes: new Int16Array(bins.used),
    counts: new Float64Array(bins.used),
    used: 0,
  };
  for (const key of keys) {
    const code = key >> 16;
    const isNew = result.used === 0 || result.codes[result.used - 1] !== code;
    const index = isNew ? result.used++ : result.used - 1;
    result.codes[index] = code;
    result.counts[index]! += bins.counts[key & 0xffff]!;
  }
  return result;
}

function bytesOf(count: number): number {
  let width = 1;
  for (let limit = 256; count >= limit; limit *= 256) width++;
  return width;
}

function signed(byte: number): number {
  return (byte << 24) >> 24;
}

function formatError(what: string): StatcolError {
  return new StatcolError('ERR_HISTOGRAM_FORMAT', `Not a histogram: ${what}`);
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const WHITE_SPACE = ' \t\n\v\f\r';
const PAD = 64;
const SKIP = 65;
const BAD = 66;

/** By character code below 128: the digit, or one of the three above. */
const DIGITS: Uint8Array = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  if (character === '=') return PAD;
  if (WHITE_SPACE.includes(character)) return SKIP;
  const digit = ALPHABET.indexOf(character);
  return digit < 0 ? BAD : digit;
});

/** Returns bytes in base64: the standard alphabet, padded. */
export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at;
    const group = (bytes[at]! << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    text += ALPHABET[group >> 18]! + ALPHABET[(group >> 12) & 63]!;
    text += left > 1 ? ALPHABET[(group >> 6) & 63]! : '=';
    text += left > 2 ? ALPHABET[group & 63]! : '=';
  }
  return text;
}

/**
 * Strict where `atob` and `Buffer` are not: a strange character is an error with its place, and the
 * padding has to be there. What the last digit holds beyond the last byte is not looked at.
 */
function fromBase64(text: string): Uint8Array {
  const bytes = new Uint8Array(Math.ceil((text.length * 3) / 4));
  let used = 0;
  let group = 0;
  let digits = 0;
  let pads = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const digit = code < 128 ? DIGITS[code]! : BAD;
    if (digit === SKIP) continue;
    if (digit === PAD) {
      pads++;
      continue;
    }
    if (digit === BAD || pads > 0) {
      throw formatError(`${JSON.stringify(text[at])} at character ${at} is not base64`);
    }
    group = (group << 6) | digit;
    if (++digits % 4 !== 0) continue;
    bytes[used++] = group >> 16;
    bytes[used++] = group >> 8;
    bytes[used++] = group;
    group = 0;
  }
  const rest = digits % 4;
  if (rest === 1 || (rest + pads) % 4 !== 0 || pads > 2) {
    throw formatError(`base64 of ${digits} digits and ${pads} pads, at character ${text.length}`);
  }
  if (rest > 1) bytes[used++] = group >> (rest === 2 ? 4 : 10);
  if (rest > 2) bytes[used++] = group >> 2;
  return bytes.subarray(0, used);
}
