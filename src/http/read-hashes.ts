import { createTurns } from '../live/turns.ts';
import { HashFault, type Store } from '../sinks/store.ts';

/** The counters of every hash, in order. */
export type HashFields = [hash: string, fields: [field: string, value: string][]][];

/** Returns what stands for the fields of a hash that is of another type. */
type OnFault = (hash: string, fault: HashFault) => HashFields[number][1];

/**
 * Reads every hash out of the store; a hash of another type has no counters, which is no reason not
 * to show those of others. Rejects where the store does not answer.
 *
 * @param isWanted asked between hashes, of which there may be thousands: no more are read then.
 * @param onFault may throw, if a hash that cannot be read must not be taken for an empty one.
 */
export async function readHashes(
  store: Store,
  hashes: readonly string[],
  isWanted: () => boolean = () => true,
  onFault: OnFault = () => [],
): Promise<HashFields> {
  const turns = createTurns();
  const found: HashFields = [];
  for (const hash of hashes) {
    if (!isWanted()) break;
    const fields = await store.read(hash).catch((error: unknown) => {
      if (error instanceof HashFault) return onFault(hash, error);
      throw error;
    });
    found.push([hash, fields]);
    // A store in memory answers at once, and without this so would all of them together.
    if (turns.isOver()) await turns.next();
  }
  return found;
}

/** The same, but rejects with a {@link HashFault} that names the hash where one cannot be read. */
export async function readEveryHash(store: Store, hashes: readonly string[]): Promise<HashFields> {
  return readHashes(store, hashes, undefined, (hash, cause) => {
    throw new HashFault(`${hash} cannot be read: ${cause.message}`, { cause });
  });
}
