import { createHyperLogLog, type HyperLogLog } from './hyperloglog.ts';
import type { SetChunk, SetFault, SetStore } from './set-store.ts';

/** Sets take so much at most, and the last one 16 KiB more. */
export const MEMORY_SETS_BYTES_MAX: number = 64 << 20;

/** Creates sets in memory, that answer as Redis does. They are forgotten when they expire. */
export function createMemorySets(wallNowMs: () => number): Omit<SetStore, 'connect' | 'connected'> {
  const sets = new Map<string, { unique: HyperLogLog; expireAt: number }>();
  let heldBytes = 0;
  return {
    addMembers(chunks, onCount) {
      const faults = new Map<number, SetFault>();
      for (const [at, chunk] of chunks.entries()) {
        if (!add(chunk)) faults.set(at, 'sets_full');
        else onCount?.(at, sets.get(chunk.key)!.unique.count());
      }
      return Promise.resolve(faults);
    },
    countMembers(key) {
      const found = sets.get(key);
      return Promise.resolve(found === undefined || isOver(found) ? 0 : found.unique.count());
    },
  };

  /** False where there is no room for what a set might take; those of full size go on. */
  function add({ key, expireAt, members }: SetChunk): boolean {
    const found = sets.get(key) ?? { unique: createHyperLogLog(), expireAt };
    if (!found.unique.isFullSize) {
      if (heldBytes >= MEMORY_SETS_BYTES_MAX) forgetExpired();
      if (heldBytes >= MEMORY_SETS_BYTES_MAX) return false;
    }
    const before = sets.has(key) ? found.unique.heldBytes : 0;
    sets.set(key, found);
    found.expireAt = expireAt;
    for (const member of members) found.unique.add(member);
    heldBytes += found.unique.heldBytes - before;
    return true;
  }

  function isOver({ expireAt }: { expireAt: number }): boolean {
    return expireAt * 1000 <= wallNowMs();
  }

  function forgetExpired(): void {
    for (const [key, one] of sets) {
      if (!isOver(one)) continue;
      sets.delete(key);
      heldBytes -= one.unique.heldBytes;
    }
  }
}
