import type { ChaosBook, Chance } from './chaos-book.ts';

/** A datagram, and how many samples are in it. */
export interface ChaosDatagram {
  text: string;
  lines: number;
  counters: number;
  gauges: number;
  sets: number;
  timings: number;
}

/** Makes what is sent, and remembers all of it. */
export interface ChaosTraffic {
  /** What each counter has been added to over all collectors, in thousandths. */
  readonly counters: ReadonlyMap<string, number>;
  /** What each gauge stands at. */
  readonly gauges: ReadonlyMap<string, number>;
  /** The members that each set was given. */
  readonly sets: ReadonlyMap<string, ReadonlySet<string>>;
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

const NOTHING: ChaosDatagram = { text: '', lines: 0, counters: 0, gauges: 0, sets: 0, timings: 0 };

/** The collectors with several threads. */
export const THREADED: ReadonlySet<number> = new Set([1]);

/** Creates traffic of some names, for some collectors. */
export function createTraffic(book: ChaosBook, names: number): ChaosTraffic {
  const chance = book.chance('traffic');
  const counters = new Map<string, number>();
  const gauges = new Map<string, number>();
  const sets = new Map<string, Set<string>>();
  const timings = new Map<number, string>();
  // By collector and name: what of the sum is not whole, in thousandths.
  const fractions = new Map<number, Map<string, number>>();
  const whole = [...ODD_NAMES, ...namesOf('c', names * 0.4)];
  const sampled = namesOf('s', names * 0.15);
  const broken = namesOf('f', names * 0.2);
  const timed = namesOf('t', names * 0.25);
  const changed = namesOf('g', names * 0.05);
  const unique = namesOf('u', names * 0.03);
  let serial = 0;

  return { counters, gauges, sets, timings, datagram, rest };

  function datagram(collector: number): ChaosDatagram {
    const lines: string[] = [];
    const made = { ...NOTHING, lines: chance.whole(1, 18) };
    for (let n = 0; n < made.lines; n++) {
      const kind = chance.next();
      if (kind < 0.35) lines.push(integers(made));
      else if (kind < 0.48) lines.push(sampledOnes(made));
      else if (kind < 0.6) lines.push(fraction(collector, made));
      else if (kind < 0.67) lines.push(gaugeChange(made));
      else if (kind < 0.72) lines.push(ownGauge(collector, made));
      else if (kind < 0.78) lines.push(member(made));
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

  /** Of a gauge that all collectors change: whatever their order, the sum is the same. */
  function gaugeChange(made: ChaosDatagram): string {
    const name = chance.of(changed);
    return gaugeLine(name, [change()], made);
  }

  /** Of a gauge that one alone sets and changes, so that it is known what it stands at. */
  function ownGauge(collector: number, made: ChaosDatagram): string {
    if (THREADED.has(collector)) return gaugeChange(made); // whose order nobody knows
    const name = `v.${collector}.${chance.whole(0, 5)}`;
    const values = [chance.yes(0.4) ? String(chance.whole(0, 999)) : change()];
    if (chance.yes(0.3)) values.push(change());
    return gaugeLine(name, values, made);
  }

  function change(): string {
    const by = chance.whole(-99, 99);
    return by < 0 ? String(by) : `+${by}`;
  }

  function gaugeLine(name: string, values: readonly string[], made: ChaosDatagram): string {
    for (const value of values) {
      const before = /^[-+]/.test(value) ? (gauges.get(name) ?? 0) : 0;
      gauges.set(name, before + Number(value));
    }
    made.gauges += values.length;
    return `${name}:${values.join(':')}|g`;
  }

  function member(made: ChaosDatagram): string {
    const name = chance.of(unique);
    const one = `m${chance.whole(0, 2000)}`;
    sets.set(name, (sets.get(name) ?? new Set()).add(one));
    made.sets++;
    return `${name}:${one}|s`;
  }

  function add(name: string, thousandths: number): void {
    counters.set(name, (counters.get(name) ?? 0) + thousandths);
  }

  function rest(collector: number): ChaosDatagram | undefined {
    const open = [...(fractions.get(collector) ?? [])].filter(([, left]) => left !== 0);
    const some = open.slice(0, 20);
    const lines = some.map(([name, left]) => addFraction(collector, name, -left));
    if (lines.length === 0) return undefined;
    const { length } = lines;
    return { ...NOTHING, text: lines.join('\n'), lines: length, counters: length };
  }
}

function namesOf(letter: string, count: number): string[] {
  return Array.from({ length: Math.max(1, Math.round(count)) }, (_, at) => `${letter}.${at}`);
}

function listOf(chance: Chance, make: () => number): number[] {
  return Array.from({ length: chance.yes(0.2) ? chance.whole(2, 5) : 1 }, make);
}
