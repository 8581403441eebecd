import type { KindSource } from './kinds.ts';
import type { NameSources, RateSpan } from './name-sources.ts';
import { createSharedWork, type Made, type SharedWork } from './shared-work.ts';
import { sortedIndexes } from './sorting.ts';
import { createTurns } from './turns.ts';
import { matcherOf, type Order } from './view.ts';

/** The names that match, in order. */
export interface SortedNames {
  /** How many names there are, those that do not match too. */
  total: number;
  names: readonly string[];
  /** Of which kind each is: an index among the kinds. */
  kindAt: Uint8Array;
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
  kinds: readonly KindSource[],
  sources: Pick<NameSources, 'lastSecond' | 'rateSpan'>,
  nowMs: () => number,
): SharedWork<Order, SortedNames> {
  return createSharedWork({
    keyOf: ({ q, kind, sort }) => JSON.stringify([q.toLowerCase(), kind, sort]),
    make(order, signal) {
      return sorted(kinds, order, sources.rateSpan(sources.lastSecond()), signal);
    },
    isDue: ({ sort }, { value, ageMs, tookMs }: Made<SortedNames>) => {
      const isOther = value.version !== versionOf(kinds);
      const isFirst = isOther && value.total < FEW_NAMES;
      const everyMs = sort === 'name' || isFirst ? NAMES_EVERY_MS : EVERY_MS;
      if (ageMs < Math.max(everyMs, REST_PER_WORK * tookMs)) return false;
      return sort !== 'name' || ageMs >= UNNOTICED_MS || isOther;
    },
    nowMs,
  });
}

function versionOf(kinds: readonly KindSource[]): string {
  return kinds.map((source) => source.version()).join(' ');
}

/** Filters and sorts all names, with turns for others. */
async function sorted(
  kinds: readonly KindSource[],
  { q, kind, sort }: Order,
  span: RateSpan,
  signal: AbortSignal,
): Promise<SortedNames> {
  const version = versionOf(kinds);
  const turns = createTurns(signal);
  const matches = matcherOf(q);
  const names: string[] = [];
  const kindOf: number[] = [];
  const keys: number[] = [];
  let total = 0;
  for (const [at, source] of kinds.entries()) {
    const isWanted = kind === 'all' || kind === source.kind;
    for (const name of source.names()) {
      total++;
      if (isWanted && matches(name)) {
        names.push(name);
        kindOf.push(at);
        keys.push(keyOf(source, name, sort, span));
      }
      if (turns.isOver()) await turns.next();
    }
  }
  const compare = (one: number, other: number): number => {
    if (keys[one] !== keys[other]) return keys[one]! > keys[other]! ? -1 : 1;
    if (names[one] !== names[other]) return names[one]! < names[other]! ? -1 : 1;
    return one - other; // of several kinds, in their order
  };
  const indexes = await sortedIndexes(names.length, compare, turns);
  const inOrder: string[] = [];
  const kindAt = new Uint8Array(indexes.length);
  for (const index of indexes) {
    kindAt[inOrder.length] = kindOf[index]!;
    inOrder.push(names[index]!);
    if (turns.isOver()) await turns.next();
  }
  return { total, names: inOrder, kindAt, version };
}

/** What names are sorted by before the name itself: the highest first. */
function keyOf(source: KindSource, name: string, sort: Order['sort'], span: RateSpan): number {
  if (sort === 'name') return 0;
  return sort === 'rate' ? source.rate(name, span) : (source.p99(name) ?? -Infinity);
}
