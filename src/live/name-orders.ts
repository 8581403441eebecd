import { counterNames, type NameSources, rateOf, type RateSpan } from './name-sources.ts';
import { createSharedWork, type Made, type SharedWork } from './shared-work.ts';
import { sortedIndexes } from './sorting.ts';
import { createTurns } from './turns.ts';
import { matcherOf, type Order } from './view.ts';

/** The names that match, in order. */
export interface SortedNames {
  /** How many names there are, those that do not match too. */
  total: number;
  names: readonly string[];
  /** 1 where it is a timing, 0 where it is a counter. */
  isTiming: Uint8Array;
  /** Tells what names there were. */
  version: string;
}

/** A list that jumps each second cannot be read. */
const EVERY_MS = 5000;
/** Names do not jump: new ones only come between. */
const NAMES_EVERY_MS = 1000;
/** As long as there are so few, who looks waits for the next one to come. */
const FEW_NAMES = 50;
/** That names went as others came may be noticed so late. */
const UNNOTICED_MS = 30_000;
/** What took long is not made so often: it is an eleventh of all time at most. */
const REST_PER_WORK = 10;

/** Creates the orders that streams ask for; none is made before. */
export function createNameOrders(
  sources: NameSources,
  nowMs: () => number,
): SharedWork<Order, SortedNames> {
  return createSharedWork({
    keyOf: ({ q, kind, sort }) => JSON.stringify([q.toLowerCase(), kind, sort]),
    make: (order, signal) => sorted(sources, order, signal),
    isDue: ({ sort }, { value, ageMs, tookMs }: Made<SortedNames>) => {
      const isOther = value.version !== versionOf(sources);
      const isFirst = isOther && value.total < FEW_NAMES;
      const everyMs = sort === 'name' || isFirst ? NAMES_EVERY_MS : EVERY_MS;
      if (ageMs < Math.max(everyMs, REST_PER_WORK * tookMs)) return false;
      return sort !== 'name' || ageMs >= UNNOTICED_MS || isOther;
    },
    nowMs,
  });
}

function versionOf({ trace, window, storeNames }: NameSources): string {
  return `${trace.size} ${window.usage().names} ${storeNames.version}`;
}

/** Filters and sorts all names, with turns for others. */
async function sorted(
  sources: NameSources,
  { q, kind, sort }: Order,
  signal: AbortSignal,
): Promise<SortedNames> {
  const version = versionOf(sources);
  const span = sources.rateSpan(sources.lastSecond());
  const turns = createTurns(signal);
  const matches = matcherOf(q);
  const names: string[] = [];
  const timing: number[] = [];
  const keys: number[] = [];
  let total = 0;
  for (const isTiming of [false, true]) {
    for (const name of isTiming ? sources.window.names() : counterNames(sources)) {
      total++;
      if (kind !== (isTiming ? 'counter' : 'timing') && matches(name)) {
        names.push(name);
        timing.push(Number(isTiming));
        keys.push(sort === 'name' ? 0 : keyOf(sources, { name, isTiming }, sort, span));
      }
      if (turns.isOver()) await turns.next();
    }
  }
  const compare = (one: number, other: number): number => {
    if (keys[one] !== keys[other]) return keys[one]! > keys[other]! ? -1 : 1;
    if (names[one] !== names[other]) return names[one]! < names[other]! ? -1 : 1;
    return one - other; // a counter and a timing of one name
  };
  const indexes = await sortedIndexes(names.length, compare, turns);
  const inOrder: string[] = [];
  const isTiming = new Uint8Array(indexes.length);
  for (const index of indexes) {
    isTiming[inOrder.length] = timing[index]!;
    inOrder.push(names[index]!);
    if (turns.isOver()) await turns.next();
  }
  return { total, names: inOrder, isTiming, version };
}

/** What names are sorted by before the name itself: the highest first. */
function keyOf(
  sources: NameSources,
  one: { name: string; isTiming: boolean },
  sort: 'rate' | 'p99',
  span: RateSpan,
): number {
  if (sort === 'rate') return rateOf(sources, one, span);
  return one.isTiming ? (sources.window.summary(one.name)?.p99 ?? -Infinity) : -Infinity;
}
