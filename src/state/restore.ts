import { Histogram } from '../histogram.ts';
import type { GaugeReading } from '../ledger/reader.ts';
import type { CounterBatch } from '../flush/counter-batch-types.ts';
import type { CounterBook } from '../flush/counter-book.ts';
import type { GaugeBook } from '../flush/gauge-book.ts';
import type { SetBook, SetItem } from '../flush/set-book.ts';
import type { TimingBook } from '../flush/timing-book.ts';
import type { TrapBody } from '../flush/trap-body.ts';
import type { RecordVisitor } from './record-reader.ts';
import type { Self } from './record-types.ts';

/** Where what was remembered is put back. */
export interface RestoreTargets {
  counters: CounterBook;
  gauges: GaugeBook;
  batch: CounterBatch;
  sets: SetBook;
  timings: TimingBook;
}

/** What remains to be put back when all steps were read. */
export interface Restored {
  self: Self | undefined;
  /** The body that was not answered. */
  body: TrapBody | undefined;
  /** By ledger: the highest mark of a side that was drained. */
  readonly drained: Map<number, number>;
  /** The chunks that were sent and not answered. */
  readonly sent: SentChunks;
}

/** When chunks were sent first that are not answered yet. */
export interface SentChunks {
  /** Adds one, unless it is there: it was sent before. Returns whether it was added. */
  add(hash: string, seq: number, timeMs: number): boolean;
  remove(hash: string, seq: number): void;
  all(): Iterable<{ hash: string; seq: number; timeMs: number }>;
}

/** Creates a list of no chunks. */
export function createSentChunks(): SentChunks {
  const sent = new Map<string, { hash: string; seq: number; timeMs: number }>();
  return {
    add(hash, seq, timeMs) {
      const key = `${seq} ${hash}`;
      if (sent.has(key)) return false;
      sent.set(key, { hash, seq, timeMs });
      return true;
    },
    remove: (hash, seq) => void sent.delete(`${seq} ${hash}`),
    all: () => sent.values(),
  };
}

/** Returns what puts records back, in their order, and what has come of it so far. */
export function createRestorer({ counters, gauges, batch, sets, timings }: RestoreTargets): {
  visitor: RecordVisitor;
  restored: Restored;
} {
  const restored: Restored = {
    self: undefined,
    body: undefined,
    drained: new Map(),
    sent: createSentChunks(),
  };
  const { restore } = batch;
  // What was remembered of a gauge since its last cut, in order: a cut takes the first of them, and
  // what was remembered before it may have come into the book behind it.
  const readings = new Map<string, { reading: GaugeReading; samples: number }[]>();
  // Likewise of a set and day.
  const members = new Map<string, SetItem[]>();
  const visitor: RecordVisitor = {
    self: (self) => void (restored.self = self),
    counter: (name, sum, samples) => counters.add(counters.entry(name), sum, samples),
    cut: (name, amount, samples) => counters.takeOut(counters.entry(name), amount, samples),
    gauge(name, reading, samples) {
      gauges.add(gauges.entry(name), reading, samples);
      const ofName = readings.get(name);
      if (ofName === undefined) readings.set(name, [{ reading, samples }]);
      else ofName.push({ reading, samples });
    },
    gaugeCut(name, samples) {
      const entry = gauges.entry(name);
      gauges.takeOut(entry, entry.samples);
      const left = readings.get(name) ?? [];
      for (let cut = samples; cut > 0 && left.length > 0;) cut -= left.shift()!.samples;
      for (const one of left) gauges.add(entry, one.reading, one.samples);
    },
    members(item) {
      sets.addAll(item);
      const key = setOf(item);
      const before = members.get(key);
      if (before === undefined) members.set(key, [item]);
      else before.push(item);
    },
    membersGone(name, day, samples) {
      const left = members.get(setOf({ name, day })) ?? [];
      // Rather one too few: what is written twice is the same.
      for (let gone = samples; left.length > 0 && left[0]!.samples <= gone;) {
        gone -= left.shift()!.samples;
      }
      sets.takeOut(name, day);
      for (const item of left) sets.addAll(item);
    },
    timings: (name, values, weights) => timings.add(timings.entry(name), values, weights),
    folded(name, samples, carry, histogram) {
      timings.addFolded(timings.entry(name), Histogram.fromBase64(histogram), samples, carry);
    },
    drained(ledger, mark) {
      restored.drained.set(ledger, Math.max(mark, restored.drained.get(ledger) ?? 0));
    },
    lane: restore.lane,
    chunk: restore.chunk,
    held: restore.held,
    sending: (hash, seq, timeMs) => void restored.sent.add(hash, seq, timeMs),
    applied(hash, seq, faults) {
      restored.sent.remove(hash, seq);
      restore.applied(hash, seq, faults);
    },
    refused(hash) {
      const chunk = batch.chunks.find(({ lane }) => lane.hash === hash);
      if (chunk !== undefined) restored.sent.remove(hash, chunk.seq);
      restore.refused(hash);
    },
    released: restore.released,
    fractions: restore.fractions,
    finished: restore.finished,
    body({ seq, text, samples, taken }) {
      for (const { name, samples: count, carry } of taken) {
        timings.takeOut(timings.entry(name), count, carry);
      }
      restored.body = { text, samples };
      if (restored.self !== undefined) restored.self = { ...restored.self, bodySeq: seq };
    },
    answered: () => void (restored.body = undefined),
  };
  return { visitor, restored };
}

function setOf({ name, day }: Pick<SetItem, 'name' | 'day'>): string {
  return `${day} ${name}`;
}
