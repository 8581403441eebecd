import type { BigIntStats } from 'node:fs';
import { dirname } from 'node:path';

import { errorText } from '../errors.ts';

const OTHER = 'or choose another with --unix';

/** Returns what to tell the one whose path could not be bound, by what a call failed of. */
export function unixFault(path: string, error: unknown): string {
  const { code, syscall } = error as NodeJS.ErrnoException;
  const directory = dirname(path);
  const user = userText(process.geteuid?.());
  if (code === 'EADDRINUSE') return unixInUse(path);
  if (code === 'ENOENT') {
    return `unix ${path}: the directory ${directory} is not there: make it, ${OTHER}`;
  }
  if (code === 'ENOTDIR') return `unix ${path}: ${directory} is no directory: ${OTHER.slice(3)}`;
  if (code === 'EROFS') {
    return `unix ${path}: the directory ${directory} is read-only: ${OTHER.slice(3)}`;
  }
  if (code === 'EACCES') {
    const may = syscall === 'lstat' ? 'enter' : 'make and remove files in';
    return `unix ${path}: ${user} may not ${may} the directory ${directory}: allow it, ${OTHER}`;
  }
  if (code === 'EPERM') {
    return `unix ${path} is a socket that nobody listens on, and ${user} may not remove it: remove it, ${OTHER}`;
  }
  return `unix ${path} could not be bound: ${errorText(error)}; ${OTHER.slice(3)}`;
}

/** Returns what to tell where somebody listens already. */
export function unixInUse(path: string): string {
  return `unix ${path} is in use: stop the program that listens there, ${OTHER}`;
}

/** Returns what to tell where only who may send there could learn whether somebody listens. */
export function unixUnknown(path: string, { uid, mode }: BigIntStats): string {
  const rights = (Number(mode) & 0o777).toString(8).padStart(4, '0');
  return (
    `unix ${path} belongs to ${userText(uid)} (mode ${rights}), and whether somebody listens ` +
    `there cannot be told: stop that program, or remove the file if there is none, ${OTHER}`
  );
}

function userText(uid: number | bigint | undefined): string {
  return uid === undefined ? 'this user' : `user ${uid}`;
}
