// Numbers and times as they are shown. Of one width for each kind, so that they do not dance.

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const THREE_DIGITS = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });
const TEN_DIGITS = new Intl.NumberFormat('en', { maximumSignificantDigits: 10 });
const SHARE = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1 });
const CLOCK = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

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

/**
 * Returns a number with its thousands parted, of ten digits: `1,234.5`. What is very large or small
 * has an exponent: `1e300`. What is no number is returned as the text it is, which is cut.
 */
export function number(value: number, text = '–'): string {
  if (!Number.isFinite(value) || text.trim() === '') return text.slice(0, 40) || '–';
  const size = Math.abs(value);
  if (size >= 1e15 || (size > 0 && size < 1e-4)) return exponential(value, 9);
  return TEN_DIGITS.format(value);
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

/** Without zeros that tell nothing: `1.5e300`. */
function exponential(value: number, digits: number): string {
  return value.toExponential(digits).replace(/\.?0*e\+?/, 'e');
}
