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
    const counts: SetCounts[number][1] = [];
    for (const name of names) {
      if (!isWanted()) return found;
      const key = setKey(collection, name, day);
      const count = await store.countMembers(key).catch((error: unknown) => {
        if (error instanceof HashFault) return undefined;
        throw error;
      });
      if (count !== undefined) counts.push([name, String(count)]);
      if (turns.isOver()) await turns.next();
    }
    found.push([collection, counts]);
  }
  return found;
}
