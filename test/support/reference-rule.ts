import type { Bit, ReferenceReading } from './reference-reading.ts';

/** Lines of which the reference and statcol do not make the same, by intent. */
export interface Rule {
  readonly name: string;
  applies(line: ReferenceReading): boolean;
  /** What each of the two does. */
  readonly reference: string;
  readonly statcol: string;
  /** Where that is so in the reference. */
  readonly source: string;
  /** The reference ends at any of the lines. */
  readonly deadly?: boolean;
  /**
   * Lines, then what each of the two makes of them, written as StatsD: a counter's sum, a gauge's
   * value, the number of a set's members, the values of a timing.
   */
  readonly examples: readonly (readonly [lines: string, reference: string, statcol: string])[];
}

/** Returns a predicate: some part of the line that the reference takes is so. */
export function someTaken(isSo: (bit: Bit) => boolean): Rule['applies'] {
  return ({ bits }) => bits.some((bit) => bit.taken && isSo(bit));
}
