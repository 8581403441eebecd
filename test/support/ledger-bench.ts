import { expect } from 'chai';
import { createLedger } from '../../src/ledger/ledger.ts';
import { Stat, STAT_COUNT } from '../../src/ledger/stat.ts';
import type { Ledger, LedgerLimits } from '../../src/ledger/ledger.ts';
import { createLedgerReader } from '../../src/ledger/reader.ts';
import type { LedgerReader } from '../../src/ledger/reader.ts';
import { createLedgerWriter } from '../../src/ledger/writer.ts';
import type { LedgerWriter } from '../../src/ledger/writer.ts';
import type { NameRule } from '../../src/protocol/names.ts';
import { createParser, Kind } from '../../src/protocol/parse.ts';
import type { RejectReason } from '../../src/protocol/reasons.ts';
import { REJECT_REASONS, reasonOf, Verdict } from '../../src/protocol/reasons.ts';

/** What one drain reported, or several of them together, by name. */
export interface Drained {
  counters: Map<string, [sum: number, samples: number]>;
  gauges: Map<string, [value: number, absolute: boolean, samples: number]>;
  /** In order of arrival. */
  timings: Map<string, [value: number, weight: number][]>;
  /** In order of arrival, one character per byte. */
  sets: Map<string, string[]>;
  stats: number[];
  /** The last refused line of each reason, and who sent it. */
  refusals: Map<RejectReason, [line: string, source: string]>;
}

export function nothingDrained(): Drained {
  const stats = Array<number>(STAT_COUNT).fill(0);
  const [counters, gauges, timings, sets] = [new Map(), new Map(), new Map(), new Map()];
  return { counters, gauges, timings, sets, stats, refusals: new Map() };
}

/** Drains a reader, and checks that no counter comes twice. Lent arrays are copied. */
export function drainOf(reader: LedgerReader): Drained {
  const drained = nothingDrained();
  const { counters, gauges, timings, sets, refusals } = drained;
  const reports = reader.drain({
    counter(entry, sum, samples) {
      const name = reader.nameOf(entry);
      expect(reader.kindOf(entry)).to.equal(Kind.counter);
      expect(counters.has(name), `${name} twice`).to.equal(false);
      counters.set(name, [sum, samples]);
    },
    gauge(entry, { value, absolute }, samples) {
      const name = reader.nameOf(entry);
      expect(reader.kindOf(entry)).to.equal(Kind.gauge);
      expect(gauges.has(name), `${name} twice`).to.equal(false);
      gauges.set(name, [value, absolute, samples]);
    },
    timings(entry, values, weights) {
      const name = reader.nameOf(entry);
      expect(reader.kindOf(entry)).to.equal(Kind.timing);
      expect(weights.length).to.equal(values.length);
      const pairs = Array.from(values, (value, at): [number, number] => [value, weights[at]!]);
      timings.set(name, [...(timings.get(name) ?? []), ...pairs]);
    },
    member(entry, bytes) {
      const name = reader.nameOf(entry);
      expect(reader.kindOf(entry)).to.equal(Kind.set);
      sets.set(name, [...(sets.get(name) ?? []), Buffer.from(bytes).toString('latin1')]);
    },
    stats: (stats) => (drained.stats = [...stats]),
    refusal: (reason, line, source) =>
      refusals.set(reason, [
        Buffer.from(line).toString('latin1'),
        Buffer.from(source).toString('latin1'),
      ]),
  });
  for (const _ of reports) void 0; // in one go
  return drained;
}

/** Adds what a later drain reported. */
export function addDrained(
  total: Drained,
  { counters, gauges, timings, sets, stats, refusals }: Drained,
): void {
  for (const [name, [sum, samples]] of counters) {
    const [sumBefore, samplesBefore] = total.counters.get(name) ?? [0, 0];
    total.counters.set(name, [sumBefore + sum, samplesBefore + samples]);
  }
  for (const [name, [value, absolute, samples]] of gauges) {
    const [before, wasSet, samplesBefore] = total.gauges.get(name) ?? [0, false, 0];
    const sum = absolute ? value : before + value;
    total.gauges.set(name, [sum, absolute || wasSet, samplesBefore + samples]);
  }
  for (const [name, members] of sets) {
    total.sets.set(name, [...(total.sets.get(name) ?? []), ...members]);
  }
  for (const [name, pairs] of timings) {
    total.timings.set(name, [...(total.timings.get(name) ?? []), ...pairs]);
  }
  for (const [at, count] of stats.entries()) total.stats[at] = total.stats[at]! + count;
  for (const [reason, last] of refusals) total.refusals.set(reason, last);
}

/** A ledger on one thread, with its writer and its reader. */
export interface Bench {
  ledger: Ledger;
  writer: LedgerWriter;
  reader: LedgerReader;
  /** Reads one line into the ledger and returns why it was refused, or undefined. */
  send: (line: string | Uint8Array) => RejectReason | undefined;
  /** Flips and drains. */
  take: () => Drained;
  /** How often the writer asked for a flip. */
  asked: () => number;
}

export interface BenchOptions extends Partial<LedgerLimits> {
  rule?: NameRule;
  hashSeed?: number;
  source?: () => string;
}

export function ledgerBench(options: BenchOptions = {}): Bench {
  const { entriesMax = 64, nameBytesMax = 8192, timingsMax = 64 } = options;
  const ledger = createLedger({ entriesMax, nameBytesMax, timingsMax });
  const reader = createLedgerReader(ledger);
  const parser = createParser();
  let asked = 0;
  const writer = createLedgerWriter(ledger, {
    rule: options.rule ?? 'statsd',
    hashSeed: options.hashSeed ?? 1,
    onHalfFull: () => void asked++,
    source: options.source ?? (() => '127.0.0.1:40001'),
  });
  return {
    ledger,
    writer,
    reader,
    send(line) {
      const bytes = typeof line === 'string' ? Buffer.from(line) : line;
      const read = parser.parse(bytes, 0, bytes.length);
      const verdict = read === Verdict.accepted ? writer.add(parser.line) : read;
      writer.reject(verdict, bytes, 0, bytes.length);
      return reasonOf(verdict);
    },
    take() {
      reader.requestFlip();
      expect(reader.flipped()).to.equal(false);
      expect(writer.poll()).to.equal(true);
      expect(reader.flipped()).to.equal(true);
      return drainOf(reader);
    },
    asked: () => asked,
  };
}

/** The counts of refused lines that are not 0. */
export function rejected(stats: readonly number[]): Record<string, number> {
  const counts = REJECT_REASONS.map((reason, at) => [reason, stats[Stat.rejected + at]!] as const);
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}
