import { createMutator } from '../protocol/mutations.ts';
import { LONGEST } from '../protocol/survival-facts.ts';
import { seededRandom } from './random.ts';

/** The longest datagram, and the longest line of one of those that are made of many. */
const BYTES_MAX = 65_507;
const NAMES = 2000;

/** What is mutated beside what there is, `~` in place of the sender: all kinds, all dialects. */
const LINES = [
  ...['~.hits:1|c', '~.hits:2|c|@0.5', '~.time:320|ms', '~.time:12.5|ms|@0.1', '~.size:9|h'],
  ...['~.depth:5|g', '~.depth:+3|g', '~.depth:-.5|g', '~.level:5:+3:-1|g', '~.level:0:-3|g|#k:v'],
  ...['~.users:ann|s', '~.users:b\0b|s', '~.ids:a:b:c|s|@0.1', '~.ids:\xff\xfe|s|#zone:eu'],
  ...['~.bits:1|c:2|ms|@0.5:3|g', '~.bits:1:2|g:+3|g', '~.bits:1|c:x|s:2|h', '~.both:1|c:2|d'],
  ...['cart:1|c|#zone:eu,canary', 'cart;zone=eu;canary:1|c', 'cart,zone=eu,canary:2|ms'],
  ...['cart#zone=eu,canary:2|c', 'cart[zone=eu,canary].size:1|c', 'ca[k=v]rt;l=w:1|c|#m:x'],
  ...['cart[k=v:1|c', 'cart]k:1|c', 'a,k=v;w:1|c', 'a;k=v,w:1|c', 'a#k=v|#l:1|c', ',k=v:1|c'],
  ...['huge:9223372036854775807|c', 'huge:-1e18|c', 'huge:1e300|c', 'huge:4611686018427387904|c'],
  ...['~.huge:1.7e308|g', '~.huge:1e-320|g', 'huge:1.7976931348623157e308|h', 'huge:1e308|ms'],
  ...['thirds:1|c|@0.3', 'fraction:0.1|c', 'fraction:-.7|c', 'large:4294967296.5|c'],
  ...[
    '~.cr:1|c|#k\r|',
    '~.cr:1|c|#k\r',
    '~.cr:2|ms|@0.5|#k\r|',
    '~.cr:2|ms|@0.5|#k\r',
    '~.cr:1|c\r',
  ],
  ...['dated:1|c|T1700000000|c:id', '~.dated:1|g|T0', 'dated:1|g|Tx', 'a/b c\t:1|c|#d e/f:g h'],
];

/** Makes datagrams, whatever they are; each character of a text stands for one byte. */
export interface FuzzDatagrams {
  next(): string;
  /** A beginning of a line, without its LF. */
  part(): string;
  /** From 0 up to, but without, a limit. */
  below(limit: number): number;
}

/**
 * Creates a maker of datagrams: the same seed makes the same ones.
 *
 * @param admits asked for what is made; what it does not admit is made anew.
 */
export function createFuzzDatagrams(
  seed: number,
  sender: string,
  admits: (datagram: string) => boolean,
): FuzzDatagrams {
  const random = seededRandom(seed);
  const more = LINES.map((line) => line.replaceAll('~', sender));
  const mutator = createMutator(seed + 1, [...more, ...more]);
  return { next, part, below };

  function next(): string {
    for (;;) {
      const made = any();
      if (made.length <= BYTES_MAX && admits(made)) return made;
    }
  }

  function any(): string {
    const kind = below(10_000);
    if (kind < 7000) return lines(1 + below(6));
    if (kind < 8500) return plain();
    if (kind < 9300) return damaged(lines(1 + below(4)));
    if (kind < 9600) return noise(below(200));
    if (kind < 9700) return pick(['', '\n', '\n'.repeat(below(1000)), '\r\n\r', '\0'.repeat(50)]);
    if (kind < 9800)
      return pick([() => fieldOf(4097), () => nameOf(4097), () => 'x'.repeat(4097)])();
    if (kind < 9990) return lines(20 + below(40));
    if (kind < 9994) return lines(1200);
    return kind < 9998 ? pick(LONGEST)[1] : noise(BYTES_MAX);
  }

  function part(): string {
    const line = lineOf().replaceAll('\n', '');
    return line.slice(0, below(line.length + 1));
  }

  function below(limit: number): number {
    return Math.floor(random() * limit);
  }

  function pick<Item>(items: readonly Item[]): Item {
    return items[below(items.length)]!;
  }

  function lineOf(): string {
    for (;;) {
      const line = mutator.bytes.toString('latin1', 0, mutator.next());
      if (admits(line)) return line;
    }
  }

  function lines(count: number): string {
    let text = '';
    for (let left = count; left > 0; left--) {
      text += lineOf();
      if (left > 1) text += pick(['\n', '\n', '\n', '\r\n', '\n\n']);
    }
    return text + pick(['', '\n']);
  }

  /** Lines as most are, of many names. */
  function plain(): string {
    const one = below(NAMES);
    return pick([
      `name.${one}:1|c\nname.${one}:${below(100)}|ms|@0.5`,
      `name.${one}:${below(1000)}|c|#id:${below(50)}`,
      `${sender}.gauge.${one % 100}:${pick(['', '+', '-'])}${below(9)}|g`,
      `users.${one % 40}:${below(3000)}|s`,
    ]);
  }

  /** Bytes flipped, taken out, repeated or put in, in whatever lines there are. */
  function damaged(text: string): string {
    let bytes = text;
    for (let left = 1 + below(3); left > 0; left--) {
      const at = below(bytes.length + 1);
      const to = Math.min(bytes.length, at + below(20));
      const flipped = String.fromCharCode((bytes.charCodeAt(at) ^ (1 << below(8))) & 0xff || 0);
      const put = pick([flipped, '', bytes.slice(at, to).repeat(2), noise(below(4)), lineOf()]);
      bytes = bytes.slice(0, at) + put + bytes.slice(to);
    }
    return bytes;
  }

  function noise(length: number): string {
    let text = '';
    for (let left = length; left > 0; left--) text += String.fromCharCode(below(256));
    return text;
  }
}

function fieldOf(length: number): string {
  return 'long:1|c|'.padEnd(length, 'x');
}

function nameOf(length: number): string {
  return ':1|c'.padStart(length, 'n');
}
