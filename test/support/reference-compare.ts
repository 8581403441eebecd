import type { ReferenceReading } from './reference-reading.ts';
import type { Numbers } from './reference-statsd.ts';
import { startRedis } from './redis-server.ts';

/** Sums of doubles that were added up in another order may differ by so much of what was added. */
const ROUNDING = 1e-9;
/** Within this a rest is found by probes; statcol itself takes 1e-6 off a whole number for whole. */
const REST_WITHIN = 1e-4;

/**
 * Returns a line for each name that is not the same in both. Compared are names, gauges, the
 * numbers of members, all values of timings, their count (the sum of weights, which statcol
 * rounds), `min`, `max`, and the `mean` of timings without rates: of others the reference gives
 * that of the values as they came, statcol that of what they stand for. Counters are compared to
 * less than one; {@link leftOver} has the rest.
 */
export async function differences(
  theirs: Numbers & { members: Map<string, string[]> },
  ours: Numbers,
  readings: readonly ReferenceReading[],
): Promise<string[]> {
  const found: string[] = [];
  const added = addedUp(readings);
  const within = (name: string): number => ROUNDING * Math.max(1, added.get(name) ?? 0);
  each('counters', (a, b, name) => Math.abs(a - b) < 1 + within(name));
  each('gauges', (a, b, name) => Math.abs(a - b) <= within(name));
  const doubtful: string[] = [];
  each('sets', (a, b, name) => {
    if (a !== b) doubtful.push(name);
    return true;
  });
  found.push(...(await withoutExcuse(doubtful, theirs.members, ours.sets)));
  each('timings', (a, b) => a.length === b.length && a.every((value, at) => value === b[at]));
  each('summaries', (a, b, name) => {
    const isRated = a.count !== theirs.timings.get(name)!.length;
    const isSameMean = isRated || Math.abs(a.mean - b.mean) <= within(name);
    const isSameCount = Math.abs(a.count - b.count) <= 0.5 + ROUNDING * a.count;
    return a.min === b.min && a.max === b.max && isSameMean && isSameCount;
  });
  return found;

  function each<Kind extends 'counters' | 'gauges' | 'sets' | 'timings' | 'summaries'>(
    kind: Kind,
    isSame: (theirs: Values[Kind], ours: Values[Kind], name: string) => boolean,
  ): void {
    const [a, b] = [theirs[kind], ours[kind]] as [
      Map<string, Values[Kind]>,
      Map<string, Values[Kind]>,
    ];
    for (const name of new Set([...a.keys(), ...b.keys()])) {
      const [left, right] = [a.get(name), b.get(name)];
      if (left !== undefined && right !== undefined && isSame(left, right, name)) continue;
      const lines = readings.filter(({ key }) => key === name).map(({ raw }) => raw);
      found.push(
        `${kind} ${name}: reference ${JSON.stringify(left)}, statcol ${JSON.stringify(right)}` +
          ` of ${JSON.stringify(lines.slice(0, 20))}`,
      );
    }
  }
}

interface Values {
  counters: number;
  gauges: number;
  sets: number;
  timings: number[];
  summaries: { count: number; min: number; max: number; mean: number };
}

/**
 * Redis' HyperLogLog, which statcol's sets are, may be off by one even for few members. Returns the
 * sets that a real Redis counts otherwise than statcol, given the reference's members.
 */
async function withoutExcuse(
  names: readonly string[],
  members: ReadonlyMap<string, string[]>,
  ours: ReadonlyMap<string, number>,
): Promise<string[]> {
  if (names.length === 0) return [];
  const redis = await startRedis();
  try {
    const found: string[] = [];
    for (const name of names) {
      await redis.command('PFADD', name, ...members.get(name)!);
      const counted = await redis.command('PFCOUNT', name);
      const [all, own] = [members.get(name)!.length, ours.get(name)!];
      if (counted !== own || Math.abs(all - own) > Math.max(1, all * 0.05)) {
        found.push(`sets ${name}: reference ${all}, statcol ${own}, Redis ${String(counted)}`);
      }
    }
    return found;
  } finally {
    await redis.stop();
  }
}

/** What statcol has of a counter beside the integer in its field. */
export interface Leftover {
  readonly name: string;
  /** The integer in the field. */
  readonly held: number;
  /** The reference's sum without it. */
  readonly rest: number;
  readonly sign: 1 | -1;
  /** What leaves the rest a little short of a whole one, and then what makes it a little more. */
  readonly short: number;
  readonly over: number;
}

/** Returns what has to be left of each counter, of those whose sum is exact enough to tell. */
export function leftOver(
  theirs: ReadonlyMap<string, number>,
  ours: ReadonlyMap<string, number>,
  readings: readonly ReferenceReading[],
): Leftover[] {
  const added = addedUp(readings);
  const found: Leftover[] = [];
  for (const [name, sum] of theirs) {
    const held = ours.get(name);
    const within = Math.max(REST_WITHIN, ROUNDING * (added.get(name) ?? 0));
    if (held === undefined || within > 0.1) continue;
    const rest = sum - held;
    const sign = rest < 0 ? -1 : 1;
    const lacks = 1 - Math.abs(rest);
    // Where hardly anything is lacking the first probe adds nothing.
    const short = Math.max(0, lacks - within);
    found.push({
      name,
      held,
      rest,
      sign,
      short: sign * short,
      over: sign * (lacks - short + within),
    });
  }
  return found;
}

/** The size of all that was added to each name: what rounding errors are measured by. */
function addedUp(readings: readonly ReferenceReading[]): Map<string, number> {
  const added = new Map<string, number>();
  for (const { key, bits } of readings) {
    for (const { value, rate, taken } of bits) {
      const size = Math.abs(Number(value) / Number(rate ?? 1));
      if (taken && Number.isFinite(size)) added.set(key, (added.get(key) ?? 0) + size);
    }
  }
  return added;
}
