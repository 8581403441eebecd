import { createRegistry, type Registered } from './registry.ts';

/** A set as the main thread knows it. */
export interface SetEntry extends Registered {
  /** By day: what is not written yet. */
  readonly waiting: Map<string, { readonly members: Set<string>; samples: number }>;
  /** It stands in the queue of the next cut. */
  queued: boolean;
}

/** Members of one set and day, each once, on their way. */
export interface SetItem {
  readonly name: string;
  /** In UTC, such as `2026-01-31`. */
  readonly day: string;
  /** One character per byte. */
  readonly members: readonly string[];
  /** How many samples they stand for. */
  readonly samples: number;
}

/** The members of all sets, merged over intervals and ingest threads, waiting to be cut. */
export interface SetBook {
  /** How many names are known. */
  readonly size: number;
  /** How many samples wait for the next cut. */
  readonly pendingSamples: number;
  /** Half of the room is taken: it is time to write some, and who can wait with more does. */
  readonly isHalfFull: boolean;
  has(name: string): boolean;
  /** Returns the entry of a name, made if it is new. */
  entry(name: string): SetEntry;
  /**
   * Adds a sample: a member, one character per byte. False, and nothing added, where no room is
   * left for another member.
   */
  add(entry: SetEntry, day: string, member: string): boolean;
  /** Takes back what was remembered: members, each once, and how many samples they stand for. */
  addAll(item: SetItem): void;
  /** Takes what waits of the names that have waited longest; all of them, if no count is given. */
  cut(count?: number): SetItem[];
  /** What was cut is done with: there is room for others. */
  done(item: SetItem): void;
  /** What waits. */
  waiting(): Iterable<SetItem>;
  /** Takes out what waits of a name and day. */
  takeOut(name: string, day: string): void;
  /** Forgets names idle for the whole period that ends, and returns those that are not. */
  nextPeriod(): string[];
}

/** Characters of members that wait or are on their way; each takes some 60 bytes more. */
export const SET_BYTES_MAX: number = 16 << 20;
/** So many members may be held whatever their length. */
export const SET_MEMBERS_MAX: number = 1 << 20;

/** Creates an empty book. */
export function createSetBook(): SetBook {
  const names = createRegistry<SetEntry>((name, period) => {
    return { name, period, waiting: new Map(), queued: false };
  });
  let queue: SetEntry[] = [];
  let pendingSamples = 0;
  let heldBytes = 0;
  let heldMembers = 0;

  return {
    get size() {
      return names.size;
    },
    get pendingSamples() {
      return pendingSamples;
    },
    get isHalfFull() {
      return 2 * heldMembers > SET_MEMBERS_MAX || 2 * heldBytes > SET_BYTES_MAX;
    },
    has: (name) => names.has(name),
    entry: (name) => names.entry(name),
    add,
    addAll({ name, day, members, samples }) {
      const entry = names.entry(name);
      for (const member of members) add(entry, day, member);
      const ofDay = entry.waiting.get(day);
      if (ofDay === undefined) return;
      ofDay.samples += samples - members.length;
      pendingSamples += samples - members.length;
    },
    cut(count = Infinity) {
      const cut = queue.slice(0, count);
      queue = queue.slice(cut.length);
      const items = cut.flatMap(itemsOf);
      for (const { samples } of items) pendingSamples -= samples;
      for (const one of cut) {
        one.waiting.clear();
        one.queued = false;
      }
      return items;
    },
    done,
    *waiting() {
      for (const one of names.all()) yield* itemsOf(one);
    },
    takeOut(name, day) {
      const one = names.entry(name);
      for (const item of itemsOf(one)) {
        if (item.day !== day) continue;
        pendingSamples -= item.samples;
        done(item);
      }
      one.waiting.delete(day);
    },
    nextPeriod: () => names.nextPeriod((one) => one.queued),
  };

  function add(to: SetEntry, day: string, member: string): boolean {
    names.touch(to);
    const ofDay = to.waiting.get(day) ?? { members: new Set(), samples: 0 };
    if (!ofDay.members.has(member)) {
      if (heldMembers >= SET_MEMBERS_MAX || heldBytes + member.length > SET_BYTES_MAX) return false;
      heldMembers++;
      heldBytes += member.length;
      ofDay.members.add(member);
    }
    ofDay.samples++;
    pendingSamples++;
    to.waiting.set(day, ofDay);
    if (!to.queued) queue.push(to);
    to.queued = true;
    return true;
  }

  function itemsOf({ name, waiting }: SetEntry): SetItem[] {
    return Array.from(waiting, ([day, { members, samples }]) => {
      return { name, day, members: [...members], samples };
    });
  }

  function done({ members }: SetItem): void {
    heldMembers -= members.length;
    for (const member of members) heldBytes -= member.length;
  }
}

/** Returns the day of a moment, in UTC, such as `2026-01-31`. */
export function dayOf(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 10);
}

/** Returns the bytes of a member as a text, one character per byte: what `Set` can compare. */
export function memberText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
