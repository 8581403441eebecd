import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';

import type { WindowClock } from '../../src/window/clock.ts';
import { createWindow, type LiveWindow } from '../../src/window/window.ts';
import { windowClockOf } from '../support/window-clock.ts';

const START = 1_800_000_000;
const NAMES = ['a', 'b', 'c'];
const WINDOW_SECONDS = 60;

describe('The live window, which is told late of what was before', () => {
  it('loses nothing, and its columns ascend whatever order things come in', () => {
    const add = fc.record({
      name: fc.constantFrom(...NAMES),
      // How long ago it was.
      ago: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { arbitrary: fc.nat(40), weight: 1 }),
      weight: fc.integer({ min: 1, max: 9 }),
    });
    const step = fc.record({ adds: fc.array(add, { maxLength: 6 }), seconds: fc.nat(4) });
    const budget = fc.constantFrom(100, 700, 2000, 1 << 20);
    fc.assert(
      fc.property(budget, fc.array(step, { maxLength: 60 }), (budgetBytes, steps) => {
        const { window, clock, pass } = createRig(budgetBytes);
        const weights = new Map(NAMES.map((name) => [name, 0]));
        let first = Infinity; // before this second nothing was added
        for (const { adds, seconds } of steps) {
          for (const { name, ago, weight } of adds) {
            clock.at(clock.nowMs() - ago * 1000, () => window.addCounted(name, weight, weight));
            weights.set(name, weights.get(name)! + weight);
            first = Math.min(first, clock.present() - ago);
          }
          pass(seconds);
          const isAllInTime = clock.present() - first < WINDOW_SECONDS;
          for (const name of NAMES) {
            const columns = window.columns(name);
            const begins = columns.map(({ second }) => second);
            expect(begins).to.deep.equal(begins.toSorted((one, other) => one - other));
            const { columnsDropped } = window.usage();
            const sum = columns.reduce((all, { weight }) => all + weight, 0);
            if (columnsDropped === 0 && isAllInTime) expect(sum).to.equal(weights.get(name));
            expect(window.summary(name)?.count ?? 0).to.equal(sum);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('counts to a second what belongs to it, while the next one has begun', () => {
    const { window, clock, pass } = createRig();
    window.addCounted('a', 1, 1);
    pass(1);
    clock.at(START * 1000 + 500, () => window.addCounted('a', 2, 10));
    window.addCounted('b', 1, 1);
    clock.at(START * 1000 + 500, () => window.addCounted('b', 2, 10));
    clock.at(START * 1000 + 500, () => window.addCounted('c', 2, 10));
    window.addCounted('c', 1, 1);
    pass(1);
    const shown = (name: string): number[][] =>
      window.columns(name).map(({ second, weight }) => [second - START, weight]);
    expect(NAMES.map(shown)).to.deep.equal([
      [[0, 11]],
      [[1, 11]], // b has begun with the later second: what comes late joins it
      [
        [0, 10],
        [1, 1],
      ],
    ]);
  });

  it('tells by names what it tells of all', () => {
    const { window, clock, pass } = createRig();
    for (let second = 0; second < 20; second++) {
      window.addCounted('a', second, 2);
      if (second % 2 === 0) window.addCounted('b', 1, 1);
      pass(1);
    }
    window.addCounted('a', 5, 100);
    expect([...window.names()]).to.deep.equal(['a', 'b']);
    expect([window.has('a'), window.has('c')]).to.deep.equal([true, false]);
    const all = new Map(window.summaries());
    expect([window.summary('a'), window.summary('b')]).to.deep.equal([all.get('a'), all.get('b')]);
    expect(window.summary('a')).to.include({ count: 140, max: 19 });
    expect(window.summary('c')).to.equal(undefined);
    const since = window.columnsSince('a', START + 15);
    // What is of a second that is not over is not told by seconds.
    expect(since.map(({ second }) => second - START)).to.deep.equal([16, 17, 18, 19]);
    expect(window.columnsSince('a', clock.complete())).to.deep.equal([]);
    expect(window.columnsSince('c', 0)).to.deep.equal([]);
    expect(window.recentWeight('a', START + 10)).to.equal(20);
    expect(window.recentWeight('b', START + 10)).to.equal(5);
    expect(window.recentWeight('a', START + 10, START + 12)).to.equal(6);
    expect(window.recentWeight('c', 0)).to.equal(0);
  });

  it('shows nothing of what is too old, although nobody has tended it yet', () => {
    const { window, clock, pass } = createRig();
    window.addCounted('a', 1, 1);
    pass(1);
    window.addCounted('a', 2, 1);
    pass(59);
    expect(window.columns('a').map(({ second }) => second - START)).to.deep.equal([1]);
    expect(window.columnsSince('a', 0)).to.have.length(1);
    expect(window.summary('a')).to.include({ count: 1, min: 2 });
    pass(1);
    expect([window.columns('a'), window.summary('a')]).to.deep.equal([[], undefined]);
    expect(clock.present()).to.equal(START + 61);
    for (const _ of window.tend());
    expect([window.has('a'), window.usage().bytes]).to.deep.equal([false, 0]);
  });

  it('can be tended in slices, between which anything is added', () => {
    const { window, pass } = createRig(3000);
    let total = 0;
    for (let second = 0; second < 59; second++) {
      for (const _ of window.tend()) {
        window.addCounted(NAMES[total % 3]!, 5, 1);
        total++;
      }
      for (const name of NAMES) window.addCounted(name, second, 1);
      total += 3;
      pass(1);
    }
    const count = NAMES.reduce((sum, name) => sum + window.summary(name)!.count, 0);
    expect(window.usage().columnsDropped).to.equal(0);
    expect(window.usage().columnsMerged).to.be.above(0);
    expect(count).to.equal(total);
  });
});

interface Rig {
  window: LiveWindow;
  clock: WindowClock;
  pass(seconds: number): void;
}

function createRig(budgetBytes = 1 << 20): Rig {
  let nowMs = START * 1000;
  const clock = windowClockOf(() => nowMs);
  const window = createWindow({ windowSeconds: WINDOW_SECONDS, budgetBytes, clock });
  return {
    window,
    clock,
    pass(seconds) {
      nowMs += seconds * 1000;
      clock.completeTo(clock.present() - 1);
    },
  };
}
