const ZERO = 0x30;
const NINE = 0x39;
const LETTER_A = 0x61;
const LETTER_F = 0x66;

/**
 * What was read of a number last.
 *
 *     -  12       .      5         e         +     30
 *     ^  ^^       ^      ^         ^         ^     ^^
 *     minus integer point fraction exponent  sign  power; a first 0 is `zero`
 */
export const NumberState = {
  minus: 0,
  zero: 1,
  integer: 2,
  point: 3,
  fraction: 4,
  exponent: 5,
  sign: 6,
  power: 7,
} as const;

/** One of {@link NumberState}. */
export type NumberState = (typeof NumberState)[keyof typeof NumberState];

/** In {@link NUMBER_NEXT}: the number does not go on with this byte. */
export const NUMBER_OVER = 255;

/** By 256 times the state plus the byte: the state it leads to, or {@link NUMBER_OVER}. */
export const NUMBER_NEXT: Uint8Array = new Uint8Array(8 * 256).fill(NUMBER_OVER);

function leads(from: NumberState, bytes: string, to: NumberState): void {
  for (const byte of bytes) NUMBER_NEXT[from * 256 + byte.charCodeAt(0)] = to;
}

const { minus, zero, integer, point, fraction, exponent, sign, power } = NumberState;
leads(minus, '0', zero);
leads(minus, '123456789', integer);
for (const whole of [zero, integer]) {
  leads(whole, '.', point);
  leads(whole, 'eE', exponent);
}
leads(fraction, 'eE', exponent);
leads(exponent, '+-', sign);
leads(integer, '0123456789', integer);
for (const before of [point, fraction]) leads(before, '0123456789', fraction);
for (const before of [exponent, sign, power]) leads(before, '0123456789', power);

/** Returns after what a digit is missing, where a number may not end in this state. */
export function numberMissing(state: NumberState): string | undefined {
  if (state === minus) return 'the minus sign';
  if (state === point) return 'the decimal point';
  return state === exponent || state === sign ? 'the exponent' : undefined;
}

/** Returns whether a byte is white space, for C and for JSON here. */
export function isBlank(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

/** Returns whether a byte is an ASCII digit. */
export function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

/** Returns the value of a hexadecimal digit, or undefined for any other byte. */
export function hexDigit(byte: number): number | undefined {
  if (isDigit(byte)) return byte - ZERO;
  const letter = byte | 0x20;
  return letter >= LETTER_A && letter <= LETTER_F ? letter - LETTER_A + 10 : undefined;
}

/** By byte: 1 where it stands for itself in a string. */
export const PLAIN: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte !== 0x22 && byte !== 0x5c ? 1 : 0,
);

/** By the byte behind a backslash: what the two stand for. */
export const ESCAPES: ReadonlyMap<number, number> = new Map(
  ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t'].map((pair) => [
    pair.charCodeAt(0),
    pair.charCodeAt(1),
  ]),
);
