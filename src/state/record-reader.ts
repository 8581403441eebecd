import type { CutBody, PlacedChunk, PlacedPart } from '../flush/journal.ts';
import type { SetItem } from '../flush/set-book.ts';
import type { GaugeReading } from '../ledger/reader.ts';
import type { FieldFault } from '../sinks/store.ts';
import { type ByteReader, createByteReader } from './byte-writer.ts';
import { FAULTS, GAUGE_FIELD, type Self, Type } from './record-types.ts';

/** What records say, in their order; see `record-types.ts`. */
export interface RecordVisitor {
  counter(name: string, sum: number, samples: number): void;
  gauge(name: string, reading: GaugeReading, samples: number): void;
  timings(name: string, values: Float64Array, weights: Float64Array): void;
  members(item: SetItem): void;
  membersGone(name: string, day: string, samples: number): void;
  folded(name: string, samples: number, carry: number, histogram: string): void;
  drained(ledger: number, mark: number): void;
  lane(hash: string, seq: number): void;
  cut(name: string, amount: number, samples: number): void;
  gaugeCut(name: string, samples: number): void;
  chunk(chunk: PlacedChunk): void;
  held(hash: string, part: PlacedPart): void;
  sending(hash: string, seq: number, timeMs: number): void;
  applied(hash: string, seq: number, faults: Map<number, FieldFault>): void;
  refused(hash: string): void;
  released(hash: string): void;
  fractions(samples: number): void;
  finished(): void;
  body(body: CutBody): void;
  answered(seq: number): void;
  self(self: Self): void;
}

/**
 * Reads a step.
 *
 * @param names the names of the file by their number; those of this step are added.
 * @throws {Error} where the bytes are no records.
 */
export function readRecords(step: Uint8Array, names: string[], visitor: RecordVisitor): void {
  const from = createByteReader(step);
  while (!from.atEnd) readRecord(from, names, visitor);
}

function readRecord(from: ByteReader, names: string[], visitor: RecordVisitor): void {
  const name = (): string => {
    const found = names[from.u32()];
    if (found === undefined) throw new Error('a record names a name that is not there');
    return found;
  };
  const part = (): PlacedPart => {
    const id = from.f64();
    const share = { id, name: name(), samples: from.f64() };
    const amount = from.f64();
    const code = from.u8();
    const kind = code & 3;
    const field = kind === 0 ? null : kind === 1 ? share.name : from.text();
    if (code < GAUGE_FIELD.set) return { amount, share, field };
    return { amount, share, field, gauge: code < GAUGE_FIELD.change ? 'set' : 'change' };
  };
  const times = (read: () => void): void => {
    for (let left = from.u32(); left > 0; left--) read();
  };
  const type = from.u8();
  switch (type) {
    case Type.name:
      names[from.u32()] = from.text();
      return;
    case Type.counters:
      return times(() => visitor.counter(name(), from.f64(), from.f64()));
    case Type.gauges:
      return times(() => readGauge(name(), from, visitor));
    case Type.gaugesCut:
      return times(() => visitor.gaugeCut(name(), from.f64()));
    case Type.members: {
      const head = { name: name(), day: from.text(), samples: from.f64() };
      const members: string[] = [];
      times(() => void members.push(from.text()));
      return visitor.members({ ...head, members });
    }
    case Type.membersGone:
      return visitor.membersGone(name(), from.text(), from.f64());
    case Type.timings:
      return readTimings(name(), from, visitor);
    case Type.folded:
      return visitor.folded(name(), from.f64(), from.f64(), from.text());
    case Type.drained:
      return visitor.drained(from.f64(), from.f64());
    case Type.lane:
      return visitor.lane(from.text(), from.f64());
    case Type.cut:
      return times(() => visitor.cut(name(), from.f64(), from.f64()));
    case Type.chunk: {
      const head = { hash: from.text(), seq: from.f64(), total: from.u8() === 1 };
      const parts: PlacedPart[] = [];
      times(() => void parts.push(part()));
      return visitor.chunk({ ...head, parts });
    }
    case Type.held:
      return visitor.held(from.text(), part());
    case Type.sending:
      return visitor.sending(from.text(), from.f64(), from.f64());
    case Type.applied: {
      const [hash, seq] = [from.text(), from.f64()];
      const faults = new Map<number, FieldFault>();
      times(() => void faults.set(from.u32(), FAULTS[from.u8()]!));
      return visitor.applied(hash, seq, faults);
    }
    case Type.refused:
      return visitor.refused(from.text());
    case Type.released:
      return visitor.released(from.text());
    case Type.fractions:
      return visitor.fractions(from.f64());
    case Type.finished:
      return visitor.finished();
    case Type.body: {
      const head = { seq: from.u32(), samples: from.f64(), text: from.text() };
      const taken: CutBody['taken'][number][] = [];
      times(() => void taken.push({ name: name(), samples: from.f64(), carry: from.f64() }));
      return visitor.body({ ...head, taken });
    }
    case Type.answered:
      return visitor.answered(from.u32());
    case Type.self:
      return visitor.self(readSelf(from));
    default:
      throw new Error(`a record is of type ${type}, which there is not`);
  }
}

function readSelf(from: ByteReader): Self {
  const [instance, store] = [from.text(), from.text()];
  return { instance, store, bodySeq: from.u32(), seqFloor: from.f64() };
}

function readGauge(name: string, from: ByteReader, visitor: RecordVisitor): void {
  const [value, samples] = [from.f64(), from.f64()];
  visitor.gauge(name, { value, absolute: from.u8() === 1 }, samples);
}

function readTimings(name: string, from: ByteReader, visitor: RecordVisitor): void {
  const count = from.u32();
  const isWeighted = from.u8() === 1;
  const values = from.doubles(count);
  visitor.timings(name, values, isWeighted ? from.doubles(count) : values.map(() => 1));
}
