import { expect } from 'chai';
import { createPipeline } from '../../src/ingest/pipeline.ts';
import { createLedger, type LedgerLimits } from '../../src/ledger/ledger.ts';
import { Stat } from '../../src/ledger/stat.ts';
import { createLedgerReader } from '../../src/ledger/reader.ts';
import { createLedgerWriter, type LedgerWriterOptions } from '../../src/ledger/writer.ts';
import type { NameRule } from '../../src/protocol/names.ts';
import { Kind, type ParsedLine } from '../../src/protocol/parse.ts';
import type { RejectReason } from '../../src/protocol/reasons.ts';
import { REJECT_REASONS } from '../../src/protocol/reasons.ts';
import { hand } from '../support/packets.ts';

/** Room for what a table sends, and not much more. */
export const SMALL: LedgerLimits = { entriesMax: 64, nameBytesMax: 16_384, timingsMax: 64 };

/** What one drain of a ledger reported. Maps, because `__proto__` is a name like any other. */
export interface Drained {
  /** Name to sum and number of samples. */
  counters: Map<string, [sum: number, samples: number]>;
  /** Name to values with their weights, in order of arrival. */
  gauges: Map<string, [value: number, absolute: boolean, samples: number]>;
  sets: Map<string, string[]>;
  timings: Map<string, [value: number, weight: number][]>;
  /** Refused lines, for reasons that occurred. */
  rejected: Partial<Record<RejectReason, number>>;
  /** Reason to the last line refused for it. */
  refused: Map<RejectReason, Buffer>;
  /** A copy; see {@link Stat}. */
  stats: Float64Array;
}

/** A pipeline into a ledger of its own. */
export interface Wire {
  /** Hands one datagram over. A text is one character per byte. */
  send(datagram: string | Uint8Array, length?: number): void;
  /** Flips, and returns what was added since the last time. */
  drain(): Drained;
  entries(): number;
}

export function createWire(
  limits: LedgerLimits = SMALL,
  rule: NameRule = 'statsd',
  more: Partial<LedgerWriterOptions> = {},
): Wire {
  const ledger = createLedger(limits);
  const writer = createLedgerWriter(ledger, {
    rule,
    hashSeed: 0x5eed,
    onHalfFull: () => {},
    source: () => '127.0.0.1:40001',
    ...more,
  });
  const reader = createLedgerReader(ledger);
  const onPacket = createPipeline(() => writer, more.dialect);
  return {
    send(datagram, length = datagram.length) {
      hand(onPacket, typeof datagram === 'string' ? bytesOf(datagram) : datagram, length);
    },
    entries: () => reader.usage().entries,
    drain() {
      reader.requestFlip();
      writer.poll();
      expect(reader.flipped()).to.equal(true);
      const counters: Drained['counters'] = new Map();
      const gauges: Drained['gauges'] = new Map();
      const timings: Drained['timings'] = new Map();
      const sets: Drained['sets'] = new Map();
      const refused: Drained['refused'] = new Map();
      let stats = new Float64Array(0);
      const reports = reader.drain({
        counter: (entry, sum, samples) => counters.set(reader.nameOf(entry), [sum, samples]),
        gauge: (entry, { value, absolute }, samples) =>
          gauges.set(reader.nameOf(entry), [value, absolute, samples]),
        member(entry, bytes) {
          const name = reader.nameOf(entry);
          const text = Buffer.from(bytes).toString('latin1');
          sets.set(name, [...(sets.get(name) ?? []), text]);
        },
        timings: (entry, values, weights) => {
          const pairs = Array.from(values, (value, at): [number, number] => [value, weights[at]!]);
          timings.set(reader.nameOf(entry), pairs);
        },
        stats: (lent) => void (stats = lent.slice()),
        refusal: (reason, line) => refused.set(reason, Buffer.from(line)),
      });
      for (const _ of reports) void 0; // in one go
      return { counters, gauges, timings, sets, refused, stats, rejected: rejectedOf(stats) };
    },
  };
}

function rejectedOf(stats: Float64Array): Drained['rejected'] {
  const rejected: Drained['rejected'] = {};
  for (const [index, reason] of REJECT_REASONS.entries()) {
    const count = stats[Stat.rejected + index]!;
    if (count > 0) rejected[reason] = count;
  }
  return rejected;
}

/** Returns the bytes of a text of which each character stands for one byte. */
export function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** Returns a text's UTF-8 bytes as a text of which each character stands for one byte. */
export function utf8(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** Returns a text as it can be shown in a test's name. */
export function shown(text: string): string {
  const cut = text.length > 90 ? `${text.slice(0, 60)}… (${text.length} bytes)` : text;
  return JSON.stringify(cut).replaceAll(/[\u007f-\u00ff]/g, hexOf);
}

function hexOf(byte: string): string {
  return `\\x${byte.charCodeAt(0).toString(16)}`;
}

/**
 * Returns the samples of a line as texts: `c` a counter, `t` a timing, `g` a gauge that is set or
 * changed by so much, `s` a member of a set; then value and weight.
 *
 *     a:1:2|ms|@0.1     →     t 1 ×10, t 2 ×10
 */
export function samplesOf(line: ParsedLine): string[] {
  const texts: string[] = [];
  for (let index = 0; index < line.count; index++) {
    if (line.kinds[index] === Kind.set) {
      const member = line.bytes.subarray(line.values[index], line.weights[index]);
      texts.push(`s ${Buffer.from(member).toString('latin1')}`);
      continue;
    }
    if (line.kinds[index] === Kind.gauge) {
      const sign = line.relative[index] === 1 && line.values[index]! >= 0 ? '+' : '';
      texts.push(`${line.relative[index] === 1 ? 'g by ' : 'g '}${sign}${line.values[index]}`);
      continue;
    }
    const kind = line.kinds[index] === Kind.counter ? 'c' : 't';
    const weight = line.weights[index] === 1 ? '' : ` ×${line.weights[index]}`;
    texts.push(`${kind} ${line.values[index]}${weight}`);
  }
  return texts;
}
