import type { Surroundings } from './option-readers.ts';
import type { Options } from './option-types.ts';

/** What reading a value takes: an option's spec, or that of a member of a configuration. */
export interface ValueSpec {
  readonly key: string;
  /** The default, as text. Undefined: none. */
  readonly fallback: string | undefined;
  /** It must be given. */
  readonly required?: boolean;
  /** It may be given several times. */
  readonly list?: boolean;
  /** What of its value must not be shown: all of it, or what a URL may hold beside the host. */
  readonly secret?: 'all' | 'url';
  /** What is expected, for the one who gave something else. */
  readonly expected: string;
  /** Returns the value, or undefined if the text is not what is expected. */
  readonly read: (text: string, around: Surroundings) => unknown;
  /**
   * Reads what is no text, in place of `read`. May throw `ERR_OPTIONS` with the faults of what is
   * inside.
   */
  readonly readValue?: (value: unknown, from: string) => unknown;
}

/** One option: how it is written, what it means, and how its text becomes a value. */
export interface OptionSpec<Key extends keyof Options = keyof Options> extends ValueSpec {
  readonly key: Key;
  readonly flag: string;
  /** What stands behind the flag in the help. */
  readonly argument: string;
  /** The default as the help and the README show it. */
  readonly shownDefault: string;
  readonly help: string;
  readonly read: (text: string, around: Surroundings) => Options[Key] | undefined;
}

/** Returns a spec, with what it reads checked against its option. */
export function spec<Key extends keyof Options>(one: OptionSpec<Key>): OptionSpec {
  return one;
}
