import type { CutBody, LaidOut, PlacedChunk, PlacedPart } from '../flush/journal.ts';
import type { SetItem } from '../flush/set-book.ts';
import type { FieldFault } from '../sinks/store.ts';
import type { ByteWriter } from './byte-writer.ts';
import {
  type CounterSum,
  FAULTS,
  GAUGE_FIELD,
  type GaugeSum,
  type Self,
  Type,
} from './record-types.ts';

/** Writes records, one behind the other. */
export interface RecordWriter {
  counters(sums: Iterable<CounterSum>): void;
  gauges(sums: readonly GaugeSum[]): void;
  members(item: SetItem): void;
  membersGone(name: string, day: string, samples: number): void;
  timings(name: string, values: ArrayLike<number>, weights?: ArrayLike<number>): void;
  folded(name: string, samples: number, carry: number, histogram: string): void;
  drained(ledger: number, mark: number): void;
  lane(hash: string, seq: number): void;
  laidOut(what: LaidOut): void;
  chunk(chunk: PlacedChunk): void;
  held(hash: string, part: PlacedPart): void;
  fractions(samples: number): void;
  sending(hash: string, seq: number, timeMs: number): void;
  applied(hash: string, seq: number, faults: ReadonlyMap<number, FieldFault>): void;
  refused(hash: string): void;
  finished(): void;
  body(body: CutBody): void;
  answered(seq: number): void;
  self(self: Self): void;
}

/** Creates a writer into bytes; `names` holds the numbers of those written into the file. */
export function createRecordWriter(bytes: ByteWriter, names: Map<string, number>): RecordWriter {
  return {
    counters: (sums) =>
      listed(Type.counters, Array.from(sums), ({ sum, samples }) => {
        bytes.f64(sum);
        bytes.f64(samples);
      }),
    gauges(sums) {
      listed(Type.gauges, sums, ({ reading, samples }) => {
        bytes.f64(reading.value);
        bytes.f64(samples);
        bytes.u8(reading.absolute ? 1 : 0);
      });
    },
    members({ name, day, members, samples }) {
      ofSet(Type.members, name, day);
      bytes.f64(samples);
      bytes.u32(members.length);
      for (const member of members) bytes.text(member);
    },
    membersGone(name, day, samples) {
      ofSet(Type.membersGone, name, day);
      bytes.f64(samples);
    },
    timings(name, values, weights) {
      const id = idOf(name);
      bytes.u8(Type.timings);
      bytes.u32(id);
      bytes.u32(values.length);
      const isWeighted = weights !== undefined && Array.prototype.some.call(weights, isNotOne);
      bytes.u8(isWeighted ? 1 : 0);
      bytes.doubles(values);
      if (isWeighted) bytes.doubles(weights);
    },
    folded(name, samples, carry, histogram) {
      const id = idOf(name);
      bytes.u8(Type.folded);
      bytes.u32(id);
      bytes.f64(samples);
      bytes.f64(carry);
      bytes.text(histogram);
    },
    drained(ledger, mark) {
      bytes.u8(Type.drained);
      bytes.f64(ledger);
      bytes.f64(mark);
    },
    lane: (hash, seq) => ofHash(Type.lane, hash, seq),
    laidOut({ items, gauges, released, chunks, held, fractionSamples }) {
      listed(Type.cut, items, ({ amount, samples }) => {
        bytes.f64(amount);
        bytes.f64(samples);
      });
      listed(Type.gaugesCut, gauges, ({ samples }) => bytes.f64(samples));
      for (const hash of released) ofHash(Type.released, hash);
      for (const one of chunks) chunk(one);
      for (const { hash, part: one } of held) heldPart(hash, one);
      fractions(fractionSamples);
    },
    chunk,
    held: heldPart,
    fractions,
    sending(hash, seq, timeMs) {
      ofHash(Type.sending, hash, seq);
      bytes.f64(timeMs);
    },
    applied(hash, seq, faults) {
      ofHash(Type.applied, hash, seq);
      bytes.u32(faults.size);
      for (const [index, fault] of faults) {
        bytes.u32(index);
        bytes.u8(FAULTS.indexOf(fault));
      }
    },
    refused: (hash) => ofHash(Type.refused, hash),
    finished: () => bytes.u8(Type.finished),
    body({ seq, samples, text, taken }) {
      const ids = taken.map(({ name }) => idOf(name));
      bytes.u8(Type.body);
      bytes.u32(seq);
      bytes.f64(samples);
      bytes.text(text);
      bytes.u32(taken.length);
      for (const [at, one] of taken.entries()) {
        bytes.u32(ids[at]!);
        bytes.f64(one.samples);
        bytes.f64(one.carry);
      }
    },
    answered(seq) {
      bytes.u8(Type.answered);
      bytes.u32(seq);
    },
    self({ instance, store, bodySeq, seqFloor }) {
      bytes.u8(Type.self);
      bytes.text(instance);
      bytes.text(store);
      bytes.u32(bodySeq);
      bytes.f64(seqFloor);
    },
  };

  /** The number of a name; a record of its own tells it first, so it must not be asked within one. */
  function idOf(name: string): number {
    let id = names.get(name);
    if (id === undefined) {
      names.set(name, (id = names.size));
      bytes.u8(Type.name);
      bytes.u32(id);
      bytes.text(name);
    }
    return id;
  }

  function listed<One extends { name: string }>(
    type: number,
    all: readonly One[],
    writeRest: (one: One) => void,
  ): void {
    if (all.length === 0) return;
    for (const { name } of all) idOf(name);
    bytes.u8(type);
    bytes.u32(all.length);
    for (const one of all) {
      bytes.u32(idOf(one.name));
      writeRest(one);
    }
  }

  function ofSet(type: number, name: string, day: string): void {
    const id = idOf(name);
    bytes.u8(type);
    bytes.u32(id);
    bytes.text(day);
  }

  function ofHash(type: number, hash: string, seq?: number): void {
    bytes.u8(type);
    bytes.text(hash);
    if (seq !== undefined) bytes.f64(seq);
  }

  function fractions(samples: number): void {
    bytes.u8(Type.fractions);
    bytes.f64(samples);
  }

  function chunk({ hash, seq, total, parts }: PlacedChunk): void {
    for (const { share } of parts) idOf(share.name);
    ofHash(Type.chunk, hash, seq);
    bytes.u8(total ? 1 : 0);
    bytes.u32(parts.length);
    for (const one of parts) part(one);
  }

  function heldPart(hash: string, one: PlacedPart): void {
    idOf(one.share.name);
    ofHash(Type.held, hash);
    part(one);
  }

  function part({ field, amount, gauge, share }: PlacedPart): void {
    bytes.f64(share.id);
    bytes.u32(idOf(share.name));
    bytes.f64(share.samples);
    bytes.f64(amount);
    const kind = field === null ? 0 : field === share.name ? 1 : 2;
    bytes.u8(kind + (gauge === undefined ? 0 : GAUGE_FIELD[gauge]));
    if (kind === 2) bytes.text(field!);
  }
}

function isNotOne(weight: number): boolean {
  return weight !== 1;
}
