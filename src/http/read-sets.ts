import { sideBySide } from '../flush/side-by-side.ts';
import { createTurns } from '../live/turns.ts';
import { setKey, type SetStore } from '../sinks/set-store.ts';
import { HashFault } from '../sinks/store.ts';

/** Where the numbers of sets are read from. */
export interface SetSources {
  collections: readonly string[];
  store: SetStore;
  /** Today's sets that this process has written to. */
  today: () => { day: string; names: readonly string[] };
}

/** By collection: names and how many unique members each has today, as text. */
export type SetCounts = [collection: string, counts: [name: string, count: string][]][];

/** So many questions are under way at once: one after the other, each would wait for its answer. */
const SIDE_BY_SIDE = 100;

/**
 * Reads how many unique members today's sets have, over all collectors; a key of another type has
 * none. Rejects where the store does not answer.
 *
 * @param isWanted asked between sets: no more are read then.
 */
export async function readSets(
  { collections, store, today }: SetSources,
  isWanted: () => boolean = () => true,
): Promise<SetCounts> {
  const turns = createTurns();
  const { day, names } = today();
  const found: SetCounts = [];
  for (const collection of collections) {
    const counts = new Map<string, string>();
    await sideBySide(names, { max: SIDE_BY_SIDE, isWanted }, async (name) => {
      if (turns.isOver()) await turns.next();
      const key = setKey(collection, name, day);
      const count = await store.countMembers(key).catch((error: unknown) => {
        if (error instanceof HashFault) return undefined;
        throw error;
      });
      if (count !== undefined) counts.set(name, String(count));
    });
    found.push([collection, [...counts]]);
  }
  return found;
}
