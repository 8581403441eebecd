import { createHyperLogLog } from '../../src/sinks/hyperloglog.ts';
import type { ChaosBook } from './chaos-book.ts';
import type { ChaosStore } from './chaos-single.ts';
import type { ChaosTraffic } from './chaos-traffic.ts';
import type { ChaosTrap } from './chaos-trap.ts';

/** Something that is not as it was sent. */
export interface Difference {
  /** A hash, or the trap. */
  where: string;
  key: string;
  expected: string;
  got: string;
}

/** Compares every counter of every hash with what was sent, to the unit. */
export async function compareCounters(
  store: ChaosStore,
  collections: readonly string[],
  traffic: ChaosTraffic,
): Promise<Difference[]> {
  const differences: Difference[] = [];
  for (const where of collections) {
    const hash = await store.hash(where);
    for (const [key, thousandths] of traffic.counters) {
      const expected = String(thousandths / 1000);
      const got = hash.get(key) ?? 'nothing';
      if (got !== expected) differences.push({ where, key, expected, got });
    }
    for (const [key, got] of hash) {
      if (!traffic.counters.has(key)) {
        differences.push({ where, key, expected: 'nothing', got });
      } else if (!/^-?\d+$/.test(got)) {
        differences.push({ where, key, expected: 'an integer', got });
      }
    }
  }
  return differences;
}

/** Compares every gauge of every hash with what it stands at. */
export async function compareGauges(
  store: ChaosStore,
  collections: readonly string[],
  traffic: ChaosTraffic,
): Promise<Difference[]> {
  const differences: Difference[] = [];
  for (const where of collections.map((collection) => `${collection}:gauges`)) {
    const hash = await store.hash(where);
    for (const key of new Set([...traffic.gauges.keys(), ...hash.keys()])) {
      const expected = String(traffic.gauges.get(key) ?? 'nothing');
      const got = hash.get(key) ?? 'nothing';
      if (got !== expected) differences.push({ where, key, expected, got });
    }
  }
  return differences;
}

/** Compares what every set has counted with what its members count to. */
export async function compareSets(
  store: ChaosStore,
  collections: readonly string[],
  traffic: ChaosTraffic,
): Promise<Difference[]> {
  const differences: Difference[] = [];
  const keys = await store.keys();
  for (const collection of collections) {
    for (const [name, members] of traffic.sets) {
      const where = `${collection}:set:${name}`;
      const unique = createHyperLogLog();
      for (const member of members) unique.add(member);
      const days = keys.filter((key) => key.startsWith(`${where}:`));
      const counts = await Promise.all(days.map((day) => store.unique(day)));
      // Of a run over midnight it is not known what was counted on which day.
      const got = counts.length === 1 ? counts[0]! : Math.max(0, ...counts);
      const isRight = counts.length < 2 ? got === unique.count() : got <= unique.count();
      if (!isRight) {
        const expected = String(unique.count());
        differences.push({ where, key: days.join(), expected, got: String(got) });
      }
    }
  }
  return differences;
}

/** Compares every timing at the trap with what was sent: each exactly once, under its name. */
export function compareTimings(trap: ChaosTrap, traffic: ChaosTraffic): Difference[] {
  const differences: Difference[] = [];
  for (const [value, name] of traffic.timings) {
    const seen = trap.values.get(value);
    if (seen?.times === 1 && seen.name === name) continue;
    const got = seen === undefined ? 'never' : `${seen.times} times as ${seen.name}`;
    differences.push({ where: 'trap', key: `${name}:${value}`, expected: 'once', got });
  }
  for (const [value, { name }] of trap.values) {
    if (traffic.timings.has(value)) continue;
    differences.push({ where: 'trap', key: `${name}:${value}`, expected: 'never', got: 'once' });
  }
  return differences;
}

/** There is nothing but the hashes and sets, and one marker for each hash and collector. */
export async function checkKeys(
  book: ChaosBook,
  store: ChaosStore,
  collections: readonly string[],
  collectors: number,
): Promise<void> {
  const keys = await store.keys();
  const markers = keys.filter((key) => /:applied:/.test(key));
  const hashes = collections.flatMap((collection) => [collection, `${collection}:gauges`]);
  const sets = collections.map((collection) => `${collection}:set:`);
  const isSet = (key: string): boolean => sets.some((prefix) => key.startsWith(prefix));
  const others = keys.filter(
    (key) => !markers.includes(key) && !hashes.includes(key) && !isSet(key),
  );
  if (others.length > 0) book.wrong(`the store holds ${others.join(', ')}`);
  if (markers.length > hashes.length * collectors) {
    book.wrong(
      `${collectors} collectors have left ${markers.length} markers: ${markers.join(' ')}`,
    );
  }
}
