import type { Chunk, ChunkOutcome } from '../sinks/store.ts';
import type { Backoff } from './backoff.ts';
import type { CounterBook } from './counter-book.ts';
import type { GaugeBook } from './gauge-book.ts';
import type { Log } from './health.ts';
import type { Journal, RestoreBatch } from './journal.ts';
import type { LaneChunk, Lanes } from './lanes.ts';
import type { Layout } from './layout.ts';
import type { Tally } from './tally.ts';

/** What a batch is made with. */
export interface CounterBatchParts {
  book: CounterBook;
  /** None, if absent. */
  gauges?: GaugeBook | undefined;
  layout: Layout;
  journal: Journal;
  nowMs: () => number;
  log: Log;
  /** How many hashes are remembered; the longest idle of more are forgotten. */
  lanesMax: number;
  newBackoff: () => Backoff;
}

/** A hash that does not take counters. */
export interface Refusal {
  readonly reason: string;
  /** On the flusher's clock. */
  readonly sinceMs: number;
}

/**
 * The counters and gauges on their way out of the books: which chunks there are, in which order and
 * under which numbers, what hashes hold back, and what became of each sample. It sends nothing
 * itself.
 */
export interface CounterBatch {
  readonly tally: Tally;
  readonly lanes: Lanes;
  /** The same of gauges. */
  readonly gaugeTally: Tally;
  /** Samples of counters taken out of the book and not accounted for yet. */
  readonly pendingSamples: number;
  /** The same of gauges. */
  readonly pendingGaugeSamples: number;
  /** Those of them that have nothing to write: their fractions wait in the book. */
  readonly fractionSamples: number;
  readonly refusing: ReadonlyMap<string, Refusal>;
  /** The chunks laid out and not applied yet, in order. */
  readonly chunks: readonly LaneChunk[];
  /** How many names in the books are still to come into the batch. */
  readonly namesLeft: number;
  /** Begins a batch with what is in the book now; what refusing hashes hold is tried if it is due. */
  begin(): void;
  /** Lays the next names out over the hashes. */
  layOut(): void;
  /** The first chunk, as the store wants it. Asked again, it is the same. */
  first(): Chunk;
  /** The first chunk was applied. */
  applied(faults: ChunkOutcome): void;
  /** The hash of the first chunk refused it, and nothing of it was applied. */
  refused(reason: string): void;
  /** All chunks are gone. */
  finish(): void;
  /** Makes every hash that holds something back due at once. */
  retryHeld(): void;
  /** In how many milliseconds a hash is due that holds something back; undefined for none. */
  heldDueMs(): number | undefined;
  /** What of counters is in flight or held back, by name. A copy. */
  pendingAmounts(): Map<string, number>;
  /** Says what was dropped and no line of the log tells yet; `isLast`: all of it, at once. */
  sayDropped(isLast?: boolean): void;
  /** Puts back what a journal has remembered. */
  readonly restore: RestoreBatch;
}
