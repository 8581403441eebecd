/**
 * The bins of OpenHistogram (circllhist), each as one small number that sorts as its values do.
 *
 *     code   -32768    -23040 ... -1     0     1 ... 23040
 *     bin    not a     (-99,127) ...     zero  (10,-128) ... (99,127)
 *            number    ... (-10,-128)
 *
 * From 1 up, code - 1 = (exponent + 128) * 90 + (value - 10): 90 bins in each decade, without a
 * gap, so that a bin's far edge is the near edge of the code after it. Below zero is the mirror.
 */

/** The code of the bin for NaN, the infinities and all from 1e128 up: it sorts before the rest. */
export const NOT_A_NUMBER = -32768;

/** The code of the last bin, (99,127). */
const CODE_MAX = 23040;
const BINS_PER_DECADE = 90;
const EXPONENT_MIN = -128;

/** Powers of ten from 10^-129, parsed and not computed: a product of tens is off by some ulp. */
const POWER_MIN = -129;
const POWERS: Float64Array = Float64Array.from({ length: 259 }, (_, index) =>
  Number(`1e${index + POWER_MIN}`),
);

/** By the exponent bits of a double: the decade of the least double that has them. */
const DECADES: Int16Array = Int16Array.from({ length: 2048 }, (_, bits) =>
  Math.floor(Math.log10(2 ** (bits - 1023))),
);

/** What the format adds to the digits before it cuts them, against 28.999999999999993 for 29. */
const ROUNDING = 1e-13;
/** Far enough below 100 that log10 is right about the decade of all that is smaller. */
const ALMOST_100 = 99.999999999;

/** One double seen as two words, to read its exponent bits. */
const DOUBLE = new Float64Array(1);
const WORDS = new Uint32Array(DOUBLE.buffer);
const HIGH_WORD = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0;

/**
 * Returns the code of the bin that holds `value`; any number has one.
 *
 * Below 1e-128 in size it is the zero bin; NaN, the infinities and all from 1e128 up go to
 * {@link NOT_A_NUMBER}. The format lets a value pass for the next bin's edge when it lies under it
 * by less than a relative 1e-14, so 0.29 is in bin 29 though 0.29 / 0.1 * 10 is below 29.
 *
 * Source: libcircllhist `double_to_hist_bucket`, and the same bin as there. Except that it takes
 * the decade from log10, which rounds up just below a power of ten and then, far from 1, calls a
 * few values not a number; here these stand in the bin they belong to.
 *
 * Cost: one division, no allocation, and a logarithm only next to a power of ten.
 */
export function codeOf(value: number): number {
  const size = Math.abs(value);
  if (!(size < 1e128)) return NOT_A_NUMBER;
  if (size < 1e-129) return 0;
  DOUBLE[0] = size;
  let decade = DECADES[WORDS[HIGH_WORD]! >>> 20]!;
  if (size >= POWERS[decade + 1 - POWER_MIN]!) decade++;
  // Divide, then multiply: the order of the original, which decides on which side an edge falls.
  const exact = (size / POWERS[decade - POWER_MIN]!) * 10;
  const passes = exact > ALMOST_100 && passesForPower(size, decade + 1);
  // `| 0`, below too: told that they are 32-bit integers, the engine adds in 2 ns less.
  const digits = passes ? 100 : (exact + ROUNDING) | 0;
  // Digits can be 100, which is the code of 10 in the next decade. In decade -129 all others fall
  // below 1 and so to zero.
  const code = (decade - EXPONENT_MIN) * BINS_PER_DECADE + digits - 9;
  if (code < 1) return 0;
  if (code > CODE_MAX) return NOT_A_NUMBER;
  return value < 0 ? -code | 0 : code | 0;
}

/**
 * Returns the code of the format's own pair, or `undefined` where the format knows no such bin.
 *
 * @param value a signed byte: 10 to 99 with either sign; 0 for zero, with any exponent; -1 (with
 *   exponent 0 only) for what is not a number.
 * @param exponent a signed byte.
 */
export function codeFrom(value: number, exponent: number): number | undefined {
  if (value === 0) return 0;
  if (value === -1 && exponent === 0) return NOT_A_NUMBER;
  const digits = Math.abs(value);
  if (digits < 10 || digits > 99) return undefined;
  const code = (exponent - EXPONENT_MIN) * BINS_PER_DECADE + digits - 9;
  return value < 0 ? -code : code;
}

/** Returns the format's `val`: the two leading digits with their sign; 0 for zero, -1 for NaN. */
export function valueOf(code: number): number {
  if (code === NOT_A_NUMBER) return -1;
  if (code === 0) return 0;
  const digits = digitsOf(Math.abs(code));
  return code < 0 ? -digits : digits;
}

/** Returns the format's `exp`: the bin starts at val / 10 * 10^exp; 0 for zero and for NaN. */
export function exponentOf(code: number): number {
  return code === NOT_A_NUMBER || code === 0 ? 0 : decadeOf(Math.abs(code));
}

/** Returns the edge of a bin that is nearest to minus infinity; NaN for {@link NOT_A_NUMBER}. */
export function lowEdge(code: number): number {
  if (code === NOT_A_NUMBER) return NaN;
  if (code === 0) return 0;
  return code > 0 ? nearEdge(code) : -nearEdge(1 - code);
}

/** Returns the edge of a bin that is nearest to plus infinity; NaN for {@link NOT_A_NUMBER}. */
export function highEdge(code: number): number {
  if (code === NOT_A_NUMBER) return NaN;
  if (code === 0) return 0;
  return code > 0 ? nearEdge(code + 1) : -nearEdge(-code);
}

/** Returns the width of a bin: a tenth of its power of ten; 0 for zero, NaN for NaN. */
export function widthOf(code: number): number {
  if (code === NOT_A_NUMBER) return NaN;
  return code === 0 ? 0 : scaled(1, decadeOf(Math.abs(code)) - 1);
}

/**
 * Returns the value that stands for all of a bin's samples in sums; NaN for {@link NOT_A_NUMBER}.
 *
 * It is the harmonic mean of the two edges, from which no value of the bin is further away than
 * 1/21 of that value.
 *
 * Source: libcircllhist `hist_bucket_midpoint`, low + width * low / (low + high), which with the
 * edges n and n + 1 is 2 n (n + 1) / (2 n + 1).
 */
export function midpointOf(code: number): number {
  if (code === NOT_A_NUMBER) return NaN;
  if (code === 0) return 0;
  const size = Math.abs(code);
  const digits = digitsOf(size);
  const middle = scaled((2 * digits * (digits + 1)) / (2 * digits + 1), decadeOf(size) - 1);
  return code < 0 ? -middle : middle;
}

/** Returns a bin's name in the text form: `1.2e+01`, `-2.3e-01`, `0.0e+00`, `NaN`. */
export function nameOf(code: number): string {
  if (code === NOT_A_NUMBER) return 'NaN';
  const digits = Math.abs(valueOf(code));
  const exponent = exponentOf(code);
  const sign = exponent < 0 ? '-' : '+';
  const power = String(Math.abs(exponent)).padStart(2, '0');
  return `${code < 0 ? '-' : ''}${Math.floor(digits / 10)}.${digits % 10}e${sign}${power}`;
}

/** Whether a size close under a power of ten counts as that power, as it does after a log10. */
function passesForPower(size: number, decade: number): boolean {
  if (Math.log10(size) < decade) return false;
  return (size / POWERS[decade - POWER_MIN]!) * 10 + ROUNDING >= 10;
}

function digitsOf(size: number): number {
  return ((size - 1) % BINS_PER_DECADE) + 10;
}

function decadeOf(size: number): number {
  return Math.floor((size - 1) / BINS_PER_DECADE) + EXPONENT_MIN;
}

/** The edge nearest to zero of a bin above zero, or of the code after the last: 1e128. */
function nearEdge(code: number): number {
  const digits = digitsOf(code);
  const decade = decadeOf(code);
  return digits === 10 ? POWERS[decade - POWER_MIN]! : scaled(digits, decade - 1);
}

/**
 * `factor` times a power of ten from -129 to 129. Divides where the power is negative: powers up
 * to 10^22 are exact, so 59 / 10^5 is the double nearest to 0.00059, and 59 * 10^-5 need not be.
 */
function scaled(factor: number, power: number): number {
  return power < 0 ? factor / POWERS[-power - POWER_MIN]! : factor * POWERS[power - POWER_MIN]!;
}
