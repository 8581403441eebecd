import { createTurns } from '../live/turns.ts';
import { HashFault } from '../sinks/store.ts';
import { SET_SECONDS, setKey, SetsFull, type SetStore } from '../sinks/set-store.ts';
import type { Log } from './health.ts';
import type { Layout } from './layout.ts';
import { dayOf, type SetBook, type SetItem } from './set-book.ts';
import { createSparing } from './sparing.ts';
import { countDropped, createTally, type Tally } from './tally.ts';

/** What a sender of sets works with. */
export interface SetSenderParts {
  book: SetBook;
  store: SetStore;
  layout: Pick<Layout, 'collections'>;
  /** Is told what needs not be remembered any more; nobody, if absent. */
  memory?: { membersGone(item: SetItem): void } | undefined;
  /** Is told how many unique members the first collection has of one today. Must not throw. */
  onCount?: ((name: string, unique: number) => void) | undefined;
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
   * Writes what waits, after what an earlier try has left. Rejects with what it failed of; what is
   * left is then tried again with the next call.
   */
  send(isStopped: () => boolean): Promise<void>;
  /** Today's sets that were written to: their day and names. */
  today(): { day: string; names: readonly string[] };
}

/** Members in one call: about a millisecond of Redis' time. */
const MEMBERS_MAX = 1000;
/** Bytes in one call, but for a single longer member. */
const BYTES_MAX = 1 << 20;
/** So many names are cut at once. */
const NAMES_PER_CUT = 1000;
/** So many names are told of. */
export const SET_NAMES_MAX = 100_000;

/** Creates a sender that does nothing until it is told to. */
export function createSetSender(parts: SetSenderParts): SetSender {
  const { book, store, layout, wallNowMs, log } = parts;
  const tally = createTally();
  const mayBeSaid = createSparing(parts.nowMs, 1000);
  let items: SetItem[] = [];
  let pendingSamples = 0;
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
    today() {
      const day = dayOf(wallNowMs());
      return { day, names: day === today ? [...names] : [] };
    },
  };

  async function send(isStopped: () => boolean): Promise<void> {
    const turns = createTurns();
    for (;;) {
      if (items.length === 0) cut();
      const [item] = items;
      if (item === undefined || isStopped()) return;
      if (!store.connected) await store.connect();
      const fault = await write(item);
      items = items.slice(1);
      pendingSamples -= item.samples;
      if (fault === undefined) delivered(item);
      else dropped(item, fault);
      book.done(item);
      parts.memory?.membersGone(item);
      if (turns.isOver()) await turns.next();
    }
  }

  function cut(): void {
    items = book.cut(NAMES_PER_CUT);
    for (const { samples } of items) pendingSamples += samples;
  }

  /** Returns why a collection did not take it; the others have it all the same. */
  async function write({ name, day, members }: SetItem): Promise<string | undefined> {
    let fault: string | undefined;
    let unique: number | undefined;
    for (const [at, collection] of layout.collections.entries()) {
      const key = setKey(collection, name, day);
      const expireAt = Math.floor(wallNowMs() / 1000) + SET_SECONDS;
      try {
        for (const part of chunksOf(members)) {
          unique = await store.addMembers({ key, expireAt, members: part });
        }
        const isToday = at === 0 && day === dayOf(wallNowMs());
        if (isToday && unique !== undefined) parts.onCount?.(name, unique);
      } catch (error) {
        if (error instanceof SetsFull) fault = 'sets_full';
        else if (error instanceof HashFault) fault = 'wrong_type';
        else throw error;
      }
    }
    return fault;
  }

  function delivered({ name, day, samples }: SetItem): void {
    tally.delivered += samples;
    if (day > today) {
      today = day;
      names = new Set();
    }
    if (day === today && names.size < SET_NAMES_MAX) names.add(name);
  }

  function dropped({ name, samples }: SetItem, reason: string): void {
    countDropped(tally, reason, samples);
    if (!mayBeSaid(reason)) return;
    log('warn', `${JSON.stringify(name)}: ${samples} set samples dropped: ${reason}`);
  }
}

function* chunksOf(members: readonly string[]): Generator<string[]> {
  let chunk: string[] = [];
  let bytes = 0;
  for (const member of members) {
    if (chunk.length >= MEMBERS_MAX || (chunk.length > 0 && bytes + member.length > BYTES_MAX)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(member);
    bytes += member.length;
  }
  if (chunk.length > 0) yield chunk;
}
