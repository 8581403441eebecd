import { hashRange } from './key-index.ts';
import type { LedgerLimits } from './ledger.ts';

/** How many sets of tags each name of a ledger has. */
export interface TagSets {
  /** What is counted, for one who goes on with it; another piece of memory when it has grown. */
  readonly memory: SharedArrayBuffer;
  /** Returns how many a name has, which lies at the beginning of memory; `max` stands for more. */
  count(view: DataView, nameLength: number): number;
  /** Counts one more. */
  add(view: DataView, nameLength: number): void;
}

/** Behind the name, what is counted of sets of tags beyond its limit. */
const OTHER = 'other=true';

/** Returns the name that further sets of tags of a name are counted under. */
export function otherTags(bare: string): string {
  return `${bare};${OTHER}`;
}

/** Whether it is such a name: it has these tags and no others. */
export function isOtherTags(name: string): boolean {
  return name.endsWith(`;${OTHER}`) && name.indexOf(';') === name.length - OTHER.length - 1;
}

/**
 * Creates the counts of a ledger, or goes on with those of a writer before: the one who makes names
 * known to a fresh ledger is not the thread that writes into it then.
 *
 * A hash table, half full at most. A name is known by two hashes of it, 64 bits in all:
 *
 *     names in it │ hash  other hash  sets │ hash  other hash  sets │ …
 *
 * Each name in it has an entry of its own in the ledger, so that the ledger's limit bounds it too:
 * to 24 bytes a name. Cost: nothing for known spellings; some 100 ns for a new set of tags.
 *
 * @param max counts beyond it are of no interest.
 */
export function createTagSets(
  max: number,
  seed: number,
  from: SharedArrayBuffer = new SharedArrayBuffer(4 * (1 + SLOT_WORDS * SLOTS_FIRST)),
): TagSets {
  let words = new Int32Array(from);
  const otherSeed = Math.imul(seed ^ 0x5bd1e995, 0x85ebca6b);
  return {
    get memory() {
      return words.buffer;
    },
    count: (view, nameLength) => words[find(view, nameLength) + 2]!,
    add(view, nameLength) {
      const at = find(view, nameLength);
      if (words[at + 2] === 0) {
        words[at] = hashRange(seed, view, 0, nameLength);
        words[at + 1] = hashRange(otherSeed, view, 0, nameLength);
        words[0] = words[0]! + 1;
      }
      words[at + 2] = Math.min(max, words[at + 2]! + 1);
      if (2 * words[0]! > slots()) grow();
    },
  };

  function slots(): number {
    return (words.length - 1) / SLOT_WORDS;
  }

  /** Returns where a name's words are, or those that it can take. */
  function find(view: DataView, nameLength: number): number {
    return place(hashRange(seed, view, 0, nameLength), hashRange(otherSeed, view, 0, nameLength));
  }

  function place(hash: number, other: number): number {
    const mask = slots() - 1;
    // What a hash's multiplications do reaches its upper bits first.
    for (let slot = (hash ^ (hash >>> 16)) & mask; ; slot = (slot + 1) & mask) {
      const at = 1 + SLOT_WORDS * slot;
      if (words[at + 2] === 0 || (words[at] === hash && words[at + 1] === other)) return at;
    }
  }

  function grow(): void {
    const before = words;
    words = new Int32Array(new SharedArrayBuffer(4 * (1 + 2 * (before.length - 1))));
    words[0] = before[0]!;
    for (let old = 1; old < before.length; old += SLOT_WORDS) {
      if (before[old + 2] === 0) continue;
      const at = place(before[old]!, before[old + 1]!);
      for (let of = 0; of < SLOT_WORDS; of++) words[at + of] = before[old + of]!;
    }
  }
}

/**
 * Returns whether a spelling of so many bytes may be remembered that shares its entry with others'
 * tags, and counts it: such spellings get an eighth of the room for all, because tags that never
 * come twice must not take the room of names. One that is not remembered is looked up the long way.
 */
export function createFoldedRoom({
  entriesMax,
  nameBytesMax,
}: LedgerLimits): (bytes: number) => boolean {
  let entries = Math.floor(entriesMax / 8);
  let bytesLeft = Math.floor(nameBytesMax / 8);
  return (bytes) => {
    if (entries < 1 || bytesLeft < bytes) return false;
    entries--;
    bytesLeft -= bytes;
    return true;
  };
}

const SLOT_WORDS = 3;
const SLOTS_FIRST = 256;
