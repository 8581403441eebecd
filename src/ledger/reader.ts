import type { Kind } from '../protocol/parse.ts';
import type { Ledger, LedgerLimits, LedgerSide } from './ledger.ts';
import { Control, Count, GaugeMark } from './ledger.ts';
import { REFUSAL_BYTES, REFUSED_LINE_BYTES_MAX, REFUSED_SOURCE_BYTES_MAX, Stat } from './stat.ts';
import { MEMBER_HEADER_WORDS, memberWords } from './memory.ts';
import { HEADER_WORDS, kindOfShape, nameLengthOf } from './key-index.ts';
import type { RejectReason } from '../protocol/reasons.ts';
import { REJECT_REASONS } from '../protocol/reasons.ts';

/** What has become of a gauge over some time. */
export interface GaugeReading {
  /** What it stands at, or by how much it has changed. */
  readonly value: number;
  /** Whether it was set; else it has changed from what it was, whatever that is. */
  readonly absolute: boolean;
}

/** What is told of samples; each is called as often as there is something to say. */
export interface SampleVisitor {
  /** A counter that was added to: the sum of its values, and of how many samples. */
  counter(entry: number, sum: number, samples: number): void;
  /** A gauge that was set or changed, and by how many samples. */
  gauge(entry: number, reading: GaugeReading, samples: number): void;
  /**
   * Timings of one name, in order of arrival; those of a long log come in several parts. The arrays
   * may be kept, but not changed.
   */
  timings(entry: number, values: Float64Array, weights: Float64Array): void;
  /** A member of a set, as often as it came. The array is lent. */
  member(entry: number, bytes: Uint8Array): void;
}

/** What a drain reports. */
export interface DrainVisitor extends SampleVisitor {
  /** What was counted beside the samples; the index of a word is in {@link Stat}. Lent. */
  stats(stats: Float64Array): void;
  /** The last refused line of a reason, as it came. The array is lent. */
  refusal(reason: RejectReason, line: Uint8Array, source: Uint8Array): void;
}

/** The one reader of a {@link Ledger}. */
export interface LedgerReader {
  readonly limits: LedgerLimits;
  /** Tells the ledger from others of a state directory; 0 where it lies in none. */
  readonly ledgerId: number;
  /** Asks the writer for a flip. The side drained last must be drained: see {@link drain}. */
  requestFlip(): void;
  /** Whether the writer has read datagrams since the last flip, as far as this thread can see. */
  hasNew(): boolean;
  /** Returns whether the writer has answered the flip asked for last. */
  flipped(): boolean;
  /**
   * Reports what the side not being written holds, and clears it. Once after each flip, and to its
   * end. It yields after every few milliseconds of work, so that others may have a turn.
   */
  drain(visitor: DrainVisitor): Iterable<void>;
  /** Reports the samples of that side, and leaves them there. Yields likewise. */
  read(visitor: SampleVisitor): Iterable<void>;
  /** Number of the flip since which that side was written; 0 when it holds nothing. */
  drainedFlip(): number;
  /** Returns the name or spelling of an entry that a drain has reported. */
  nameOf(entry: number): string;
  kindOf(entry: number): Kind;
  /** How many entries there are, names and spellings, and how many bytes they take. */
  usage(): { entries: number; nameBytes: number };
}

/** Names run out when this share of the room for them is taken. */
const CROWDED = 0.75;

/** Whether names run out in a ledger. */
export function isCrowded(reader: LedgerReader): boolean {
  const { entries, nameBytes } = reader.usage();
  const { entriesMax, nameBytesMax } = reader.limits;
  return entries > CROWDED * entriesMax || nameBytes > CROWDED * nameBytesMax;
}

/** How many are reported in one go: some milliseconds of work for whoever takes them. */
const SUMS_PER_TURN = 5000;
const TIMINGS_PER_TURN = 32_768;
const MEMBERS_PER_TURN = 8192;

/** Creates the reader of a ledger. A ledger has only one at a time. */
export function createLedgerReader(ledger: Ledger, ledgerId = 0): LedgerReader {
  const { control, counts, records, arena } = ledger;
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  // Scratch for grouping, by entry: how many timings, then where its next one goes. All 0 between.
  const places = new Int32Array(ledger.limits.entriesMax);

  return {
    limits: ledger.limits,
    ledgerId,
    requestFlip: () => void Atomics.add(control, Control.requested, 1),
    hasNew() {
      const active = Atomics.load(control, Control.active) & 1;
      return ledger.sides[active as 0 | 1].stats[Stat.datagrams] !== 0;
    },
    flipped: () =>
      Atomics.load(control, Control.active) === Atomics.load(control, Control.requested),
    drain,
    read,
    drainedFlip: () => drainable().mark[0]!,
    nameOf(entry) {
      const record = records[entry]!;
      const length = nameLengthOf(arena[record + 1]!);
      const bytes = new DataView(new ArrayBuffer(length + 3));
      for (let at = 0; at < length; at += 4) {
        bytes.setInt32(at, arena[record + HEADER_WORDS + at / 4]!, true);
      }
      return decoder.decode(new Uint8Array(bytes.buffer, 0, length));
    },
    kindOf: (entry) => kindOfShape(arena[records[entry]! + 1]!),
    usage: () => ({
      entries: counts[Count.entries]!,
      nameBytes: counts[Count.nameBytes]!,
    }),
  };

  function drainable(): LedgerSide {
    const old = (Atomics.load(control, Control.active) + 1) & 1;
    return ledger.sides[old as 0 | 1];
  }

  function* drain(visitor: DrainVisitor): Generator<void> {
    const side = drainable();
    yield* readSums(side, visitor, true);
    yield* readTimings(side, visitor);
    yield* readMembers(side, visitor);
    drainRefusals(side, visitor);
    visitor.stats(side.stats);
    side.stats.fill(0);
    side.mark[0] = 0;
  }

  function* read(visitor: SampleVisitor): Generator<void> {
    const side = drainable();
    yield* readSums(side, visitor, false);
    yield* readTimings(side, visitor);
    yield* readMembers(side, visitor);
  }

  function* readSums(
    { stats, sums }: LedgerSide,
    visitor: SampleVisitor,
    clears: boolean,
  ): Generator<void> {
    if (stats[Stat.counterSamples] === 0 && stats[Stat.gaugeSamples] === 0) return;
    // Entries that came after the flip have nothing on this side; looking at them does no harm.
    const end = 3 * counts[Count.entries]!;
    let inTurn = 0;
    for (let at = 0; at < end; at += 3) {
      const samples = sums[at + 2]!;
      if (samples === 0) continue;
      const sum = sums[at + (samples & 1)]!;
      if (clears) {
        sums[at + 2] = 0; // first: without samples there is no sum
        sums[at] = 0;
        sums[at + 1] = 0;
      }
      if (samples < GaugeMark.absolute) visitor.counter(at / 3, sum, samples);
      else tellGauge(visitor, at / 3, sum, samples);
      if (++inTurn % SUMS_PER_TURN === 0) yield;
    }
  }

  function* readTimings(side: LedgerSide, visitor: SampleVisitor): Generator<void> {
    const logged = side.stats[Stat.logLength]!;
    for (let from = 0; from < logged; from += TIMINGS_PER_TURN) {
      if (from > 0) yield;
      groupTimings(side, from, Math.min(from + TIMINGS_PER_TURN, logged), visitor);
    }
  }

  /** Groups a part of the log by entry with a counting sort: two passes, whatever the order. */
  function groupTimings(side: LedgerSide, from: number, to: number, visitor: SampleVisitor): void {
    const { log } = side;
    const seen: number[] = [];
    for (let at = from; at < to; at++) {
      const id = log[3 * at]!;
      if (places[id] === 0) seen.push(id);
      places[id] = places[id]! + 1;
    }
    let start = 0;
    for (const id of seen) {
      const count = places[id]!;
      places[id] = start;
      start += count;
    }
    const values = new Float64Array(to - from);
    const weights = new Float64Array(to - from);
    for (let at = from; at < to; at++) {
      const id = log[3 * at]!;
      const place = places[id]!;
      places[id] = place + 1;
      values[place] = log[3 * at + 1]!;
      weights[place] = log[3 * at + 2]!;
    }
    start = 0;
    for (const id of seen) {
      const end = places[id]!;
      places[id] = 0;
      visitor.timings(id, values.subarray(start, end), weights.subarray(start, end));
      start = end;
    }
  }

  function drainRefusals({ stats, refusals }: LedgerSide, visitor: DrainVisitor): void {
    for (const [index, reason] of REJECT_REASONS.entries()) {
      if (stats[Stat.rejected + index] === 0) continue;
      const offset = index * REFUSAL_BYTES;
      const line = offset + 2;
      const source = line + REFUSED_LINE_BYTES_MAX;
      visitor.refusal(
        reason,
        refusals.slice(line, line + refusals[offset]!),
        refusals.slice(source, source + Math.min(refusals[offset + 1]!, REFUSED_SOURCE_BYTES_MAX)),
      );
    }
  }
}

function* readMembers(side: LedgerSide, visitor: SampleVisitor): Generator<void> {
  const { stats, members, memberBytes } = side;
  const end = stats[Stat.memberWords]!;
  for (let at = 0, inTurn = 1; at < end; inTurn++) {
    const length = members[at + 1]!;
    const from = 4 * (at + MEMBER_HEADER_WORDS);
    visitor.member(members[at]!, memberBytes.subarray(from, from + length));
    at += memberWords(length);
    if (inTurn % MEMBERS_PER_TURN === 0) yield;
  }
}

function tellGauge(visitor: SampleVisitor, entry: number, value: number, marked: number): void {
  const samples = marked % GaugeMark.absolute;
  const absolute = marked - samples === GaugeMark.gauge + GaugeMark.absolute;
  visitor.gauge(entry, { value, absolute }, samples);
}
