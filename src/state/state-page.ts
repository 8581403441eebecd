import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { ErrorCode, StatcolError } from '../errors.ts';
import { callError, type Libc, LINUX } from '../ingest/libc.ts';
import { isSameFile } from './files.ts';

/**
 * A page of memory that lies in the file `state` of a folder, and the lock on that folder.
 *
 *     "statcol\n"   8 bytes
 *      8  version:u32   pid of who has it:u32   the spool that is void:u64
 *
 * It can be written when the disk is full, or does not answer: its space is taken from the start.
 */
export interface StatePage {
  /** The number of the last spool that is not to be believed; 0 for none. */
  voidSpool: number;
  /** The file has not been removed, nor another put in its place: the lock is on it. */
  isThere(): boolean;
  /** Gives the lock back. */
  close(): void;
}

/** The file is none of ours, and was not touched. */
export class ForeignState extends Error {
  override readonly name = 'ForeignState';
}

const NAME = 'state';
const MAGIC = Buffer.from('statcol\n');
const PAGE_BYTES = 4096;
const VERSION = 1;

/**
 * Takes a folder for this process alone. Throws `ERR_STATE_DIR` where another process has it,
 * {@link ForeignState} where something else bears the file's name, and the system's error where it
 * cannot be written.
 */
export function openStatePage(libc: Libc, folder: string): StatePage {
  const path = join(folder, NAME);
  const there = statSync(path, { throwIfNoEntry: false });
  if (there?.isFile() === false) throw new ForeignState('it is no file');
  const fd = openSync(path, 'a+', 0o600);
  try {
    checkMagic(fd);
    return mapPage(libc, folder, fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** A file that is empty is about to be written, by us or by somebody else. */
function checkMagic(fd: number): void {
  const head = Buffer.alloc(MAGIC.length);
  const length = readSync(fd, head, 0, head.length, 0);
  const isBlank = head.every((byte) => byte === 0);
  if (length > 0 && !isBlank && !head.equals(MAGIC)) throw new ForeignState('it is none of ours');
}

function mapPage(libc: Libc, folder: string, fd: number): StatePage {
  const isMine = libc.flock(fd, LINUX.LOCK_EX | LINUX.LOCK_NB) === 0;
  if (!isMine && libc.errno() !== LINUX.EAGAIN) throw callError('flock', libc.errno());
  // Who has it may be about to write it: beyond the end of the file there is nothing to be read.
  if (!isMine && fstatSync(fd).size < PAGE_BYTES) throw taken(folder, 0);
  const errno = isMine ? libc.posix_fallocate(fd, 0, PAGE_BYTES) : 0;
  if (errno !== 0) throw callError('posix_fallocate', errno);
  const address = libc.mmap(0n, PAGE_BYTES, LINUX.PROT_RW, LINUX.MAP_SHARED, fd, 0);
  if (address >= MAP_FAILED) throw callError('mmap', libc.errno());
  const view = libc.view(address, PAGE_BYTES);
  const words = new Uint32Array(view, MAGIC.length, 2);
  const spool = new BigUint64Array(view, 16, 1);
  if (!isMine) throw taken(folder, words[1]!);
  if (words[0]! > VERSION) {
    throw new Error(`it was written by a newer statcol (format ${words[0]}): use that one`);
  }
  words[0] = VERSION;
  words[1] = process.pid;
  new Uint8Array(view).set(MAGIC);
  return {
    isThere: () => isSameFile(join(folder, NAME), fd),
    get voidSpool() {
      return Number(spool[0]);
    },
    set voidSpool(generation) {
      spool[0] = BigInt(generation);
    },
    close() {
      words[1] = 0;
      libc.munmap(address, PAGE_BYTES);
      closeSync(fd); // and with it goes the lock
    },
  };
}

/** All that is not an address is at the end of what a word can hold. */
const MAP_FAILED = 2n ** 64n - 4096n;

function taken(folder: string, pid: number): StatcolError {
  const by = pid === 0 ? 'another collector' : `another collector (pid ${pid})`;
  const message = `${folder} is in use by ${by}: stop it, or give this one a --state-dir of its own`;
  return new StatcolError(ErrorCode.ERR_STATE_DIR, message);
}
