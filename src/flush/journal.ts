import type { Chunk, ChunkOutcome, ChunkPart } from '../sinks/store.ts';
import type { GaugeReading } from '../ledger/reader.ts';
import type { CounterItem } from './counter-book.ts';
import type { GaugeItem } from './gauge-book.ts';
import type { SetItem } from './set-book.ts';

/**
 * Remembers what samples go through on the main thread, so that another process can go on from
 * there. Each call is one step: it is remembered wholly or not at all. Without a state directory
 * nothing is remembered; see {@link NO_JOURNAL}.
 */
export interface Journal {
  /** What was taken out of the book and laid out over the hashes, in one step. */
  laidOut(what: LaidOut): void;
  /** A chunk is about to be sent for the first time. */
  sending(hash: string, seq: number): void;
  /** A chunk was applied but for these parts, and is not to be sent again. */
  applied(hash: string, seq: number, faults: ChunkOutcome): void;
  /** A hash refused a chunk: what is left for it is held back. */
  refused(hash: string, seq: number): void;
  /** The batch is over. */
  finished(): void;
  /** A body was made of what waited in the book. */
  bodyCut(body: CutBody): void;
  /** A body was answered, and is not to be sent again. */
  answered(seq: number): void;
  /**
   * Resolves when a loss of power takes nothing back of what was remembered so far; undefined where
   * there is nothing to wait for.
   */
  synced(): Promise<void> | undefined;
}

/** A step of laying out. */
export interface LaidOut {
  /** What was taken out of the book. */
  items: readonly CounterItem[];
  /** The same, of gauges. */
  gauges: readonly GaugeItem[];
  /** Hashes whose held parts were released before, to come again in `chunks`. */
  released: readonly string[];
  chunks: readonly PlacedChunk[];
  /** What was held back at once. */
  held: readonly { hash: string; part: PlacedPart }[];
  /** Samples of this batch that have nothing to write. */
  fractionSamples: number;
}

/** A chunk and whose samples are in it. */
export interface PlacedChunk extends Chunk {
  readonly parts: readonly PlacedPart[];
}

/** A part and whose samples it stands for. */
export interface PlacedPart extends ChunkPart {
  /** Parts of one share have its number. */
  readonly share: { readonly id: number; readonly name: string; readonly samples: number };
}

/** A body of timings, and what it took. */
export interface CutBody {
  seq: number;
  text: string;
  samples: number;
  taken: readonly TakenTimings[];
}

/** How many samples of a name were taken, the oldest, and what of its weights is carried on. */
export interface TakenTimings {
  name: string;
  samples: number;
  carry: number;
}

/** Remembers what was in a ledger. */
export interface DrainMemory {
  /**
   * Remembers, in one step, what a side held.
   *
   * @param mark of the side; see `LedgerSide.mark`.
   */
  drained(ledger: number, mark: number, what: DrainedSamples): void;
  /** A drain is over: what was remembered is in the books. */
  tend(): void;
  /** Whether ledgers are to be made anew, be there need of it or not. */
  wantsLedgers(): boolean;
}

/** What a side of a ledger held. */
export interface DrainedSamples {
  counters: { name: string; sum: number; samples: number }[];
  gauges: { name: string; reading: GaugeReading; samples: number }[];
  timings: { name: string; values: Float64Array; weights: Float64Array }[];
  sets: SetItem[];
}

/** What a journal has remembered of batches; in the order in which it was. */
export interface RestoreBatch {
  lane(hash: string, seq: number): void;
  chunk(chunk: PlacedChunk): void;
  held(hash: string, part: PlacedPart): void;
  released(hash: string): void;
  applied(hash: string, seq: number, faults: ChunkOutcome): void;
  refused(hash: string): void;
  fractions(samples: number): void;
  finished(): void;
  /** Gives up a chunk, and counts its samples as dropped. */
  dropped(hash: string, seq: number, reason: string): void;
}

/** Remembers nothing. */
export const NO_JOURNAL: Journal = {
  laidOut: () => {},
  sending: () => {},
  applied: () => {},
  refused: () => {},
  finished: () => {},
  bodyCut: () => {},
  answered: () => {},
  synced: () => undefined,
};
