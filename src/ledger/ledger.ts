import { REJECT_REASONS } from '../protocol/reasons.ts';

/** How much a ledger can hold. All are fixed for its life; memory that is not touched costs nothing. */
export interface LedgerLimits {
  /** Names and spellings together, 1 to 16,777,216. */
  entriesMax: number;
  /** Bytes of names and spellings. */
  nameBytesMax: number;
  /** Timings between two flips, per side. */
  timingsMax: number;
}

/** The most bytes of names that a ledger holds: a bound on what a flood of long names can take. */
export const NAME_BYTES_TOTAL_MAX: number = 64 * 1024 * 1024;
/** Timings per side: half of it is over 100 ms of the fastest ingest measured. */
const TIMINGS_PER_SIDE = 1 << 20;

/** Returns the limits for a number of names, as the collector uses them. */
export function ledgerLimits(entriesMax: number): LedgerLimits {
  return { entriesMax, nameBytesMax: NAME_BYTES_TOTAL_MAX, timingsMax: TIMINGS_PER_SIDE };
}

/**
 * A ledger: one region of shared memory that one writer adds to and one reader drains.
 *
 *     ┌─────────┬───────┬─────────┬───────┬──────────────────────┬──────────────────────┐
 *     │ control │ slots │ entries │ arena │ side 0               │ side 1               │
 *     │         │       │         │       │ stats sums log refus.│ stats sums log refus.│
 *     └─────────┴───────┴─────────┴───────┴──────────────────────┴──────────────────────┘
 *
 * - `control`: the flip's handshake and how many entries there are; see {@link Control}.
 * - `slots`: hash table, open addressing with linear probing; 0 is free, else entry + 1.
 * - `entries`: four words each: hash, offset of the bytes in the arena, `length << 1 | kind`, and
 *   the entry counted under: its own number for a name, the name's for another spelling of it.
 * - `arena`: the bytes of names and spellings, one behind the other.
 * - `sums`: per entry what was added and by how many samples, side by side in one cache line.
 * - `log`: `ids`, `values`, `weights` of the timings, in order of arrival.
 * - `refusals`: per reason the last refused line and who sent it.
 *
 * One side is written while the other is drained. A flip swaps them: the reader asks
 * (`requested`), the writer answers between two packets (`active`). After that the old side is the
 * reader's, who clears it before asking again. `entries` and `arena` only grow, and the reader
 * looks at no entry that came after the flip, so that neither needs a lock.
 */
export interface Ledger {
  readonly limits: LedgerLimits;
  /** The region; hand it to {@link openLedger} in another thread. */
  readonly memory: SharedArrayBuffer;
  readonly control: Int32Array;
  readonly slots: Int32Array;
  readonly entries: Int32Array;
  readonly arena: Uint8Array;
  readonly sides: readonly [LedgerSide, LedgerSide];
}

/** What is swapped by a flip; see {@link Ledger}. */
export interface LedgerSide {
  /** Counts since the last flip; see {@link Stat}. */
  readonly stats: Float64Array;
  readonly sums: Float64Array;
  readonly ids: Int32Array;
  readonly values: Float64Array;
  readonly weights: Float64Array;
  readonly refusals: Uint8Array;
}

/** The words of `control`. */
export const Control = {
  /** Number of the flip that the reader wants; written by the reader. */
  requested: 0,
  /** Number of the last flip done, whose lowest bit is the side being written; by the writer. */
  active: 1,
  /** How many entries there are; written by the writer. */
  entryCount: 2,
  /** How many bytes of the arena are taken; written by the writer. */
  arenaBytes: 3,
} as const;

/** The words of `stats`: everything that is counted beside the samples themselves. */
export const Stat = {
  datagrams: 0,
  bytes: 1,
  linesAccepted: 2,
  counterSamples: 3,
  timingSamples: 4,
  /** Timings that found the log full. */
  timingsDropped: 5,
  /** How many timings the log holds. */
  logLength: 6,
  /** Counter samples that alone are beyond 64 bits: they must not take others along. */
  countersOverflown: 7,
  /** Refused lines; one word per reason from here on. */
  rejected: 8,
} as const;
/** How many words `stats` has. */
export const STAT_COUNT: number = Stat.rejected + REJECT_REASONS.length;

/** One refusal: u8 length of the line, u8 length of the sender, then their bytes. */
export const REFUSED_LINE_BYTES_MAX = 200;
/** An IPv6 address in brackets, a scope and a port fit. */
export const REFUSED_SOURCE_BYTES_MAX = 80;
/** Bytes per reason in `refusals`. */
export const REFUSAL_BYTES: number = 2 + REFUSED_LINE_BYTES_MAX + REFUSED_SOURCE_BYTES_MAX;

/** Int32 words per entry. */
export const ENTRY_WORDS = 4;

/** Creates an empty ledger. Its memory is reserved, but taken only as it is touched. */
export function createLedger(limits: LedgerLimits): Ledger {
  return openLedger(new SharedArrayBuffer(regionBytes(limits)), limits);
}

/** Returns views of a region that {@link createLedger} made with the same limits. */
export function openLedger(memory: SharedArrayBuffer, limits: LedgerLimits): Ledger {
  const { entriesMax, nameBytesMax, timingsMax } = limits;
  let offset = 0;
  const place = (bytes: number): number => {
    const at = offset;
    offset += Math.ceil(bytes / 64) * 64; // a cache line each: no part shares one with another
    return at;
  };
  const words = (count: number): Int32Array => new Int32Array(memory, place(count * 4), count);
  const doubles = (count: number): Float64Array =>
    new Float64Array(memory, place(count * 8), count);
  const bytes = (count: number): Uint8Array => new Uint8Array(memory, place(count), count);
  const side = (): LedgerSide => ({
    stats: doubles(STAT_COUNT),
    sums: doubles(entriesMax * 2),
    ids: words(timingsMax),
    values: doubles(timingsMax),
    weights: doubles(timingsMax),
    refusals: bytes(REJECT_REASONS.length * REFUSAL_BYTES),
  });
  return {
    limits,
    memory,
    control: words(Object.keys(Control).length),
    slots: words(slotCount(entriesMax)),
    entries: words(entriesMax * ENTRY_WORDS),
    arena: bytes(nameBytesMax),
    sides: [side(), side()],
  };
}

/** At most half of the slots are ever taken, so that a probe stays short. */
function slotCount(entriesMax: number): number {
  return 2 ** Math.ceil(Math.log2(entriesMax * 2));
}

function regionBytes({ entriesMax, nameBytesMax, timingsMax }: LedgerLimits): number {
  const padding = 64 * 16;
  const perSide =
    STAT_COUNT * 8 + entriesMax * 16 + timingsMax * 20 + REJECT_REASONS.length * REFUSAL_BYTES;
  return (
    padding + slotCount(entriesMax) * 4 + entriesMax * ENTRY_WORDS * 4 + nameBytesMax + 2 * perSide
  );
}
