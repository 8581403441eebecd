import { randomBytes } from 'node:crypto';

import { errorText } from '../errors.ts';
import type { Log } from '../flush/health.ts';
import { type KeptLedger, plainLedgers } from '../ingest/kept-ledger.ts';
import type { Libc } from '../ingest/libc.ts';
import type { LedgerLimits } from '../ledger/ledger.ts';
import { createLedgerFile, type FiledLedger } from './ledger-file.ts';
import type { SpoolFailure } from './spool.ts';

/** What the ledgers of a state directory are made with. */
export interface LedgerFilesParts {
  folder: string;
  limits: LedgerLimits;
  bootId: string;
  /** A ledger of that number is no more. */
  onReleased: (id: number) => void;
  nowMs: () => number;
  log: Log;
}

/** The ledgers of a collector, in files as far as these can be had, else in plain memory. */
export interface LedgerFiles {
  /** Ledgers are made in files from now on. */
  open(libc: Libc): void;
  /** Why not; those in use are to be made anew when it is open again. */
  close(error: string): void;
  create(): KeptLedger;
  /** Why a ledger in use is not, or not wholly, in a file; undefined while all are. */
  failure(): SpoolFailure | undefined;
  /** Whether those in use are to be made anew: seldom, as long as it helps nothing. */
  wantsNew(): boolean;
}

/** What has failed for want of room is tried again so much later, and then twice as late. */
const RETRY_MS = 10_000;
const RETRY_MAX_MS = 5 * 60_000;

/** Creates them: none yet. */
export function createLedgerFiles(parts: LedgerFilesParts): LedgerFiles {
  const { folder, limits, bootId, nowMs, log } = parts;
  const plain = plainLedgers(limits);
  const filed = new Set<FiledLedger>();
  let libc: Libc | undefined;
  let plainOnes = 0;
  let failure: SpoolFailure | undefined;
  let lastId = 0;
  let retryMs = RETRY_MS;
  let retryAtMs = 0;

  return {
    open(loaded) {
      libc = loaded;
    },
    close(error) {
      libc = undefined;
      failed(error);
      retryAtMs = 0;
    },
    create,
    failure: look,
    wantsNew() {
      if (libc === undefined || look() === undefined || nowMs() < retryAtMs) return false;
      retryAtMs = nowMs() + retryMs;
      retryMs = Math.min(RETRY_MAX_MS, 2 * retryMs);
      return true;
    },
  };

  function create(): KeptLedger {
    try {
      if (libc === undefined) throw new Error(failure?.error ?? 'it is not open');
      const id = (lastId = Math.max(lastId + 1, newId()));
      const made = createLedgerFile(libc, folder, { id, limits, bootId });
      filed.add(made);
      return { ...made, release: () => release(made) };
    } catch (error) {
      failed(errorText(error));
      plainOnes++;
      return { ...plain(), release: () => void plainOnes-- };
    }
  }

  function release(made: FiledLedger): void {
    filed.delete(made);
    parts.onReleased(made.id);
    made.release();
  }

  /** Finds out how they are: their threads may have met the end of the disk. */
  function look(): SpoolFailure | undefined {
    const all = [...filed];
    if (all.some((one) => one.isIncomplete())) failed('ENOSPC: the ledger has not found room');
    else if (!all.every((one) => one.isThere())) failed('the ledger was removed');
    else if (libc !== undefined && plainOnes === 0 && failure !== undefined) {
      log('info', `${folder}: the ledgers lie in files again`);
      failure = undefined;
      retryMs = RETRY_MS;
    }
    return failure;
  }

  function failed(error: string): void {
    if (failure?.error === error) return;
    failure = { error, sinceMs: failure?.sinceMs ?? nowMs() };
    log(
      'error',
      `--state-dir ${folder}: ${error}; counting goes on in memory, which a crash would lose. ` +
        'It wants a directory on a local disk that has room, and that this user may write',
    );
  }
}

/**
 * Returns a number that no other ledger has, and that is above those of earlier ones, so that it is
 * known of two that were left which one was written last.
 */
function newId(): number {
  return Date.now() * 256 + randomBytes(1)[0]!;
}
