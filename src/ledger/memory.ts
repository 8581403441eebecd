import { REJECT_REASONS } from '../protocol/reasons.ts';
import type { LedgerLimits } from './ledger.ts';
import { REFUSAL_BYTES, STAT_COUNT } from './stat.ts';

/** The memory of a ledger: plain, or a file of which parts come into memory as they are used. */
export interface LedgerMemory {
  /** Everything that is to be found again by the one who drains it. */
  readonly region: ArrayBuffer | SharedArrayBuffer;
  /** The words of `Control`, for `Atomics`: only shared memory has them between threads for sure. */
  readonly handshake: SharedArrayBuffer;
  /**
   * Sees to it that the first `bytes` of a part may be written, and returns how many may be. To be
   * asked before; what it has returned remains true. Never fails.
   */
  reserve(part: LedgerPart, bytes: number): number;
}

/** The parts of a region. Each begins on a page of its own, so that a file can be put under it. */
export const LedgerPart = {
  /** Of fixed size: a file's header, the counts, statistics and refusals of both sides. */
  head: 0,
  slots: 1,
  records: 2,
  arena: 3,
  sums0: 4,
  sums1: 5,
  log0: 6,
  log1: 7,
  members0: 8,
  members1: 9,
} as const;
/** One of {@link LedgerPart}. */
export type LedgerPart = (typeof LedgerPart)[keyof typeof LedgerPart];

/** Where a part lies in a region. */
export interface PartPlace {
  readonly offset: number;
  readonly bytes: number;
}

/** The largest page of the systems that this runs on: what begins on one begins on all others. */
export const PAGE_BYTES = 65_536;
/** In front of the counts, for who keeps the region in a file. */
export const FILE_HEADER_BYTES = 4096;
/** A sum, the other sum, samples; see `LedgerSide.sums`. */
export const SUM_BYTES: number = 3 * 8;
/** Entry, value, weight. */
export const LOG_BYTES: number = 3 * 8;

/** Of members per timing that there is room for: 4 MiB a side. */
export const MEMBER_BYTES = 4;

/** In front of a member's bytes: entry, length. */
export const MEMBER_HEADER_WORDS = 2;

/** Returns how many words a member takes. */
export function memberWords(bytes: number): number {
  return MEMBER_HEADER_WORDS + ((bytes + 3) >> 2);
}

/** Returns where the parts of a region lie, by {@link LedgerPart}. */
export function partPlaces(limits: LedgerLimits): PartPlace[] {
  const { entriesMax, timingsMax } = limits;
  const sizes: Record<LedgerPart, number> = {
    [LedgerPart.head]: HEAD_BYTES,
    [LedgerPart.slots]: 8 * slotCount(entriesMax),
    [LedgerPart.records]: 4 * entriesMax,
    [LedgerPart.arena]: 4 * arenaWords(limits),
    [LedgerPart.sums0]: SUM_BYTES * entriesMax,
    [LedgerPart.sums1]: SUM_BYTES * entriesMax,
    [LedgerPart.log0]: LOG_BYTES * timingsMax,
    [LedgerPart.log1]: LOG_BYTES * timingsMax,
    [LedgerPart.members0]: MEMBER_BYTES * timingsMax,
    [LedgerPart.members1]: MEMBER_BYTES * timingsMax,
  };
  const places: PartPlace[] = [];
  let offset = 0;
  for (const part of Object.values(LedgerPart)) {
    const bytes = pages(sizes[part]);
    places.push({ offset, bytes });
    offset += bytes;
  }
  return places;
}

/** Returns how long a region is, in bytes. */
export function regionBytes(limits: LedgerLimits): number {
  const { offset, bytes } = partPlaces(limits).at(-1)!;
  return offset + bytes;
}

/** Returns whole pages. */
export function pages(bytes: number): number {
  return Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
}

/** Returns plain memory, reserved, but taken only as it is touched. */
export function plainMemory(limits: LedgerLimits): LedgerMemory {
  return sharedMemory(new SharedArrayBuffer(regionBytes(limits)), newHandshake());
}

/** Returns plain memory of another thread. */
export function sharedMemory(
  region: SharedArrayBuffer,
  handshake: SharedArrayBuffer,
): LedgerMemory {
  return { region, handshake, reserve: () => Infinity };
}

/** Returns room for the words of `Control`. */
export function newHandshake(): SharedArrayBuffer {
  return new SharedArrayBuffer(8);
}

/** A cache line: the counts and the mark of either side have one each. */
export const LINE_BYTES = 64;
/** Statistics and refusals of one side, each in cache lines of its own. */
export const STATS_BYTES: number = lines(8 * STAT_COUNT);
/** See {@link STATS_BYTES}. */
export const REFUSALS_BYTES: number = lines(REJECT_REASONS.length * REFUSAL_BYTES);
const HEAD_BYTES = FILE_HEADER_BYTES + 3 * LINE_BYTES + 2 * (STATS_BYTES + REFUSALS_BYTES);

function lines(bytes: number): number {
  return Math.ceil(bytes / LINE_BYTES) * LINE_BYTES;
}

/** Returns how many slots there are: at most half of them are ever taken, so that a probe stays short. */
export function slotCount(entriesMax: number): number {
  return 2 ** Math.ceil(Math.log2(entriesMax * 2));
}

/** Per record three words in front, and at most one and a half of filling in all. */
function arenaWords({ entriesMax, nameBytesMax }: LedgerLimits): number {
  return Math.ceil(nameBytesMax / 4) + 5 * entriesMax;
}
