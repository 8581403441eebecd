/** What a sample is added to. `h` and `d` are timings as `ms` is; `m` is a counter as `c` is. */
export const Kind = { counter: 0, timing: 1, gauge: 2, set: 3 } as const;
/** One of the values of {@link Kind}. */
export type Kind = (typeof Kind)[keyof typeof Kind];

/**
 * One line that was read: where its name and tags lie in the packet, and its samples. One object
 * is filled again and again, so a receiver of it must not keep it.
 */
export interface ParsedLine {
  bytes: Uint8Array;
  /** The name, with its Graphite tags, is `bytes[nameStart…nameEnd)`. */
  nameStart: number;
  nameEnd: number;
  /** The DogStatsD tags, without the `#`, are `bytes[tagsStart…tagsEnd)`; empty when equal. */
  tagsStart: number;
  tagsEnd: number;
  /** How many samples the line holds; a packed line holds several. */
  count: number;
  /** Per sample, what it is: see {@link Kind}. */
  readonly kinds: Uint8Array;
  /**
   * Per sample: what is added to a counter (`value / rate`), a timing in milliseconds, what a gauge
   * is set to or changed by, or where a member of a set begins in `bytes`.
   */
  readonly values: Float64Array;
  /**
   * Per sample, how many samples it stands for: `1 / rate`. Finite for timings. Of a set, where the
   * member ends.
   */
  readonly weights: Float64Array;
  /** Per gauge sample, 1 where it had a sign: then it changes the gauge, else it sets it. */
  readonly relative: Uint8Array;
}

/** Returns a line of nothing, with room for so many samples. */
export function createParsedLine(samplesMax: number): ParsedLine {
  return {
    bytes: new Uint8Array(0),
    nameStart: 0,
    nameEnd: 0,
    tagsStart: 0,
    tagsEnd: 0,
    count: 0,
    kinds: new Uint8Array(samplesMax),
    values: new Float64Array(samplesMax),
    weights: new Float64Array(samplesMax),
    relative: new Uint8Array(samplesMax),
  };
}
