import { seededRandom } from '../support/random.ts';

/** Lines to begin with: one for each thing that the grammar knows. */
const GOOD = [
  ...['a:1|c', 'a:1|m', 'a:320|ms|@0.1', 'a:3|h', 'a:-3|d', 'a:1:2:3|c', 'a::1::2:|c'],
  ...['checkout.time:320:310|ms|@0.1|#zone:eu', 'a:1|c:2|ms|@0.5:3|d', 'a:1|c|@.5:2|c|@+1'],
  ...['a;k=v;l=w:1|c', 'a;k=v:1|ms|#k:w,bare', 'a:1|c|#t:v|c:cid', 'a:1|c|T1700000000|#t:v'],
  ...['a:1|c|#t:v|@0.5|e:x|card:low|zzz', 'a:1|c||@1|', 'a b\t/c:1e3|c', 'a:.5e-3|d', '_:0|c|T0'],
  ...['a:1e-9|ms|@1e-9', 'a:12345678901234567890.5|c', 'gr\xc3\xb6\xc3\x9fe:1|c', 'caf\xc3:1|c'],
  ...['__proto__:1|c', 'constructor:1|ms', 'a\0b:1|c', 'a:1|c|#k:2,k:1,k:1,=;:;', 'a:1|c\r'],
  ...['a:1|c|#\xf0\x9f\x98\x80:1,\xef\xbd\x9e:1', 'a:3|g', 'a:+3:-1|g|@0.1', 'a:x:y|s|#t:v'],
];
/** And some that it refuses. */
const BAD = [
  ...['a:-1|ms', 'a:|s', '_e{5,4}:title|text', '_sc|up|0', 'a:1e400|c', 'a:0x10|c', ':1|c'],
  ...['a:5|zzz', 'x:|g', 'a:1|c|@0', 'a:1|c|@ 1', 'a:1|c|#,', 'a|b:1|c', 'noise'],
];
/** Mutations make most lines bad ones, so it begins with more good ones. */
const SEEDS = [...GOOD, ...GOOD, ...GOOD, ...BAD];

/** Bytes that mean something somewhere in a line. */
const SPECIAL = Buffer.from(':::|||@#,;=+-.eE0123456789 \t\r\n\0cmsghdT_{}/\xc3\xff', 'latin1');
const SEPARATORS = Buffer.from(':|@#,;=\n\r');
/** The longest line that is made. */
const LINE_BYTES_MAX = 600;

/** Makes lines out of some to begin with, and of those made before. */
export interface Mutator {
  /** The line made last is `bytes[0…length)`. Most, but not all, hold no LF. */
  readonly bytes: Buffer;
  /** Makes a line and returns its length. */
  next(): number;
}

/**
 * Creates a maker of lines: the same seed makes the same lines.
 *
 * @param more lines to begin with, beside those that there are.
 */
export function createMutator(seed: number, more: readonly string[] = []): Mutator {
  const random = seededRandom(seed);
  const pool = [...SEEDS, ...more].map((text) => Buffer.from(text, 'latin1'));
  const seeds = pool.length;
  const bytes = Buffer.alloc(LINE_BYTES_MAX + 64);
  let length = 0;
  return { bytes, next };

  function below(limit: number): number {
    return Math.floor(random() * limit);
  }

  function next(): number {
    const from = pool[below(pool.length)]!;
    length = from.copy(bytes);
    // None at all one time in three, so that names are seen again and lines stay whole.
    for (let left = below(3); left > 0; left--) mutate();
    length = Math.min(length, LINE_BYTES_MAX);
    // Some go back into the pool in place of one that was made: faults add up over time.
    if (random() < 0.01 && length < 120) {
      const made = Buffer.from(bytes.subarray(0, length));
      if (pool.length < seeds * 1.5) pool.push(made);
      else pool[seeds + below(pool.length - seeds)] = made;
    }
    return length;
  }

  function mutate(): void {
    const at = below(length + 1);
    switch (below(8)) {
      case 0:
        if (at < length) bytes[at] = bytes[at]! ^ (1 << below(8));
        break;
      case 1:
        return replace(at, 0, Buffer.of(below(256)));
      case 2:
        return replace(at, 0, Buffer.of(SPECIAL[below(SPECIAL.length)]!));
      case 3:
        return replace(at, 1 + below(3), Buffer.alloc(0));
      case 4:
        return replace(at, 0, Buffer.from(bytes.subarray(at, Math.min(length, at + 1 + below(8)))));
      case 5: {
        // The front of this line, the back of another.
        const other = pool[below(pool.length)]!;
        return replace(at, length - at, other.subarray(below(other.length + 1)));
      }
      case 6: {
        const separator = SEPARATORS[below(SEPARATORS.length)]!;
        return replace(at, 0, Buffer.alloc(1 + below(4), separator));
      }
      default:
        if (at < length) bytes[at] = SPECIAL[below(SPECIAL.length)]!;
    }
  }

  /** Puts other bytes in place of some; what does not fit is cut off. */
  function replace(at: number, count: number, put: Uint8Array): void {
    const rest = Buffer.from(bytes.subarray(Math.min(length, at + count), length));
    const placed = put.subarray(0, Math.max(0, LINE_BYTES_MAX - at));
    bytes.set(placed, at);
    const end = at + placed.length;
    length = end + rest.copy(bytes, end, 0, Math.max(0, LINE_BYTES_MAX - end));
  }
}
