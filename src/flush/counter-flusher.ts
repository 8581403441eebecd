import { setImmediate } from 'node:timers/promises';

import { errorText } from '../errors.ts';
import { fitsInt64, HashFault, type Store } from '../sinks/store.ts';
import { type Backoff, createBackoff } from './backoff.ts';
import type { CounterBook, CounterItem } from './counter-book.ts';
import { createHealth, type Health, type Log } from './health.ts';
import type { Lane, LaneChunk, LanePart, Share } from './lanes.ts';
import {
  createLanes,
  cutChunks,
  drop,
  hold,
  numbered,
  pendingAmounts,
  release,
  written,
} from './lanes.ts';
import type { Layout } from './layout.ts';
import { createPump } from './pump.ts';
import { createSparing } from './sparing.ts';
import { countDropped, createTally, type Tally } from './tally.ts';
import type { Time } from './time.ts';

/** What a counter flusher works with. */
export interface CounterFlusherParts {
  book: CounterBook;
  store: Store;
  layout: Layout;
  time: Time;
  random: () => number;
  log: Log;
  /** How many hashes are remembered; the longest idle of more are forgotten. */
  lanesMax: number;
}

/**
 * Writes the counters to the store: one batch in flight, whose chunks go one after the other, each
 * sent until it is answered. What is counted meanwhile merges in the book, and so does what waits
 * there for its turn: of many names a batch takes some at a time, so that no task grows long.
 */
export interface CounterFlusher {
  readonly tally: Tally;
  readonly health: Health;
  /** Samples taken out of the book and not accounted for yet. */
  readonly pendingSamples: number;
  /** The hashes that refuse, why, and since when; each is tried again by itself. */
  readonly refusing: ReadonlyMap<string, Refusal>;
  /** The first of those and why, as a text; undefined when none refuses. */
  refused(): string | undefined;
  /** The hashes written to so far, in the order of their first chunk. */
  hashes(): string[];
  /** What is in flight or held back, by name: not in every hash yet. A copy. */
  pendingAmounts(): Map<string, number>;
  /** Begins a batch unless one is in flight. Returns at once. */
  flush(): void;
  /**
   * Writes what is in the book, behind a batch in flight if there is one. Rejects with what a try
   * failed of, or {@link HashFault} where a hash refuses: what is left is then tried again.
   */
  write(): Promise<void>;
  /** Resolves when no try is under way. */
  settled(): Promise<void>;
  /**
   * Delivers everything, remainders rounded, trying again for as long as it takes; resolves when
   * nothing is left or when `stop` was called. May be called again for what came since.
   */
  flushLast(): Promise<void>;
  /** Gives up what is not delivered. */
  stop(): void;
}

/** A hash that does not take counters. */
export interface Refusal {
  readonly reason: string;
  /** On the flusher's clock. */
  readonly sinceMs: number;
}

/** So many names are laid out in one go: a few milliseconds. */
const NAMES_PER_TURN = 5000;
const BACKOFF_FIRST_MS = 100;
const BACKOFF_MAX_MS = 5000;

/** Creates a counter flusher; it does nothing until it is told to. */
export function createCounterFlusher(parts: CounterFlusherParts): CounterFlusher {
  const { book, store, layout, time, random, log } = parts;
  const tally = createTally();
  const nowMs = (): number => time.nowMs();
  const health = createHealth(store.label, { isUp: store.connected, nowMs, log });
  const lanes = createLanes(parts.lanesMax, newBackoff);
  const mayBeSaid = createSparing(nowMs, 1000);
  const refusing = new Map<string, Refusal>();
  const backoff = newBackoff();
  // What is left of the batch in flight; its first chunk may have been sent already. And how many
  // names in the book are still to come into it.
  let batch: LaneChunk[] = [];
  let namesLeft = 0;
  let pendingSamples = 0;
  // Samples of the batch that have nothing to write: their fractions wait in the book.
  let fractionSamples = 0;
  let batchStartMs = 0;
  let sent = false;
  // Numbers of the batch begun last, and of the one that was finished last.
  let begun = 0;
  let finished = 0;
  // At the end everything is to go, and then the last cut has been made.
  let last = false;
  let lastCut = false;
  const onFailure = (error: unknown): void => health.failed(errorText(error));
  const pump = createPump({ work, onFailure, backoff, time });

  return {
    tally,
    health,
    refusing,
    refused,
    get pendingSamples() {
      return pendingSamples;
    },
    hashes: () => lanes.hashes(),
    pendingAmounts: () => pendingAmounts(batch, lanes.all()),
    flush: () => pump.kick(),
    write,
    settled: () => pump.settled(),
    flushLast,
    stop: () => pump.stop(),
  };

  async function work(): Promise<void> {
    if (batch.length === 0 && namesLeft === 0) layOut(begin());
    sent = batch.length > 0;
    for (;;) {
      if (batch.length === 0) layOut();
      sent ||= batch.length > 0;
      // Also with nothing to send, to see whether it is there; but not at the end.
      if (!store.connected && (sent || !last)) await store.connect();
      while (batch.length > 0 && !pump.stopped) await sendFirst();
      if (pump.stopped) return;
      if (namesLeft === 0) break;
      await setImmediate(); // a store in memory answers at once: others want a turn too
    }
    finish();
  }

  /** Begins a batch; returns what hashes have held back that are due again. */
  function begin(): Map<Lane, LanePart[]> {
    batchStartMs = time.nowMs();
    begun++;
    lastCut = last;
    if (last) book.roundRemainders();
    namesLeft = book.queued;
    const byLane = new Map<Lane, LanePart[]>();
    const released = new Map<string, Share>();
    for (const lane of lanes.all()) {
      if (lane.held.size === 0 || lane.retryAtMs > batchStartMs) continue;
      byLane.set(lane, withinInt64(lane, release(lane, released)));
    }
    return byLane;
  }

  /** Lays the next names out over the hashes. Those that refuse hold theirs back. */
  function layOut(byLane = new Map<Lane, LanePart[]>()): void {
    const items = book.cut(Math.min(namesLeft, NAMES_PER_TURN));
    namesLeft = Math.max(0, namesLeft - NAMES_PER_TURN);
    for (const item of items) {
      pendingSamples += item.samples;
      if (item.amount === 0 && !item.first) fractionSamples += item.samples;
      else if (fitsInt64(item.amount)) place(item, byLane);
      else dropped(item.name, 'overflow', item.samples);
    }
    for (const [lane, laneParts] of byLane) {
      if (lane.held.size === 0) batch.push(...cutChunks(lane, laneParts));
      else for (const part of laneParts) hold(lane, part);
    }
  }

  /** What was merged while it was held back may have grown too large. */
  function withinInt64(lane: Lane, held: LanePart[]): LanePart[] {
    return held.filter((part) => {
      const fits = fitsInt64(part.amount);
      if (!fits) dropped(`${lane.hash} ${part.share.name}`, 'overflow', drop(part));
      return fits;
    });
  }

  function place({ name, amount, samples }: CounterItem, byLane: Map<Lane, LanePart[]>): void {
    const places = layout.place(name);
    const share: Share = { name, samples, open: places.length, fate: 'own' };
    for (const { hash, field } of places) {
      const lane = lanes.of(hash);
      const laneParts = byLane.get(lane);
      const part = { field, amount, share };
      if (laneParts === undefined) byLane.set(lane, [part]);
      else laneParts.push(part);
    }
  }

  async function sendFirst(): Promise<void> {
    const chunk = batch[0]!;
    const { lane } = chunk;
    try {
      const faults = await store.apply(numbered(chunk, layout.name === 'split'));
      lane.seq++;
      batch.shift();
      for (const [index, part] of chunk.parts.entries()) {
        const fault = faults.get(index);
        if (fault === undefined) delivered(part);
        else dropped(`${lane.hash} ${part.share.name}`, fault, drop(part));
      }
      if (refusing.delete(lane.hash)) log('info', `${lane.hash} takes counters again`);
      lane.backoff.reset();
    } catch (error) {
      if (!(error instanceof HashFault)) throw error;
      holdBack(lane, error.message);
    }
  }

  /** A hash refuses, and nothing of the chunk was applied: the rest of its part waits for it. */
  function holdBack(lane: Lane, reason: string): void {
    for (const { parts: unsent } of batch.filter((chunk) => chunk.lane === lane)) {
      for (const part of unsent) hold(lane, part);
    }
    batch = batch.filter((chunk) => chunk.lane !== lane);
    lane.retryAtMs = time.nowMs() + lane.backoff.nextMs();
    if (refusing.has(lane.hash)) return;
    refusing.set(lane.hash, { reason, sinceMs: time.nowMs() });
    log('warn', `${lane.hash} refuses counters: ${reason}; they are kept until it takes them`);
  }

  /** Accounts for a part that was written, unless another hash still holds this name back. */
  function delivered(part: LanePart): void {
    const samples = written(part);
    if (samples === 0) return;
    const { name } = part.share;
    if (refusing.size > 0) {
      for (const { hash } of layout.place(name)) {
        const held = lanes.of(hash).held.get(name);
        if (held === undefined) continue;
        held.samples += samples;
        return;
      }
    }
    tally.delivered += samples;
    pendingSamples -= samples;
  }

  function dropped(what: string, reason: string, samples: number): void {
    countDropped(tally, reason, samples);
    pendingSamples -= samples;
    // A field that cannot be written comes again with each flush: once a second will do.
    if (!mayBeSaid(reason)) return;
    log('warn', `${JSON.stringify(what)}: ${samples} counter samples dropped: ${reason}`);
  }

  function finish(): void {
    tally.delivered += fractionSamples;
    pendingSamples -= fractionSamples;
    fractionSamples = 0;
    finished = begun;
    backoff.reset();
    lanes.forgetIdle();
    health.succeeded(sent ? time.nowMs() - batchStartMs : undefined);
  }

  /** In how many milliseconds a hash is due that holds something back. */
  function heldDueMs(): number | undefined {
    const due = Array.from(refusing.keys(), (hash) => lanes.of(hash).retryAtMs);
    return due.length === 0 ? undefined : Math.min(...due) - time.nowMs();
  }

  function newBackoff(): Backoff {
    return createBackoff(BACKOFF_FIRST_MS, BACKOFF_MAX_MS, random);
  }

  function refused(): string | undefined {
    const [first] = refusing;
    return first && `${first[0]} refuses: ${first[1].reason}`;
  }

  async function write(): Promise<void> {
    // What a try under way fails of may have passed.
    if (begun > finished) await pump.settled();
    for (const lane of lanes.all()) lane.retryAtMs = 0;
    const wanted = begun + 1;
    while (finished < wanted) await pump.turn();
    const refusal = refused();
    if (refusal !== undefined) throw new HashFault(refusal);
  }

  async function flushLast(): Promise<void> {
    last = true;
    lastCut = false;
    await pump.finish(() => (lastCut ? heldDueMs() : 0));
    last = false;
  }
}
