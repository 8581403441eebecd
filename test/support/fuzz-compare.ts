import { inspect } from 'node:util';

import type { Vitals } from '../../src/vitals.ts';
import type { CollectorProcess } from './collector-process.ts';
import type { CounterOf, Expected, GaugeOf, TimingOf } from './fuzz-oracle.ts';

/** What a collector says has become of all lines. */
export interface Seen {
  vitals: Vitals;
  counters: Map<string, number>;
  gauges: Map<string, number>;
  timings: Map<string, { count: number; min: number; max: number }>;
  sets: Map<string, number>;
  /** How many members a Redis counts in the sets that are expected, if there is one to ask. */
  unique?: Map<string, number> | undefined;
  /** The day has ended meanwhile (UTC): sets begin anew, and tell nothing. */
  isOverMidnight: boolean;
}

const KINDS = ['counters', 'timings', 'gauges', 'sets'] as const;
/** Faults that are told one by one. */
const TOLD_MAX = 20;

/** Asks a collector that has delivered everything. */
export async function see(
  collector: CollectorProcess,
  { startedOn, unique }: { startedOn: string; unique?: Seen['unique'] },
): Promise<Seen> {
  const of = async <Value>(path: string): Promise<Map<string, Value>> => {
    const found = await collector.json<Record<string, object>>(`api/${path}`);
    const names = path === 'timings' ? found : (found['statcol:stats'] ?? {});
    return new Map(Object.entries(names as Record<string, Value>));
  };
  return {
    vitals: await collector.vitals(),
    counters: await of<number>('counters'),
    gauges: await of<number>('gauges'),
    timings: await of<{ count: number; min: number; max: number }>('timings'),
    sets: await of<number>('sets'),
    unique,
    isOverMidnight: dayOf(new Date()) !== startedOn,
  };
}

/** Returns the UTC day of a date. */
export function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}

/** What is wrong in an answer of the vitals by itself. */
export function identityFaults(vitals: Vitals): string[] {
  return KINDS.filter((kind) => {
    const { recovered, delivered, pending, dropped } = vitals[kind];
    const there = delivered + pending + total(Object.values(dropped));
    return vitals.samples[kind] + recovered !== there;
  }).map((kind) => `${kind} are not balanced: ${JSON.stringify(vitals[kind])}`);
}

/** What is not as expected in what was read: lines, their reasons, samples. */
export function readFaults(expected: Expected, { lines, samples }: Vitals): string[] {
  const faults: string[] = [];
  const compare = (what: string, wanted: number, got: number): void => {
    if (wanted !== got) faults.push(`${what}: ${got} instead of ${wanted}`);
  };
  compare('lines accepted', expected.accepted, lines.accepted);
  const reasons = new Set([...expected.refused.keys(), ...Object.keys(lines.rejected)]);
  for (const reason of reasons) {
    compare(reason, expected.refused.get(reason) ?? 0, lines.rejected[reason] ?? 0);
  }
  for (const kind of KINDS) compare(`samples of ${kind}`, expected.samples[kind], samples[kind]);
  return faults;
}

/**
 * What is not as expected at the end, when nothing is pending and every counter was made whole.
 *
 * Counters are exact to the unit, but for those whose sum is no exact double in whatever order it
 * is made; a set is so many as Redis itself counts, or nearly so many as there are.
 */
export function endFaults(expected: Expected, seen: Seen): string[] {
  const { vitals } = seen;
  const dropped = { ...none(), counters: expected.overflows };
  return [
    ...identityFaults(vitals),
    ...readFaults(expected, vitals),
    ...KINDS.filter((kind) => vitals[kind].pending > 0).map((kind) => `${kind} are pending`),
    ...KINDS.filter((kind) => total(Object.values(vitals[kind].dropped)) !== dropped[kind]).map(
      (kind) => `${kind} dropped: ${JSON.stringify(vitals[kind].dropped)}`,
    ),
    ...different('counter', counted(expected.counters), seen.counters, isSum),
    ...different('gauge', expected.gauges, seen.gauges, isGauge),
    ...different('timing', expected.timings, seen.timings, isTimed),
    ...(seen.isOverMidnight ? [] : setFaults(expected, seen)),
  ];
}

function none(): Record<(typeof KINDS)[number], number> {
  return { counters: 0, timings: 0, gauges: 0, sets: 0 };
}

/** Without those of which every sample was beyond 64 bits: it is free to show them as 0. */
function counted(counters: Expected['counters']): Expected['counters'] {
  return new Map([...counters].filter(([, { samples }]) => samples > 0));
}

function different<Wanted, Got>(
  what: string,
  expected: Map<string, Wanted>,
  seen: Map<string, Got>,
  agrees: (wanted: Wanted, got: Got) => boolean,
): string[] {
  const faults: string[] = [];
  for (const [name, wanted] of expected) {
    const got = seen.get(name);
    if (got !== undefined && agrees(wanted, got)) continue;
    const shown =
      wanted instanceof Set ? `${wanted.size} members` : inspect(wanted, { breakLength: Infinity });
    faults.push(`${what} ${JSON.stringify(name)}: ${JSON.stringify(got)} instead of ${shown}`);
  }
  for (const [name, got] of seen) {
    if (expected.has(name) || (what === 'counter' && (got as unknown) === 0)) continue;
    faults.push(`${what} ${JSON.stringify(name)}: ${JSON.stringify(got)} instead of none`);
  }
  const more = faults.length - TOLD_MAX;
  return more > 0 ? [...faults.slice(0, TOLD_MAX), `and ${more} more of ${what}`] : faults;
}

function isSum({ whole, rest, size, isExact, isTiny, samples }: CounterOf, got: number): boolean {
  const off = Math.abs(Number(BigInt(got) - whole) - rest);
  if (isExact) return off === 0;
  // Where flushes have cut it decides on its last bits, and whether a rest is taken for whole.
  const isClose = isTiny || size * samples * 2 ** -53 > 1e-7;
  return off <= (isClose ? 1 : 0) + 0.001 + size * 2 ** -44;
}

function isGauge({ value, size, terms, isExact }: GaugeOf, got: number): boolean {
  if (isExact || terms === 1) return got === value;
  return Math.abs(got - value) <= size * 2 ** -44;
}

function isTimed(wanted: TimingOf, got: { count: number; min: number; max: number }): boolean {
  if (got.min !== wanted.min || got.max !== wanted.max) return false;
  if (wanted.isExact) return got.count === wanted.count;
  if (wanted.count > 2 ** 39) return got.count >= wanted.samples;
  return Math.abs(got.count - wanted.count) <= 1 + wanted.count * 2 ** -40;
}

/** As Redis counts the same members; without one, to the error of a HyperLogLog. */
function setFaults({ sets }: Expected, seen: Seen): string[] {
  if (seen.unique !== undefined) {
    return different('set', seen.unique, seen.sets, (wanted, got) => wanted === got);
  }
  const faults = different('set', sets, seen.sets, isUnique);
  // Two of few are seldom in the same register of 16,384.
  const small = [...sets].filter(([, members]) => members.size <= 20);
  const wrong = small.filter(([name, { size }]) => seen.sets.get(name) !== size);
  if (wrong.length <= 2 + small.length * 0.01) return faults;
  return [...faults, `${wrong.length} of ${small.length} small sets are not exact`];
}

/** To five times its standard error, which is 0.81 %, and one for two in the same register. */
function isUnique(members: Set<string>, got: number): boolean {
  return Math.abs(got - members.size) <= 1 + Math.floor(members.size * 0.04);
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0);
}
