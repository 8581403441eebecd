import { createHyperLogLog, type HyperLogLog } from './hyperloglog.ts';
import { type SetChunk, SetsFull, type SetStore } from './set-store.ts';

/** So many sets are kept at once: 64 MiB. */
export const MEMORY_SETS_MAX = 4096;

/** Creates sets in memory, that answer as Redis does. They are forgotten when they expire. */
export function createMemorySets(wallNowMs: () => number): Omit<SetStore, 'connect' | 'connected'> {
  const sets = new Map<string, { unique: HyperLogLog; expireAt: number }>();
  return {
    addMembers({ key, expireAt, members }: SetChunk) {
      if (!sets.has(key) && sets.size >= MEMORY_SETS_MAX) forgetExpired();
      const found = sets.get(key) ?? { unique: createHyperLogLog(), expireAt };
      if (!sets.has(key) && sets.size >= MEMORY_SETS_MAX) {
        return Promise.reject(new SetsFull(`${MEMORY_SETS_MAX} sets are kept already`));
      }
      sets.set(key, found);
      found.expireAt = expireAt;
      for (const member of members) found.unique.add(member);
      return Promise.resolve(found.unique.count());
    },
    countMembers(key) {
      const found = sets.get(key);
      return Promise.resolve(found === undefined || isOver(found) ? 0 : found.unique.count());
    },
  };

  function isOver({ expireAt }: { expireAt: number }): boolean {
    return expireAt * 1000 <= wallNowMs();
  }

  function forgetExpired(): void {
    for (const [key, one] of sets) if (isOver(one)) sets.delete(key);
  }
}
