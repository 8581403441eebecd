import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';

import { createCounterTrace } from '../../src/window/counter-trace.ts';
import { createHeldValues } from '../../src/window/held-values.ts';
import { BOUNDS, createLifetimeHistograms } from '../../src/window/lifetime-histograms.ts';
import { createLongHistory } from '../../src/window/long-history.ts';
import { createWindow } from '../../src/window/window.ts';
import { windowClockOf } from '../support/window-clock.ts';

const START = 1_800_000_000;
const NAMES = ['a', 'b', 'c', '__proto__'];

/** What happens each second: what is added, and which names are removed behind it. */
const steps = fc.array(
  fc.record({
    adds: fc.array(
      fc.record({ name: fc.constantFrom(...NAMES), value: fc.integer({ min: 1, max: 999 }) }),
      { maxLength: 6 },
    ),
    removed: fc.subarray(NAMES),
    seconds: fc.constantFrom(0, 1, 1, 2, 30),
  }),
  { maxLength: 30 },
);

describe('Names that are removed', () => {
  it('leave window, trace, history and histograms as if they had never been', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const [one, other] = [createRig(), createRig()];
        // The other one gets only what is not removed later.
        const last = new Map<string, number>();
        for (const [at, { removed }] of all.entries()) {
          for (const name of removed) last.set(name, at);
        }
        for (const [at, { adds, removed, seconds }] of all.entries()) {
          for (const { name, value } of adds) {
            one.add(name, value);
            if (at > (last.get(name) ?? -1)) other.add(name, value);
          }
          for (const name of removed) one.remove(name);
          for (const rig of [one, other]) rig.pass(seconds);
        }
        expect(one.shown()).to.deep.equal(other.shown());
      }),
      { numRuns: 100 },
    );
  });

  it('are told to have been there, or not', () => {
    const { window, trace, histograms, add } = createRig();
    add('a', 5);
    for (const kept of [window, trace, histograms]) {
      expect([kept.remove('none'), kept.remove('a'), kept.remove('a')]).to.deep.equal([
        false,
        true,
        false,
      ]);
    }
    expect(window.usage()).to.include({ names: 0, bytes: 0 });
  });

  it('may go while all of them are gone through', () => {
    const { window, trace, histograms, history, add, pass } = createRig();
    for (const name of NAMES) add(name, 5);
    pass(30);
    for (const name of NAMES) add(name, 5);
    pass(30, false);
    const seen: string[] = [];
    for (const [name] of window.summaries()) {
      seen.push(name);
      window.remove('b');
    }
    for (const { name } of histograms.read()) {
      seen.push(name);
      histograms.remove('b');
    }
    expect(seen).to.deep.equal(['a', 'c', '__proto__', 'a', 'c', '__proto__']);
    let turns = 0;
    for (const _ of history.advance()) {
      if (++turns < 6) continue; // in the midst of it
      trace.remove('a');
      window.remove('a');
      for (const kind of ['timing', 'counter'] as const) history.forget(kind, 'a');
    }
    expect(turns).to.be.above(10);
    expect(history.has('timing', 'a') || history.has('counter', 'a')).to.equal(false);
  });

  it('give their room to others', () => {
    const histograms = createLifetimeHistograms();
    for (let round = 0; round < 40; round++) {
      for (let at = 0; at < 10; at++)
        histograms.addCounted(`${round}.`.padEnd(4000, `${at}`), 1, 1);
      for (const name of [...histograms.names()]) histograms.remove(name);
    }
    for (let at = 0; at < 600; at++) histograms.addCounted(`n${at}`, 1, at);
    const counts = Array.from(histograms.read(), ({ cumulative }) => cumulative[BOUNDS.length]);
    expect(counts).to.deep.equal(Array.from({ length: 600 }, (_, at) => at));
    expect(histograms.samplesLeftOut).to.equal(0);
  });
});

function createRig() {
  let nowMs = START * 1000;
  const clock = windowClockOf(() => nowMs);
  const window = createWindow({ windowSeconds: 300, budgetBytes: 1 << 20, clock });
  const trace = createCounterTrace({ clock });
  const history = createLongHistory({ clock, window, trace });
  const histograms = createLifetimeHistograms();
  const held = createHeldValues(clock);
  // Whoever adds keeps the object, as the drainer does.
  const traced = new Map(NAMES.map((name) => [name, trace.of(name)]));
  for (const name of NAMES) trace.remove(name);
  const add = (name: string, value: number): void => {
    window.add(name, Float64Array.of(value), Float64Array.of(1));
    histograms.add(name, Float64Array.of(value), Float64Array.of(1));
    trace.add(traced.get(name)!, value);
    held.writes.add(held.writes.of(name), 1);
    held.hold(name, value);
  };
  const pass = (seconds: number, isTended = true): void => {
    nowMs += 1000 * seconds;
    clock.completeTo(clock.present() - 1);
    for (const _ of isTended ? window.tend() : []);
    for (const _ of isTended ? history.advance() : []);
    for (const _ of isTended ? held.history.advance() : []);
  };
  const remove = (name: string): void => {
    for (const kept of [window, trace, histograms]) kept.remove(name);
    for (const kind of ['timing', 'counter'] as const) history.forget(kind, name);
    held.forget(name);
  };
  const shown = (): object =>
    [...NAMES].map((name) => ({
      summary: window.summary(name),
      columns: window.columns(name),
      points: trace.points(name, 0),
      timing: history.timing(name, 0),
      counter: history.counter(name, 0),
      held: [held.values.points(name, 0), held.writes.points(name, 0)],
      heldLong: held.history.points(name, 0),
      histogram: Array.from(histograms.read(), (one) => [
        one.name,
        one.sum,
        one.cumulative.join(),
      ]).find(([of]) => of === name),
      isThere: [window.has(name), trace.has(name), history.has('timing', name)],
      bytes: history.bytes,
    }));
  return { window, trace, history, histograms, add, pass, remove, shown };
}
