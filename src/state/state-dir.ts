import { readdirSync } from 'node:fs';

import { ErrorCode, errorText, StatcolError } from '../errors.ts';
import type { Log } from '../flush/health.ts';
import type { DrainMemory, Journal } from '../flush/journal.ts';
import type { SetItem } from '../flush/set-book.ts';
import type { KeptLedger } from '../ingest/kept-ledger.ts';
import type { Libc } from '../ingest/libc.ts';
import type { LedgerLimits } from '../ledger/ledger.ts';
import { makeFolder, readBootId } from './files.ts';
import { createLedgerFiles } from './ledger-files.ts';
import type { LeftVisitor } from './left-ledger.ts';
import { clearAway, recover, type Recovery, setAside } from './recovery.ts';
import { createSentChunks, type RestoreTargets } from './restore.ts';
import { writeSnapshot } from './snapshot.ts';
import { createSpool, type Spool, type SpoolFailure } from './spool.ts';
import { ForeignState, openStatePage, type StatePage } from './state-page.ts';
import { setOldAside } from './too-old.ts';

/** What a state directory is made with. */
export interface StateDirParts {
  folder: string;
  limitBytes: number;
  limits: LedgerLimits;
  /** The name that this process has where none is found in the directory. */
  instance: string;
  /** Where counters are written. */
  store: 'memory' | 'redis';
  nowMs: () => number;
  log: Log;
}

/** Whose state it is. */
export interface StateTargets extends RestoreTargets {
  /** Takes what was in a ledger. */
  left: LeftVisitor;
  /** Members on their way. */
  setItems(): readonly SetItem[];
  /** The body in flight, and the number of the last one. */
  flight(): { seq: number; body: { text: string; samples: number } | undefined };
  restoreFlight(seq: number, body: { text: string; samples: number } | undefined): void;
  /** Gives up timings, the oldest first; false where there are none. */
  shedTimings(): boolean;
}

/** Everything that outlives the process: what is on its way, and the ledgers. */
export interface StateDir extends DrainMemory {
  readonly journal: Journal;
  /** Members were written, and are not to be remembered any more. */
  membersGone(item: SetItem): void;
  /** The name that markers and keys bear: that of the first process of this directory. */
  readonly instance: string;
  /** How long the spool is. */
  readonly spoolBytes: number;
  /** How much of the room in it what waits takes: 1 is all. */
  readonly spoolFilled: number;
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

/** A directory that cannot be had is looked for again so much later. */
const REOPEN_MS = 10_000;
/** So often it is seen to that everything is still there. */
const LOOK_MS = 1000;

/** Creates a state directory; nothing is touched before `open`. */
export function createStateDir(parts: StateDirParts): StateDir {
  const { folder, limits, nowMs, log } = parts;
  const bootId = readBootId();
  const drainedMarks = new Map<number, number>();
  const onReleased = (id: number): void => void drainedMarks.delete(id);
  const ledgers = createLedgerFiles({ folder, limits, bootId, onReleased, nowMs, log });
  let sent = createSentChunks();
  let { instance } = parts;
  let libc: Libc | undefined;
  let page: StatePage | undefined;
  let spool: Spool | undefined;
  let targets: StateTargets | undefined;
  let clearing: Promise<void> = Promise.resolve();
  let reopenAtMs = Infinity;
  let lookAtMs = 0;

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
    membersGone({ name, day, samples }) {
      spool?.step((records) => records.membersGone(name, day, samples));
    },
    get instance() {
      return instance;
    },
    get spoolBytes() {
      return spool?.bytes ?? 0;
    },
    get spoolFilled() {
      return spool?.filled ?? 0;
    },
    failure: () => spool?.failure ?? ledgers.failure(),
    open,
    createLedger: () => ledgers.create(),
    drained(ledger, mark, { counters, gauges, timings, sets }) {
      if (ledger !== 0) drainedMarks.set(ledger, mark);
      spool?.step((records) => {
        records.counters(counters);
        records.gauges(gauges);
        for (const item of sets) records.members(item);
        for (const { name, values, weights } of timings) records.timings(name, values, weights);
        if (ledger !== 0) records.drained(ledger, mark);
      });
    },
    tend() {
      if (nowMs() >= lookAtMs) look();
      if (spool !== undefined) spool.tend();
      else if (nowMs() >= reopenAtMs) openLate();
    },
    wantsLedgers: () => ledgers.wantsNew(),
    close,
  };

  function open(loaded: Libc, to: StateTargets): void {
    libc = loaded;
    targets = to;
    try {
      makeFolder(folder);
      page = takeFolder();
      const { voidSpool } = page;
      const recovery = recover({ folder, bootId, voidSpool, targets, left: to.left });
      takeOver(recovery);
      begin(recovery.generation);
      // What was found is remembered anew, or else it is in memory alone: not to be read again.
      clearing = spool!.synced().then(() => clear(recovery));
    } catch (error) {
      if (error instanceof StatcolError) {
        page?.close();
        throw error;
      }
      ledgers.close(errorText(error));
      reopenAtMs = nowMs() + REOPEN_MS;
    }
  }

  /** What bears the name of our file and is none of ours is kept under another. */
  function takeFolder(): StatePage {
    try {
      return openStatePage(libc!, folder);
    } catch (error) {
      if (!(error instanceof ForeignState)) throw error;
      setAside(folder, 'state', error.message, log);
      return openStatePage(libc!, folder);
    }
  }

  function begin(generation: number): void {
    spool = openSpool(generation);
    spool.renew();
    ledgers.open(libc!);
  }

  /** There may be room by now. What was left by others has to wait: this process has begun anew. */
  function openLate(): void {
    reopenAtMs = nowMs() + REOPEN_MS;
    try {
      makeFolder(folder);
      const late = takeFolder();
      if (readdirSync(folder).some((file) => /^(?:spool|ledger)-/.test(file))) {
        late.close();
        reopenAtMs = Infinity;
        log('warn', `${folder} holds what was left before: another start will take it over`);
        return;
      }
      page = late;
      begin(page.voidSpool);
    } catch (error) {
      ledgers.close(errorText(error));
    }
  }

  /** Files that were removed are still written to, but nobody will ever find them. */
  function look(): void {
    lookAtMs = nowMs() + LOOK_MS;
    if (page?.isThere() === false) {
      page.close();
      spool?.close();
      page = spool = undefined;
      ledgers.close('it was removed, or another put in its place');
      reopenAtMs = nowMs();
    } else if (spool?.isThere() === false) {
      log('error', `${folder}: the spool was removed; another is begun`);
      spool.renew();
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
    const { batch, counters, gauges, sets } = targets!;
    for (const id of ledgerIds) drainedMarks.set(id, Number.MAX_SAFE_INTEGER);
    if (restored === undefined) return;
    const { self, body } = restored;
    const inBooks = counters.pendingSamples + gauges.pendingSamples + sets.pendingSamples;
    const waiting = inBooks + batch.pendingSamples + batch.pendingGaugeSamples;
    if (self?.store === 'redis' && parts.store === 'memory' && waiting > 0) {
      throw forRedis(folder, waiting);
    }
    // What became of samples before is not for this process to tell.
    for (const tally of [batch.tally, batch.gaugeTally]) {
      tally.delivered = 0;
      tally.dropped.clear();
    }
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
        const { seqFloor } = targets!.batch.lanes;
        const self = { instance, store: parts.store, bodySeq, seqFloor };
        const ways = { self, body, setItems: targets!.setItems(), sent: sent.all() };
        const state = { ...targets!, ...ways, drained: drainedMarks };
        writeSnapshot(state, records);
      },
      shed: () => targets!.shedTimings(),
      onVoid(number) {
        if (page !== undefined) page.voidSpool = number;
      },
      nowMs,
      log,
    });
  }

  async function close(): Promise<boolean> {
    look();
    spool?.renew();
    await spool?.synced();
    await clearing;
    const isRemembered = spool !== undefined && spool.failure === undefined;
    spool?.close();
    page?.close();
    page = spool = undefined;
    reopenAtMs = lookAtMs = Infinity;
    return isRemembered;
  }
}

/** The memory store would forget what was counted for Redis. */
function forRedis(folder: string, samples: number): StatcolError {
  const what = `${samples} samples of counters, gauges and sets that are to go to Redis`;
  const message = `${folder} holds ${what}, and there is no --redis: give it, or another --state-dir`;
  return new StatcolError(ErrorCode.ERR_STATE_DIR, message);
}
