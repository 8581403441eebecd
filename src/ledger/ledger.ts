import {
  FILE_HEADER_BYTES,
  LedgerPart,
  LINE_BYTES,
  type LedgerMemory,
  LOG_BYTES,
  MEMBER_BYTES,
  partPlaces,
  plainMemory,
  REFUSALS_BYTES,
  slotCount,
  STATS_BYTES,
  SUM_BYTES,
} from './memory.ts';
import { STAT_COUNT } from './stat.ts';

/** How much a ledger can hold. All are fixed for its life; memory that is not touched costs nothing. */
export interface LedgerLimits {
  /** Names and spellings together, 1 to 16,777,216. */
  entriesMax: number;
  /** Bytes of names and spellings. */
  nameBytesMax: number;
  /** Timings between two flips, per side; and so many words of members. */
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
 * A ledger: one region of memory that one writer adds to and one reader drains.
 *
 *     ┌──────┬───────┬─────────┬───────┬────────┬────────┬───────┬───────┬───────────┬───────────┐
 *     │ head │ slots │ records │ arena │ sums 0 │ sums 1 │ log 0 │ log 1 │ members 0 │ members 1 │
 *     └──────┴───────┴─────────┴───────┴────────┴────────┴───────┴───────┴───────────┴───────────┘
 *      counts, and of each side mark, stats, refusals
 *
 * - `counts`: how many entries there are, and what they take; see {@link Count}.
 * - `slots`: hash table, open addressing with linear probing. Two words each: the hash, and where
 *   in the arena the key's record is, plus one; 0 is free. Only so many are in use as the entries
 *   need, so that few names stay close together in the caches.
 * - `records`: where each entry's record is.
 * - `arena`: one record per name or other spelling of it, in 32-bit words, so that a known key
 *   costs three cache misses: slot, record, sum.
 *
 *       entry counted under   name length:14 tags length:14 kind:2   hash   name…   tags…
 *
 *   Its own entry for a name, the name's for another spelling; name and tags filled up with zeros.
 * - `sums`: see {@link LedgerSide.sums}.
 * - `log`: entry, value and weight of each timing, in order of arrival.
 * - `members`: entry, length in bytes and the bytes, filled up to words, of each member of a set.
 * - `refusals`: per reason the last refused line and who sent it.
 *
 * One side is written while the other is drained. A flip swaps them: the reader asks
 * (`requested`), the writer answers between two packets (`active`). After that the old side is the
 * reader's, who clears it before asking again. `records` and `arena` only grow, and the reader
 * looks at no entry that came after the flip, so that neither needs a lock.
 *
 * The region may lie in a file, and its writer be killed between any two stores. So a sample is in
 * with one store: that of the number of samples, or of the length of a log.
 */
export interface Ledger {
  readonly limits: LedgerLimits;
  readonly memory: LedgerMemory;
  /** The flip's handshake; see {@link Control}. */
  readonly control: Int32Array;
  readonly counts: Int32Array;
  readonly slots: Int32Array;
  readonly records: Int32Array;
  readonly arena: Int32Array;
  readonly sides: readonly [LedgerSide, LedgerSide];
  readonly room: LedgerRoom;
}

/** What is swapped by a flip; see {@link Ledger}. */
export interface LedgerSide {
  /** One word: number of the flip since which it is written, plus one; 0 when it holds nothing. */
  readonly mark: Int32Array;
  /** Counts since the last flip; see {@link Stat}. */
  readonly stats: Float64Array;
  /**
   * Three words per entry: sum, sum, samples. The sum that counts is the first one while the number
   * of samples is even, else the second: the next sum is written beside it, and is true as soon as
   * the samples say so.
   *
   * A gauge has in the same place what it stands at, or by how much it has changed; which of the
   * two, and that it is one, its samples say: see {@link GaugeMark}.
   */
  readonly sums: Float64Array;
  readonly log: Float64Array;
  readonly members: Int32Array;
  /** The same memory. */
  readonly memberBytes: Uint8Array;
  readonly refusals: Uint8Array;
}

/**
 * To be asked before more of the region is written than ever before; each returns how many may be
 * written from then on, at least as many as were asked for, the limits aside.
 */
export interface LedgerRoom {
  /** For the records and sums of so many entries. */
  entries(count: number): number;
  arenaWords(count: number): number;
  slots(count: number): number;
  /** For the log of a side. */
  timings(side: LedgerSide, count: number): number;
  /** For the members of a side, in words. */
  members(side: LedgerSide, count: number): number;
}

/**
 * What is added to the number of samples of a gauge, so that one store says all of it: higher than
 * any number of samples, and even, so that it does not tell which sum counts.
 */
export const GaugeMark: { readonly absolute: number; readonly gauge: number } = {
  /** It was set on this side; without this it has only changed. */
  absolute: 2 ** 50,
  /** It is a gauge and no counter. */
  gauge: 2 ** 51,
} as const;

/** The words of `control`. */
export const Control = {
  /** Number of the flip that the reader wants; written by the reader. */
  requested: 0,
  /** Number of the last flip done, whose lowest bit is the side being written; by the writer. */
  active: 1,
} as const;

/** The words of `counts`; all are written by the writer. */
export const Count = {
  entries: 0,
  /** How many bytes names and spellings have. */
  nameBytes: 1,
  /** How many words of the arena are taken. */
  arenaWords: 2,
  /** How many slots are in use, a power of two; 0 before the first. */
  slots: 3,
} as const;

/** Creates an empty ledger in plain memory. */
export function createLedger(limits: LedgerLimits): Ledger {
  return openLedger(plainMemory(limits), limits);
}

/** Returns views of a region: an empty one is an empty ledger. */
export function openLedger(memory: LedgerMemory, limits: LedgerLimits): Ledger {
  const { region } = memory;
  const { entriesMax, timingsMax } = limits;
  const places = partPlaces(limits);
  const words = (at: number, count: number): Int32Array => new Int32Array(region, at, count);
  const doubles = (at: number, count: number): Float64Array => new Float64Array(region, at, count);
  const wordsOf = (part: LedgerPart): Int32Array => {
    return words(places[part]!.offset, places[part]!.bytes / 4);
  };
  let headAt = FILE_HEADER_BYTES;
  const inHead = (bytes: number): number => {
    headAt += bytes;
    return headAt - bytes;
  };
  const side = (sums: LedgerPart, log: LedgerPart, members: LedgerPart): LedgerSide => ({
    mark: words(inHead(LINE_BYTES), 1),
    stats: doubles(inHead(STATS_BYTES), STAT_COUNT),
    sums: doubles(places[sums]!.offset, 3 * entriesMax),
    log: doubles(places[log]!.offset, 3 * timingsMax),
    members: words(places[members]!.offset, timingsMax),
    memberBytes: new Uint8Array(region, places[members]!.offset, MEMBER_BYTES * timingsMax),
    refusals: new Uint8Array(region, inHead(REFUSALS_BYTES), REFUSALS_BYTES),
  });
  const sides = [
    side(LedgerPart.sums0, LedgerPart.log0, LedgerPart.members0),
    side(LedgerPart.sums1, LedgerPart.log1, LedgerPart.members1),
  ] as const;
  const reserve = (part: LedgerPart, count: number, bytesEach: number): number => {
    return Math.floor(memory.reserve(part, count * bytesEach) / bytesEach);
  };
  return {
    limits,
    memory,
    control: new Int32Array(memory.handshake),
    counts: words(inHead(LINE_BYTES), Object.keys(Count).length),
    slots: wordsOf(LedgerPart.slots).subarray(0, 2 * slotCount(entriesMax)),
    records: wordsOf(LedgerPart.records).subarray(0, entriesMax),
    arena: wordsOf(LedgerPart.arena),
    sides,
    room: {
      entries: (count) =>
        Math.min(
          entriesMax,
          reserve(LedgerPart.records, count, 4),
          reserve(LedgerPart.sums0, count, SUM_BYTES),
          reserve(LedgerPart.sums1, count, SUM_BYTES),
        ),
      arenaWords: (count) => reserve(LedgerPart.arena, count, 4),
      slots: (count) => reserve(LedgerPart.slots, count, 8),
      timings: (of, count) => {
        const part = of === sides[0] ? LedgerPart.log0 : LedgerPart.log1;
        return Math.min(timingsMax, reserve(part, count, LOG_BYTES));
      },
      members: (of, count) => {
        const part = of === sides[0] ? LedgerPart.members0 : LedgerPart.members1;
        return Math.min(timingsMax, reserve(part, count, MEMBER_BYTES));
      },
    },
  };
}
