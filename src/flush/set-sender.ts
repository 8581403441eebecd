import { createTurns } from '../live/turns.ts';
import { SET_SECONDS, type SetChunk, setKey, type SetStore } from '../sinks/set-store.ts';
import { createDropLog } from './drop-log.ts';
import type { Log } from './health.ts';
import type { Layout } from './layout.ts';
import { dayOf, type SetBook, type SetItem } from './set-book.ts';
import { countDropped, createTally, type Tally } from './tally.ts';

/** What a sender of sets works with. */
export interface SetSenderParts {
  book: SetBook;
  store: SetStore;
  layout: Pick<Layout, 'collections'>;
  /** Is told what needs not be remembered any more; nobody, if absent. */
  memory?: { membersGone(item: SetItem): void } | undefined;
  /**
   * Is told how many unique members the first collection has of one today, of a thousand names a
   * batch. Must not throw.
   */
  onCount?: ((name: string, unique: number) => void) | undefined;
  /** Is told that there is more room in the book. */
  onSettled?: (() => void) | undefined;
  wallNowMs: () => number;
  nowMs: () => number;
  log: Log;
}

/** Writes the members of sets to the store. Written twice they are the same: no numbers needed. */
export interface SetSender {
  readonly tally: Tally;
  /** Samples taken out of the book and not accounted for yet. */
  readonly pendingSamples: number;
  /** What is on its way; for who remembers it. */
  readonly items: readonly SetItem[];
  /**
   * Writes what waits, after what an earlier try has left, until it is told that its time is over;
   * returns whether nothing is left. Rejects with what it failed of. What is left is written with
   * the next call.
   */
  send(isOver: () => boolean): Promise<boolean>;
  /** Says what was dropped and no line of the log tells yet; `isLast`: all of it, at once. */
  sayDropped(isLast?: boolean): void;
  /** Today's sets that were written to: their day and names. */
  today(): { day: string; names: readonly string[] };
}

/** Members in one call, of one set or several: about a millisecond of Redis' time. */
const MEMBERS_MAX = 1000;
/** Bytes in one call, but for a single longer member. */
const BYTES_MAX = 1 << 20;
/** Of so many sets a batch it is asked how many members they have: 4 to 25 µs of Redis' time each. */
const COUNTED_MAX = 1000;
/** So many names are cut at once. */
const NAMES_PER_CUT = 1000;
/** So many names are told of. */
export const SET_NAMES_MAX = 100_000;

/** Creates a sender that does nothing until it is told to. */
export function createSetSender(parts: SetSenderParts): SetSender {
  const { book, store, layout, wallNowMs, log } = parts;
  const tally = createTally();
  const dropLog = createDropLog(parts.nowMs, log);
  let items: SetItem[] = [];
  let pendingSamples = 0;
  // How many sets have been counted with this call.
  let counted = 0;
  let today = '';
  let names = new Set<string>();

  return {
    tally,
    get pendingSamples() {
      return pendingSamples;
    },
    get items() {
      return items;
    },
    send,
    sayDropped: (isLast) => dropLog.say(isLast),
    today() {
      const day = dayOf(wallNowMs());
      return { day, names: day === today ? [...names] : [] };
    },
  };

  async function send(isOver: () => boolean): Promise<boolean> {
    dropLog.say();
    const turns = createTurns();
    counted = 0;
    for (;;) {
      if (items.length === 0) cut();
      if (items.length === 0) return true;
      if (isOver()) return false;
      if (!store.connected) await store.connect();
      const group = items.slice(0, groupLength(items));
      const faults = await write(group);
      items = items.slice(group.length);
      for (const item of group) settle(item, faults.get(item));
      dropLog.say();
      parts.onSettled?.();
      if (turns.isOver()) await turns.next();
    }
  }

  function cut(): void {
    items = book.cut(NAMES_PER_CUT);
    for (const { samples } of items) pendingSamples += samples;
  }

  /** Returns what a collection did not take, and why; the others have it all the same. */
  async function write(group: readonly SetItem[]): Promise<Map<SetItem, Fault>> {
    const faults = new Map<SetItem, Fault>();
    const expireAt = Math.floor(wallNowMs() / 1000) + SET_SECONDS;
    for (const [nth, collection] of layout.collections.entries()) {
      for (const call of callsOf(group)) {
        const chunks = call.map(({ item: { name, day }, members }): SetChunk => {
          return { key: setKey(collection, name, day), expireAt, members };
        });
        const isTold = nth === 0 && parts.onCount !== undefined && counted < COUNTED_MAX;
        if (isTold) counted += chunks.length;
        const onCount = (at: number, unique: number): void => tell(call[at]!.item, unique);
        for (const [at, reason] of await store.addMembers(chunks, isTold ? onCount : undefined)) {
          faults.set(call[at]!.item, { key: chunks[at]!.key, reason });
        }
      }
    }
    return faults;
  }

  function tell({ name, day }: SetItem, unique: number): void {
    if (day === dayOf(wallNowMs())) parts.onCount?.(name, unique);
  }

  function settle(item: SetItem, fault: Fault | undefined): void {
    pendingSamples -= item.samples;
    if (fault === undefined) delivered(item);
    else dropped(item, fault);
    book.done(item);
    parts.memory?.membersGone(item);
  }

  function delivered({ name, day, samples }: SetItem): void {
    tally.delivered += samples;
    if (day > today) {
      today = day;
      names = new Set();
    }
    if (day === today && names.size < SET_NAMES_MAX) names.add(name);
  }

  function dropped({ samples }: SetItem, { key, reason }: Fault): void {
    countDropped(tally, reason, samples);
    dropLog.add('set samples', key, reason, samples);
  }
}

/** Which key has not taken members, and why. */
interface Fault {
  readonly key: string;
  readonly reason: string;
}

/** Returns how many sets from the first on are written together: about as many as fill a call. */
function groupLength(items: readonly SetItem[]): number {
  let members = 0;
  const full = items.findIndex((item) => (members += item.members.length) >= MEMBERS_MAX);
  return full < 0 ? items.length : full + 1;
}

/** Some members of a set. */
interface Part {
  readonly item: SetItem;
  readonly members: string[];
}

/** Deals members out over as many calls as they need. */
function* callsOf(items: readonly SetItem[]): Generator<Part[]> {
  let call: Part[] = [];
  let count = 0;
  let bytes = 0;
  for (const item of items) {
    let part: Part | undefined;
    for (const member of item.members) {
      if (count >= MEMBERS_MAX || (count > 0 && bytes + member.length > BYTES_MAX)) {
        yield call;
        [call, count, bytes, part] = [[], 0, 0, undefined];
      }
      if (part === undefined) call.push((part = { item, members: [] }));
      part.members.push(member);
      count++;
      bytes += member.length;
    }
  }
  if (count > 0) yield call;
}
