import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { Stat } from '../../src/ledger/stat.ts';
import { ledgerBench } from '../support/ledger-bench.ts';

describe('a ledger’s gauges', () => {
  it('are set, changed, and set again within a side', () => {
    const bench = ledgerBench();
    for (const line of ['a:+3|g', 'b:5|g', 'b:-2|g', 'c:1:+1:7:-3|g|@0.5', 'd:+0|g']) {
      expect(bench.send(line)).to.equal(undefined);
    }
    const { gauges, counters, stats } = bench.take();
    expect([...gauges]).to.deep.equal([
      ['a', [3, false, 1]],
      ['b', [3, true, 2]],
      ['c', [4, true, 4]],
      ['d', [0, false, 1]],
    ]);
    expect(counters.size).to.equal(0);
    expect([stats[Stat.gaugeSamples], stats[Stat.counterSamples]]).to.deep.equal([8, 0]);
  });

  it('begin anew with each flip: what was set before is not set any more', () => {
    const bench = ledgerBench();
    bench.send('a:5|g');
    expect(bench.take().gauges.get('a')).to.deep.equal([5, true, 1]);
    bench.send('a:+1|g');
    expect(bench.take().gauges.get('a')).to.deep.equal([1, false, 1]);
    expect(bench.take().gauges.size).to.equal(0);
  });

  it('are others than counters and timings of the same name', () => {
    const bench = ledgerBench();
    for (const line of ['a:1|c', 'a:2|g', 'a:3|ms', 'a:4|c:5|g:6|ms', '__proto__:7|g']) {
      bench.send(line);
    }
    const { counters, gauges, timings } = bench.take();
    expect([...counters]).to.deep.equal([['a', [5, 2]]]);
    expect([...gauges]).to.deep.equal([
      ['a', [5, true, 2]],
      ['__proto__', [7, true, 1]],
    ]);
    expect(timings.get('a')!.map(([value]) => value)).to.deep.equal([3, 6]);
  });

  it('refuse what would change them beyond all numbers, and only that', () => {
    const bench = ledgerBench();
    bench.send('a:1e308:+1e308:-1|g');
    bench.send('b:-1e308:-1e308:1|g');
    const { gauges, stats } = bench.take();
    expect([...gauges]).to.deep.equal([
      ['a', [1e308 - 1, true, 2]],
      ['b', [1, true, 2]],
    ]);
    expect([stats[Stat.gaugeSamples], stats[Stat.gaugesOverflown]]).to.deep.equal([6, 2]);
  });

  it('are what a naive reading of the lines gives, over any flips', () => {
    const step = fc.oneof(
      fc.constant('flip' as const),
      fc.record({ eighths: fc.integer({ min: -99, max: 99 }), absolute: fc.boolean() }),
    );
    const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const bench = ledgerBench();
      let now: [value: number, absolute: boolean, samples: number] | undefined;
      for (const one of [...steps, 'flip' as const]) {
        if (one === 'flip') {
          expect(bench.take().gauges.get('g')).to.deep.equal(now);
          now = undefined;
          continue;
        }
        const value = one.eighths / 8;
        const absolute = one.absolute && value >= 0;
        const sign = absolute || value < 0 ? '' : '+';
        expect(bench.send(`g:${sign}${value}|g`)).to.equal(undefined);
        const [before, wasSet, samples] = now ?? [0, false, 0];
        now = [absolute ? value : before + value, absolute || wasSet, samples + 1];
      }
    });
    fc.assert(property, { numRuns: 300 });
  });
});
