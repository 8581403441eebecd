/**
 * Reads a decimal number from bytes, exactly as `Number()` would, without making a string.
 *
 *     [-+]? ( digits [ . digits* ] | . digits ) [ (e|E) [-+]? digits ]
 *
 * Returns NaN for anything else: hex, blanks, words, an empty range, a bare sign or dot. A number
 * too large for a double is Infinity; the caller refuses it.
 *
 * Up to 15 significant digits and a power of ten up to 22 are converted with one exact
 * multiplication or division (Clinger 1990: both operands are exact doubles, so the one rounding
 * is the right one). Everything else goes through `Number()`, which costs a string.
 */
export function readNumber(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  let byte = at < end ? bytes[at]! : 0;
  const negative = byte === MINUS;
  if (negative || byte === PLUS) at++;

  let mantissa = 0;
  let digits = 0; // significant ones: leading zeros are not counted
  let seen = 0; // any digits at all
  let exponent = 0;
  for (; at < end && (byte = bytes[at]! - ZERO) >= 0 && byte <= 9; at++, seen++) {
    if (digits > 0 || byte > 0) digits++;
    mantissa = mantissa * 10 + byte;
  }
  if (at < end && bytes[at] === DOT) {
    for (at++; at < end && (byte = bytes[at]! - ZERO) >= 0 && byte <= 9; at++, seen++) {
      if (digits > 0 || byte > 0) digits++;
      mantissa = mantissa * 10 + byte;
      exponent--;
    }
  }
  if (seen === 0) return NaN;
  if (at < end) {
    if ((bytes[at]! | 0x20) !== LOWER_E) return NaN;
    const power = readExponent(bytes, at + 1, end);
    if (Number.isNaN(power)) return NaN;
    exponent += power;
  }
  if (digits > 15 || exponent < -22 || exponent > 22) return slowNumber(bytes, start, end);
  const magnitude =
    exponent === 0
      ? mantissa
      : exponent < 0
        ? mantissa / POWERS_OF_TEN[-exponent]!
        : mantissa * POWERS_OF_TEN[exponent]!;
  return negative ? -magnitude : magnitude;
}

/** Returns whether the range is one or more decimal digits and nothing else. */
export function isDigits(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) return false;
  }
  return end > start;
}

const PLUS = 0x2b;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const LOWER_E = 0x65;
/** From 1 to 10^22: these are exact doubles. */
export const POWERS_OF_TEN: Float64Array = Float64Array.from({ length: 23 }, (_, power) =>
  Number(`1e${power}`),
);

/**
 * The signed exponent after the `e`; NaN if it is not digits to the end. Not cut short: thousands
 * of digits behind the dot can make up for an exponent as large.
 */
function readExponent(bytes: Uint8Array, start: number, end: number): number {
  const sign = start < end ? bytes[start]! : 0;
  const from = sign === MINUS || sign === PLUS ? start + 1 : start;
  if (!isDigits(bytes, from, end)) return NaN;
  let power = 0;
  for (let at = from; at < end; at++) power = power * 10 + bytes[at]! - ZERO;
  return sign === MINUS ? -power : power;
}

/** The grammar has been checked: what is left is a valid literal, which `Number()` rounds right. */
function slowNumber(bytes: Uint8Array, start: number, end: number): number {
  let text = '';
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at]!);
  return Number(text);
}
