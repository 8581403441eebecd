/**
 * Returns an object as JSON, written by hand: an object of the language would lose a name like
 * `__proto__`.
 *
 * @param text returns a value as JSON.
 */
export function jsonObject<Value>(
  members: readonly (readonly [name: string, value: Value])[],
  text: (value: Value) => string,
): string {
  return `{${members.map(([name, value]) => `${JSON.stringify(name)}:${text(value)}`).join(',')}}`;
}

/**
 * Returns a counter's value as JSON: all digits of an integer, which a number of the language would
 * lose beyond 2^53. A field that somebody else has filled with no integer is the text it is.
 */
export function jsonInteger(value: string): string {
  return /^-?(0|[1-9]\d*)$/.test(value) ? value : JSON.stringify(value);
}

/** Returns a gauge's value as JSON, likewise: as it stands in the store. */
export function jsonNumber(value: string): string {
  return /^-?(0|[1-9]\d*)(\.\d+)?$/.test(value) ? value : JSON.stringify(value);
}
