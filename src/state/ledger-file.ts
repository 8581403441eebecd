import { closeSync, openSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

import type { KeptLedger } from '../ingest/kept-ledger.ts';
import type { Libc } from '../ingest/libc.ts';
import { Count, type Ledger, type LedgerLimits, openLedger } from '../ledger/ledger.ts';
import {
  LedgerPart,
  LOG_BYTES,
  MEMBER_BYTES,
  newHandshake,
  partPlaces,
  regionBytes,
  SUM_BYTES,
} from '../ledger/memory.ts';
import { Stat } from '../ledger/stat.ts';
import { isSameFile } from './files.ts';
import { isIncomplete, mappedMemory, mapRegion, unmapRegion } from './mapped-memory.ts';

/*
 * A ledger file is the ledger's region (see `ledger.ts`). Its header, in the first 4,096 bytes:
 *
 *      0  "statcol ledger 2"   16 bytes
 *     16  id:f64   entriesMax:f64   nameBytesMax:f64   timingsMax:f64
 *     48  boot id of the machine, 36 characters
 *     84  crc:u32 of the bytes before
 *
 * Everything is in the machine's byte order, which is little-endian on all that this runs on.
 */
const MAGIC = 'statcol ledger 2';
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
  /** The file has not been removed, nor another put in its place. */
  isThere(): boolean;
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
      isThere: () => isSameFile(path, fd),
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
 * Reads a ledger that was left in a file into plain memory: what was in use of it. What was never
 * written there reads as 0. It is not mapped: on a full disk even a look into a hole may need room.
 */
export function readLedgerFile(path: string, { limits }: LedgerHeader): Ledger {
  const places = partPlaces(limits);
  const region = new ArrayBuffer(regionBytes(limits));
  const memory = { region, handshake: newHandshake(), reserve: () => Infinity };
  const ledger = openLedger(memory, limits);
  const fd = openSync(path, 'r');
  const load = (part: LedgerPart, bytes: number): void => {
    const { offset, bytes: most } = places[part]!;
    const into = new Uint8Array(region, offset, Math.max(0, Math.min(bytes, most)));
    for (let at = 0; at < into.length;) {
      const count = readSync(fd, into, at, into.length - at, offset + at);
      if (count === 0) return; // the file ends here
      at += count;
    }
  };
  try {
    load(LedgerPart.head, places[LedgerPart.head]!.bytes);
    const { counts, sides } = ledger;
    const entries = counts[Count.entries]!;
    load(LedgerPart.records, 4 * entries);
    load(LedgerPart.arena, 4 * counts[Count.arenaWords]!);
    load(LedgerPart.sums0, SUM_BYTES * entries);
    load(LedgerPart.sums1, SUM_BYTES * entries);
    load(LedgerPart.log0, LOG_BYTES * sides[0].stats[Stat.logLength]!);
    load(LedgerPart.log1, LOG_BYTES * sides[1].stats[Stat.logLength]!);
    load(LedgerPart.members0, MEMBER_BYTES * sides[0].stats[Stat.memberWords]!);
    load(LedgerPart.members1, MEMBER_BYTES * sides[1].stats[Stat.memberWords]!);
    return ledger;
  } finally {
    closeSync(fd);
  }
}
