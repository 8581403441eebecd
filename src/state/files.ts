import { fstatSync, mkdirSync, readFileSync, statSync } from 'node:fs';
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

/**
 * Returns what tells one run of the machine from the next: memory in files outlives the process,
 * not the machine.
 */
export function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return 'unknown';
  }
}
