import { Histogram } from '../histogram.ts';

/** White space as C's `isspace` has it. */
const BLANK = '[ \\t-\\r]';
const INTEGER = '[-+]?(?:0|[1-9]\\d*)';
const FRACTION = '[-+]?(?:0|[1-9]\\d*)?\\.\\d+(?:[eE][-+]\\d+)?';
/** `12`, ` 12 `, `12%`, `12% inodes`, `.5`, `1.5e-07`; not `1e5`, `007`, `1.`. */
const GUESSED = new RegExp(`^${BLANK}*(?:(${INTEGER})|(${FRACTION}))%?(?:${BLANK}\\D*)?$`);

/** What C's `strtod` takes of the beginning of a text. */
const DECIMAL = '[-+]?(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][-+]?\\d+)?';
const LEADING = new RegExp(`^${BLANK}*(${DECIMAL})`);
const HEXADECIMAL = new RegExp(`^${BLANK}*([-+]?)(0[xX][\\da-fA-F]+)(?![\\da-fA-F.pP])`);
const NO_NUMBER = '[-+]?(?:[iI][nN][fF](?:[iI][nN][iI][tT][yY])?|[nN][aA][nN])';

/** `H[1.2e+01]=3`; what follows the count is ignored. */
const BIN = new RegExp(`^H\\[${BLANK}*(?:(${DECIMAL})|${NO_NUMBER})\\]=${BLANK}*(?:\\+)?(\\d+)`);

const UINT64_MAX = 2 ** 64;
const INT64_MIN = -(2 ** 63);

/**
 * Returns the number that a sample of a histogram is taken for, or undefined for text.
 *
 * Source: reconnoiter `noit_metric_guess_type`: integers saturate at 64 bits; an exponent needs a
 * sign and a decimal point before it.
 */
export function guessNumber(text: string): number | undefined {
  const found = GUESSED.exec(text);
  if (found === null) return undefined;
  const [, integer, fraction] = found;
  return integer === undefined ? Number(fraction) : saturate(Number(integer));
}

/** Returns an integer as 64 bits hold it: with a sign where it has one. */
export function saturate(integer: number): number {
  return Math.max(INT64_MIN, Math.min(UINT64_MAX, integer));
}

/**
 * Returns the number that a text begins with, as C's `strtod` reads it; undefined where there is
 * none, or one that is not finite.
 */
export function leadingNumber(text: string): number | undefined {
  const hexadecimal = HEXADECIMAL.exec(text);
  if (hexadecimal !== null) {
    return Number(hexadecimal[2]) * (hexadecimal[1] === '-' ? -1 : 1);
  }
  const found = LEADING.exec(text);
  const value = found === null ? NaN : Number(found[1]);
  return Number.isFinite(value) ? value : undefined;
}

/** A value and how many samples have it. */
export interface CountedValue {
  /** NaN for what is not a number. */
  value: number;
  /** 1 to 2^53 - 1. */
  count: number;
}

/**
 * Reads `H[<value>]=<count>`; returns undefined for other texts, and where the count is 0,
 * negative, or more than can be counted.
 */
export function readBin(text: string): CountedValue | undefined {
  const found = BIN.exec(text);
  if (found === null) return undefined;
  const count = Number(found[2]);
  if (count === 0 || !Number.isSafeInteger(count)) return undefined;
  return { value: found[1] === undefined ? NaN : Number(found[1]), count };
}

/** Returns the histogram that a text holds in base64, or undefined. */
export function readHistogram(text: string): Histogram | undefined {
  if (!mayBeHistogram(text)) return undefined;
  try {
    return Histogram.fromBase64(text);
  } catch {
    return undefined; // counted, and otherwise ignored: the original does not complain either
  }
}

/**
 * Tells most texts from histograms for little: an error costs a hundred times as much, and a body
 * may hold millions of texts.
 */
function mayBeHistogram(text: string): boolean {
  const start = /^[A-Za-z\d+/]{3}[A-Za-z\d+/=]/.test(text) ? text : text.replace(/[ \t-\r]+/g, '');
  const bins = (digit(start, 0) << 10) | (digit(start, 1) << 4) | (digit(start, 2) >> 2);
  // A bin has at least 4 bytes. White space makes the text longer, never shorter.
  return start.length >= 4 && bins >= 0 && ((2 + 4 * bins) * 4) / 3 <= start.length;
}

function digit(text: string, at: number): number {
  return ALPHABET.indexOf(text.charAt(at) || '?');
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
