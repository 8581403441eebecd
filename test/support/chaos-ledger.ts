import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';

import { openLedger } from '../../src/ledger/ledger.ts';
import { plainMemory } from '../../src/ledger/memory.ts';
import { Stat } from '../../src/ledger/stat.ts';

// The head of a ledger is the same whatever its limits are.
const LIMITS = { entriesMax: 1, nameBytesMax: 1, timingsMax: 1 };
const HEAD = openLedger(plainMemory(LIMITS), LIMITS).sides.map(({ stats }) => stats.byteOffset);

/**
 * Returns how many lines have been accepted into the ledgers of a state directory and are not
 * drained yet. Looks at the files alone: asking the collector would drain them.
 */
export function linesInLedgers(folder: string): number {
  let lines = 0;
  for (const file of readdirSync(folder)) {
    if (!/^ledger-[0-9a-f]+$/.test(file)) continue;
    try {
      const fd = openSync(join(folder, file), 'r');
      for (const offset of HEAD) lines += doubleAt(fd, offset + 8 * Stat.linesAccepted);
      closeSync(fd);
    } catch {
      // it has just been removed
    }
  }
  return lines;
}

function doubleAt(fd: number, at: number): number {
  const bytes = Buffer.alloc(8);
  readSync(fd, bytes, 0, 8, at);
  return bytes.readDoubleLE(0);
}
