/** The longest name that can be; what is longer is cut to this, and said so in the answer. */
export const NAME_BYTES_MAX: number = 4096;

/** Stands between the names of what is nested. */
const DELIMITER = '`';

/** Returns whether the name of something nested would be longer than {@link NAME_BYTES_MAX}. */
export function overflows(outer: string, innerBytes: number): boolean {
  return outer.length + 1 + innerBytes > NAME_BYTES_MAX;
}

/** Returns the name of something nested, cut where it overflows; a delimiter it always has. */
export function nestedName(outer: string, inner: string): string {
  const room = Math.max(0, NAME_BYTES_MAX - outer.length - 1);
  return outer + DELIMITER + untilNul(inner.slice(0, room));
}

/** Returns the name of something at the top. */
export function topName(name: string): string {
  return untilNul(name.slice(0, NAME_BYTES_MAX));
}

/**
 * Returns the name under which something is kept, or undefined where it is not: with 4,096 bytes
 * or more, or nothing left of it.
 *
 *     ' caf' C3 A9 TAB 'x '   becomes   'caf   x'
 *
 * Every byte outside printable ASCII becomes a blank, of a character in UTF-8 each of its bytes;
 * blanks at either end go.
 *
 * @param path one character per byte.
 */
export function keptName(path: string): string | undefined {
  if (path.length >= NAME_BYTES_MAX) return undefined;
  if (/^[!-~](?:[ -~]*[!-~])?$/.test(path)) return path;
  const cleaned = path.replace(/[^ -~]/g, ' ');
  let from = 0;
  let to = cleaned.length;
  while (from < to && cleaned.charAt(from) === ' ') from++;
  while (to > from && cleaned.charAt(to - 1) === ' ') to--;
  return from === to ? undefined : cleaned.slice(from, to);
}

/** The original keeps names as C does. */
function untilNul(name: string): string {
  const at = name.indexOf('\0');
  return at < 0 ? name : name.slice(0, at);
}
