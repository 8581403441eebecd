import { setImmediate } from 'node:timers/promises';

import { errorText } from '../errors.ts';
import { type Chunk, type ChunkOutcome, HashFault, type Store } from '../sinks/store.ts';
import { type Backoff, createBackoff } from './backoff.ts';
import { createCounterBatch } from './counter-batch.ts';
import type { CounterBatch, Refusal } from './counter-batch-types.ts';
import type { CounterBook } from './counter-book.ts';
import type { GaugeBook } from './gauge-book.ts';
import { createHealth, type Health, type Log } from './health.ts';
import { type Journal, NO_JOURNAL } from './journal.ts';
import type { LaneChunk } from './lanes.ts';
import type { Layout } from './layout.ts';
import { createPump } from './pump.ts';
import type { Tally } from './tally.ts';
import type { Time } from './time.ts';

/** What a counter flusher works with. */
export interface CounterFlusherParts {
  book: CounterBook;
  /** Gauges, written with the counters; none, if absent. */
  gauges?: GaugeBook | undefined;
  store: Store;
  layout: Layout;
  time: Time;
  random: () => number;
  log: Log;
  /** How many hashes are remembered; the longest idle of more are forgotten. */
  lanesMax: number;
  /**
   * Writes what else goes to the store, once the rest of a batch is written, until it is told that
   * its time is over; returns whether nothing is left. Tried again likewise.
   */
  sendMore?: ((isOver: () => boolean) => Promise<boolean>) | undefined;
  /**
   * Is told what the first collection holds of a gauge that was written; NaN where the store does
   * not tell. Must not throw.
   */
  onGauge?: ((name: string, value: number) => void) | undefined;
  /** What another process could go on from; nothing, if absent. */
  journal?: Journal;
  /** Whether the remainders of fractions survive, and are not to be rounded at the end. */
  keepsRemainders?: () => boolean;
}

/**
 * Writes counters and gauges to the store: one batch in flight, whose chunks go one after the
 * other, each sent until it is answered. What is counted meanwhile merges in the books, and so does
 * what waits there for its turn: of many names a batch takes some at a time, so that no task grows
 * long.
 */
export interface CounterFlusher {
  /** What is on its way; for who remembers it. */
  readonly batch: CounterBatch;
  readonly tally: Tally;
  readonly health: Health;
  /** The same of gauges. */
  readonly gaugeTally: Tally;
  /** Samples of counters taken out of the book and not accounted for yet. */
  readonly pendingSamples: number;
  /** The same of gauges. */
  readonly pendingGaugeSamples: number;
  /** The hashes that refuse, why, and since when; each is tried again by itself. */
  readonly refusing: ReadonlyMap<string, Refusal>;
  /** The first of those and why, as a text; undefined when none refuses. */
  refused(): string | undefined;
  /** The hashes of counters written to so far, in the order of their first chunk. */
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

/** So long what else goes to the store keeps the next batch waiting. */
const MORE_MS = 200;
const BACKOFF_FIRST_MS = 100;
const BACKOFF_MAX_MS = 5000;

/** Creates a counter flusher; it does nothing until it is told to. */
export function createCounterFlusher(parts: CounterFlusherParts): CounterFlusher {
  const { book, store, time, random, log } = parts;
  const journal = parts.journal ?? NO_JOURNAL;
  const nowMs = (): number => time.nowMs();
  const health = createHealth(store.label, { isUp: store.connected, nowMs, log });
  const { gauges, layout, lanesMax } = parts;
  const batch = createCounterBatch({
    book,
    gauges,
    layout,
    journal,
    nowMs,
    log,
    lanesMax,
    newBackoff,
  });
  const backoff = newBackoff();
  let batchStartMs = 0;
  let sent = false;
  // The chunk that was sent last.
  let sending: LaneChunk | undefined;
  // Numbers of the batch begun last, and of the one that was finished last.
  let begun = 0;
  let finished = 0;
  // At the end everything is to go, and then the last cut has been made.
  let last = false;
  let lastCut = false;
  let isMoreLeft = false;
  const onFailure = (error: unknown): void => health.failed(errorText(error));
  const pump = createPump({ work, onFailure, backoff, time });

  return {
    batch,
    tally: batch.tally,
    gaugeTally: batch.gaugeTally,
    health,
    refusing: batch.refusing,
    refused,
    get pendingSamples() {
      return batch.pendingSamples;
    },
    get pendingGaugeSamples() {
      return batch.pendingGaugeSamples;
    },
    hashes: () => batch.lanes.hashes().filter((hash) => !layout.gaugeHashes.includes(hash)),
    pendingAmounts: () => batch.pendingAmounts(),
    flush: () => pump.kick(),
    write,
    settled: () => pump.settled(),
    flushLast,
    stop: () => pump.stop(),
  };

  async function work(): Promise<void | 'again'> {
    if (batch.chunks.length === 0 && batch.namesLeft === 0) begin();
    sent = batch.chunks.length > 0;
    for (;;) {
      if (batch.chunks.length === 0) batch.layOut();
      sent ||= batch.chunks.length > 0;
      // Also with nothing to send, to see whether it is there; but not at the end.
      if (!store.connected && (sent || !last)) await store.connect();
      while (batch.chunks.length > 0 && !pump.stopped) await sendFirst();
      if (pump.stopped) return;
      if (batch.namesLeft === 0) break;
      await setImmediate(); // a store in memory answers at once: others want a turn too
    }
    batch.finish();
    const overMs = time.nowMs() + MORE_MS;
    const isOver = (): boolean => pump.stopped || time.nowMs() > overMs;
    isMoreLeft = (await parts.sendMore?.(isOver)) === false;
    if (pump.stopped) return;
    finished = begun;
    backoff.reset();
    // At the end, where there was nothing to send, nobody has seen whether it is there.
    if (store.connected) health.succeeded(sent ? time.nowMs() - batchStartMs : undefined);
    return isMoreLeft ? 'again' : undefined;
  }

  function begin(): void {
    batchStartMs = time.nowMs();
    begun++;
    lastCut = last;
    if (last && parts.keepsRemainders?.() !== true) book.roundRemainders();
    batch.begin();
  }

  async function sendFirst(): Promise<void> {
    const chunk = batch.first();
    if (sending !== batch.chunks[0]) {
      sending = batch.chunks[0];
      journal.sending(chunk.hash, chunk.seq);
    }
    // Were it sent and the memory of it lost, another chunk would come under its number.
    const syncing = journal.synced();
    if (syncing !== undefined) await syncing;
    try {
      const changed = new Map<number, number>();
      const faults = await store.apply(chunk, (part, value) => changed.set(part, value));
      batch.applied(faults);
      tellGauges(chunk, faults, changed);
    } catch (error) {
      if (!(error instanceof HashFault)) throw error;
      batch.refused(error.message);
    }
  }

  function tellGauges(
    { hash, parts: written }: Chunk,
    faults: ChunkOutcome,
    changed: ReadonlyMap<number, number>,
  ): void {
    if (parts.onGauge === undefined || hash !== layout.gaugeHashes[0]) return;
    for (const [index, { field, amount, gauge }] of written.entries()) {
      if (gauge === undefined || faults.has(index)) continue;
      parts.onGauge(field ?? '', gauge === 'set' ? amount : (changed.get(index) ?? NaN));
    }
  }

  function newBackoff(): Backoff {
    return createBackoff(BACKOFF_FIRST_MS, BACKOFF_MAX_MS, random);
  }

  function refused(): string | undefined {
    const [first] = batch.refusing;
    return first && `${first[0]} refuses: ${first[1].reason}`;
  }

  async function write(): Promise<void> {
    // What a try under way fails of may have passed.
    if (begun > finished) await pump.settled();
    batch.retryHeld();
    const wanted = begun + 1;
    while (finished < wanted) await pump.turn();
    const refusal = refused();
    if (refusal !== undefined) throw new HashFault(refusal);
  }

  async function flushLast(): Promise<void> {
    last = true;
    lastCut = false;
    await pump.finish(() => (lastCut && !isMoreLeft ? batch.heldDueMs() : 0));
    last = false;
  }
}
