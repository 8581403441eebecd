import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system of a test's own that is soon full: a tmpfs. */
export interface SmallDisk {
  readonly folder: string;
  /** Takes all the space that is left. */
  fill(): void;
  /** Gives it back. */
  free(): void;
  /** Makes it so that nothing can be written any more. */
  makeReadOnly(): void;
  /** Unmounts it and removes its folder. */
  remove(): void;
}

/** Mounts a disk of so many mebibytes. Only root may, and a container not always. */
export function mountSmallDisk(mebibytes: number): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), 'statcol-disk-'));
  const filler = join(folder, 'filler');
  try {
    mount('-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', folder);
  } catch (error) {
    rmdirSync(folder);
    const why = (error as Error).message.trim().split('\n').at(-1);
    throw new Error(`a full disk needs the right to mount a tmpfs, as root has it: ${why}`, {
      cause: error,
    });
  }
  return {
    folder,
    fill() {
      // By pages: a file that is written at once may end before the last one.
      for (const bytes of [1 << 16, 1 << 12]) {
        while (append(filler, bytes));
      }
    },
    free: () => rmSync(filler),
    makeReadOnly: () => mount('-o', 'remount,ro', folder),
    remove() {
      execFileSync('umount', ['--lazy', folder], { stdio: 'pipe' });
      rmdirSync(folder);
    },
  };
}

function mount(...args: string[]): void {
  execFileSync('mount', args, { stdio: 'pipe' });
}

/** Returns whether there was room for so many bytes more. */
function append(path: string, bytes: number): boolean {
  try {
    writeFileSync(path, Buffer.alloc(bytes), { flag: 'a' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false;
    throw error;
  }
}
