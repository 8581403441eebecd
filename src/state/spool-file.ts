import {
  closeSync,
  fdatasync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
  writevSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';

import { isSameFile } from './files.ts';

/*
 * A spool file.
 *
 *     "statcol spool 1\n"
 *     { length:u32 crc:u32 step… }…      little-endian; CRC-32 (zlib's) of the step
 *
 * A step whose length or sum is not right was being written when the process or the power ended:
 * it and what is behind it did not happen.
 */
const MAGIC = Buffer.from('statcol spool 1\n');
const FRAME_BYTES = 8;

/** Returns the name of a spool file; each follows on the one before. */
export function spoolFileName(generation: number): string {
  return `spool-${generation}`;
}

/** A spool file that is being written. */
export interface SpoolFile {
  /** How long it is. */
  readonly bytes: number;
  /** Appends a step. Throws the system's error where it cannot; then the step is not there. */
  append(step: Uint8Array): void;
  /** Resolves when a loss of power takes nothing back of what was appended before the call. */
  sync(): Promise<void>;
  /** It has not been removed, nor another put in its place. */
  isThere(at: string): boolean;
  close(): void;
}

const dataSync = promisify(fdatasync);

/** Creates a spool file, empty. Throws the system's error where it cannot. */
export function createSpoolFile(path: string): SpoolFile {
  const fd = openSync(path, 'w', 0o600);
  let bytes = 0;
  append([MAGIC]);
  return {
    get bytes() {
      return bytes;
    },
    append(step) {
      const frame = Buffer.alloc(FRAME_BYTES);
      frame.writeUInt32LE(step.length, 0);
      frame.writeUInt32LE(crc32(step), 4);
      append([frame, step]);
    },
    sync: () => dataSync(fd),
    isThere: (at) => isSameFile(at, fd),
    close: () => closeSync(fd),
  };

  function append(pieces: Uint8Array[]): void {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    try {
      let written = writevSync(fd, pieces, bytes);
      if (written < length) {
        const all = Buffer.concat(pieces);
        // Most often the disk is full, which the next call says.
        while (written < length) {
          written += writeSync(fd, all, written, length - written, bytes + written);
        }
      }
      bytes += length;
    } catch (error) {
      cut();
      throw error;
    }
  }

  /** Half a step is in nobody's way, but a short file is the clearer one. */
  function cut(): void {
    try {
      ftruncateSync(fd, bytes);
    } catch {
      // the reader passes it over
    }
  }
}

/** How much of a spool file could be read. */
export interface SpoolReading {
  /** Whether it is one of ours, of this version. */
  readonly isSpool: boolean;
  readonly steps: number;
  /** Bytes behind the last step that are none. */
  readonly tornBytes: number;
}

/** Reads a spool file step by step. What `onStep` throws goes on to the caller. */
export function readSpoolFile(path: string, onStep: (step: Uint8Array) => void): SpoolReading {
  const fd = openSync(path, 'r');
  try {
    return readSteps(fd, onStep);
  } finally {
    closeSync(fd);
  }
}

function readSteps(fd: number, onStep: (step: Uint8Array) => void): SpoolReading {
  const size = fstatSync(fd).size;
  const isSpool = read(fd, 0, MAGIC.length).equals(MAGIC);
  let at = MAGIC.length;
  let steps = 0;
  while (isSpool && at + FRAME_BYTES <= size) {
    const frame = read(fd, at, FRAME_BYTES);
    const length = frame.readUInt32LE(0);
    if (at + FRAME_BYTES + length > size) break;
    const step = read(fd, at + FRAME_BYTES, length);
    if (crc32(step) !== frame.readUInt32LE(4)) break;
    onStep(step);
    steps++;
    at += FRAME_BYTES + length;
  }
  return { isSpool, steps, tornBytes: isSpool ? size - at : size };
}

function read(fd: number, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let have = 0;
  while (have < length) {
    const count = readSync(fd, bytes, have, length - have, at + have);
    if (count === 0) break;
    have += count;
  }
  return bytes.subarray(0, have);
}
