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
 *     │ control │ slots │ records │ arena │ side 0               │ side 1               │
 *     │         │       │         │       │ stats sums log refus.│ stats sums log refus.│
 *     └─────────┴───────┴─────────┴───────┴──────────────────────┴──────────────────────┘
 *
 * - `control`: the flip's handshake and how many entries there are; see {@link Control}.
 * - `slots`: hash table, open addressing with linear probing. Two words each: the hash, and where
 *   in the arena the key's record is, plus one; 0 is free. Only so many are in use as the entries
 *   need, so that few names stay close together in the caches.
 * - `records`: where each entry's record is.
 * - `arena`: one record per name or other spelling of it, in 32-bit words, so that a known key
 *   costs three cache misses: slot, record, sum.
 *
 *       entry counted under   name length:14 tags length:14 kind:1   hash   name…   tags…
 *
 *   Its own entry for a name, the name's for another spelling; name and tags filled up with zeros.
 * - `sums`: per entry what was added and by how many samples, side by side in one cache line.
 * - `log`: `ids`, `values`, `weights` of the timings, in order of arrival.
 * - `refusals`: per reason the last refused line and who sent it.
 *
 * One side is written while the other is drained. A flip swaps them: the reader asks
 * (`requested`), the writer answers between two packets (`active`). After that the old side is the
 * reader's, who clears it before asking again. `records` and `arena` only grow, and the reader
 * looks at no entry that came after the flip, so that neither needs a lock.
 */
export interface Ledger {
  readonly limits: LedgerLimits;
  /** The region; hand it to {@link openLedger} in another thread. */
  readonly memory: SharedArrayBuffer;
  readonly control: Int32Array;
  readonly slots: Int32Array;
  readonly records: Int32Array;
  readonly arena: Int32Array;
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
  /** How many bytes names and spellings have; written by the writer. */
  nameBytes: 3,
  /** How many words of the arena are taken; written by the writer. */
  arenaWords: 4,
  /** How many slots are in use, a power of two; 0 before the first; written by the writer. */
  slotCount: 5,
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

/** Creates an empty ledger. Its memory is reserved, but taken only as it is touched. */
export function createLedger(limits: LedgerLimits): Ledger {
  return openLedger(new SharedArrayBuffer(regionBytes(limits)), limits);
}

/** Returns views of a region that {@link createLedger} made with the same limits. */
export function openLedger(memory: SharedArrayBuffer, limits: LedgerLimits): Ledger {
  const { entriesMax, timingsMax } = limits;
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
    slots: words(2 * slotCount(entriesMax)),
    records: words(entriesMax),
    arena: words(arenaWords(limits)),
    sides: [side(), side()],
  };
}

/** At most half of the slots are ever taken, so that a probe stays short. */
function slotCount(entriesMax: number): number {
  return 2 ** Math.ceil(Math.log2(entriesMax * 2));
}

/** Per record three words in front, and at most one and a half of filling in all. */
function arenaWords({ entriesMax, nameBytesMax }: LedgerLimits): number {
  return Math.ceil(nameBytesMax / 4) + 5 * entriesMax;
}

function regionBytes(limits: LedgerLimits): number {
  const { entriesMax, timingsMax } = limits;
  const padding = 64 * 17;
  const perSide =
    STAT_COUNT * 8 + entriesMax * 16 + timingsMax * 20 + REJECT_REASONS.length * REFUSAL_BYTES;
  const keys = 2 * slotCount(entriesMax) + entriesMax + arenaWords(limits);
  return padding + Object.keys(Control).length * 4 + keys * 4 + 2 * perSide;
}
