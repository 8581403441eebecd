import { fstatSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Returns whether a path still leads to the file that is open. */
export function isSameFile(path: string, fd: number): boolean {
  const there = statSync(path, { throwIfNoEntry: false });
  const open = fstatSync(fd);
  return there?.ino === open.ino && there.dev === open.dev;
}

/**
 * Makes a folder, for its owner alone, and those above it. One that is there stays as it is. Throws
 * the system's error. Not with `recursive`, which goes round in circles where nothing can be made.
 */
export function makeFolder(path: string): void {
  const absolute = resolve(path);
  if (statSync(absolute, { throwIfNoEntry: false })?.isDirectory() === true) return;
  const above = dirname(absolute);
  if (above !== absolute) makeFolder(above);
  mkdirSync(absolute, { mode: 0o700 });
}
