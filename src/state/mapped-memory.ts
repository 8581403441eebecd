import { type Libc, LINUX } from '../ingest/libc.ts';
import type { LedgerLimits } from '../ledger/ledger.ts';
import {
  type LedgerMemory,
  LedgerPart,
  newHandshake,
  PAGE_BYTES,
  pages,
  partPlaces,
  regionBytes,
} from '../ledger/memory.ts';

/** A region of which parts lie in a file; as it travels between the threads of a process. */
export interface MappedRegion {
  readonly address: bigint;
  /** An open descriptor of the file, which belongs to the main thread. */
  readonly fd: number;
  /**
   * Words by {@link LedgerPart}: how many bytes of the part are in the file, in whole pages. Then
   * one that is 1 as soon as there was no room for more of it.
   */
  readonly reserved: SharedArrayBuffer;
}

const PARTS = Object.values(LedgerPart).length;
/** A part is given at least so much of the file at once; later, as much again as it has. */
const FIRST_BYTES = 4 * PAGE_BYTES;

/**
 * Reserves memory for a region, and puts the head of a file under its head. Throws an error with a
 * system's `code` where the file has no room for that.
 *
 * The region is plain memory at first. Before a part of it is used, its space in the file is
 * reserved, and only then is the file put in the place of the memory:
 *
 *     memory   ▓▓▓▓▓▓▓▓▒▒▒▒░░░░░░░░░░     ▓ in the file   ▒ reserved, mapped next   ░ plain
 *     file     ▓▓▓▓▓▓▓▓▒▒▒▒
 *
 * So nothing is ever written into a hole of the file, which on a full disk would end the process
 * with SIGBUS. Where no space is to be had, the rest simply remains plain memory.
 */
export function mapRegion(libc: Libc, fd: number, limits: LedgerLimits): MappedRegion {
  const address = libc.mmap(0n, regionBytes(limits), LINUX.PROT_RW, PLAIN, -1, 0);
  const reserved = new SharedArrayBuffer(4 * (PARTS + 1));
  const region = { address, fd, reserved };
  const memory = mappedMemory(libc, region, limits, newHandshake());
  const head = partPlaces(limits)[LedgerPart.head]!;
  memory.reserve(LedgerPart.head, head.bytes);
  if (isIncomplete(region)) {
    libc.munmap(address, regionBytes(limits));
    throw Object.assign(new Error('no space for the ledger'), { code: 'ENOSPC' });
  }
  return region;
}

/** Returns whether not all of a region that is in use is in the file. */
export function isIncomplete({ reserved }: MappedRegion): boolean {
  return Atomics.load(new Int32Array(reserved), PARTS) !== 0;
}

/** Returns a mapped region as a ledger's memory, in any thread of the process. */
export function mappedMemory(
  libc: Libc,
  region: MappedRegion,
  limits: LedgerLimits,
  handshake: SharedArrayBuffer,
): LedgerMemory {
  const { address, fd } = region;
  const reserved = new Int32Array(region.reserved);
  const places = partPlaces(limits);

  return {
    region: libc.view(address, regionBytes(limits)),
    handshake,
    reserve(part, bytes) {
      const have = Atomics.load(reserved, part);
      if (bytes <= have) return have;
      const whole = places[part]!.bytes;
      const wanted = Math.min(whole, pages(Math.max(bytes, 2 * have, FIRST_BYTES)));
      if (Atomics.load(reserved, PARTS) !== 0 || !extend(part, have, wanted)) {
        Atomics.store(reserved, PARTS, 1);
        return whole; // as plain memory
      }
      Atomics.store(reserved, part, wanted);
      return wanted;
    },
  };

  function extend(part: LedgerPart, from: number, to: number): boolean {
    const offset = places[part]!.offset + from;
    if (libc.posix_fallocate(fd, offset, to - from) !== 0) return false;
    const at = address + BigInt(offset);
    const { MAP_SHARED, MAP_FIXED, PROT_RW } = LINUX;
    if (libc.mmap(at, to - from, PROT_RW, MAP_SHARED | MAP_FIXED, fd, offset) === at) return true;
    libc.mmap(at, to - from, PROT_RW, PLAIN | MAP_FIXED, -1, 0); // it may have been taken away
    return false;
  }
}

/** Gives the memory of a region back. Nobody may look at it any more: it would end the process. */
export function unmapRegion(libc: Libc, { address }: MappedRegion, limits: LedgerLimits): void {
  libc.munmap(address, regionBytes(limits));
}

const PLAIN = LINUX.MAP_PRIVATE | LINUX.MAP_ANONYMOUS | LINUX.MAP_NORESERVE;
