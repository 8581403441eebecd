import { seededRandom } from './random.ts';

/** StatsD traffic: lines whose characters stand for a byte each, and datagrams made of them. */
export interface Traffic {
  line(): string;
  /** Puts lines together into datagrams, as clients do. */
  datagrams(lines: readonly string[]): Buffer[];
}

/**
 * Returns a source of random traffic, the same for the same seed: most of it valid, with names as
 * careless programs write them; a tenth has a byte or two changed at random.
 *
 * @param names how many names there are, in several spellings each.
 */
export function referenceTraffic(seed: number, names: number): Traffic {
  const random = seededRandom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const pick = <One>(from: readonly One[]): One => from[below(from.length)]!;
  const chance = (share: number): boolean => random() < share;
  const pool = Array.from({ length: names }, (_, at) => `${word()}${pick(MARKS)}${word()}${at}`);

  return { line, datagrams };

  function line(): string {
    const whole = metric();
    if (!chance(0.1)) return whole;
    let changed = whole;
    for (let times = 1 + below(2); times > 0; times--) {
      const at = below(changed.length + 1);
      const kept = changed.slice(at + below(2));
      changed = changed.slice(0, at) + (chance(0.7) ? pick(CHARACTERS) : '') + kept;
    }
    return changed === '' ? 'x' : changed;
  }

  function metric(): string {
    const bits = chance(0.05) ? `${bit()}:${bit()}` : bit();
    const rated = chance(0.1) && !bits.includes('@') ? `|@${pick(RATES)}` : '';
    return `${spelling()}:${bits}${rated}${chance(0.15) ? tags() : ''}${chance(0.05) ? '\r' : ''}`;
  }

  /** A name of the pool, blanks in it written in one of several ways. */
  function spelling(): string {
    return pick(pool).replaceAll(' ', () => pick([' ', '  ', '\t', ' \t ', '_']));
  }

  function bit(): string {
    const kind = random();
    if (kind < 0.05) return pick(REFUSED);
    if (kind < 0.5) return `${number()}|${chance(0.1) ? 'm' : 'c'}`;
    if (kind < 0.7) return `${pick(['', '', '+', '-'])}${unsigned()}|g`;
    if (kind < 0.85) return `${member()}|s`;
    return `${unsigned()}|ms`;
  }

  function number(): string {
    return pick(['', '', '', '-', '+']) + unsigned();
  }

  function unsigned(): string {
    const whole = below(10 ** (1 + below(5)));
    if (chance(0.6)) return String(whole);
    if (chance(0.8)) return `${whole}.${below(1000)}`;
    return pick([`.${below(100)}`, `${whole}.`, `${below(100)}e${below(4)}`, `${whole}e-2`, '0']);
  }

  function member(): string {
    return `${pick(['', 'user-', 'größe ', '\0', '€/'])}${below(40)}`.replaceAll(
      /[^\0-\x7f]/g,
      bytes,
    );
  }

  /** One tag, or several in order. */
  function tags(): string {
    const keys = ['az', 'canary', 'host name', 'zone'].filter(() => chance(0.4));
    return `|#${keys.map((key) => `${key}:${pick(['', 'a', 'b/c', 'e:f', 'ü', 'g=h'])}`).join()}`;
  }

  function word(): string {
    return pick(['api', 'db', 'Checkout', 'queue.depth', 'x', '0', 'stats']);
  }

  function datagrams(lines: readonly string[]): Buffer[] {
    const made: Buffer[] = [];
    for (let at = 0; at < lines.length;) {
      const count = chance(0.4) ? 1 : 1 + below(12);
      const text = lines.slice(at, at + count).join(chance(0.9) ? '\n' : '\n\n');
      made.push(Buffer.from(text + pick(['', '', '\n']), 'latin1'));
      at += count;
    }
    return made;
  }
}

/** Between the words of a name: fine as it is, to be replaced, or to be dropped. */
const MARKS = [
  '.',
  '.',
  '.',
  '-',
  '_',
  ' ',
  '/',
  '%',
  '$',
  '#',
  ',',
  '[0]',
  '(',
  '"',
  '\0',
  '=',
].concat(['ü', '€', '😀'].map(bytes), ['\xff', '\xe2\x82']);
const RATES = ['0.1', '0.5', '.25', '0.01', '1', '1.0', '0.3', '1.'];
/** What neither takes. */
const REFUSED = [
  'x|c',
  '|c',
  '1',
  '-1|ms',
  '--1|g',
  '1e|c',
  'NaN|ms',
  '1|c|@',
  '1|c|@-1',
  '1|c|@x',
];
/** What is put into lines at random. */
const CHARACTERS = Array.from(`:|#@cmsghd0159.-+eE,;=_/ \t\r\v\0xT{"%`).concat('\xff', '\xc3');

function bytes(character: string): string {
  return Buffer.from(character).toString('latin1');
}
