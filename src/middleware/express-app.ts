/**
 * Returns the object of an Express application that its requests, or its responses, inherit from:
 * its `app.request` or `app.response`, which Express keeps for extensions. Of an application that
 * is mounted in another, that of the outermost. Undefined where there is no Express.
 */
export function prototypeOfApp(message: object): object | undefined {
  let outermost: object | undefined;
  for (let one = above(message); one !== null && Object.hasOwn(one, 'app'); one = above(one)) {
    outermost = one;
  }
  return outermost;
}

function above(one: object): object | null {
  return Object.getPrototypeOf(one) as object | null;
}
