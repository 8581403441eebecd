import { closeSync, fstatSync, openSync } from 'node:fs';
import { join } from 'node:path';

import { ErrorCode, StatcolError } from '../errors.ts';
import { callError, type Libc, LINUX } from '../ingest/libc.ts';

/**
 * A page of memory that lies in the file `state` of a folder, and the lock on that folder.
 *
 *     word 0  version   word 1  pid of who has it   words 2, 3  the spool that is void, as u64
 *
 * It can be written when the disk is full, or does not answer: its space is taken from the start.
 */
export interface StatePage {
  /** The number of the last spool that is not to be believed; 0 for none. */
  voidSpool: number;
  /** Gives the lock back. */
  close(): void;
}

const PAGE_BYTES = 4096;
const VERSION = 1;

/**
 * Takes a folder for this process alone. Throws `ERR_STATE_DIR` where another process has it, and
 * the system's error where it cannot be written.
 */
export function openStatePage(libc: Libc, folder: string): StatePage {
  const fd = openSync(join(folder, 'state'), 'a+', 0o600);
  try {
    return mapPage(libc, folder, fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
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
  const words = new Uint32Array(view);
  const spool = new BigUint64Array(view, 8, 1);
  if (!isMine) throw taken(folder, words[1]!);
  if (words[0]! > VERSION) throw new Error(`it was written by a newer version (${words[0]})`);
  words[0] = VERSION;
  words[1] = process.pid;
  return {
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
