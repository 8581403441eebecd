import { expect } from 'chai';
import { describe, it } from 'mocha';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { Stat } from '../../src/ledger/stat.ts';
import type { LedgerWriter } from '../../src/ledger/writer.ts';
import { createLedgerWriter } from '../../src/ledger/writer.ts';
import { drainOf, ledgerBench, nothingDrained } from '../support/ledger-bench.ts';

describe('the flip', () => {
  it('is done by the writer, and only when asked for', () => {
    const { writer, reader } = ledgerBench();
    expect([writer.poll(), reader.flipped()]).to.deep.equal([false, true]);
    for (let round = 0; round < 5; round++) {
      reader.requestFlip();
      expect(reader.flipped()).to.equal(false);
      expect([writer.poll(), reader.flipped()]).to.deep.equal([true, true]);
      expect([writer.poll(), reader.flipped()]).to.deep.equal([false, true]);
    }
  });

  it('keeps the two sides apart', () => {
    const { send, writer, reader } = ledgerBench();
    send('a:1|c');
    send('t:1|ms');
    send('bad');
    reader.requestFlip();
    // Asked for, not answered: this still goes to the old side.
    send('a:2|c');
    writer.poll();
    send('a:4|c');
    send('t:2|ms');
    send('new:1|c');
    send('a:x|c');
    const first = drainOf(reader);
    expect([...first.counters]).to.deep.equal([['a', [3, 2]]]);
    expect([...first.timings]).to.deep.equal([['t', [[1, 1]]]]);
    expect([...first.refusals.keys()]).to.deep.equal(['no_separator']);
    expect([first.stats[Stat.linesAccepted], first.stats[Stat.logLength]]).to.deep.equal([3, 1]);
    send('a:8|c');
    reader.requestFlip();
    writer.poll();
    const second = drainOf(reader);
    expect([...second.counters]).to.deep.equal([
      ['a', [12, 2]],
      ['new', [1, 1]],
    ]);
    expect([...second.timings]).to.deep.equal([['t', [[2, 1]]]]);
    expect([...second.refusals.keys()]).to.deep.equal(['bad_value']);
  });

  it('is answered by the writer that follows one that is no more', () => {
    const { send, ledger, reader } = ledgerBench();
    send('a:1|c');
    reader.requestFlip();
    const next = writerOf(ledger);
    expect([next.poll(), reader.flipped()]).to.deep.equal([true, true]);
    expect([...drainOf(reader).counters]).to.deep.equal([['a', [1, 1]]]);
    reader.requestFlip();
    expect([next.poll(), drainOf(reader).counters.size]).to.deep.equal([true, 0]);
  });
});

describe('a drain', () => {
  it('clears what it reported', () => {
    const bench = ledgerBench();
    for (const line of ['a:1|c', 't:1:2|ms', 'bad', 'x:|c', '_sc|n|0', 'g:1|g']) {
      bench.send(line);
    }
    const first = bench.take();
    const { counters, gauges, timings, refusals } = first;
    const sizes = [counters, gauges, timings, refusals].map(({ size }) => size);
    expect(sizes).to.deep.equal([1, 1, 1, 3]);
    for (let round = 0; round < 4; round++) expect(bench.take()).to.deep.equal(nothingDrained());
    for (const { sums, stats } of bench.ledger.sides) {
      expect([...sums, ...stats].every((word) => word === 0)).to.equal(true);
    }
  });

  it('groups timings by name, each group in order of arrival', () => {
    const bench = ledgerBench({ entriesMax: 8, timingsMax: 4096 });
    const expected = new Map<string, [number, number][]>();
    for (let round = 0; round < 3; round++) {
      expected.clear();
      for (let at = 0; at < 300; at++) {
        const name = `t${(at * at) % 7}`; // four names, in turns of 7
        const rate = at % 2 === 0 ? 1 : 0.25;
        bench.send(`${name}:${at}|ms|@${rate}`);
        expected.set(name, [...(expected.get(name) ?? []), [at, 1 / rate]]);
      }
      expect(bench.take().timings).to.deep.equal(expected);
    }
  });

  it('reports counters although there are no timings, and timings without counters', () => {
    const bench = ledgerBench();
    bench.send('a:1|c');
    expect([...bench.take().counters.keys()]).to.deep.equal(['a']);
    bench.send('t:1|ms');
    const { counters, timings } = bench.take();
    expect([counters.size, [...timings.keys()]]).to.deep.equal([0, ['t']]);
  });
});

describe('the timing log', () => {
  it('that is full drops what comes next and counts it, beside all samples', () => {
    const bench = ledgerBench({ timingsMax: 4 });
    for (let value = 0; value < 3; value++) bench.send(`t:${value}|ms`);
    expect(bench.send('t:3:4:5|ms')).to.equal(undefined);
    expect(bench.send('u:6|ms')).to.equal(undefined);
    bench.send('c:1|c');
    const { counters, timings, stats } = bench.take();
    expect([...timings.keys()]).to.deep.equal(['t']);
    expect(timings.get('t')!.map(([value]) => value)).to.deep.equal([0, 1, 2, 3]);
    expect(stats[Stat.timingSamples]).to.equal(7);
    expect(stats[Stat.timingsDropped]).to.equal(3);
    expect(stats[Stat.logLength]).to.equal(4);
    expect(stats[Stat.linesAccepted]).to.equal(6);
    expect([...counters]).to.deep.equal([['c', [1, 1]]]);
    // The other side has room of its own, and so has this one when its turn comes.
    for (let round = 0; round < 3; round++) {
      bench.send('u:7|ms');
      const after = bench.take();
      expect([...after.timings]).to.deep.equal([['u', [[7, 1]]]]);
      expect(after.stats[Stat.timingsDropped]).to.equal(0);
    }
  });

  it('asks for a flip when it is half full, once per side', () => {
    const bench = ledgerBench({ timingsMax: 8 });
    for (let round = 1; round <= 4; round++) {
      bench.send('t:1:2:3|ms');
      bench.send('c:1:2:3:4:5:6:7:8:9|c');
      expect(bench.asked()).to.equal(round - 1);
      bench.send('t:4:5|ms');
      expect(bench.asked()).to.equal(round);
      for (let at = 0; at < 20; at++) bench.send('t:6|ms');
      expect(bench.asked()).to.equal(round);
      bench.take();
    }
  });

  it('does not ask again while the flip that was asked for is not answered', () => {
    const bench = ledgerBench({ timingsMax: 2 });
    bench.send('t:1:2|ms');
    bench.reader.requestFlip();
    bench.send('t:3|ms');
    expect(bench.asked()).to.equal(1);
    bench.writer.poll();
    bench.send('t:1:2|ms');
    expect(bench.asked()).to.equal(2);
  });
});

function writerOf(ledger: Ledger): LedgerWriter {
  const options = { rule: 'statsd', hashSeed: 1 } as const;
  return createLedgerWriter(ledger, { ...options, onHalfFull: () => {}, source: () => '' });
}
