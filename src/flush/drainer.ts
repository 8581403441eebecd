import { setImmediate } from 'node:timers/promises';

import { errorText } from '../errors.ts';
import type { Seed } from '../ingest/kept-ledger.ts';
import type { LedgerSource, Transport } from '../ingest/ledger-source.ts';
import { REFUSED_LINE_BYTES_MAX, Stat } from '../ledger/stat.ts';
import { type DrainVisitor, isCrowded, type LedgerReader } from '../ledger/reader.ts';
import { isOtherTags } from '../ledger/tag-sets.ts';
import { Kind } from '../protocol/parse.ts';
import type { RejectReason } from '../protocol/reasons.ts';
import { REJECT_REASONS } from '../protocol/reasons.ts';
import type { WindowClock } from '../window/clock.ts';
import type { CounterTrace } from '../window/counter-trace.ts';
import type { LifetimeHistograms } from '../window/lifetime-histograms.ts';
import type { LiveWindow } from '../window/window.ts';
import type { CounterBook, CounterEntry } from './counter-book.ts';
import type { GaugeBook, GaugeEntry } from './gauge-book.ts';
import { createGrowth, type Growth } from './growth.ts';
import type { Log } from './health.ts';
import type { DrainMemory } from './journal.ts';
import { type KnownEntries, lookUp, nothingKnown } from './known-entries.ts';
import { printable } from './printable.ts';
import { nothingReceived, type Received, refusedLine } from './received.ts';
import { createLosses, type Losses } from './losses.ts';
import { rememberSide } from './remember-side.ts';
import { dayOf, memberText, type SetBook, type SetEntry } from './set-book.ts';
import { createSparing } from './sparing.ts';
import type { Tally } from './tally.ts';
import type { TimingBook, TimingEntry } from './timing-book.ts';

/** What a drainer works with. */
export interface DrainerParts {
  /** Those whose ledgers are drained; they may come later. */
  ingests: readonly LedgerSource[];
  /** How many names there may be at once, over all ledgers: each alone has no more. */
  namesMax: number;
  counters: CounterBook;
  gauges: GaugeBook;
  timings: TimingBook;
  sets: SetBook;
  /** Tells window and trace which second they are added to. */
  clock: WindowClock;
  window: LiveWindow;
  /** What was counted in each second, if that is kept. */
  trace?: CounterTrace | undefined;
  /** How often gauges and sets were written in each, likewise. */
  writes?: { gauges: CounterTrace; sets: CounterTrace } | undefined;
  /** What was timed since the start, if that is kept. */
  histograms?: LifetimeHistograms | undefined;
  /** Where counters are counted that are lost before the store. */
  counterTally: Tally;
  gaugeTally: Tally;
  setTally: Tally;
  /** Where timings are counted that are lost before the trap, or delivered without one. */
  timingTally: Tally;
  /** Whether timings are to wait for a trap; without one the window is where they go. */
  hasTrap: boolean;
  /** Where everything is remembered before it is taken into the books; nowhere, if absent. */
  memory?: DrainMemory | undefined;
  log: Log;
  nowMs: () => number;
  /** In milliseconds since 1970: tells the day. */
  wallNowMs: () => number;
}

/** Takes what was counted out of the ledgers, into the books and the window. */
export interface Drainer {
  readonly received: Received;
  /** Where names come from that were not known. */
  readonly growth: Growth;
  /** Flips and drains. What threads were sent before the call is in the books when it resolves. */
  drain(): Promise<void>;
  /**
   * The same, unless nothing has come: then no thread is woken. What was read in this moment may be
   * passed over until the next time.
   */
  drainNew(): Promise<void>;
  /** Says what was dropped and no line of the log tells yet; see {@link Losses}. */
  sayDropped: Losses['say'];
}

/** Where names have entries. */
interface Book<Entry> {
  has(name: string): boolean;
  entry(name: string): Entry;
}

/** Idle names are forgotten after one to two of these. */
const PERIOD_MS = 10 * 60_000;
/** When names run out, idle ones may go sooner; but each time costs a walk over all names. */
const PERIOD_MIN_MS = 60_000;

/** Creates a drainer. All drains of the ledgers go through one. */
export function createDrainer(parts: DrainerParts): Drainer {
  const { ingests, counters, gauges, timings, sets, clock, window, log, nowMs } = parts;
  const { trace, writes } = parts;
  const received = nothingReceived();
  const growth = createGrowth(nowMs);
  const known = new Map<LedgerSource, KnownEntries>();
  let periodStartMs = nowMs();
  // What was read before this moment has been drained, or will be by a drain that has begun.
  let drainedToMs = clock.nowMs();
  let last: Promise<void> = Promise.resolve();
  const mayBeSaid = createSparing(nowMs, 1000);
  const { drop, say: sayDropped } = createLosses(parts, mayBeSaid, log);

  return {
    received,
    growth,
    drain,
    drainNew() {
      if (ingests.some((ingest) => ingest.hasNew())) return drain();
      drainedToMs = clock.nowMs();
      sayDropped();
      return last.then(() => parts.memory?.tend());
    },
    sayDropped,
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
      lookUp(ofLedger.counters, id, () => bookedIn(counters, nameOf(id)));
    const gaugeAt = (id: number): GaugeEntry | null =>
      lookUp(ofLedger.gauges, id, () => bookedIn(gauges, nameOf(id)));
    const timingAt = (id: number): TimingEntry | null =>
      lookUp(ofLedger.timings, id, () => bookedIn(timings, nameOf(id)));
    const setAt = (id: number): SetEntry | null =>
      lookUp(ofLedger.sets, id, () => bookedIn(sets, nameOf(id)));
    const nameOf = (id: number): string => {
      const name = reader.nameOf(id);
      if (isOtherTags(name)) ofLedger.others.add(id);
      return name;
    };
    const add = (to: CounterTrace | undefined, id: number, name: string, sum: number): void =>
      to?.add((ofLedger.traced[id] ??= to.of(name)), sum);
    const day = dayOf(parts.wallNowMs());
    const { memory, hasTrap } = parts;
    if (memory !== undefined) {
      const timingAtTrap = hasTrap ? timingAt : () => null;
      const find = { counterAt, gaugeAt, timingAt: timingAtTrap, setAt, day };
      await rememberSide(memory, reader, find);
    }
    const visitor: DrainVisitor = {
      counter(id, sum, samples) {
        const entry = counterAt(id);
        if (ofLedger.others.has(id)) received.tagSetsFolded += samples;
        if (entry === null) drop(parts.counterTally, 'key_limit', samples);
        else {
          counters.add(entry, sum, samples);
          add(trace, id, entry.name, sum);
        }
      },
      gauge(id, reading, samples) {
        const entry = gaugeAt(id);
        if (ofLedger.others.has(id)) received.tagSetsFolded += samples;
        if (entry === null) drop(parts.gaugeTally, 'key_limit', samples);
        else if (!gauges.add(entry, reading, samples)) drop(parts.gaugeTally, 'overflow', samples);
        else add(writes?.gauges, id, entry.name, samples);
      },
      timings(id, values, weights) {
        const entry = timingAt(id);
        if (ofLedger.others.has(id)) received.tagSetsFolded += values.length;
        if (entry === null) drop(parts.timingTally, 'key_limit', values.length);
        else takeTimings(entry, values, weights);
      },
      member(id, bytes) {
        const entry = setAt(id);
        if (ofLedger.others.has(id)) received.tagSetsFolded++;
        if (entry === null) drop(parts.setTally, 'key_limit', 1);
        else if (!sets.add(entry, day, memberText(bytes))) drop(parts.setTally, 'set_book_full', 1);
        else add(writes?.sets, id, entry.name, 1);
      },
      stats: (stats) => takeStats(stats, ingest.transport),
      refusal: sayRefusal,
    };
    const draining = reader.drain(visitor)[Symbol.iterator]();
    while (clock.at(middleMs, () => draining.next().done !== true)) await setImmediate();
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

  function bookedIn<Entry>(book: Book<Entry>, name: string): Entry | null {
    return book.has(name) || isNew(name) ? book.entry(name) : null;
  }

  /**
   * Whether there is room for a name that was not known. A ledger refuses what goes beyond its
   * room; several ledgers have more room than one.
   */
  function isNew(name: string): boolean {
    growth.add(name);
    const names = counters.size + gauges.size + timings.size + sets.size;
    return ingests.length === 1 || names < parts.namesMax;
  }

  function takeStats(stats: Float64Array, transport: Transport): void {
    // What comes over TCP are no datagrams: its bytes are counted where they are read.
    const packets = { udp: received, unix: received.unix, tcp: undefined }[transport];
    if (packets !== undefined) {
      packets.datagrams += stats[Stat.datagrams]!;
      packets.bytes += stats[Stat.bytes]!;
    }
    received.linesAccepted += stats[Stat.linesAccepted]!;
    if (stats[Stat.linesAccepted]! > 0) received.lastLineMs = nowMs();
    received.counterSamples += stats[Stat.counterSamples]!;
    received.gaugeSamples += stats[Stat.gaugeSamples]!;
    received.setSamples += stats[Stat.setSamples]!;
    received.timingSamples += stats[Stat.timingSamples]!;
    drop(parts.counterTally, 'overflow', stats[Stat.countersOverflown]!);
    drop(parts.gaugeTally, 'overflow', stats[Stat.gaugesOverflown]!);
    drop(parts.setTally, 'set_log_full', stats[Stat.membersDropped]!);
    drop(parts.timingTally, 'timing_log_full', stats[Stat.timingsDropped]!);
    for (const [index, reason] of REJECT_REASONS.entries()) {
      const count = stats[Stat.rejected + index]!;
      if (count === 0) continue;
      received.lastLineMs = nowMs();
      received.linesRejected.set(reason, (received.linesRejected.get(reason) ?? 0) + count);
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
      ...gauges.nextPeriod().map((name) => ({ kind: Kind.gauge, name })),
      ...sets.nextPeriod().map((name) => ({ kind: Kind.set, name })),
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
