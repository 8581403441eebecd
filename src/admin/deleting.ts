import type { CounterBook } from '../flush/counter-book.ts';
import type { CounterFlusher } from '../flush/counter-flusher.ts';
import type { GaugeBook } from '../flush/gauge-book.ts';
import { type Journal, type LaidOut } from '../flush/journal.ts';
import { type Layout, TOTAL_FIELD } from '../flush/layout.ts';
import type { Received } from '../flush/received.ts';
import { createTurns } from '../live/turns.ts';
import type { LifetimeHistograms } from '../window/lifetime-histograms.ts';
import type { LiveMemory } from '../window/live-memory.ts';
import type { Deleted } from './answers.ts';
import { type CountedParts, readCounters, readGauges } from './counted-names.ts';

/** What may be deleted. */
export type DeletedKind = 'counters' | 'gauges' | 'timers';

/** What names are deleted from. */
export interface DeletingParts extends CountedParts {
  books: { counters: CounterBook; gauges: GaugeBook };
  counterFlusher: Pick<CounterFlusher, 'write' | 'batch' | 'tally' | 'gaugeTally'>;
  journal: Journal;
  memory: Pick<LiveMemory, 'window' | 'trace' | 'history' | 'gauges'>;
  histograms: LifetimeHistograms | undefined;
  received: Received;
  /** Takes what was read into the books. */
  drain: () => Promise<void>;
  /** The collector is about to stop: what is on its way to a state directory stays as it is. */
  isStopping: () => boolean;
  /** Pages that are open have been told of what is not there any more. */
  tellAnew: () => void;
}

/**
 * Deletes names.
 *
 * @param words names, each as it is; and what ends in `.*` stands also for all that begin as it
 *   does, up to the dot. In their order: what one has deleted the next one does not find.
 */
export type Delete = (kind: DeletedKind, words: readonly string[]) => Promise<Deleted[]>;

/** Each drain reads what lies in the sockets, of much of it some: so often is looked for more. */
const DRAINS_MAX = 10;

/**
 * Returns what deletes names; undefined where the store is everybody's.
 *
 * What was sent before is counted first, and is gone with its name: from the store, of each
 * collection; with what remains of its fractions; from the page, its history, and what Prometheus
 * reads. It has been delivered all the same, and a timing still goes to its trap. What comes from
 * then on counts from 0. A name goes in one step, so that nothing of what comes meanwhile is lost
 * halfway.
 */
export function createDelete(parts: DeletingParts): Delete | undefined {
  const { store, layout, books, memory, histograms, counterFlusher } = parts;
  const { batch, tally, gaugeTally } = counterFlusher;
  const { remove } = store;
  if (remove === undefined) return undefined;

  const kinds: Record<DeletedKind, Names> = {
    counters: { all: async () => namesOf(await readCounters(parts)), remove: removeCounter },
    gauges: { all: async () => namesOf(await readGauges(parts)), remove: removeGauge },
    timers: { all: () => Promise.resolve(timerNames()), remove: removeTimer },
  };

  return async (kind, words) => {
    await drainAll();
    if (kind !== 'timers') await counterFlusher.write();
    const found = await deleteWords(kinds[kind], words);
    if (found.some(({ names }) => names.length > 0)) parts.tellAnew();
    return found;
  };

  /** Until nothing more comes, or so much that nobody could tell what was before the command. */
  async function drainAll(): Promise<void> {
    let before = -1;
    for (let drains = 0; drains < DRAINS_MAX; drains++) {
      await parts.drain();
      const lines = linesOf(parts.received);
      if (drains > 0 && lines === before) return;
      before = lines;
    }
  }

  /** What there is to be deleted is looked at name by name, for a while. */
  function assertGoing(): void {
    if (parts.isStopping()) throw new Error('the collector stops');
  }

  function removeCounter(name: string): boolean {
    assertGoing();
    let isFound = false;
    for (const { hash, field } of layout.place(name)) {
      if (remove!(hash, field, layout.name === 'split')) isFound = true;
    }
    for (const spelling of samePlace(layout, name)) {
      memory.trace.remove(spelling);
      memory.history.forget('counter', spelling);
      const waiting = books.counters.forget(spelling);
      if (waiting === undefined) continue;
      isFound = true;
      // As if they had been written a moment before.
      tally.delivered += waiting.samples;
      if (waiting.amount === 0 && waiting.samples === 0) continue;
      remember({ items: [{ name: spelling, first: false, ...waiting }] });
    }
    return isFound;
  }

  function removeGauge(name: string): boolean {
    assertGoing();
    let isFound = false;
    for (const { hash, field } of layout.placeGauge(name)) {
      if (remove!(hash, field, false)) isFound = true;
    }
    memory.gauges.forget(name);
    const samples = books.gauges.forget(name);
    if (samples === 0) return isFound;
    gaugeTally.delivered += samples;
    remember({ gauges: [{ name, samples, value: 0, absolute: true }] });
    return true;
  }

  /** What waits in the books is not to come back with the next start. */
  function remember(taken: Partial<LaidOut>): void {
    const { fractionSamples } = batch;
    const nothing = { items: [], gauges: [], released: [], chunks: [], held: [], fractionSamples };
    parts.journal.laidOut({ ...nothing, ...taken });
  }

  function removeTimer(name: string): boolean {
    memory.history.forget('timing', name);
    const wasInWindow = memory.window.remove(name);
    return (histograms?.remove(name) ?? false) || wasInWindow;
  }

  function* timerNames(): Generator<string> {
    yield* memory.window.names();
    for (const name of histograms?.names() ?? []) if (!memory.window.has(name)) yield name;
  }
}

/** The names of a kind. */
interface Names {
  all(): Promise<Iterable<string>>;
  /** Deletes one; false where it is not there. */
  remove(name: string): boolean;
}

function linesOf({ linesAccepted, linesRejected }: Received): number {
  return [...linesRejected.values()].reduce((sum, count) => sum + count, linesAccepted);
}

function* namesOf(counted: Iterable<readonly [name: string, value: string]>): Generator<string> {
  for (const [name] of counted) yield name;
}

/** Names that a layout puts into one field: they can only be deleted together. */
function samePlace({ name: layout }: Layout, name: string): string[] {
  const dot = name.indexOf('.');
  if (layout === 'flat') return [name];
  const first = dot < 0 ? name : name.slice(0, dot);
  const rest = dot < 0 ? '' : name.slice(dot + 1);
  if (rest === '') return [first, `${first}.`];
  const total = [TOTAL_FIELD, `(${TOTAL_FIELD})`];
  return total.includes(rest) ? total.map((one) => `${first}.${one}`) : [name];
}

/** Goes through all names once, however many words there are. */
async function deleteWords(names: Names, words: readonly string[]): Promise<Deleted[]> {
  const turns = createTurns();
  const matching = words.some((word) => word.endsWith('.*'))
    ? await matchesOf(await names.all(), words)
    : new Map<number, string[]>();
  const deleted: Deleted[] = [];
  for (const [at, word] of words.entries()) {
    const found: string[] = [];
    for (const name of [word, ...(matching.get(at) ?? [])]) {
      if (names.remove(name)) found.push(name);
      if (turns.isOver()) await turns.next();
    }
    deleted.push({ word, names: found });
  }
  return deleted;
}

/** Returns, by the place of a word that ends in `.*`, the names that it is the first one to match. */
async function matchesOf(
  names: Iterable<string>,
  words: readonly string[],
): Promise<Map<number, string[]>> {
  const turns = createTurns();
  const places = new Map<string, number>();
  for (const [at, word] of words.entries()) {
    const prefix = word.slice(0, -1);
    if (word.endsWith('.*') && !places.has(prefix)) places.set(prefix, at);
  }
  const matching = new Map<number, string[]>(Array.from(places.values(), (at) => [at, []]));
  for (const name of names) {
    let first = Infinity;
    for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      first = Math.min(first, places.get(name.slice(0, dot + 1)) ?? Infinity);
    }
    matching.get(first)?.push(name);
    if (turns.isOver()) await turns.next();
  }
  return matching;
}
