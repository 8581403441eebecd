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

/** There is nothing but the hashes, and one marker for each of them and collector. */
export async function checkKeys(
  book: ChaosBook,
  store: ChaosStore,
  collections: readonly string[],
  collectors: number,
): Promise<void> {
  const keys = await store.keys();
  const markers = keys.filter((key) => /:applied:/.test(key));
  const others = keys.filter((key) => !markers.includes(key) && !collections.includes(key));
  if (others.length > 0) book.wrong(`the store holds ${others.join(', ')}`);
  if (markers.length > collections.length * collectors) {
    book.wrong(
      `${collectors} collectors have left ${markers.length} markers: ${markers.join(' ')}`,
    );
  }
}
