import { setImmediate } from 'node:timers/promises';

import { errorText } from '../errors.ts';
import type { Seed } from '../ingest/kept-ledger.ts';
import type { LedgerSource, Transport } from '../ingest/ledger-source.ts';
import { REFUSED_LINE_BYTES_MAX, Stat } from '../ledger/stat.ts';
import {
  type DrainVisitor,
  isCrowded,
  type LedgerReader,
  type SampleVisitor,
} from '../ledger/reader.ts';
import { isOtherTags } from '../ledger/tag-sets.ts';
import { Kind } from '../protocol/parse.ts';
import type { RejectReason } from '../protocol/reasons.ts';
import { REJECT_REASONS } from '../protocol/reasons.ts';
import type { WindowClock } from '../window/clock.ts';
import type { CounterTrace } from '../window/counter-trace.ts';
import type { LifetimeHistograms } from '../window/lifetime-histograms.ts';
import type { LiveWindow } from '../window/window.ts';
import type { CounterBook, CounterEntry } from './counter-book.ts';
import { createGrowth, type Growth } from './growth.ts';
import type { Log } from './health.ts';
import type { DrainedSamples, DrainMemory } from './journal.ts';
import { type FindEntry, type KnownEntries, lookUp, nothingKnown } from './known-entries.ts';
import { printable } from './printable.ts';
import { nothingReceived, type Received, refusedLine } from './received.ts';
import { createSparing } from './sparing.ts';
import { countDropped, type Tally } from './tally.ts';
import type { TimingBook, TimingEntry } from './timing-book.ts';

/** What a drainer works with. */
export interface DrainerParts {
  /** Those whose ledgers are drained; they may come later. */
  ingests: readonly LedgerSource[];
  /** How many names there may be at once, over all ledgers: each alone has no more. */
  namesMax: number;
  counters: CounterBook;
  timings: TimingBook;
  /** Tells window and trace which second they are added to. */
  clock: WindowClock;
  window: LiveWindow;
  /** What was counted in each second, if that is kept. */
  trace?: CounterTrace | undefined;
  /** What was timed since the start, if that is kept. */
  histograms?: LifetimeHistograms | undefined;
  /** Where counters are counted that are lost before the store. */
  counterTally: Tally;
  /** Where timings are counted that are lost before the trap, or delivered without one. */
  timingTally: Tally;
  /** Whether timings are to wait for a trap; without one the window is where they go. */
  hasTrap: boolean;
  /** Where everything is remembered before it is taken into the books; nowhere, if absent. */
  memory?: DrainMemory | undefined;
  log: Log;
  nowMs: () => number;
}

/** Takes what was counted out of the ledgers, into the books and the window. */
export interface Drainer {
  readonly received: Received;
  /** Where names come from that were not known. */
  readonly growth: Growth;
  /** Flips and drains. What was read before the call is in the books when it resolves. */
  drain(): Promise<void>;
  /**
   * The same, unless nothing has come: then no thread is woken. What was read in this moment may be
   * passed over until the next time.
   */
  drainNew(): Promise<void>;
}

/** Idle names are forgotten after one to two of these. */
const PERIOD_MS = 10 * 60_000;
/** When names run out, idle ones may go sooner; but each time costs a walk over all names. */
const PERIOD_MIN_MS = 60_000;

/** Creates a drainer. All drains of the ledgers go through one. */
export function createDrainer(parts: DrainerParts): Drainer {
  const { ingests, counters, timings, clock, window, trace, log, nowMs } = parts;
  const received = nothingReceived();
  const growth = createGrowth(nowMs);
  const known = new Map<LedgerSource, KnownEntries>();
  let periodStartMs = nowMs();
  // What was read before this moment has been drained, or will be by a drain that has begun.
  let drainedToMs = clock.nowMs();
  let last: Promise<void> = Promise.resolve();
  const mayBeSaid = createSparing(nowMs, 1000);
  // Samples lost here that no line of the log tells yet, by what it will tell.
  const unsaid = new Map<string, number>();

  return {
    received,
    growth,
    drain,
    drainNew() {
      if (ingests.some((ingest) => ingest.hasNew())) return drain();
      drainedToMs = clock.nowMs();
      return last.then(() => parts.memory?.tend());
    },
  };

  function drain(): Promise<void> {
    // One after the other: a flip asked for now must not be answered by one that has begun.
    const next = last.then(drainOnce);
    last = next.catch(() => {}); // whoever waits for it is told; the next one goes on
    return next;
  }

  async function drainOnce(): Promise<void> {
    const sinceMs = drainedToMs;
    drainedToMs = clock.nowMs();
    const middleMs = (sinceMs + drainedToMs) / 2;
    const readers = await Promise.all(ingests.map((ingest) => ingest.flip()));
    for (const [at, ingest] of ingests.entries()) await take(ingest, readers[at]!, middleMs);
    sayDropped();
    const isOneDead = ingests.some((ingest) => ingest.isDead);
    const isWanted = parts.memory?.wantsLedgers() ?? false;
    if (isOneDead || isWanted || isPeriodOver(readers)) await renew();
    parts.memory?.tend();
  }

  /** All of it counts to one moment: the middle of the time in which it was read. */
  async function take(ingest: LedgerSource, reader: LedgerReader, middleMs: number): Promise<void> {
    const ofLedger = knownOf(ingest);
    const counterAt = (id: number): CounterEntry | null =>
      lookUp(ofLedger.counters, id, () => counterOf(nameOf(id)));
    const timingAt = (id: number): TimingEntry | null =>
      lookUp(ofLedger.timings, id, () => timingOf(nameOf(id)));
    const nameOf = (id: number): string => {
      const name = reader.nameOf(id);
      if (isOtherTags(name)) ofLedger.others.add(id);
      return name;
    };
    if (parts.memory !== undefined) await remember(parts.memory, reader, { counterAt, timingAt });
    const visitor: DrainVisitor = {
      counter(id, sum, samples) {
        const entry = counterAt(id);
        if (ofLedger.others.has(id)) received.tagSetsFolded += samples;
        if (entry === null) drop(parts.counterTally, 'key_limit', samples);
        else {
          counters.add(entry, sum, samples);
          trace?.add((ofLedger.traced[id] ??= trace.of(entry.name)), sum);
        }
      },
      timings(id, values, weights) {
        const entry = timingAt(id);
        if (ofLedger.others.has(id)) received.tagSetsFolded += values.length;
        if (entry === null) drop(parts.timingTally, 'key_limit', values.length);
        else takeTimings(entry, values, weights);
      },
      stats: (stats) => takeStats(stats, ingest.transport),
      refusal: sayRefusal,
    };
    const draining = reader.drain(visitor)[Symbol.iterator]();
    while (clock.at(middleMs, () => draining.next().done !== true)) await setImmediate();
  }

  /**
   * Has everything remembered while it still is in the ledger: one who reads both after a crash
   * finds there by the mark which side to pass over.
   */
  async function remember(
    memory: DrainMemory,
    reader: LedgerReader,
    find: FindEntry,
  ): Promise<void> {
    const mark = reader.drainedFlip();
    const what: DrainedSamples = { counters: [], timings: [] };
    const visitor: SampleVisitor = {
      counter(id, sum, samples) {
        const name = find.counterAt(id)?.name;
        if (name !== undefined) what.counters.push({ name, sum, samples });
      },
      timings(id, values, weights) {
        const name = find.timingAt(id)?.name;
        if (name !== undefined && parts.hasTrap) what.timings.push({ name, values, weights });
      },
    };
    for (const _ of reader.read(visitor)) await setImmediate();
    if (what.counters.length + what.timings.length === 0) return;
    memory.drained(reader.ledgerId, mark, what);
  }

  function takeTimings(entry: TimingEntry, values: Float64Array, weights: Float64Array): void {
    const shown = window.add(entry.name, values, weights);
    parts.histograms?.add(entry.name, values, weights);
    if (parts.hasTrap) timings.add(entry, values, weights);
    else {
      timings.touch(entry);
      if (shown) parts.timingTally.delivered += values.length;
      else drop(parts.timingTally, 'window_full', values.length);
    }
  }

  function counterOf(name: string): CounterEntry | null {
    return counters.has(name) || isNew(name) ? counters.entry(name) : null;
  }

  function timingOf(name: string): TimingEntry | null {
    return timings.has(name) || isNew(name) ? timings.entry(name) : null;
  }

  /**
   * Whether there is room for a name that was not known. A ledger refuses what goes beyond its
   * room; several ledgers have more room than one.
   */
  function isNew(name: string): boolean {
    growth.add(name);
    return ingests.length === 1 || counters.size + timings.size < parts.namesMax;
  }

  function takeStats(stats: Float64Array, transport: Transport): void {
    // What comes over TCP are no datagrams: its bytes are counted where they are read.
    const packets = { udp: received, unix: received.unix, tcp: undefined }[transport];
    if (packets !== undefined) {
      packets.datagrams += stats[Stat.datagrams]!;
      packets.bytes += stats[Stat.bytes]!;
    }
    received.linesAccepted += stats[Stat.linesAccepted]!;
    received.counterSamples += stats[Stat.counterSamples]!;
    received.timingSamples += stats[Stat.timingSamples]!;
    drop(parts.counterTally, 'overflow', stats[Stat.countersOverflown]!);
    drop(parts.timingTally, 'timing_log_full', stats[Stat.timingsDropped]!);
    for (const [index, reason] of REJECT_REASONS.entries()) {
      const count = stats[Stat.rejected + index]!;
      if (count === 0) continue;
      received.linesRejected.set(reason, (received.linesRejected.get(reason) ?? 0) + count);
    }
  }

  /** Counts what is lost here, and keeps in mind to say so. */
  function drop(tally: Tally, reason: string, samples: number): void {
    if (samples === 0) return;
    countDropped(tally, reason, samples);
    const what = `${tally === parts.counterTally ? 'counter samples' : 'timings'} dropped: ${reason}`;
    unsaid.set(what, (unsaid.get(what) ?? 0) + samples);
  }

  /** At most one line per second and reason. */
  function sayDropped(): void {
    for (const [what, samples] of unsaid) {
      if (!mayBeSaid(what)) continue;
      log('warn', `${samples} ${what}`);
      unsaid.delete(what);
    }
  }

  /** At most one line per second and reason, with the last of the lines refused. */
  function sayRefusal(reason: RejectReason, line: Uint8Array, source: Uint8Array): void {
    received.refusals.set(reason, refusedLine(line, source));
    if (!mayBeSaid(reason)) return;
    const from = source.length === 0 ? '' : ` from ${printable(source)}`;
    const rest = line.length < REFUSED_LINE_BYTES_MAX ? '' : ' and more';
    log('warn', `refused (${reason})${from}: ${printable(line)}${rest}`);
  }

  function isPeriodOver(readers: readonly LedgerReader[]): boolean {
    const ageMs = nowMs() - periodStartMs;
    if (ageMs < PERIOD_MIN_MS) return false;
    return ageMs >= PERIOD_MS || readers.some(isCrowded);
  }

  /** Puts a fresh ledger in the place of each, in which only the names in use are known. */
  async function renew(): Promise<void> {
    periodStartMs = nowMs();
    const seeds: Seed[] = [
      ...counters.nextPeriod().map((name) => ({ kind: Kind.counter, name })),
      ...timings.nextPeriod().map((name) => ({ kind: Kind.timing, name })),
    ];
    for (const ingest of ingests) {
      const old = await ingest.renew(seeds).catch((error: unknown) => {
        if (!ingest.isDead) throw error;
        log('error', `the ingest thread could not be replaced: ${errorText(error)}`);
      });
      // What was counted while the fresh one was made, perhaps of names that were just forgotten:
      // so their entries are looked up anew, and then again: the fresh ledger has other numbers.
      known.delete(ingest);
      if (old === undefined) continue; // it died of that: there will be another time
      await take(ingest, old.reader, (drainedToMs + clock.nowMs()) / 2);
      known.delete(ingest);
      old.release();
    }
    log('debug', `names in use: ${seeds.length}; idle ones are forgotten`);
  }

  function knownOf(ingest: LedgerSource): KnownEntries {
    let found = known.get(ingest);
    if (found === undefined) known.set(ingest, (found = nothingKnown()));
    return found;
  }
}
