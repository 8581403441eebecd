import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';

import type { WindowClock } from '../../src/window/clock.ts';
import { type CounterTrace, createCounterTrace } from '../../src/window/counter-trace.ts';
import { createLongHistory, type LongHistory } from '../../src/window/long-history.ts';
import { createWindow, type LiveWindow } from '../../src/window/window.ts';
import { windowClockOf } from '../support/window-clock.ts';
import { createHistoryModel, type HistoryModel } from './history-model.ts';

const START = 1_800_000_000;
const KINDS = ['timing', 'counter'] as const;

describe('The long history', () => {
  it('holds the busiest names as a naive model does, for two hours', () => {
    const names = 6;
    // Of each name and phase: how much comes in each span of it, if anything.
    const rate = fc.oneof(
      { weight: 2, arbitrary: fc.constant(0) },
      { weight: 3, arbitrary: fc.integer({ min: 1, max: 40 }) },
    );
    const phase = fc.record({
      spans: fc.integer({ min: 1, max: 45 }),
      rates: fc.array(rate, { minLength: names, maxLength: names }),
      // The process is held up: no span is built before so many are over.
      heldUp: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(phase, { minLength: 5, maxLength: 14 }), (phases) => {
        const rig = createRig(2);
        for (const { spans, rates, heldUp } of phases) {
          for (let span = 1; span <= spans; span++) {
            for (const [at, amount] of rates.entries()) {
              // No two are equally busy: which one would win is nobody's business.
              if (amount > 0) rig.add(`n${at}`, amount * (1 + at / 1000.7));
            }
            rig.pass(13);
            rig.add(`n${span % names}`, 0.25);
            rig.pass(17);
            if (span % heldUp === 0) rig.advance();
            if (span % 5 === 0) rig.check();
          }
          rig.check();
        }
      }),
      { numRuns: 25 },
    );
  });

  it('brings what is still known of one that comes in: whole spans only', () => {
    const { history, add, pass, advance } = createRig(1);
    add('first', 1000);
    for (let span = 0; span < 20; span++) {
      add('second', 2);
      pass(30);
      advance();
    }
    expect(history.has('timing', 'second')).to.equal(false);
    expect(history.timing('second', 0)).to.deep.equal([]);
    expect(history.counter('second', 0)).to.deep.equal([]);
    add('second', 1000);
    pass(30);
    advance();
    expect(history.has('timing', 'first')).to.equal(false);
    const seconds = history.timing('second', 0).map(({ second }) => second);
    const last = START + 20 * 30;
    // Of 5 minutes the window has one second less when the last one is over.
    expect(seconds).to.deep.equal(Array.from({ length: 9 }, (_, at) => last - (8 - at) * 30));
    expect(history.counter('second', last - 60)).to.deep.equal([
      [last - 30, 30, 2],
      [last, 30, 1000],
    ]);
  });

  it('tells of the span that is not over what is over of it', () => {
    const { history, add, pass, advance } = createRig(2);
    add('a', 5);
    pass(30);
    advance();
    expect(history.timing('a', 0)).to.have.length(1);
    add('a', 7);
    expect(history.timing('a', START)).to.deep.equal([]);
    pass(10);
    add('a', 1);
    pass(1);
    const [coming, ...others] = history.timing('a', START);
    expect(others).to.deep.equal([]);
    expect(coming).to.include({ second: START + 30, span: 30, weight: 8 });
    expect(history.counter('a', START)).to.deep.equal([[START + 30, 30, 8]]);
    expect(history.timing('a', START + 30)).to.deep.equal([]);
  });

  it('keeps one that has fallen silent for as long as nobody else needs the place', () => {
    const { history, add, pass, advance } = createRig(1);
    add('a', 5);
    const isThere = (): boolean[] => KINDS.map((kind) => history.has(kind, 'a'));
    for (let span = 0; span < 240; span++) {
      pass(30);
      advance();
      expect(isThere()).to.deep.equal([true, true]);
    }
    expect(history.timing('a', 0)).to.have.length(1);
    pass(30);
    advance();
    expect(isThere()).to.deep.equal([false, false]);
    expect(history.bytes).to.equal(0);
  });

  it('a name that is a little busier does not push another out, one much busier does', () => {
    const { history, add, pass, advance } = createRig(1);
    for (let span = 0; span < 30; span++) {
      for (const [name, amount] of [
        ['a', 20],
        ['b', 21],
      ] as const)
        add(name, amount);
      if (span === 0) add('a', 10);
      pass(30);
      advance();
    }
    expect(history.has('counter', 'a')).to.equal(true);
    for (let span = 0; span < 3; span++) {
      add('b', 60);
      pass(30);
      advance();
    }
    expect(history.has('counter', 'b')).to.equal(true);
  });

  it('weights and amounts beyond reason do not keep others out for ever', () => {
    const { history, add, pass, advance } = createRig(1);
    add('absurd', 1e300);
    pass(30);
    advance();
    for (let span = 1; span < 240; span++) {
      add('a', 5);
      pass(30);
      advance();
    }
    expect(KINDS.map((kind) => history.has(kind, 'absurd'))).to.deep.equal([true, true]);
    pass(30);
    advance();
    add('a', 5);
    pass(30);
    advance();
    expect(KINDS.map((kind) => history.has(kind, 'a'))).to.deep.equal([true, true]);
  });

  it('after a hold-up it goes on with what is still known', () => {
    const { history, add, pass, advance } = createRig(2);
    add('a', 5);
    pass(30);
    advance();
    for (let span = 0; span < 40; span++) {
      add('a', 1);
      pass(30);
    }
    advance();
    const seconds = history.timing('a', 0).map(({ second }) => (second - START) / 30);
    expect(seconds).to.deep.equal([0, 32, 33, 34, 35, 36, 37, 38, 39, 40]);
  });

  it('keeps to its memory: the oldest spans go before their time', () => {
    const { history, window, clock, pass, advance } = createRig(4, 6000);
    for (let span = 0; span < 100; span++) {
      for (const name of ['a', 'b', 'c', 'd']) {
        const values = Float64Array.from({ length: 20 }, (_, at) => 1 + at ** 2 + span);
        window.add(name, values, new Float64Array(20).fill(1));
      }
      pass(30);
      advance();
      expect(history.bytes).to.be.at.most(6000);
    }
    const kept = history.timing('a', 0);
    expect(kept.length).to.be.within(5, 30);
    expect(kept.at(-1)!.second).to.equal(clock.present() - 30);
  });

  it('finds a column too large for all its memory no reason to stop', () => {
    const { history, add, pass, advance } = createRig(2, 80);
    for (let span = 0; span < 4; span++) {
      add('a', 1);
      pass(30);
      advance();
    }
    expect(history.bytes).to.be.at.most(80);
  });
});

interface Rig {
  history: LongHistory;
  window: LiveWindow;
  trace: CounterTrace;
  clock: WindowClock;
  /** Adds to the timing and to the counter of a name. */
  add(name: string, amount: number): void;
  /** Lets seconds pass; of each all that a collector does is done, but for the history. */
  pass(seconds: number): void;
  /** Has the history go on, as every 30 s, and idle counters forgotten behind it. */
  advance(): void;
  /** Compares all that the history tells with the model. */
  check(): void;
}

function createRig(limit: number, budgetBytes = 1 << 20): Rig {
  let nowMs = START * 1000;
  const clock = windowClockOf(() => nowMs);
  const window = createWindow({ windowSeconds: 300, budgetBytes: 64 << 20, clock });
  const trace = createCounterTrace({ clock });
  const history = createLongHistory({ clock, window, trace, limit, budgetBytes });
  const models = { timing: createHistoryModel(limit, 1), counter: createHistoryModel(limit, 0) };
  return { history, window, trace, clock, add, pass, advance, check };

  function add(name: string, amount: number): void {
    window.add(name, Float64Array.of(5), Float64Array.of(amount));
    trace.add(trace.of(name), amount);
    for (const kind of KINDS) models[kind].add(name, clock.present(), amount);
  }

  function pass(seconds: number): void {
    for (let second = 0; second < seconds; second++) {
      nowMs += 1000;
      clock.completeTo(clock.present() - 1);
      exhaust(window.tend());
      models.timing.forget(clock.present() - 300);
    }
  }

  function advance(): void {
    exhaust(history.advance());
    exhaust(trace.forgetIdle());
    for (const kind of KINDS) models[kind].advance(clock.present());
    models.counter.forget(clock.present() - 301);
  }

  function check(): void {
    const timings = models.timing.spans(clock.present());
    const counters = models.counter.spans(clock.present());
    expectMembers(models.timing, 'timing');
    expectMembers(models.counter, 'counter');
    for (const [name, spans] of timings) {
      const found = history.timing(name, 0);
      expect(found.map(({ second }) => second)).to.deep.equal(spans.map(([at]) => at));
      for (const [at, { weight, span }] of found.entries()) {
        expect(span).to.equal(30);
        expect(weight).to.be.closeTo(spans[at]![1], 1e-6);
      }
    }
    for (const [name, spans] of counters) {
      const found = history.counter(name, 0);
      expect(found.map(([second]) => second)).to.deep.equal(spans.map(([at]) => at));
      for (const [at, [, , sum]] of found.entries()) expect(sum).to.be.closeTo(spans[at]![1], 1e-6);
    }
  }

  function expectMembers(model: HistoryModel, kind: 'timing' | 'counter'): void {
    const found = [0, 1, 2, 3, 4, 5]
      .map((at) => `n${at}`)
      .filter((name) => history.has(kind, name));
    expect(found).to.deep.equal(model.members().toSorted());
  }
}

function exhaust(work: Iterable<void>): void {
  for (const _ of work);
}
