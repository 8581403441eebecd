import { expect } from 'chai';
import { describe, it } from 'mocha';

import { createRecent, growth, type Recent, type Totals } from '../../src/live/recent.ts';

/** A collector that takes 100 samples a second and delivers them two seconds later. */
const NONE = { taken: 0, delivered: 0, dropped: new Map() };

function totalsAt(second: number, delivered = 100 * Math.max(0, second - 2)): Totals {
  return {
    atMs: 1000 * second,
    datagrams: 10 * second,
    linesAccepted: 100 * second,
    linesRejected: new Map([
      ['bad_value', second],
      ['bad_name', 2 * second],
    ]),
    kernelDrops: Math.max(0, second - 100),
    counters: { taken: 100 * second, delivered, dropped: new Map() },
    gauges: NONE,
    sets: NONE,
    timings: NONE,
  };
}

function recentOf(from: number, to: number): Recent {
  const recent = createRecent();
  for (let second = from; second <= to; second++) recent.add(totalsAt(second));
  return recent;
}

describe('What is recent', () => {
  it('is nothing at first, and of nothing are rates', () => {
    const nothing = { datagrams: 0, lines: 0, rejected: 0, kernelDrops: 0 };
    expect(createRecent().rates()).to.deep.equal(nothing);
    expect(createRecent().lastMinute()).to.equal(undefined);
    expect(createRecent().lagMs('counters')).to.equal(0);
    expect(recentOf(5, 5).rates()).to.deep.equal(nothing);
  });

  it('has rates over the last 10 s, or what there is', () => {
    const steady = { datagrams: 10, lines: 103, rejected: 3, kernelDrops: 0 };
    expect(recentOf(0, 1).rates()).to.deep.equal(steady);
    expect(recentOf(0, 50).rates()).to.deep.equal(steady);
    expect(recentOf(0, 105).rates()).to.deep.equal({ ...steady, kernelDrops: 0.5 });
    expect(recentOf(0, 200).rates()).to.deep.equal({ ...steady, kernelDrops: 1 });
  });

  it('is remembered for a minute', () => {
    expect(recentOf(0, 30).lastMinute()!.before.atMs).to.equal(0);
    const { before, now } = recentOf(0, 200).lastMinute()!;
    expect([before.atMs, now.atMs]).to.deep.equal([140_000, 200_000]);
  });

  it('tells how long the oldest samples wait', () => {
    const recent = recentOf(0, 50);
    expect(recent.lagMs('counters')).to.equal(2000);
    expect(recent.lagMs('timings')).to.equal(0);
    for (let second = 51; second <= 70; second++) recent.add(totalsAt(second, 4800));
    expect(recent.lagMs('counters')).to.equal(22_000);
    for (let second = 71; second <= 300; second++) recent.add(totalsAt(second, 4800));
    expect(recent.lagMs('counters')).to.equal(60_000);
    recent.add(totalsAt(301, 30_100));
    expect(recent.lagMs('counters')).to.equal(0);
  });

  it('counts what was dropped as settled', () => {
    const recent = recentOf(0, 10);
    const { counters, ...rest } = totalsAt(11, 900);
    recent.add({ ...rest, counters: { ...counters, dropped: new Map([['overflow', 200]]) } });
    expect(recent.lagMs('counters')).to.equal(0);
  });

  it('has grown by what came since, the most first', () => {
    const before = new Map([
      ['same', 5],
      ['more', 5],
    ]);
    const now = new Map([
      ['same', 5],
      ['more', 6],
      ['new', 3],
    ]);
    expect(growth(before, now)).to.deep.equal([
      ['new', 3],
      ['more', 1],
    ]);
  });
});
