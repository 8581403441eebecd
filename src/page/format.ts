// Numbers, times and texts as they are shown. Of one width for each kind, so that they do not
// dance.

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const THREE_DIGITS = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });
const SHARE = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1 });
const CLOCK = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

/** They turn the text around them, and are not seen: ALM, LRM, RLM, LRE to RLO, LRI to PDI. */
const TURNS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Returns a text in which what changes the direction of reading is seen and changes nothing: of
 * U+202E before `gnp.exe` there is `\u202E` to be read.
 */
export function visible(text: string): string {
  return text.replace(TURNS, (turn) => {
    return `\\u${turn.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
  });
}

/** Returns a count with its thousands parted: `12,345`. */
export function count(value: number): string {
  return WHOLE.format(value);
}

/** Returns any number shortly: three digits, or all before the point where there are more. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 1e15) return exponential(value, 2);
  if (size >= 1e9) return `${THREE_DIGITS.format(value / 1e9)} G`;
  if (size >= 1e7) return `${THREE_DIGITS.format(value / 1e6)} M`;
  if (size > 0 && size < 0.001) return exponential(value, 1);
  return size >= 1000 ? WHOLE.format(value) : THREE_DIGITS.format(value);
}

/** A number as stores write it; what has more digits than fit is told with an exponent. */
const PLAIN = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;
const PLAIN_LENGTH_MAX = 24;

/**
 * Returns a number with its thousands parted and all its digits: `1,234.5`. It reads back as the
 * same number. Beyond 2^53 and below 0.0001 it has an exponent: `1e300`, `1.25e-7`.
 *
 * @param stored what the store holds, which may have more digits than a number: it is shown digit
 *   for digit, as long as it is short. What is no number is returned as it is, but cut.
 */
export function number(value: number, stored?: string): string {
  if (!Number.isFinite(value) || stored?.trim() === '') return stored?.slice(0, 40) || '–';
  const size = Math.abs(value);
  const isSmall = size > 0 && size < 1e-4;
  if (!isSmall && stored !== undefined && stored.length <= PLAIN_LENGTH_MAX && PLAIN.test(stored)) {
    return parted(stored);
  }
  return isSmall || size > 2 ** 53 ? exponential(value) : parted(String(value));
}

/**
 * Returns a number as it fits in a row: all of it if it is short, else three digits or so, and
 * marked as not being all: `49.53`, `≈ 123 M`.
 */
export function rough(value: number): string {
  const all = number(value);
  if (all.length <= ROUGH_LENGTH_MAX || !Number.isFinite(value)) return all;
  return Number(value.toPrecision(3)) === value ? short(value) : `≈ ${short(value)}`;
}

const ROUGH_LENGTH_MAX = 10;

/** Parts the thousands before the point: `-1234.5678` is `-1,234.5678`. */
export function parted(plain: string): string {
  const [whole = '', ...fraction] = plain.split('.');
  return [whole.replaceAll(/(?<=\d)(?=(?:\d{3})+$)/g, ','), ...fraction].join('.');
}

/** Returns milliseconds in the unit that suits them: `320 ms`, `4.2 s`, `12 µs`. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return '–';
  const size = Math.abs(ms);
  if (size >= 120_000) return `${short(ms / 60_000)} min`;
  if (size >= 1000) return `${short(ms / 1000)} s`;
  return size > 0 && size < 0.1 ? `${short(ms * 1000)} µs` : `${short(ms)} ms`;
}

/** Returns how much per second. */
export function perSecond(rate: number): string {
  return `${short(rate)}/s`;
}

/** Returns a part of a whole: `11.7%`. */
export function share(part: number, whole: number): string {
  return whole > 0 ? SHARE.format(part / whole) : '–';
}

/** Returns the time of day of a second of Unix time. */
export function clock(second: number): string {
  return CLOCK.format(second * 1000);
}

/** Returns bytes shortly: `4.2 MiB`. */
export function bytes(size: number): string {
  if (size >= 2 ** 30) return `${THREE_DIGITS.format(size / 2 ** 30)} GiB`;
  if (size >= 2 ** 20) return `${THREE_DIGITS.format(size / 2 ** 20)} MiB`;
  return size >= 1024 ? `${THREE_DIGITS.format(size / 1024)} KiB` : `${count(size)} B`;
}

/** Returns all digits of a total, its thousands parted; it may be beyond what a number holds. */
export function total(digits: string): string {
  return /^-?\d+$/.test(digits) ? WHOLE.format(BigInt(digits)) : digits;
}

/** Returns how long ago something was: `12 s`, `3 min`, `2 h`. */
export function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

/** Without zeros that tell nothing: `1.5e300`. Of all digits unless told how many. */
export function exponential(value: number, digits?: number): string {
  return value
    .toExponential(digits)
    .replace(/(\.\d*?)0*e/, '$1e')
    .replace(/\.?e\+?/, 'e');
}
