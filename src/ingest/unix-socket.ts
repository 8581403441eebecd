import { type BigIntStats, chmodSync, closeSync, fchmodSync, lstatSync, unlinkSync } from 'node:fs';
import { resolve } from 'node:path';

import { ErrorCode, errorText, StatcolError } from '../errors.ts';
import { callError, type Libc, LINUX, loadLibc, UNIX_PATH_BYTES_MAX, unixAddress } from './libc.ts';
import type { Descriptors } from './receiver.ts';
import { unixFault, unixInUse, unixUnknown } from './unix-fault.ts';

/** A unix datagram socket that is bound, and that nobody reads yet. */
export interface UnixSocket {
  /** Absolute. */
  readonly path: string;
  /** Its own and one that wakes who sleeps over it; whoever reads it closes both. */
  readonly descriptors: Descriptors;
  /**
   * Removes its file, if it still is the one that was made. Before the socket is closed: until then
   * the system gives the file's number to no other.
   */
  remove(): void;
}

/** Loads what a unix socket needs. Rejects with `ERR_OPTIONS` where that cannot be had. */
export async function loadForUnix(): Promise<Libc> {
  return loadLibc().catch((error: unknown) => {
    const fault = `--unix: ${errorText(error).replace('recvmmsg', 'it')}`;
    throw new StatcolError(ErrorCode.ERR_OPTIONS, fault, { faults: [fault] });
  });
}

/**
 * Binds a unix datagram socket. A socket file that nobody listens on any more is replaced; one that
 * somebody does, or a file of another kind, is left as it is.
 *
 * @param mode who may send: the rights of the file. It never has more than these.
 * @throws {StatcolError} `ERR_LISTEN`; then nothing is bound.
 */
export function openUnixSocket(libc: Libc, given: string, mode: number): UnixSocket {
  const absolute = resolve(given);
  // As it was given, where the whole is too long for the system.
  const path = Buffer.byteLength(absolute) <= UNIX_PATH_BYTES_MAX ? absolute : given;
  try {
    removeStale(libc, path);
    const socketFd = openSocket(libc);
    try {
      const made = bind(libc, socketFd, { path, mode });
      const wakeFd = libc.eventfd(0, LINUX.EFD_CLOEXEC | LINUX.EFD_NONBLOCK);
      return { path: absolute, descriptors: { socketFd, wakeFd }, remove: remover(path, made) };
    } catch (error) {
      closeSync(socketFd);
      throw error;
    }
  } catch (error) {
    if (error instanceof StatcolError) throw error;
    throw listenError(unixFault(path, error), error);
  }
}

/** Sees to it that there is no file, or throws. */
function removeStale(libc: Libc, path: string): void {
  const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) {
    const fault = `unix ${path} is a file that is no socket, and is not removed: choose another with --unix`;
    throw listenError(fault);
  }
  const probe = openSocket(libc);
  const address = unixAddress(path);
  const errno = libc.connect(probe, address, address.length) === 0 ? 0 : libc.errno();
  closeSync(probe);
  if (IN_USE.has(errno)) throw listenError(unixInUse(path));
  if (errno === LINUX.EACCES) throw listenError(unixUnknown(path, found));
  if (errno === LINUX.ENOENT) return; // its owner has just removed it
  if (errno !== LINUX.ECONNREFUSED) throw callError('connect', errno);
  removeIf(path, found);
}

/** Also a socket of another type is in use, and so is one that takes from one peer alone. */
const IN_USE: ReadonlySet<number> = new Set([0, LINUX.EPROTOTYPE, LINUX.EPERM]);

function listenError(fault: string, cause?: unknown): StatcolError {
  return new StatcolError(ErrorCode.ERR_LISTEN, fault, { cause });
}

function openSocket(libc: Libc): number {
  const fd = libc.socket(LINUX.AF_UNIX, LINUX.SOCK_DGRAM | LINUX.SOCK_CLOEXEC, 0);
  if (fd < 0) throw callError('socket', libc.errno());
  return fd;
}

/** Returns the file that was made. */
function bind(libc: Libc, fd: number, { path, mode }: { path: string; mode: number }): BigIntStats {
  // On Linux the file is made with the rights that the socket has, but for those of the umask: so
  // it is at no moment more open than it is to be.
  fchmodSync(fd, mode);
  const address = unixAddress(path);
  if (libc.bind(fd, address, address.length) !== 0) throw callError('bind', libc.errno());
  const made = lstatSync(path, { bigint: true });
  chmodSync(path, mode);
  return made;
}

/** At the end of a collector: a file that cannot be removed is no reason not to deliver. */
function remover(path: string, made: BigIntStats): () => void {
  return () => {
    try {
      removeIf(path, made);
    } catch {
      // It stays, and the next one who wants the path finds that nobody is there.
    }
  };
}

function removeIf(path: string, { dev, ino }: BigIntStats): void {
  const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  // Not rmSync: of what may not be removed it tells that it is no directory.
  if (found?.dev === dev && found.ino === ino) unlinkSync(path);
}
