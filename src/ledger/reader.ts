import type { Kind } from '../protocol/parse.ts';
import type { Ledger, LedgerLimits, LedgerSide } from './ledger.ts';
import {
  Control,
  REFUSAL_BYTES,
  REFUSED_LINE_BYTES_MAX,
  REFUSED_SOURCE_BYTES_MAX,
  Stat,
} from './ledger.ts';
import { HEADER_WORDS } from './key-index.ts';
import type { RejectReason } from '../protocol/reasons.ts';
import { REJECT_REASONS } from '../protocol/reasons.ts';

/** What a drain reports; each is called as often as there is something to say. */
export interface DrainVisitor {
  /** A counter that was added to: the sum of its values, and of how many samples. */
  counter(entry: number, sum: number, samples: number): void;
  /**
   * Timings of one name, in order of arrival; those of a long log come in several parts. The arrays
   * are lent: do not keep them.
   */
  timings(entry: number, values: Float64Array, weights: Float64Array): void;
  /** What was counted beside the samples; the index of a word is in {@link Stat}. Lent. */
  stats(stats: Float64Array): void;
  /** The last refused line of a reason, as it came. The array is lent. */
  refusal(reason: RejectReason, line: Uint8Array, source: Uint8Array): void;
}

/** The one reader of a {@link Ledger}. */
export interface LedgerReader {
  readonly limits: LedgerLimits;
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
  /** Returns the name or spelling of an entry that a drain has reported. */
  nameOf(entry: number): string;
  kindOf(entry: number): Kind;
  /** How many entries there are, names and spellings, and how many bytes they take. */
  usage(): { entries: number; nameBytes: number };
}

/** How many are reported in one go: some milliseconds of work for whoever takes them. */
const COUNTERS_PER_TURN = 5000;
const TIMINGS_PER_TURN = 32_768;

/** Creates the reader of a ledger. A ledger has only one at a time. */
export function createLedgerReader(ledger: Ledger): LedgerReader {
  const { control, records, arena } = ledger;
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  // Scratch for grouping, by entry: how many timings, then where its next one goes. All 0 between.
  const places = new Int32Array(ledger.limits.entriesMax);

  return {
    limits: ledger.limits,
    requestFlip: () => void Atomics.add(control, Control.requested, 1),
    hasNew() {
      const active = Atomics.load(control, Control.active) & 1;
      return ledger.sides[active as 0 | 1].stats[Stat.datagrams] !== 0;
    },
    flipped: () =>
      Atomics.load(control, Control.active) === Atomics.load(control, Control.requested),
    drain,
    nameOf(entry) {
      const record = records[entry]!;
      const length = arena[record + 1]! >>> 15;
      const bytes = new DataView(new ArrayBuffer(length + 3));
      for (let at = 0; at < length; at += 4) {
        bytes.setInt32(at, arena[record + HEADER_WORDS + at / 4]!, true);
      }
      return decoder.decode(new Uint8Array(bytes.buffer, 0, length));
    },
    kindOf: (entry) => (arena[records[entry]! + 1]! & 1) as Kind,
    usage: () => ({
      entries: control[Control.entryCount]!,
      nameBytes: control[Control.nameBytes]!,
    }),
  };

  function* drain(visitor: DrainVisitor): Generator<void> {
    const old = (Atomics.load(control, Control.active) + 1) & 1;
    const side = ledger.sides[old as 0 | 1];
    yield* drainCounters(side, visitor);
    const logged = side.stats[Stat.logLength]!;
    for (let from = 0; from < logged; from += TIMINGS_PER_TURN) {
      if (from > 0) yield;
      drainTimings(side, from, Math.min(from + TIMINGS_PER_TURN, logged), visitor);
    }
    drainRefusals(side, visitor);
    visitor.stats(side.stats);
    side.stats.fill(0);
  }

  function* drainCounters({ stats, sums }: LedgerSide, visitor: DrainVisitor): Generator<void> {
    if (stats[Stat.counterSamples] === 0) return;
    // Entries that came after the flip have nothing on this side; looking at them does no harm.
    const end = 2 * control[Control.entryCount]!;
    let inTurn = 0;
    for (let at = 0; at < end; at += 2) {
      const samples = sums[at + 1]!;
      if (samples === 0) continue;
      const sum = sums[at]!;
      sums[at] = 0;
      sums[at + 1] = 0;
      visitor.counter(at >> 1, sum, samples);
      if (++inTurn % COUNTERS_PER_TURN === 0) yield;
    }
  }

  /** Groups a part of the log by entry with a counting sort: two passes, whatever the order. */
  function drainTimings(side: LedgerSide, from: number, to: number, visitor: DrainVisitor): void {
    const { ids } = side;
    const seen: number[] = [];
    for (let at = from; at < to; at++) {
      const id = ids[at]!;
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
      const place = places[ids[at]!]!;
      places[ids[at]!] = place + 1;
      values[place] = side.values[at]!;
      weights[place] = side.weights[at]!;
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
