import { codeOf } from '../../src/histogram-bin.ts';
import type {
  Frame,
  NameRow,
  Problem,
  Watched,
  WatchedCounter,
  WatchedHeld,
  WireColumn,
  WireHeld,
} from '../../src/live/frame.ts';
import type { Vitals } from '../../src/vitals-types.ts';
import type { TimingSummary } from '../../src/window/summary.ts';
import { VITALS } from '../http/vitals.ts';
import type { StreamView, Wish } from '../../src/live/view.ts';
import { seededRandom } from './random.ts';

/** Frames of a collector that is not there: as many names and as much time as wished. */
export interface SyntheticFrames {
  /** Returns the frame of a second, with what came after `since` for each name. */
  frame(second: number, asked: StreamView): Frame;
}

/** What is made up. */
export interface SyntheticOptions {
  names?: number;
  problems?: Problem[];
  vitals?: Vitals;
  /** The names of the list, in its order. */
  nameOf?: (index: number) => Pick<NameRow, 'kind' | 'name'>;
  /** Without, no name has any: they take long to make. */
  hasSummaries?: boolean;
  /** The timings of a name in a second. */
  samples?: (name: string, second: number) => number[];
  /** What is added to a counter in a second. */
  increments?: (name: string, second: number) => number;
}

/** Creates frames in which every timing has two humps and a tail, from `firstSecond` on. */
export function createSyntheticFrames(
  firstSecond: number,
  options: SyntheticOptions = {},
): SyntheticFrames {
  const { names = 40, problems = [], vitals = WELL, nameOf = nameAt } = options;
  const { samples = twoHumps, increments = wave, hasSummaries = true } = options;
  return {
    frame(second, asked) {
      const { from, rows: number } = asked.list;
      const to = Math.min(names, from + number);
      const rows = Array.from({ length: Math.max(0, to - from) }, (_, at) => {
        return rowOf(from + at, second);
      });
      return {
        second,
        instance: 'synthetic-1',
        udp: 'udp://127.0.0.1:8125',
        rates: { datagrams: 1200, lines: 4800, rejected: 0, kernelDrops: 0 },
        countersFrom: firstSecond,
        vitals,
        problems,
        list: { total: names, matching: names, from, rows },
        watched: asked.watched.map((item) => watchedOf(item, second, asked.span)),
      };
    },
  };

  function watchedOf({ kind, since, name }: Wish, second: number, span: number): Watched {
    const first = Math.max(firstSecond, since + 1, second - 299);
    const seconds = Array.from({ length: Math.max(0, second - first + 1) }, (_, at) => first + at);
    if (kind === 'counter') return counterOf(name, seconds);
    if (kind === 'gauge' || kind === 'set') return heldOf(kind, name, seconds);
    if (kind === 'timing' && span > 300) return longTimingOf(name, second);
    if (kind === 'prefix') {
      const named = Array.from({ length: names }, (_, at) => nameOf(at));
      const found = named.filter((one) => one.kind === 'counter' && one.name.startsWith(name));
      const counters = found.slice(0, 24).map((one) => counterOf(one.name, seconds));
      return { kind, prefix: name, matching: found.length, counters };
    }
    const columns = seconds.map((at) => columnOf(at, samples(name, at)));
    // Of all that is known, whatever of it is new.
    const known = Math.min(300, second - firstSecond + 1);
    const all = Array.from({ length: known }, (_, at) => samples(name, second - at)).flat();
    const summary = hasSummaries ? summaryOf(all) : null;
    return { kind, name, summary, isLong: true, columns };
  }

  /** Two hours by half minutes; one second of each stands for all. */
  function longTimingOf(name: string, second: number): Watched {
    const last = second - (second % 30);
    const columns = Array.from({ length: 240 }, (_, at) => {
      const from = last - 30 * (239 - at);
      return { ...columnOf(from, samples(name, from)), span: 30 };
    });
    return {
      kind: 'timing',
      name,
      summary: summaryOf(samples(name, second)),
      isLong: true,
      columns,
    };
  }

  function rowOf(index: number, second: number): NameRow {
    const { kind, name } = nameOf(index);
    const lately = Array.from({ length: 60 }, (_, at) => second - 59 + at);
    if (kind !== 'timing') {
      const spark = lately.map((at) => increments(name, at));
      const value = kind === 'counter' ? null : spark.at(-1)!;
      return { kind, name, rate: spark.at(-1)!, p99: null, value, spark };
    }
    const spark = lately.map((at) => quantile(samples(name, at), 0.99));
    const rate = samples(name, second).length;
    return { kind, name, rate, p99: spark.at(-1)!, value: null, spark };
  }

  function counterOf(name: string, seconds: readonly number[]): WatchedCounter {
    const points = seconds.map((at): [number, number, number] => [at, 1, increments(name, at)]);
    const place = { hash: 'statcol:stats', field: name, otherHashes: 0 };
    return { kind: 'counter', name, ...place, total: '1234567', isLong: true, points };
  }
}

/** One that is written each second. */
function heldOf(kind: 'gauge' | 'set', name: string, seconds: readonly number[]): WatchedHeld {
  const points = seconds.map((at): WireHeld => {
    const value = wave(name, at);
    return [at, 1, value, value, value];
  });
  const place = { hash: `statcol:stats:${kind}s`, field: name, otherHashes: 0 };
  return { kind, name, ...place, ...STANDING, writtenSecond: seconds.at(-1) ?? null, points };
}

const STANDING = { total: '42', rate: 1, isLong: true };

const WELL: Vitals = { ...VITALS, trap: { ...VITALS.trap, up: true, lastError: null } };

function nameAt(index: number): Pick<NameRow, 'kind' | 'name'> {
  const number = String(index).padStart(5, '0');
  return index % 2 === 0
    ? { kind: 'timing', name: `service.${number}.latency` }
    : { kind: 'counter', name: `service.${number}.hits` };
}

/** At about 40 and 900 ms, and now and then one far above. */
function twoHumps(name: string, second: number): number[] {
  const random = seededRandom(second + name.length);
  return Array.from({ length: 60 }, () => {
    const spread = 1 + 0.25 * (random() + random() - 1);
    return random() < 0.01 ? 4000 * spread : (random() < 0.6 ? 40 : 900) * spread;
  });
}

function wave(name: string, second: number): number {
  return Math.round(100 + 50 * Math.sin(second / 20 + name.length));
}

/** Returns samples as a column of a second. */
export function columnOf(second: number, samples: readonly number[]): WireColumn {
  const counts = new Map<number, number>();
  for (const value of samples) counts.set(codeOf(value), (counts.get(codeOf(value)) ?? 0) + 1);
  return {
    second,
    span: 1,
    weight: samples.length,
    min: Math.min(...samples),
    max: Math.max(...samples),
    weightedSum: samples.reduce((sum, one) => sum + one, 0),
    bins: [...counts].toSorted(([a], [b]) => a - b).flat(),
  };
}

function summaryOf(samples: readonly number[]): TimingSummary | null {
  if (samples.length === 0) return null;
  const sum = samples.reduce((all, one) => all + one, 0);
  const [min, p50, p90, p99, max] = [0, 0.5, 0.9, 0.99, 1].map((q) => quantile(samples, q));
  const mean = sum / samples.length;
  return { count: samples.length, min: min!, max: max!, mean, p50: p50!, p90: p90!, p99: p99! };
}

function quantile(samples: readonly number[], q: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
}
