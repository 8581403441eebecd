import { ErrorCode, StatcolError } from './errors.ts';
import type { Surroundings } from './option-readers.ts';
import type { ValueSpec } from './option-spec.ts';
import { OPTION_SPECS } from './option-specs.ts';
import { type Options } from './option-types.ts';

/** A value as it is given, and where: a flag, an environment variable, or a member of an object. */
export interface Given {
  value: unknown;
  from: string;
}

/** Returns an object's members as given values; `path` is put before their names in a fault. */
export function membersOf(object: object, path = ''): Record<string, Given> {
  const members = Object.entries(object).map(([key, value]): [string, Given] => {
    return [key, { value: value as unknown, from: `\`${path}${key}\`` }];
  });
  return Object.fromEntries(members);
}

/**
 * Returns the options, complete, from those that were given and the defaults.
 *
 * @param given by key; undefined values count as absent, numbers as their text, lists as several.
 * @throws {StatcolError} `ERR_OPTIONS` with one line per fault, all of them.
 */
export function readOptions(given: Record<string, Given>, around: Surroundings): Options {
  return readValues(OPTION_SPECS, given, around) as unknown as Options;
}

/** Returns the values that specs describe, as {@link readOptions} does. */
export function readValues(
  specs: readonly ValueSpec[],
  given: Record<string, Given>,
  around: Surroundings,
): Record<string, unknown> {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  for (const spec of specs) {
    const one = given[spec.key];
    if (one === undefined || one.value === undefined) {
      values[spec.key] = spec.fallback === undefined ? undefined : readText(spec, spec.fallback);
    } else if (spec.list === true && Array.isArray(one.value)) {
      if (one.value.length === 0) faults.push(faultLine(spec, one));
      values[spec.key] = one.value.flatMap((value) => readOne(spec, { value, from: one.from }));
    } else {
      values[spec.key] = readOne(spec, one);
    }
  }
  for (const [key, { from }] of Object.entries(given)) {
    if (!specs.some((spec) => spec.key === key)) {
      faults.push(`${from}: expected one of the known options, got an unknown one`);
    }
  }
  if (faults.length > 0) {
    throw new StatcolError(ErrorCode.ERR_OPTIONS, faults.join('; '), { faults });
  }
  return values;

  function readText(spec: ValueSpec, text: string): unknown {
    const value = spec.read(text, around);
    return spec.list === true && value !== undefined ? [value].flat() : value;
  }

  function readOne(spec: ValueSpec, one: Given): unknown {
    try {
      const text = textOf(one.value);
      const value =
        spec.readValue?.(one.value, one.from) ??
        (text === undefined ? undefined : readText(spec, text));
      if (value === undefined) faults.push(faultLine(spec, one));
      return value;
    } catch (error) {
      if (!(error instanceof StatcolError)) throw error;
      faults.push(...error.faults);
      return undefined;
    }
  }
}

/** Only texts and numbers are values; `true` stands for a flag without one. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

function faultLine({ expected, secret }: ValueSpec, { value, from }: Given): string {
  return `${from}: expected ${expected}, got ${shown(value, secret, from)}`;
}

const NOT_SHOWN = 'something else, which is not shown: it may hold a secret';

function shown(value: unknown, secret: ValueSpec['secret'], from: string): string {
  if (value === '') return 'nothing';
  // A flag without a value is `true`; in a program, `true` is what was given.
  if (value === true) return from.startsWith('`') ? 'true' : 'nothing';
  if (value === null) return 'null';
  if (secret === 'all') return NOT_SHOWN;
  const text = typeof value === 'string' ? value : shownValue(value);
  // User and password stand before an @, a trap's secret in the path: of a URL that is wrong, only
  // the scheme is sure to be none.
  if (secret === 'url') {
    const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0];
    return scheme === undefined ? NOT_SHOWN : `"${scheme}***"`;
  }
  const cut = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  return typeof value === 'string' ? JSON.stringify(cut) : cut;
}

/** What is no text may be anything, be it an object that cannot be written down. */
function shownValue(value: unknown): string {
  try {
    return typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  } catch {
    return Object.prototype.toString.call(value);
  }
}

/** Returns the variable of the environment that stands for a flag: `--trap-ca`, `STATCOL_TRAP_CA`. */
export function environmentName(flag: string): string {
  return `STATCOL_${flag.slice(2).replaceAll('-', '_').toUpperCase()}`;
}
