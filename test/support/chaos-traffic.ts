import type { ChaosBook, Chance } from './chaos-book.ts';

/** A datagram, and how many samples are in it. */
export interface ChaosDatagram {
  text: string;
  lines: number;
  counters: number;
  timings: number;
}

/** Makes what is sent, and remembers all of it. */
export interface ChaosTraffic {
  /** What each counter has been added to over all collectors, in thousandths. */
  readonly counters: ReadonlyMap<string, number>;
  /** The name of each timing: every value is sent once, so that a value tells a sample. */
  readonly timings: ReadonlyMap<number, string>;
  /** Makes a datagram for a collector. It counts as sent. */
  datagram(collector: number): ChaosDatagram;
  /** What makes every sum of a collector whole; undefined where all are. */
  rest(collector: number): ChaosDatagram | undefined;
}

/** Names that are something else to a careless program. */
const ODD_NAMES = ['__proto__', 'constructor', 'toString', 'total'];
/** In thousandths: some are exact in binary, others are not. */
const FRACTIONS = [250, 500, 750, 100, 200, 700, 1500, -300, 2250, -500, 333, 1];
/** A value and a rate of which the samples stand for a whole number. */
const SAMPLED: readonly [value: number, rate: string, amount: number][] = [
  [1, '0.5', 2],
  [3, '0.25', 12],
  [5, '0.1', 50],
  [-2, '0.5', -4],
];

/** Creates traffic of some names, for some collectors. */
export function createTraffic(book: ChaosBook, names: number): ChaosTraffic {
  const chance = book.chance('traffic');
  const counters = new Map<string, number>();
  const timings = new Map<number, string>();
  // By collector and name: what of the sum is not whole, in thousandths.
  const fractions = new Map<number, Map<string, number>>();
  const whole = [...ODD_NAMES, ...namesOf('c', names * 0.4)];
  const sampled = namesOf('s', names * 0.15);
  const broken = namesOf('f', names * 0.2);
  const timed = namesOf('t', names * 0.25);
  let serial = 0;

  return { counters, timings, datagram, rest };

  function datagram(collector: number): ChaosDatagram {
    const lines: string[] = [];
    const made = { text: '', lines: chance.whole(1, 18), counters: 0, timings: 0 };
    for (let n = 0; n < made.lines; n++) {
      const kind = chance.next();
      if (kind < 0.4) lines.push(integers(made));
      else if (kind < 0.55) lines.push(sampledOnes(made));
      else if (kind < 0.7) lines.push(fraction(collector, made));
      else lines.push(timing(made));
    }
    made.text = lines.join('\n');
    return made;
  }

  function integers(made: ChaosDatagram): string {
    const name = chance.of(whole);
    const values = listOf(chance, () => chance.whole(-9, 99));
    for (const value of values) add(name, 1000 * value);
    made.counters += values.length;
    return `${name}:${values.join(':')}|c`;
  }

  function sampledOnes(made: ChaosDatagram): string {
    const name = chance.of(sampled);
    const [value, rate, amount] = chance.of(SAMPLED);
    const times = chance.whole(1, 2);
    add(name, 1000 * amount * times);
    made.counters += times;
    return `${name}:${Array(times).fill(value).join(':')}|c|@${rate}`;
  }

  function fraction(collector: number, made: ChaosDatagram): string {
    const name = chance.of(broken);
    const thousandths = chance.of(FRACTIONS);
    made.counters++;
    return addFraction(collector, name, thousandths);
  }

  function addFraction(collector: number, name: string, thousandths: number): string {
    add(name, thousandths);
    const open = fractions.get(collector) ?? new Map<string, number>();
    fractions.set(collector, open);
    open.set(name, ((open.get(name) ?? 0) + thousandths) % 1000);
    return `${name}:${thousandths / 1000}|c`;
  }

  function timing(made: ChaosDatagram): string {
    const name = chance.of(timed);
    const values = listOf(chance, () => ++serial);
    for (const value of values) timings.set(value, name);
    made.timings += values.length;
    const rate = chance.yes(0.2) ? '|@0.5' : '';
    return `${name}:${values.join(':')}|${chance.of(['ms', 'h', 'd'])}${rate}`;
  }

  function add(name: string, thousandths: number): void {
    counters.set(name, (counters.get(name) ?? 0) + thousandths);
  }

  function rest(collector: number): ChaosDatagram | undefined {
    const open = [...(fractions.get(collector) ?? [])].filter(([, left]) => left !== 0);
    const some = open.slice(0, 20);
    const lines = some.map(([name, left]) => addFraction(collector, name, -left));
    if (lines.length === 0) return undefined;
    return { text: lines.join('\n'), lines: lines.length, counters: lines.length, timings: 0 };
  }
}

function namesOf(letter: string, count: number): string[] {
  return Array.from({ length: Math.max(1, Math.round(count)) }, (_, at) => `${letter}.${at}`);
}

function listOf(chance: Chance, make: () => number): number[] {
  return Array.from({ length: chance.yes(0.2) ? chance.whole(2, 5) : 1 }, make);
}
