import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { errorText, StatcolError } from '../errors.ts';
import type { Log } from '../flush/health.ts';
import type { DrainMemory, Journal } from '../flush/journal.ts';
import { type KeptLedger, plainLedgers } from '../ingest/kept-ledger.ts';
import type { Libc } from '../ingest/libc.ts';
import type { LedgerLimits } from '../ledger/ledger.ts';
import { createLedgerFile, type FiledLedger } from './ledger-file.ts';
import type { LeftVisitor } from './left-ledger.ts';
import { asideName, clearAway, recover, type Recovery } from './recovery.ts';
import { createSentChunks, type RestoreTargets } from './restore.ts';
import { writeSnapshot } from './snapshot.ts';
import { createSpool, type Spool, type SpoolFailure } from './spool.ts';
import { openStatePage, type StatePage } from './state-page.ts';

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

/** A marker lives 7 days: what was sent longer ago than this may have been applied and forgotten. */
const SENT_LIMIT_MS = 6 * 24 * 3_600_000;
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
  let retryMs = LEDGER_RETRY_MS;
  let retryLedgersAtMs = 0;

  return {
    journal: {
      laidOut: (what) => spool?.step((records) => records.laidOut(what), true),
      sending(hash, seq) {
        const timeMs = Date.now();
        sent.add(hash, seq, timeMs);
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
    tend: () => spool?.tend(),
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
      const recovery = recover({ folder, libc, bootId, voidSpool, targets, left: to.left });
      takeOver(recovery);
      spool = openSpool(recovery.generation);
      spool.renew();
      // What was found is remembered anew, or else it is in memory alone: not to be read again.
      clearing = spool.synced().then(() => clear(recovery));
    } catch (error) {
      if (error instanceof StatcolError) throw error;
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
    for (const { hash, seq, timeMs } of sent.all()) {
      if (Date.now() - timeMs > SENT_LIMIT_MS) setOldAside(hash, seq, timeMs);
    }
  }

  /** It may be there already, and nobody remembers: it is not sent again. */
  function setOldAside(hash: string, seq: number, timeMs: number): void {
    const { batch } = targets!;
    const chunk = batch.chunks.find((one) => one.lane.hash === hash && one.seq === seq);
    if (chunk === undefined) return;
    const when = new Date(timeMs).toISOString();
    const amounts = chunk.parts.map(({ field, amount }) => ({ field, amount }));
    const text = JSON.stringify({ hash, instance, seq, sent: when, amounts });
    const file = asideName(`chunk-${seq}.json`);
    const what = `a chunk of ${hash}, sent on ${when} and not answered, is too old to be sent again`;
    try {
      writeFileSync(join(folder, file), `${text}\n`, { mode: 0o600 });
      log('error', `${what}: it is set aside as ${file}`);
    } catch (error) {
      log('error', `${what}, and cannot be set aside (${errorText(error)}): ${text}`);
    }
    sent.remove(hash, seq);
    batch.restore.dropped(hash, seq, 'too_old');
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
    if (page === undefined) return plain();
    try {
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
