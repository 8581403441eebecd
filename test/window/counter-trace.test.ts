import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';

import type { WindowClock } from '../../src/window/clock.ts';
import { type CounterTrace, createCounterTrace } from '../../src/window/counter-trace.ts';
import { windowClockOf } from '../support/window-clock.ts';

const NAMES = ['a', 'b', '__proto__', 'd', 'e.e'];
const START = 1_800_000_000;
const SECONDS = 300;

/** What happens: some adds in one second, then time passes. */
interface Step {
  adds: [name: string, sum: number][];
  seconds: number;
}

const anyAmount = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.integer({ min: -50, max: 50 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 0.1, 1e300, -1.7e308, 1.7e308, 2 ** 53, 2 ** 53 - 1, 2 ** 62, 127, 128),
);
const step: fc.Arbitrary<Step> = fc.record({
  adds: fc.array(fc.tuple(fc.constantFrom(...NAMES), anyAmount), { maxLength: 8 }),
  seconds: fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 0, max: 3 }) },
    { weight: 1, arbitrary: fc.constantFrom(150, 298, 299, 300, 301, 302, 2000) },
  ),
});

describe('The counter trace', () => {
  it('tells every second of the last 300, of all there is room for', () => {
    const bytesMax = fc.constantFrom(32, 64, 128, 512, 4096, 1 << 20);
    fc.assert(
      fc.property(bytesMax, fc.array(step, { maxLength: 80 }), (limit, steps) => {
        const rig = createRig(limit);
        for (const one of steps) {
          rig.play(one);
          rig.check();
        }
        expect(rig.trace.bytes).to.be.at.most(limit);
      }),
      { numRuns: 300 },
    );
  });

  it('reaches as far back as its memory allows, and knows how far', () => {
    const { trace, clock, play, check } = createRig(1024);
    for (let second = 0; second < 250; second++) {
      play({ adds: NAMES.map((name) => [name, second]), seconds: 1 });
      check();
    }
    // A record of these takes 3 bytes at least, 4 at most: so many seconds of five have room.
    const reach = clock.complete() - trace.oldestSecond();
    expect(reach).to.be.within(1024 / 4 / 5 - 3, 1024 / 3 / 5 + 3);
  });

  it('grows only as far as it has to', () => {
    const { trace, play, check } = createRig(1 << 20);
    expect(trace.bytes).to.equal(4096);
    for (let second = 0; second < 2000; second++) {
      play({ adds: NAMES.map((name) => [name, 5]), seconds: 1 });
    }
    check();
    expect(trace.bytes).to.equal(8192); // 300 seconds of 5 names, 4 bytes at most each
  });

  it('loses nothing where it grows after it has gone round', () => {
    const { trace, play, check } = createRig(1 << 20);
    for (const [seconds, names] of [
      [3000, 1],
      [400, 3],
      [400, 5],
    ] as const) {
      for (let second = 0; second < seconds; second++) {
        const before = trace.bytes;
        play({ adds: NAMES.slice(0, names).map((name) => [name, -second]), seconds: 1 });
        if (trace.bytes > before || second % 50 === 0) check();
      }
    }
    expect(trace.bytes).to.equal(32_768);
    expect(trace.oldestSecond()).to.equal(START + 3800 - 300);
  });

  it('tells nothing of a second that is not over', () => {
    const { trace, clock, tick } = createRig(4096);
    trace.add(trace.of('a'), 5);
    expect(trace.points('a', 0)).to.deep.equal([]);
    expect(trace.recentSum('a', 0)).to.equal(0);
    tick(1);
    expect(trace.points('a', 0)).to.deep.equal([[START, 5]]);
    expect(trace.points('a', clock.complete())).to.deep.equal([]);
  });

  it('what comes late joins the second that has begun', () => {
    const { trace, clock, tick } = createRig(4096);
    const one = trace.of('a');
    trace.add(one, 1);
    tick(3);
    trace.add(one, 10);
    clock.at((START + 1) * 1000, () => trace.add(one, 100));
    clock.at((START + 1) * 1000, () => trace.add(trace.of('b'), 7));
    tick(1);
    expect(trace.points('a', 0)).to.deep.equal([
      [START, 1],
      [START + 3, 110],
    ]);
    expect(trace.points('b', 0)).to.deep.equal([[START + 1, 7]]);
  });

  it('forgets what was idle for 300 s; who has kept it may go on with it', () => {
    const { trace, tick } = createRig(4096);
    const kept = trace.of('a');
    kept.score = 99;
    trace.add(kept, 1);
    tick(300);
    exhaust(trace.forgetIdle());
    expect([trace.size, trace.points('a', 0)]).to.deep.equal([1, [[START, 1]]]);
    tick(1);
    exhaust(trace.forgetIdle());
    expect([trace.size, trace.has('a'), kept.score]).to.deep.equal([0, false, 0]);
    trace.add(kept, 2);
    expect([...trace.names()]).to.deep.equal(['a']);
    tick(1);
    expect(trace.points('a', 0)).to.deep.equal([[START + 301, 2]]);
  });

  it('counts in one place what two have kept of one name', () => {
    const { trace, tick } = createRig(4096);
    const first = trace.of('a');
    trace.add(first, 1);
    tick(301);
    exhaust(trace.forgetIdle());
    const second = trace.of('a');
    expect(second).not.to.equal(first);
    for (let turn = 0; turn < 3; turn++) {
      for (const one of [first, second, first]) trace.add(one, 1);
      tick(1);
    }
    expect(trace.size).to.equal(1);
    expect(trace.points('a', 0).map(([, sum]) => sum)).to.deep.equal([3, 3, 3]);
  });

  it('sums up, of one sign or as it was, within bounds', () => {
    const { trace, tick } = createRig(4096);
    const one = trace.of('a');
    for (const amount of [5, -3, 4, 1.5]) {
      trace.add(one, amount);
      tick(1);
    }
    expect(trace.recentSum('a', 0)).to.equal(7.5);
    expect(trace.recentAmount('a', 0)).to.equal(13.5);
    expect(trace.recentSum('a', START + 1, START + 2)).to.equal(1);
    expect(trace.recentAmount('a', START + 1, START + 2)).to.equal(7);
    expect(trace.recentSum('none', 0)).to.equal(0);
    for (let second = 0; second < 3; second++) {
      trace.add(one, 1.7e308);
      tick(1);
    }
    expect(trace.recentSum('a', 0)).to.equal(Number.MAX_VALUE);
  });
});

interface Rig {
  trace: CounterTrace;
  clock: WindowClock;
  play(step: Step): void;
  tick(seconds: number): void;
  /** Compares all that the trace tells with what was added. */
  check(): void;
}

function createRig(bytesMax: number): Rig {
  let nowMs = START * 1000;
  const clock = windowClockOf(() => nowMs);
  const trace = createCounterTrace({ clock, bytesMax });
  const added = new Map<string, Map<number, number>>(NAMES.map((name) => [name, new Map()]));
  return { trace, clock, play, tick, check };

  function play({ adds, seconds }: Step): void {
    for (const [name, amount] of adds) {
      trace.add(trace.of(name), amount);
      const sums = added.get(name)!;
      const sum = (sums.get(clock.present()) ?? 0) + amount;
      sums.set(clock.present(), Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, sum)));
    }
    tick(seconds);
  }

  function tick(seconds: number): void {
    nowMs += seconds * 1000;
    clock.completeTo(clock.present() - 1);
  }

  function check(): void {
    const last = clock.complete();
    const oldest = trace.oldestSecond();
    expect(oldest).to.be.at.least(last - SECONDS + 1);
    for (const [name, sums] of added) {
      const wanted = [...sums].filter(([at]) => at > last - SECONDS && at <= last);
      const found = trace.points(name, 0);
      // What is gone is gone from the oldest on, and nothing that is said to be there is gone.
      expect(found).to.deep.equal(wanted.slice(wanted.length - found.length));
      const surely = wanted.filter(([at]) => at >= oldest);
      expect(found.length).to.be.at.least(surely.length);
      const since = last - 3;
      expect(trace.points(name, since)).to.deep.equal(found.filter(([at]) => at > since));
    }
  }
}

function exhaust(work: Iterable<void>): void {
  for (const _ of work);
}
