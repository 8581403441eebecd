import { counterNames, type NameSources } from './name-sources.ts';
import { createSharedWork, type SharedWork } from './shared-work.ts';
import { createTurns } from './turns.ts';

/** The counters whose names begin alike. */
export interface PrefixCounters {
  /** How many there are. */
  matching: number;
  /** The busiest of them, by name. */
  names: string[];
  /** They have been the same since before this second was over. */
  fromSecond: number;
}

/** More curves are no picture any more. */
const SHOWN_MAX = 24;
/** Who is busiest is looked at over so many seconds. */
const BUSY_SECONDS = 60;
/** Those shown stay for a while, though others may be busier. */
const EVERY_MS = 5000;
/** But while there is room for all, new ones come at once. */
const ROOMY_EVERY_MS = 1000;
/** What took long is not made so often. */
const REST_PER_WORK = 10;

/** Creates what streams ask for of prefixes; nothing is made before. */
export function createPrefixes(
  sources: NameSources,
  nowMs: () => number,
): SharedWork<string, PrefixCounters> {
  return createSharedWork({
    keyOf: (prefix) => prefix,
    async make(prefix, signal, before) {
      const made = await busiest(sources, prefix, signal);
      const isSame = before !== undefined && before.names.join('\0') === made.names.join('\0');
      return { ...made, fromSecond: isSame ? before.fromSecond : sources.lastSecond() + 1 };
    },
    isDue(_prefix, { value, ageMs, tookMs }) {
      const everyMs = value.matching < SHOWN_MAX ? ROOMY_EVERY_MS : EVERY_MS;
      return ageMs >= Math.max(everyMs, REST_PER_WORK * tookMs);
    },
    nowMs,
  });
}

interface Ranked {
  name: string;
  amount: number;
}

/** Finds them among all counters, with turns for others. */
async function busiest(
  sources: NameSources,
  prefix: string,
  signal: AbortSignal,
): Promise<Omit<PrefixCounters, 'fromSecond'>> {
  const turns = createTurns(signal);
  const to = sources.lastSecond();
  const best: Ranked[] = []; // the busiest first
  let matching = 0;
  for (const name of counterNames(sources)) {
    if (name.startsWith(prefix)) {
      matching++;
      const amount = sources.trace.recentAmount(name, to - BUSY_SECONDS + 1, to);
      putAmong(best, { name, amount });
    }
    if (turns.isOver()) await turns.next();
  }
  const names = best.map(({ name }) => name).toSorted();
  return { matching, names: [...new Set(names)] };
}

function putAmong(best: Ranked[], one: Ranked): void {
  const at = best.findLastIndex((other) => compare(other, one) < 0) + 1;
  if (at >= SHOWN_MAX) return;
  best.splice(at, 0, one);
  if (best.length > SHOWN_MAX) best.pop();
}

/** Of those equally busy the first by name, so that it is not another one each time. */
function compare(one: Ranked, other: Ranked): number {
  if (one.amount !== other.amount) return other.amount - one.amount;
  return one.name < other.name ? -1 : 1;
}
