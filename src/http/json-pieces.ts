/**
 * Returns an object as JSON in many small pieces, none of which is made before it is asked for.
 * Written by hand: an object of the language would lose a name like `__proto__`.
 *
 * @param text returns a value as JSON, in one piece or many.
 */
export function* jsonPieces<Value>(
  members: Iterable<readonly [name: string, value: Value]>,
  text: (value: Value) => string | Iterable<string>,
): Generator<string> {
  yield '{';
  let comma = '';
  for (const [name, value] of members) {
    const made = text(value);
    if (typeof made === 'string') yield `${comma}${JSON.stringify(name)}:${made}`;
    else {
      yield `${comma}${JSON.stringify(name)}:`;
      yield* made;
    }
    comma = ',';
  }
  yield '}';
}
