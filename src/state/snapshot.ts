import type { CounterBatch } from '../flush/counter-batch-types.ts';
import type { CounterBook } from '../flush/counter-book.ts';
import type { GaugeBook } from '../flush/gauge-book.ts';
import type { PlacedPart } from '../flush/journal.ts';
import { type LanePart, newShare, partOf } from '../flush/lanes.ts';
import type { SetBook, SetItem } from '../flush/set-book.ts';
import type { TimingBook } from '../flush/timing-book.ts';
import type { TrapBody } from '../flush/trap-body.ts';
import type { RecordWriter } from './record-writer.ts';
import type { Self } from './record-types.ts';

/** All that is to be remembered. */
export interface StateParts {
  counters: CounterBook;
  gauges: GaugeBook;
  batch: CounterBatch;
  sets: SetBook;
  /** Members on their way. */
  setItems: readonly SetItem[];
  timings: TimingBook;
  self: Self;
  body: TrapBody | undefined;
  /** By ledger: the highest mark of a side that was drained. */
  drained: ReadonlyMap<number, number>;
  /** When a chunk was sent first, by hash and number. */
  sent: Iterable<{ hash: string; seq: number; timeMs: number }>;
}

/** Writes down how things stand: read from nothing, the records put all of it back. */
export function writeSnapshot(parts: StateParts, records: RecordWriter): void {
  const { counters, gauges, sets, setItems, batch, timings, self, body, drained } = parts;
  records.self(self);
  for (const [ledger, mark] of drained) records.drained(ledger, mark);
  records.counters(counters.waiting());
  records.gauges(
    Array.from(gauges.waiting(), ({ name, value, absolute, samples }) => {
      return { name, reading: { value, absolute }, samples };
    }),
  );
  for (const item of [...setItems, ...sets.waiting()]) records.members(item);
  writeBatch(batch, records);
  for (const { hash, seq, timeMs } of parts.sent) records.sending(hash, seq, timeMs);
  for (const { name, folded, foldedSamples, carry, values, weights, taken } of timings.waiting()) {
    if (folded !== undefined) records.folded(name, foldedSamples, carry, folded.toBase64());
    if (taken === values.length) continue;
    records.timings(name, values.slice(taken), weights?.slice(taken));
  }
  if (body !== undefined) records.body({ seq: self.bodySeq, ...body, taken: [] });
}

function writeBatch(batch: CounterBatch, records: RecordWriter): void {
  for (const { lane, seq, total, parts } of batch.chunks) {
    records.chunk({ hash: lane.hash, seq, total, parts: parts.map(ownPart) });
  }
  for (const { hash, seq, held } of batch.lanes.all()) {
    if (seq > 0) records.lane(hash, seq);
    for (const { name, samples, ...what } of held.values()) {
      const share = newShare(name, samples, what.gauge !== undefined);
      records.held(hash, { ...partOf(what), share });
    }
  }
  records.fractions(batch.fractionSamples);
}

/** A part answers for its share's samples unless they are held elsewhere, or dropped. */
function ownPart({ share, ...part }: LanePart): PlacedPart {
  return { ...part, share: share.fate === 'own' ? share : { ...share, samples: 0 } };
}
