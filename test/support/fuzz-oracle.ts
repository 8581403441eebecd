import {
  type NaiveDialect,
  naiveLines,
  type NaiveLine,
  naiveParse,
  type NaiveRule,
  type NaiveSample,
} from './naive-parser.ts';

// What lines must have become, kept with maps and plain numbers: nothing of the collector is used.

/** A counter that lines have been added to. */
export interface CounterOf {
  /** The sum, to the unit however large it is, and what fractions have added to it. */
  whole: bigint;
  rest: number;
  /** Of all values without their signs. */
  size: number;
  /** Doubles give the exact sum, in whatever order and in however many parts it is made. */
  isExact: boolean;
  /** Some fraction was so close to a whole number that it may be taken for one. */
  isTiny: boolean;
  /** Samples that are part of the sum; the others are beyond 64 bits. */
  samples: number;
  spelled: NaiveLine['spelled'];
}

/** The timings of a name. */
export interface TimingOf {
  /** Sum of the weights; how many samples there are. */
  count: number;
  samples: number;
  /** All weights are whole numbers, none of them beyond reason. */
  isExact: boolean;
  min: number;
  max: number;
}

/** A gauge: what it stands at. */
export interface GaugeOf {
  value: number;
  /** Of all values since it was set last, without their signs; how many those are. */
  size: number;
  terms: number;
  /** See {@link CounterOf}. */
  isExact: boolean;
  /** Who sends it: the order of several senders is nobody's to know. */
  sender: string;
}

/** What has to come of all lines. */
export interface Expected {
  accepted: number;
  refused: Map<string, number>;
  samples: Record<'counters' | 'timings' | 'gauges' | 'sets', number>;
  /** Counter samples beyond 64 bits: dropped. */
  overflows: number;
  counters: Map<string, CounterOf>;
  timings: Map<string, TimingOf>;
  gauges: Map<string, GaugeOf>;
  sets: Map<string, Set<string>>;
}

/** Reads what is sent, before or when it is sent. */
export interface Oracle {
  readonly expected: Expected;
  /**
   * Whether what the lines of a datagram add can be foretold. It cannot where it depends on when a
   * flush comes (sums near 64 bits, gauges near the end of the numbers), on the order of senders,
   * or on limits on names that are not what is tried here.
   */
  admits(datagram: string, sender: string): boolean;
  add(datagram: string, sender: string): void;
  /** Lines that make whole numbers of all counters that are none: the store holds nothing else. */
  wholes(): string[];
}

/** Below what the collector has room for: 131,072 timings in its window, 4,096 sets in memory. */
const NAMES_MAX = { counter: 200_000, timing: 60_000, gauge: 50_000, set: 3000 };
/** Sums are exact up to 2^53; with ten bits behind the point, and some to spare: */
const EXACT_MAX = 2 ** 42;
const EXACT_PARTS = 1024;
/** All values of a counter together stay far from 2^63. */
const SUM_MAX = 2 ** 61;
const OVERFLOW = 2 ** 63;
const CHANGE_MAX = 1e290;
/** A sample counts no more often than 2^40 times. */
const WEIGHT_MAX = 2 ** 39;
const REMEMBERED = 20_000;

/** Creates an oracle that has seen nothing. */
export function createOracle(rule: NaiveRule, dialect?: NaiveDialect): Oracle {
  const expected: Expected = {
    ...{ accepted: 0, refused: new Map(), overflows: 0 },
    samples: { counters: 0, timings: 0, gauges: 0, sets: 0 },
    ...{ counters: new Map(), timings: new Map(), gauges: new Map(), sets: new Map() },
  };
  const { counters, timings, gauges, sets } = expected;
  const names = { counter: counters, timing: timings, gauge: gauges, set: sets };
  // Many lines are sent again and again.
  const remembered = new Map<string, NaiveLine>();

  return { expected, admits, add, wholes };

  function read(line: string): NaiveLine {
    let found = remembered.get(line);
    if (found !== undefined) return found;
    found = naiveParse(line, rule, dialect);
    if (remembered.size >= REMEMBERED) remembered.clear();
    if (line.length < 200) remembered.set(line, found);
    return found;
  }

  function admits(datagram: string, sender: string): boolean {
    let sum = 0;
    for (const line of naiveLines(datagram)) {
      const { reason, name, samples } = read(line);
      if (reason !== undefined) continue;
      for (const sample of samples) {
        const { kind, value, relative } = sample;
        if (!names[kind].has(name) && names[kind].size >= NAMES_MAX[kind]) return false;
        if (kind === 'gauge') {
          if ((gauges.get(name)?.sender ?? sender) !== sender) return false;
          if (relative === true && Math.abs(value) > CHANGE_MAX) return false;
        }
        if (kind !== 'counter' || isBeyond(value)) continue;
        sum += Math.abs(value);
        if (sum + (counters.get(name)?.size ?? 0) > SUM_MAX) return false;
      }
    }
    return true;
  }

  function add(datagram: string, sender: string): void {
    for (const line of naiveLines(datagram)) {
      const { reason, name, samples, spelled } = read(line);
      if (reason !== undefined) {
        expected.refused.set(reason, (expected.refused.get(reason) ?? 0) + 1);
        continue;
      }
      expected.accepted++;
      for (const sample of samples) {
        expected.samples[`${sample.kind}s`]++;
        if (sample.kind === 'counter') addCounter(name, sample.value, spelled);
        else if (sample.kind === 'timing') addTiming(name, sample);
        else if (sample.kind === 'gauge') addGauge(name, sample, sender);
        else sets.set(name, (sets.get(name) ?? new Set()).add(sample.member!));
      }
    }
  }

  function addCounter(name: string, value: number, spelled: NaiveLine['spelled']): void {
    let one = counters.get(name);
    if (one === undefined) {
      const none = { whole: 0n, rest: 0, size: 0, samples: 0 };
      one = { ...none, isExact: true, isTiny: false, spelled };
      counters.set(name, one);
    }
    if (isBeyond(value)) return void expected.overflows++;
    one.whole += BigInt(Math.trunc(value));
    one.rest += value % 1;
    one.size += Math.abs(value);
    one.samples++;
    one.isExact &&= isSimple(value, one.size);
    one.isTiny ||= !Number.isInteger(value) && Math.abs(value - Math.round(value)) < 1e-4;
  }

  function addTiming(name: string, { value, weight }: NaiveSample): void {
    const one = timings.get(name) ?? {
      ...{ count: 0, samples: 0, isExact: true },
      ...{ min: value, max: value },
    };
    timings.set(name, one);
    one.count += weight;
    one.samples++;
    one.isExact &&= Number.isInteger(weight) && weight < WEIGHT_MAX;
    one.min = Math.min(one.min, value);
    one.max = Math.max(one.max, value);
  }

  function addGauge(name: string, { value, relative }: NaiveSample, sender: string): void {
    const none = { value: 0, size: 0, terms: 0, isExact: true, sender };
    const was = relative === true ? (gauges.get(name) ?? none) : none;
    const size = was.size + Math.abs(value);
    gauges.set(name, {
      ...{ value: was.value + value, size, terms: was.terms + 1, sender },
      isExact: was.isExact && isSimple(value, size),
    });
  }

  function wholes(): string[] {
    const lines: string[] = [];
    for (const { rest, spelled } of counters.values()) {
      const missing = Math.round(rest) - rest;
      // The last `|` keeps a CR that is part of a tag from being one of the line's end.
      const tags = spelled.tags === '' ? '' : `|#${spelled.tags}|`;
      if (missing !== 0) lines.push(`${spelled.name}:${missing}|c${tags}`);
    }
    return lines;
  }
}

function isBeyond(value: number): boolean {
  return value >= OVERFLOW || value < -OVERFLOW;
}

function isSimple(value: number, size: number): boolean {
  return Number.isInteger(value * EXACT_PARTS) && size < EXACT_MAX;
}
