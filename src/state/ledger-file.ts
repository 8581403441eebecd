import { closeSync, ftruncateSync, openSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

import type { KeptLedger } from '../ingest/kept-ledger.ts';
import { type Libc, LINUX } from '../ingest/libc.ts';
import { type Ledger, type LedgerLimits, openLedger } from '../ledger/ledger.ts';
import { FILE_HEADER_BYTES, newHandshake, regionBytes } from '../ledger/memory.ts';
import { isIncomplete, mappedMemory, mapRegion, unmapRegion } from './mapped-memory.ts';

/*
 * A ledger file is the ledger's region (see `ledger.ts`). Its header, in the first 4,096 bytes:
 *
 *      0  "statcol ledger 1"   16 bytes
 *     16  id:f64   entriesMax:f64   nameBytesMax:f64   timingsMax:f64
 *     48  boot id of the machine, 36 characters
 *     84  crc:u32 of the bytes before
 *
 * Everything is in the machine's byte order, which is little-endian on all that this runs on.
 */
const MAGIC = 'statcol ledger 1';
const CRC_AT = 84;

/** Who wrote a ledger file, and how large its parts are. */
export interface LedgerHeader {
  id: number;
  limits: LedgerLimits;
  /** Memory outlives the process, not the machine: only since this boot is it what was written. */
  bootId: string;
}

/** A ledger in a file. */
export interface FiledLedger extends KeptLedger {
  /** Not all of it found room in the file: the rest is plain memory. */
  isIncomplete(): boolean;
}

/** Creates an empty ledger in a file. Throws the system's error where there is no room. */
export function createLedgerFile(libc: Libc, folder: string, header: LedgerHeader): FiledLedger {
  const { id, limits } = header;
  const path = join(folder, ledgerName(id));
  const fd = openSync(path, 'wx+', 0o600);
  try {
    const region = mapRegion(libc, fd, limits);
    const handshake = newHandshake();
    const memory = mappedMemory(libc, region, limits, handshake);
    new Uint8Array(memory.region).set(encodeHeader(header));
    return {
      id,
      ledger: openLedger(memory, limits),
      handle: { limits, handshake, region },
      isIncomplete: () => isIncomplete(region),
      release() {
        rmSync(path, { force: true });
        unmapRegion(libc, region, limits);
        closeSync(fd);
      },
    };
  } catch (error) {
    closeSync(fd);
    rmSync(path, { force: true });
    throw error;
  }
}

/** Returns the name of a ledger file. */
export function ledgerName(id: number): string {
  return `ledger-${id.toString(16).padStart(12, '0')}`;
}

function encodeHeader({ id, limits, bootId }: LedgerHeader): Buffer {
  const bytes = Buffer.alloc(CRC_AT + 4);
  bytes.write(MAGIC, 0, 'latin1');
  const { entriesMax, nameBytesMax, timingsMax } = limits;
  for (const [at, value] of [id, entriesMax, nameBytesMax, timingsMax].entries()) {
    bytes.writeDoubleLE(value, 16 + 8 * at);
  }
  bytes.write(bootId, 48, 36, 'latin1');
  bytes.writeUInt32LE(crc32(bytes.subarray(0, CRC_AT)), CRC_AT);
  return bytes;
}

/** Reads the header of a ledger file; undefined where it is none, or not of this version. */
export function readLedgerHeader(path: string): LedgerHeader | undefined {
  const bytes = Buffer.alloc(CRC_AT + 4);
  const fd = openSync(path, 'r');
  try {
    if (readSync(fd, bytes, 0, bytes.length, 0) < bytes.length) return undefined;
  } finally {
    closeSync(fd);
  }
  if (bytes.toString('latin1', 0, 16) !== MAGIC) return undefined;
  if (crc32(bytes.subarray(0, CRC_AT)) !== bytes.readUInt32LE(CRC_AT)) return undefined;
  const [id = 0, entriesMax = 0, nameBytesMax = 0, timingsMax = 0] = [0, 1, 2, 3].map((at) => {
    return bytes.readDoubleLE(16 + 8 * at);
  });
  const limits = { entriesMax, nameBytesMax, timingsMax };
  return { id, limits, bootId: bytes.toString('latin1', 48, 84) };
}

/**
 * Lets `read` look at a ledger that was left in a file. What was never written there reads as 0.
 * The file is as long as the region then, but takes no more space.
 */
export function withLedgerFile<Result>(
  libc: Libc,
  path: string,
  { limits }: LedgerHeader,
  read: (ledger: Ledger) => Result,
): Result {
  const bytes = regionBytes(limits);
  const fd = openSync(path, 'r+');
  try {
    ftruncateSync(fd, Math.max(bytes, FILE_HEADER_BYTES));
    const address = libc.mmap(0n, bytes, LINUX.PROT_RW, LINUX.MAP_PRIVATE, fd, 0);
    const memory = { region: libc.view(address, bytes), handshake: newHandshake() };
    try {
      return read(openLedger({ ...memory, reserve: () => Infinity }, limits));
    } finally {
      libc.munmap(address, bytes);
    }
  } finally {
    closeSync(fd);
  }
}
