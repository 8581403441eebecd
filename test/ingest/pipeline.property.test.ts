import { expect } from 'chai';
import * as fc from 'fast-check';
import { describe, it } from 'mocha';
import { createPipeline } from '../../src/ingest/pipeline.ts';
import { Stat } from '../../src/ledger/stat.ts';
import { forEachLine } from '../../src/protocol/parse.ts';
import { addDrained, type Bench, ledgerBench, nothingDrained } from '../support/ledger-bench.ts';
import { hand } from '../support/packets.ts';

const names = ['a', 'abc', 'abcd', 'hits.total', 'a b', 'n;k=v', 'é', '', '|', 'n'.repeat(300)];
const values = ['1', '12', '1.5', '1.', '.5', '.', '-1', '+1', '1e3', '', '007', '1:2', '1:', '0'];
const long = [
  '123456789012345',
  '1234567890123456',
  '0.12345678901234',
  '0.123456789012345',
  '1e300',
];
const types = ['c', 'ms', 'c', 'ms', 'h', 'g', 'm', 'd', 's', '', 'cx', 'msx', 'm', 'C'];
const rates = [
  '',
  '',
  '|@0.000001',
  '|@0.1',
  '|@1',
  '|@.5',
  '|@0',
  '|@2',
  '|@1e-7',
  '|@',
  '|@0.5|@0.5',
  '|@0.3x',
];
const tags = [
  '',
  '',
  '|#a:b',
  '|#b,a:b',
  '|#a:b,b',
  '|#',
  '|#a|#b',
  '|#,',
  '|T1',
  '|c:id',
  '|#a|@0.1',
];
const ends = ['\n', '\n', '\r\n', '\n\n', '', ' \n', '\r\r\n'];
const line = fc
  .tuple(
    fc.constantFrom(...names),
    fc.constantFrom(':', ':', ':', ''),
    fc.constantFrom(...values, ...long),
    fc.constantFrom('|', '|', '|', ''),
    fc.constantFrom(...types),
    fc.constantFrom(...rates),
    fc.constantFrom(...tags),
    fc.constantFrom(...ends),
  )
  .map((parts) => parts.join(''));
const datagrams = fc.array(fc.array(line, { maxLength: 8 }), { maxLength: 40 });

describe('the short way of plain lines', () => {
  for (const rule of ['statsd', 'keep'] as const) {
    it(`counts as the parser does, which reads all of them (--names ${rule})`, () => {
      fc.assert(
        fc.property(datagrams, (all) => {
          const short = ledgerBench({ rule, entriesMax: 200, timingsMax: 4096 });
          const parsed = ledgerBench({ rule, entriesMax: 200, timingsMax: 4096 });
          const onPacket = createPipeline(() => short.writer);
          for (const lines of all) {
            const bytes = Buffer.from(lines.join(''));
            hand(onPacket, bytes);
            parsed.writer.datagram(bytes.length);
            forEachLine(bytes, bytes.length, (of, start, end) => {
              parsed.send(of.subarray(start, end));
            });
          }
          expect(short.reader.usage()).to.deep.equal(parsed.reader.usage());
          expect(taken(short)).to.deep.equal(taken(parsed));
        }),
        { numRuns: 1000 },
      );
    });
  }

  it('counts a sample beyond 64 bits as one, and lets it take no others along', () => {
    const bench = ledgerBench();
    const onPacket = createPipeline(() => bench.writer);
    hand(onPacket, Buffer.from('a:1|c\na:999999999999999|c|@0.000001\na:2|c'));
    const { counters, stats } = bench.take();
    expect([...counters]).to.deep.equal([['a', [3, 2]]]);
    expect(stats[Stat.countersOverflown]).to.equal(1);
  });

  it('takes names of every length, at every place in memory', () => {
    const bench = ledgerBench({ rule: 'keep', entriesMax: 1000, nameBytesMax: 1 << 20 });
    const onPacket = createPipeline(() => bench.writer);
    for (let round = 0; round < 7; round++) {
      for (let length = 1; length <= 300; length++) {
        hand(onPacket, Buffer.from(`${'x'.repeat(length)}:${length}|c`));
        hand(onPacket, Buffer.from(`t:1|c|#${'y'.repeat(length % 200 || 1)}`));
      }
    }
    const { counters } = bench.take();
    for (let length = 1; length <= 300; length++) {
      expect(counters.get('x'.repeat(length))).to.deep.equal([7 * length, 7]);
    }
    expect(counters.size).to.equal(300 + 199);
  });
});

/** What a bench has counted, the last refused lines with it. */
function taken(bench: Bench): ReturnType<typeof nothingDrained> {
  const total = nothingDrained();
  addDrained(total, bench.take());
  return total;
}
