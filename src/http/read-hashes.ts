import { createTurns } from '../live/turns.ts';
import { HashFault, type Store } from '../sinks/store.ts';

/** The counters of every hash, in order. */
export type HashFields = [hash: string, fields: [field: string, value: string][]][];

/**
 * Reads every hash out of the store; a hash of another type has no counters, which is no reason not
 * to show those of others. Rejects where the store does not answer.
 *
 * @param isWanted asked between hashes, of which there may be thousands: no more are read then.
 */
export async function readHashes(
  store: Store,
  hashes: readonly string[],
  isWanted: () => boolean = () => true,
): Promise<HashFields> {
  const turns = createTurns();
  const found: HashFields = [];
  for (const hash of hashes) {
    if (!isWanted()) break;
    const fields = await store.read(hash).catch((error: unknown) => {
      if (error instanceof HashFault) return [];
      throw error;
    });
    found.push([hash, fields]);
    // A store in memory answers at once, and without this so would all of them together.
    if (turns.isOver()) await turns.next();
  }
  return found;
}
