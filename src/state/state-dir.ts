import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';

import { errorText, StatcolError } from '../errors.ts';
import type { Log } from '../flush/health.ts';
import type { DrainMemory, Journal } from '../flush/journal.ts';
import { type KeptLedger, plainLedgers } from '../ingest/kept-ledger.ts';
import type { Libc } from '../ingest/libc.ts';
import type { LedgerLimits } from '../ledger/ledger.ts';
import { createLedgerFile, type FiledLedger } from './ledger-file.ts';
import type { LeftVisitor } from './left-ledger.ts';
import { clearAway, recover, type Recovery } from './recovery.ts';
import { createSentChunks, type RestoreTargets } from './restore.ts';
import { writeSnapshot } from './snapshot.ts';
import { createSpool, type Spool, type SpoolFailure } from './spool.ts';
import { openStatePage, type StatePage } from './state-page.ts';
import { setOldAside } from './too-old.ts';

/** What a state directory is made with. */
export interface StateDirParts {
  folder: string;
  limitBytes: number;
  limits: LedgerLimits;
  /** The name that this process has where none is found in the directory. */
  instance: string;
  nowMs: () => number;
  log: Log;
}

/** Whose state it is. */
export interface StateTargets extends RestoreTargets {
  /** Takes what was in a ledger. */
  left: LeftVisitor;
  /** The body in flight, and the number of the last one. */
  flight(): { seq: number; body: { text: string; samples: number } | undefined };
  restoreFlight(seq: number, body: { text: string; samples: number } | undefined): void;
  /** Gives up timings, the oldest first; false where there are none. */
  shedTimings(): boolean;
}

/** Everything that outlives the process: what is on its way, and the ledgers. */
export interface StateDir extends DrainMemory {
  readonly journal: Journal;
  /** The name that markers and keys bear: that of the first process of this directory. */
  readonly instance: string;
  /** How long the spool is. */
  readonly spoolBytes: number;
  /** Why a crash would lose something, and since when; undefined while it would not. */
  failure(): SpoolFailure | undefined;
  /**
   * Takes the directory, and puts back what is in it. Throws `ERR_STATE_DIR` where another
   * collector has it; any other fault is logged, and counting goes on in memory.
   */
  open(libc: Libc, targets: StateTargets): void;
  createLedger(): KeptLedger;
  /** Writes all that is left down; returns whether it could. */
  close(): Promise<boolean>;
}

/** What has failed for want of room is tried again so much later, and then twice as late. */
const LEDGER_RETRY_MS = 10_000;
const LEDGER_RETRY_MAX_MS = 5 * 60_000;

/** Creates a state directory; nothing is touched before `open`. */
export function createStateDir(parts: StateDirParts): StateDir {
  const { folder, limits, nowMs, log } = parts;
  const plain = plainLedgers(limits);
  const bootId = readBootId();
  const filed = new Set<FiledLedger>();
  const drainedMarks = new Map<number, number>();
  let sent = createSentChunks();
  let { instance } = parts;
  let libc: Libc | undefined;
  let page: StatePage | undefined;
  let spool: Spool | undefined;
  let targets: StateTargets | undefined;
  let clearing: Promise<void> = Promise.resolve();
  // Why the ledgers are not in files, or not wholly, and how many are not at all.
  let ledgerFailure: SpoolFailure | undefined;
  let plainOnes = 0;
  let reopenAtMs = Infinity;
  let retryMs = LEDGER_RETRY_MS;
  let retryLedgersAtMs = 0;

  return {
    journal: {
      laidOut: (what) => spool?.step((records) => records.laidOut(what), true),
      sending(hash, seq) {
        const timeMs = Date.now();
        if (!sent.add(hash, seq, timeMs)) return; // by the process before
        spool?.step((records) => records.sending(hash, seq, timeMs));
      },
      applied(hash, seq, faults) {
        sent.remove(hash, seq);
        spool?.step((records) => records.applied(hash, seq, faults));
      },
      refused(hash, seq) {
        sent.remove(hash, seq);
        spool?.step((records) => records.refused(hash));
      },
      finished: () => spool?.step((records) => records.finished()),
      bodyCut: (body) => spool?.step((records) => records.body(body), true),
      answered: (seq) => spool?.step((records) => records.answered(seq)),
      synced: () => spool?.synced(),
    },
    get instance() {
      return instance;
    },
    get spoolBytes() {
      return spool?.bytes ?? 0;
    },
    failure() {
      seeLedgers();
      return spool?.failure ?? ledgerFailure;
    },
    open,
    createLedger,
    drained(ledger, mark, { counters, timings }) {
      if (ledger !== 0) drainedMarks.set(ledger, mark);
      spool?.step((records) => {
        records.counters(counters);
        for (const { name, values, weights } of timings) records.timings(name, values, weights);
        if (ledger !== 0) records.drained(ledger, mark);
      });
    },
    tend() {
      if (spool !== undefined) spool.tend();
      else if (nowMs() >= reopenAtMs) openLate();
    },
    wantsLedgers() {
      seeLedgers();
      if (page === undefined || ledgerFailure === undefined || nowMs() < retryLedgersAtMs)
        return false;
      retryLedgersAtMs = nowMs() + retryMs;
      retryMs = Math.min(LEDGER_RETRY_MAX_MS, 2 * retryMs);
      return true;
    },
    close,
  };

  function open(loaded: Libc, to: StateTargets): void {
    libc = loaded;
    targets = to;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      page = openStatePage(libc, folder);
      const { voidSpool } = page;
      const recovery = recover({ folder, bootId, voidSpool, targets, left: to.left });
      takeOver(recovery);
      spool = openSpool(recovery.generation);
      spool.renew();
      // What was found is remembered anew, or else it is in memory alone: not to be read again.
      clearing = spool.synced().then(() => clear(recovery));
    } catch (error) {
      if (error instanceof StatcolError) throw error;
      ledgerFailure = failed(errorText(error));
      reopenAtMs = nowMs() + LEDGER_RETRY_MS;
    }
  }

  /** There may be room by now. What was left by others has to wait: this process has begun anew. */
  function openLate(): void {
    reopenAtMs = nowMs() + LEDGER_RETRY_MS;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const late = openStatePage(libc!, folder);
      if (readdirSync(folder).some((file) => /^(?:spool|ledger)-/.test(file))) {
        late.close();
        reopenAtMs = Infinity;
        log('warn', `${folder} holds what was left before: another start will take it over`);
        return;
      }
      page = late;
      spool = openSpool(page.voidSpool);
      spool.renew();
    } catch (error) {
      ledgerFailure = failed(errorText(error));
    }
  }

  function clear(recovery: Recovery): void {
    try {
      clearAway(folder, recovery, log);
      for (const id of recovery.ledgerIds) drainedMarks.delete(id);
    } catch (error) {
      log('warn', `${folder}: what was read cannot be removed: ${errorText(error)}`);
    }
  }

  /** Goes on as the process before: under its name, with its numbers. */
  function takeOver({ restored, ledgerIds }: Recovery): void {
    const { batch } = targets!;
    for (const id of ledgerIds) drainedMarks.set(id, Number.MAX_SAFE_INTEGER);
    if (restored === undefined) return;
    const { self, body } = restored;
    // What became of samples before is not for this process to tell.
    batch.tally.delivered = 0;
    batch.tally.dropped.clear();
    sent = restored.sent;
    if (self !== undefined) {
      instance = self.instance;
      batch.lanes.startAbove(self.seqFloor);
    }
    targets!.restoreFlight(self?.bodySeq ?? 0, body);
    setOldAside(folder, { instance, batch, sent, log });
  }

  function openSpool(generation: number): Spool {
    return createSpool({
      folder,
      limitBytes: parts.limitBytes,
      generation,
      snapshot(records) {
        const { seq: bodySeq, body } = targets!.flight();
        const self = { instance, bodySeq, seqFloor: targets!.batch.lanes.seqFloor };
        const state = { ...targets!, self, body, drained: drainedMarks, sent: sent.all() };
        writeSnapshot(state, records);
      },
      shed: () => targets!.shedTimings(),
      onVoid: (number) => void (page!.voidSpool = number),
      nowMs,
      log,
    });
  }

  function createLedger(): KeptLedger {
    try {
      if (page === undefined) throw new Error(ledgerFailure?.error ?? 'it is not open');
      const id = randomBytes(6).readUIntBE(0, 6);
      const made = createLedgerFile(libc!, folder, { id, limits, bootId });
      filed.add(made);
      return { ...made, release: () => release(made) };
    } catch (error) {
      ledgerFailure = failed(errorText(error));
      plainOnes++;
      return { ...plain(), release: () => void plainOnes-- };
    }
  }

  function release(made: FiledLedger): void {
    filed.delete(made);
    drainedMarks.delete(made.id);
    made.release();
  }

  /** Finds out how the ledgers are: their threads may have met the end of the disk. */
  function seeLedgers(): void {
    if (page === undefined) return;
    const isIncomplete = [...filed].some((one) => one.isIncomplete());
    if (isIncomplete) ledgerFailure = failed('ENOSPC: the ledger has not found room');
    else if (plainOnes === 0 && ledgerFailure !== undefined) {
      log('info', `${folder}: the ledgers lie in files again`);
      ledgerFailure = undefined;
      retryMs = LEDGER_RETRY_MS;
    }
  }

  function failed(error: string): SpoolFailure {
    if (ledgerFailure?.error !== error) {
      log('error', `${folder}: ${error}; counting goes on in memory, which a crash would lose`);
    }
    return { error, sinceMs: ledgerFailure?.sinceMs ?? nowMs() };
  }

  async function close(): Promise<boolean> {
    spool?.renew();
    await spool?.synced();
    await clearing;
    const isRemembered = spool !== undefined && spool.failure === undefined;
    spool?.close();
    page?.close();
    page = undefined;
    spool = undefined;
    reopenAtMs = Infinity;
    return isRemembered;
  }
}

/** Memory in files outlives the process, not the machine: this tells one run of it from the next. */
function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return 'unknown';
  }
}
