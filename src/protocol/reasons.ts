/**
 * Why a line was refused: a closed set, in the order of the codes that travel between the threads.
 *
 * | reason | meaning |
 * |---|---|
 * | `no_separator` | no `:` or no `\|` in the line |
 * | `bad_name` | the name is empty, holds a `\|`, or sanitising left nothing of it |
 * | `name_too_long` | the name before its tags is over 512 bytes |
 * | `bad_value` | not a decimal number, not finite, negative for `ms`, or missing; a bad `T` |
 * | `bad_type` | none of `c m ms h d g s` |
 * | `bad_rate` | not in (0, 1], or given twice |
 * | `bad_tags` | an empty key, over 64 tags, a tag over 200 bytes, given twice, or half a bracket |
 * | `key_limit` | a new name, and no room is left for names |
 * | `unsupported` | understood, but not counted by this version: events, service checks |
 */
export const REJECT_REASONS = [
  'no_separator',
  'bad_name',
  'name_too_long',
  'bad_value',
  'bad_type',
  'bad_rate',
  'bad_tags',
  'key_limit',
  'unsupported',
] as const;

/** One of {@link REJECT_REASONS}. */
export type RejectReason = (typeof REJECT_REASONS)[number];

/**
 * What became of a line, as a number: 0 is accepted, n is `REJECT_REASONS[n - 1]`.
 * Numbers, because the hot path makes no strings.
 */
export const Verdict = {
  accepted: 0,
  noSeparator: 1,
  badName: 2,
  nameTooLong: 3,
  badValue: 4,
  badType: 5,
  badRate: 6,
  badTags: 7,
  keyLimit: 8,
  unsupported: 9,
} as const;

/** One of the values of {@link Verdict}. */
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** Returns the reason of a refusal, or undefined for an accepted line. */
export function reasonOf(verdict: Verdict): RejectReason | undefined {
  return REJECT_REASONS[verdict - 1];
}
