import { readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { errorText } from '../errors.ts';
import type { Log } from '../flush/health.ts';
import { Histogram } from '../histogram.ts';
import { ledgerName, readLedgerFile, readLedgerHeader } from './ledger-file.ts';
import { type LeftVisitor, readLeftLedger } from './left-ledger.ts';
import { readRecords, type RecordVisitor } from './record-reader.ts';
import { createRestorer, type Restored, type RestoreTargets } from './restore.ts';
import { readSpoolFile, spoolFileName } from './spool-file.ts';

/** What a recovery works with. */
export interface RecoveryParts {
  folder: string;
  bootId: string;
  /** Spools up to this number are not to be believed; see `state-page.ts`. */
  voidSpool: number;
  targets: RestoreTargets;
  /** Takes what was in a ledger. */
  left: LeftVisitor;
}

/** What was found. */
export interface Recovery {
  /** The highest number of a spool file; 0 where there was none. */
  generation: number;
  restored: Restored | undefined;
  /** The ledgers that were read. */
  ledgerIds: number[];
  /** What is to be done once all that was found is remembered elsewhere: not before. */
  readonly oldFiles: { file: string; becomes: 'removed' | { aside: string } }[];
}

/**
 * Puts back what a process has left in a folder: what its spool remembers, and what was in its
 * ledgers beyond that. A file that cannot be understood is set aside, never removed.
 */
export function recover(parts: RecoveryParts): Recovery {
  const { folder } = parts;
  const there = readdirSync(folder, { withFileTypes: true });
  const files = there.filter((one) => one.isFile()).map((one) => one.name);
  const numbers = files
    .flatMap((file) => /^spool-([1-9]\d{0,14})$/.exec(file)?.[1] ?? [])
    .map(Number);
  numbers.sort((a, b) => b - a);
  const recovery: Recovery = {
    generation: Math.max(parts.voidSpool, ...numbers),
    restored: undefined,
    ledgerIds: [],
    oldFiles: [],
  };
  for (const number of numbers) readSpool(parts, number, recovery);
  // The oldest first: what a gauge was set to last is what holds.
  const ledgers = files.filter((one) => /^ledger-[0-9a-f]+$/.test(one));
  for (const file of ledgers.toSorted((a, b) => ledgerNumber(a) - ledgerNumber(b))) {
    try {
      readLedger(parts, file, recovery);
    } catch (error) {
      keepAside(recovery, file, errorText(error));
    }
  }
  for (const { name } of there.filter((one) => !one.isFile())) {
    if (/^(?:spool|ledger)-/.test(name)) keepAside(recovery, name, 'it is no file');
  }
  for (const file of files.filter((one) => one.endsWith('.new'))) {
    remove(recovery, file); // it was not ready when its writer ended
  }
  return recovery;
}

/** Reads the newest spool that can be read, and passes over those that it has followed. */
function readSpool(parts: RecoveryParts, number: number, recovery: Recovery): void {
  const file = spoolFileName(number);
  const path = join(parts.folder, file);
  if (recovery.restored !== undefined) return remove(recovery, file);
  if (number <= parts.voidSpool) {
    const why = 'it could not be written to the end; what it holds was delivered, or lost, since';
    return keepAside(recovery, file, why);
  }
  try {
    const { isSpool, steps, tornBytes } = readSteps(path, NOTHING);
    if (!isSpool) throw new Error('it is no spool of this version');
    if (steps === 0) throw new Error('it holds no whole step');
    const { visitor, restored } = createRestorer(parts.targets);
    readSteps(path, visitor);
    recovery.restored = restored;
    if (tornBytes === 0) remove(recovery, file);
    else keepAside(recovery, file, `its last ${tornBytes} bytes are no step; all else was read`);
  } catch (error) {
    keepAside(recovery, file, errorText(error));
  }
}

function ledgerNumber(file: string): number {
  return parseInt(file.slice('ledger-'.length), 16);
}

function readSteps(path: string, visitor: RecordVisitor): ReturnType<typeof readSpoolFile> {
  const names: string[] = [];
  return readSpoolFile(path, (step) => readRecords(step, names, visitor));
}

function readLedger(parts: RecoveryParts, file: string, recovery: Recovery): void {
  const { folder, bootId, left } = parts;
  const path = join(folder, file);
  const header = readLedgerHeader(path);
  if (header === undefined || ledgerName(header.id) !== file) {
    return keepAside(recovery, file, 'it is no ledger of this version');
  }
  if (header.bootId !== bootId) {
    return keepAside(recovery, file, 'the machine was started anew since, and it was not synced');
  }
  const drained = recovery.restored?.drained.get(header.id) ?? 0;
  const unreadable = readLeftLedger(readLedgerFile(path, header), drained, left);
  recovery.ledgerIds.push(header.id);
  if (unreadable === 0) remove(recovery, file);
  else if (unreadable === undefined) keepAside(recovery, file, 'nothing in it makes sense');
  else keepAside(recovery, file, `${unreadable} of its names cannot be read; all else was`);
}

function remove({ oldFiles }: Recovery, file: string): void {
  oldFiles.push({ file, becomes: 'removed' });
}

function keepAside({ oldFiles }: Recovery, file: string, why: string): void {
  oldFiles.push({ file, becomes: { aside: why } });
}

/** Does away with files that were read; what was not understood is kept under another name. */
export function clearAway(folder: string, { oldFiles }: Recovery, log: Log): void {
  for (const { file, becomes } of oldFiles) {
    if (becomes === 'removed') rmSync(join(folder, file), { force: true });
    else setAside(folder, file, becomes.aside, log);
  }
}

/** Keeps a file under another name, for a person to look at. */
export function setAside(folder: string, file: string, why: string, log: Log): void {
  const aside = asideName(file);
  renameSync(join(folder, file), join(folder, aside));
  log('warn', `${join(folder, file)} is set aside as ${aside}: ${why}`);
}

/** Returns a name that a file may be kept under for a person to look at. */
export function asideName(file: string): string {
  return `aside-${new Date().toISOString().replaceAll(/[:.]/g, '-')}-${file}`;
}

const nothing = (): void => {};
/** For a first reading, that shows whether all can be read. */
const NOTHING: RecordVisitor = {
  self: nothing,
  counter: nothing,
  cut: nothing,
  gauge: nothing,
  gaugeCut: nothing,
  members: nothing,
  membersGone: nothing,
  timings: nothing,
  folded: (...[, , , histogram]) => void Histogram.fromBase64(histogram),
  drained: nothing,
  lane: nothing,
  chunk: nothing,
  held: nothing,
  sending: nothing,
  applied: nothing,
  refused: nothing,
  released: nothing,
  fractions: nothing,
  finished: nothing,
  body: nothing,
  answered: nothing,
};
