import { exponential, parted } from './format.ts';

/** The scale of values of any size, from the largest negative number to the largest there is. */
export interface LineScale {
  /** Returns where a value stands: from 0, the lowest, to 1, the highest. Null is nowhere. */
  place(value: number | null): number | null;
  /** Values that are marked, ascending, and what they are called. */
  readonly marks: readonly number[];
  readonly texts: readonly string[];
}

/** A step between marks cannot be told from less beyond this: not all whole numbers are numbers. */
const WHOLE_MAX = 2 ** 53;

/**
 * Creates the scale from one value to another, which is greater.
 *
 * @param marksMax so many marks there is room for.
 * @param isWhole whether there is nothing between whole numbers.
 */
export function createLineScale(
  low: number,
  high: number,
  marksMax: number,
  isWhole: boolean,
): LineScale {
  const ends = [low, high].map((end) => {
    return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, end));
  }) as [number, number];
  const found = stepsOf(ends[1] / 2 - ends[0] / 2)
    .filter((step) => !isWhole || step % 1 === 0)
    .map((step) => marksOf(...ends, step))
    .find(({ length }) => length > 0 && length <= marksMax);
  // Of values as near to each other as numbers can be there is no step: they are marked themselves.
  const marks = found ?? [...new Set(isWhole ? [] : ends)];
  const place = placeIn(...ends);
  return {
    place: (value) => (value === null ? null : place(value)),
    marks,
    texts: markTexts(marks),
  };
}

/**
 * Returns a function that tells how far from `low` (0) to `high` (1) a value is; 0 of all if they
 * are the same. What is subtracted is scaled before: the way between may be more than any number,
 * or so small that to divide by it would be.
 */
export function placeIn(low: number, high: number): (value: number) => number {
  const power = Math.floor(Math.log2(Math.max(Math.abs(low), Math.abs(high), Number.MIN_VALUE)));
  // In two halves: 2^1074 is beyond all numbers.
  const half = 2 ** Math.trunc(-power / 2);
  const scaled = (value: number): number => value * half * half;
  const [from, way] = [scaled(low), scaled(high) - scaled(low)];
  return (value) => (way > 0 ? (scaled(value) - from) / way : 0);
}

/** Returns by how much marks may be apart, ascending, where it is so far from middle to end. */
export function stepsOf(half: number): number[] {
  const power = Math.floor(Math.log10(half > 0 ? half : 1));
  return [power - 2, power - 1, power, power + 1]
    .flatMap((one) => [1, 2, 2.5, 5].map((step) => Number(`${step}e${one}`)))
    .filter((step) => step > 0 && Number.isFinite(step));
}

/** More marks than this no axis has room for. */
const MARKS_MAX = 100;

/** Returns the multiples of a step between two values; none where that is beyond all numbers. */
export function marksOf(low: number, high: number, step: number): number[] {
  const [first, last] = [Math.ceil(low / step), Math.floor(high / step)];
  const length = Math.min(MARKS_MAX, last - first + 1);
  if (!(length > 0) || !(Math.max(Math.abs(first), Math.abs(last)) <= WHOLE_MAX)) return [];
  // Of large numbers close to each other some are the same. Nothing is below 0 by nothing.
  return [...new Set(Array.from({ length }, (_, at) => (first + at) * step + 0))].filter((mark) => {
    return mark >= low && mark <= high;
  });
}

/** What marks are written in, with how many digits behind the point. */
interface Notation {
  readonly digitsMax: number;
  text(mark: number, digits: number): string;
}

const PLAIN: Notation = { digitsMax: 20, text: (mark, digits) => fixed(mark, digits) };
const EXPONENT: Notation = {
  digitsMax: 16,
  text: (mark, digits) => (mark === 0 ? '0' : exponential(mark, digits)),
};

/** Of so many digits behind the point a unit is easier to read than the whole number. */
const UNIT_DIGITS_MAX = 3;
const UNITS: [size: number, unit: string][] = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e7, 'M'],
];

/**
 * Returns what marks of an axis are called: all in one notation, as shortly as it tells each from
 * its neighbours by what it is. To the hundredth of what is between them they read back the same.
 */
export function markTexts(marks: readonly number[]): string[] {
  const size = Math.max(...marks.map(Math.abs), 0);
  const gaps = marks.slice(1).map((mark, at) => mark / 100 - marks[at]! / 100);
  const near = Math.min(...gaps, size / 1e6);
  const notations = notationsOf(size);
  for (const { digitsMax, text } of notations) {
    for (let digits = 0; digits <= digitsMax; digits++) {
      const texts = marks.map((mark) => text(mark, digits));
      const isTold = texts.every((one, at) => Math.abs(markOf(one) - marks[at]!) <= near);
      if (isTold && new Set(texts).size === texts.length) return texts;
    }
  }
  return marks.map((mark) => exponential(mark));
}

/** Returns what the text of a mark means. */
export function markOf(text: string): number {
  const [digits = '', unit = ''] = text.replaceAll(',', '').split(' ');
  return Number(digits) * (UNITS.find(([, name]) => name === unit)?.[0] ?? 1);
}

function notationsOf(size: number): Notation[] {
  if (size >= 1e15 || size < 1e-3) return [EXPONENT];
  const [unitSize, unit] = UNITS.find(([least]) => size >= least) ?? [1, ''];
  if (unit === '') return [PLAIN, EXPONENT];
  const text = (mark: number, digits: number): string => {
    return mark === 0 ? '0' : `${fixed(mark / unitSize, digits)} ${unit}`;
  };
  return [{ digitsMax: UNIT_DIGITS_MAX, text }, PLAIN, EXPONENT];
}

/** Without zeros that tell nothing: `1,234.5`. */
function fixed(mark: number, digits: number): string {
  return parted(
    mark
      .toFixed(digits)
      .replace(/(\.\d*?)0+$/, '$1')
      .replace(/\.$/, ''),
  );
}
