import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';

import { createHeldValues, type HeldPoint, type HeldValues } from '../../src/window/held-values.ts';
import { windowClockOf } from '../support/window-clock.ts';

const START = 1_800_000_000;
const NAMES = ['a', '__proto__', 'c'];

const value = fc.oneof(
  fc.integer({ min: -5, max: 300 }),
  fc.constantFrom(0.5, -0.5, 1e300, 1e-7, NaN, 2 ** 53),
);
const step = fc.record({
  writes: fc.array(fc.tuple(fc.constantFrom(...NAMES), value), { maxLength: 5 }),
  seconds: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 0, max: 3 }) },
    { weight: 3, arbitrary: fc.integer({ min: 20, max: 70 }) },
    { weight: 1, arbitrary: fc.constantFrom(299, 300, 301, 1000) },
  ),
});

describe('What holds until it is written again', () => {
  it('is told of the last 300 seconds, with what held when they began', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(400), (steps, ago) => {
        const rig = createRig();
        for (const one of steps) {
          rig.play(one);
          const last = rig.last();
          for (const name of NAMES) {
            const known = rig.bySecond(name).filter(([second]) => second <= last);
            const recent = known.filter(([second]) => second > last - 300);
            const all = [...known.slice(0, known.length - recent.length).slice(-1), ...recent];
            expect(rig.held.values.points(name, -Infinity)).to.deep.equal(all);
            // Who knows some of it is told the rest.
            const since = last - ago;
            const rest = all.filter(([second]) => second > since);
            expect(rig.held.values.points(name, since)).to.deep.equal(rest);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is known of two hours by half minutes: the last value, the lowest, the highest', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 30, maxLength: 90 }), (steps) => {
        const rig = createRig();
        for (const one of steps) rig.play(one);
        for (const name of NAMES) {
          if (!rig.held.history.has(name)) continue;
          const told = rig.held.history.points(name, 0);
          const first = told[0]?.[0] ?? Infinity;
          const spans = rig.bySpan(name).filter(([second]) => second >= first);
          expect(told).to.deep.equal(spans);
          const since = first + 90;
          expect(rig.held.history.points(name, since)).to.deep.equal(
            spans.filter(([second]) => second > since),
          );
        }
      }),
      { numRuns: 200 },
    );
  });

  it('keeps two hours of those that are written most often, and what held before them', () => {
    const rig = createRig(1);
    rig.play({ writes: [['a', 7]], seconds: 4 });
    for (let minute = 0; minute < 150; minute++) {
      rig.play({ writes: [['c', minute]], seconds: 20 });
      rig.play({ writes: [['c', minute + 0.5]], seconds: 40 });
    }
    expect(NAMES.filter((name) => rig.held.history.has(name))).to.deep.equal(['c']);
    const points = rig.held.history.points('c', 0);
    const reach = rig.last() - points[0]![0];
    expect(reach).to.be.within(7200, 7200 + 90);
    // One that is silent, and none of the busiest: what it stands at is known all the same.
    expect(rig.held.values.points('a', -Infinity)).to.deep.equal([]);
    const quiet = createRig();
    quiet.play({ writes: [['a', 7]], seconds: 7000 });
    expect(quiet.held.values.points('a', -Infinity)).to.deep.equal([[START, 7]]);
    expect([...quiet.held.values.names()]).to.deep.equal(['a']);
    quiet.play({ writes: [], seconds: 300 });
    expect([...quiet.held.values.names()]).to.deep.equal([]);
  });

  it('takes no more than its memory, and of a flood of names five minutes of some', () => {
    const rig = createRig();
    for (let second = 0; second < 4; second++) {
      const writes = Array.from({ length: 40_000 }, (_, at): [string, number] => {
        return [`id${second * 40_000 + at}`, 0.1];
      });
      rig.play({ writes, seconds: 1 });
    }
    expect(rig.held.values.size).to.equal(160_000);
    rig.play({ writes: [], seconds: 330 });
    expect(rig.held.values.size).to.be.at.most(131_072);
    expect(rig.held.values.bytes).to.be.at.most(8 << 20);
  });
});

function createRig(limit?: number) {
  let nowMs = START * 1000;
  const clock = windowClockOf(() => nowMs);
  const held: HeldValues = createHeldValues(clock, limit);
  const written: [name: string, second: number, value: number][] = [];
  let forgotten = START;
  const last = (): number => clock.complete();
  return { held, last, play, bySecond, bySpan };

  function play({ writes, seconds }: { writes: [string, number][]; seconds: number }): void {
    for (const [name, one] of writes) {
      held.writes.add(held.writes.of(name), 1);
      held.hold(name, one);
      written.push([name, clock.present(), one]);
    }
    for (let second = 0; second < seconds; second++) {
      nowMs += 1000;
      clock.completeTo(clock.present() - 1);
      for (const _ of held.history.advance());
      if (clock.present() < forgotten + 30) continue;
      forgotten = clock.present();
      for (const trace of [held.writes, held.values]) for (const _ of trace.forgetIdle());
    }
  }

  /** What a name stood at, at the end of each second in which it was written. */
  function bySecond(name: string): [second: number, value: number][] {
    const found = new Map<number, number>();
    for (const [of, second, one] of written) if (of === name) found.set(second, one);
    return [...found];
  }

  function bySpan(name: string): HeldPoint[] {
    const spans = new Map<number, number[]>();
    for (const [second, one] of bySecond(name)) {
      if (second > last()) continue;
      const from = second - (second % 30);
      spans.set(from, [...(spans.get(from) ?? []), one]);
    }
    return Array.from(spans, ([from, values]) => {
      const known = values.filter((one) => !Number.isNaN(one));
      if (known.length === 0) return [from, 30, NaN, NaN, NaN];
      return [from, 30, values.at(-1)!, Math.min(...known), Math.max(...known)];
    });
  }
}
