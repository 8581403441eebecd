import { expect } from 'chai';
import { describe, it } from 'mocha';
import { Stat } from '../../src/ledger/stat.ts';
import { TAG_DIALECTS } from '../../src/protocol/dialects.ts';
import { canonicalName } from '../../src/protocol/names.ts';
import { createParser, DATAGRAM_BYTES_MAX, Kind } from '../../src/protocol/parse.ts';
import { REJECT_REASONS, reasonOf, Verdict } from '../../src/protocol/reasons.ts';
import type { NaiveLine } from '../support/naive-parser.ts';
import { naiveLines, naiveParse } from '../support/naive-parser.ts';
import { seededRandom } from '../support/random.ts';
import { createMutator } from './mutations.ts';
import type { Drained } from './wire.ts';
import { createWire, shown } from './wire.ts';

/** The same each time, unless another one is asked for. */
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_260_101);
const LINES = 1_000_000;
const ROUNDS = 10;
const COMPARED = 100_000;

describe(`Any bytes at all (seed ${SEED})`, () => {
  for (let round = 0; round < ROUNDS; round++) {
    it(`${LINES / ROUNDS} mutated lines are each accepted or refused, part ${round + 1}`, () => {
      const rule = round % 2 === 0 ? 'statsd' : 'keep';
      // Small enough to run full of names, of their bytes and, between two drains, of timings.
      const limits = { entriesMax: 4096, nameBytesMax: 100_000, timingsMax: 64 };
      const dialect = [undefined, ...TAG_DIALECTS][round % 4];
      const tagSetsMax = round % 3 === 0 ? 2 : undefined;
      const wire = createWire(limits, rule, { dialect, tagSetsMax });
      const datagrams = createDatagrams(SEED + round);
      const totals = { lines: 0, refused: 0, keyLimit: 0, dropped: 0 };
      for (let left = LINES / ROUNDS; left > 0;) {
        let lines = 0;
        let bytes = 0;
        let sent = 0;
        while (left > 0 && sent < 100) {
          const { packet, length, made } = datagrams();
          wire.send(packet, length);
          lines += naiveLines(packet.toString('latin1', 0, length)).length;
          bytes += length;
          sent++;
          left -= made;
        }
        const drained = wire.drain();
        expectBalanced(drained, { lines, datagrams: sent, bytes });
        totals.lines += lines;
        totals.refused += lines - drained.stats[Stat.linesAccepted]!;
        totals.keyLimit += drained.rejected.key_limit ?? 0;
        totals.dropped += drained.stats[Stat.timingsDropped]!;
      }
      expect(totals.lines).to.be.at.least(LINES / ROUNDS);
      // The lines are worth sending only if all of this happens often.
      expect(totals.refused / totals.lines).to.be.within(0.2, 0.8);
      expect(totals.keyLimit).to.be.above(100);
      expect(totals.dropped).to.be.above(100);
    });
  }
});

describe(`The grammar, read by splitting and by regular expressions (seed ${SEED})`, () => {
  for (const rule of ['statsd', 'keep'] as const) {
    it(`agrees on ${COMPARED} mutated lines, names kept by the rule ${rule}`, () => {
      const parser = createParser();
      const mutator = createMutator(SEED * 2 + rule.length);
      const seen = new Map<string, number>();
      for (let at = 0; at < COMPARED; at++) {
        // In the middle of other bytes, as a line of a datagram is.
        const length = mutator.next();
        const text = mutator.bytes.toString('latin1', 0, length).replaceAll('\n', ':');
        const line = Buffer.from(`1:${text}:1`, 'latin1');
        const naive = naiveParse(text, rule);
        let verdict = parser.parse(line, 2, 2 + length);
        const name = verdict === Verdict.accepted ? nameOf(rule) : Verdict.accepted;
        if (typeof name === 'number') verdict ||= name;
        const reason = reasonOf(verdict) ?? 'accepted';
        seen.set(reason, (seen.get(reason) ?? 0) + 1);
        expectAgreed(text, reason, naive);
        if (verdict !== Verdict.accepted) continue;
        if (name !== naive.name) expect(name, shown(text)).to.equal(naive.name);
        expectSameSamples(text, naive);
      }
      const missing = REJECT_REASONS.filter(
        (reason) => reason !== 'key_limit' && !seen.has(reason),
      );
      // No mutation makes a name as long as that.
      expect(missing.filter((reason) => reason !== 'name_too_long')).to.deep.equal([]);
      expect(seen.get('accepted')).to.be.above(COMPARED / 5);

      function nameOf(under: typeof rule): string | Verdict {
        const { bytes, nameStart, nameEnd, tagsStart, tagsEnd } = parser.line;
        const tags = bytes.subarray(tagsStart, tagsEnd);
        const result = canonicalName(bytes.subarray(nameStart, nameEnd), tags, under);
        return 'name' in result ? result.name : result.refused;
      }

      function textOf(from: number, to: number): string {
        return Buffer.from(parser.line.bytes.subarray(from, to)).toString('latin1');
      }

      function expectSameSamples(text: string, { samples }: NaiveLine): void {
        const { count, kinds, values, weights, relative } = parser.line;
        let same = samples.length === count;
        for (const [index, { kind, value, weight, ...more }] of samples.entries()) {
          same &&= Kind[kind] === kinds[index];
          const [from, to] = [values[index]!, weights[index]!];
          const member = kind === 'set' ? textOf(from, to) : undefined;
          same &&= kind === 'set' ? member === more.member : Object.is(value, from);
          same &&= kind !== 'timing' || weight === weights[index];
          same &&= kind !== 'gauge' || more.relative === (relative[index] === 1);
        }
        if (!same) expect.fail(`${shown(text)}: other samples than ${JSON.stringify(samples)}`);
      }
    });
  }
});

function expectAgreed(text: string, reason: string, { reason: wanted }: NaiveLine): void {
  if (reason !== (wanted ?? 'accepted')) expect.fail(`${shown(text)}: ${reason}, not ${wanted}`);
}

/** Everything that came in is in exactly one place. */
function expectBalanced(
  { counters, gauges, sets, timings, stats, rejected }: Drained,
  sent: { lines: number; datagrams: number; bytes: number },
): void {
  const refused = Object.values(rejected).reduce((sum, count) => sum + count, 0);
  expect(stats[Stat.linesAccepted]! + refused).to.equal(sent.lines);
  expect([stats[Stat.datagrams], stats[Stat.bytes]]).to.deep.equal([sent.datagrams, sent.bytes]);
  let samples = 0;
  for (const [, count] of counters.values()) samples += count;
  expect(stats[Stat.counterSamples]).to.equal(samples + stats[Stat.countersOverflown]!);
  let members = 0;
  for (const all of sets.values()) members += all.length;
  expect(stats[Stat.setSamples]).to.equal(members + stats[Stat.membersDropped]!);
  let gauged = 0;
  for (const [value, , count] of gauges.values()) {
    gauged += count;
    if (!Number.isFinite(value)) expect.fail(`gauge ${value}`);
  }
  expect(stats[Stat.gaugeSamples]).to.equal(gauged + stats[Stat.gaugesOverflown]!);
  let drained = 0;
  for (const pairs of timings.values()) {
    drained += pairs.length;
    for (const [value, weight] of pairs) {
      if (!Number.isFinite(value) || !(weight >= 1)) expect.fail(`timing ${value} ×${weight}`);
    }
  }
  expect(stats[Stat.logLength]).to.equal(drained);
  expect(stats[Stat.timingSamples]).to.equal(drained + stats[Stat.timingsDropped]!);
}

/** Returns what makes datagrams of 1 to 20 mutated lines, always in the same buffer. */
function createDatagrams(seed: number): () => { packet: Buffer; length: number; made: number } {
  const mutator = createMutator(seed);
  const random = seededRandom(~seed);
  const packet = Buffer.alloc(DATAGRAM_BYTES_MAX);
  return () => {
    const made = 1 + Math.floor(random() * 20);
    let length = 0;
    for (let left = made; left > 0; left--) {
      const bytes = mutator.next();
      length += mutator.bytes.copy(packet, length, 0, bytes);
      if (left > 1 || random() < 0.5) packet[length++] = 0x0a;
    }
    return { packet, length, made };
  };
}
