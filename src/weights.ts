/**
 * Histograms count whole samples; a sampled timing stands for `1 / rate` of them, seldom a whole
 * number. Of each name the fraction is carried to its next sample, so that the sum is right.
 */
export interface Carry {
  /** What was not counted yet, from 0 to 1. */
  carry: number;
}

/** A sample counts at most this often: one whose rate is absurd must leave room for others. */
export const WHOLE_MAX: number = 2 ** 40;
/** Sums of weights this close below a whole number are that number: three times 1/0.3 is ten. */
const WHOLE_WITHIN = 1e-6;

/**
 * Returns how many whole samples a sample of this weight counts as, and carries the rest.
 *
 * @param weight 1 or more.
 * @param room the most that can still be counted; a weight beyond reason is cut to it.
 */
export function wholeSamples(of: Carry, weight: number, room: number): number {
  if (weight === 1) return Math.min(1, room); // the carry stays below 1: nothing to add up
  const sum = of.carry + weight;
  const whole = Math.floor(sum + WHOLE_WITHIN);
  if (whole > WHOLE_MAX || whole > room) return Math.min(WHOLE_MAX, room);
  of.carry = sum - whole;
  return whole;
}
