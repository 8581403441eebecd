/** Returns an object without a prototype: names may be `__proto__` or `constructor`. */
export function bare<Value>(members: Iterable<readonly [string, Value]>): Record<string, Value> {
  const object = Object.create(null) as Record<string, Value>;
  for (const [name, value] of members) object[name] = value;
  return object;
}
