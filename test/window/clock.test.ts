import { expect } from 'chai';
import { describe, it } from 'mocha';

import { createWindowClock, type WindowClock } from '../../src/window/clock.ts';

const START_MS = 1_800_000_000_250;

describe('The clock of the live window', () => {
  it('begins as Unix time, and goes on whatever becomes of the system clock', () => {
    const { clock, steady, wall } = createRig();
    expect([clock.second(), clock.present()]).to.deep.equal([1_800_000_000, 1_800_000_000]);
    wall.ms -= 3_600_000;
    steady.ms += 5000;
    expect(clock.present()).to.equal(1_800_000_005);
    expect(clock.nowMs()).to.equal(START_MS + 5000);
  });

  it('tells how long a second still takes', () => {
    const { clock, steady } = createRig();
    expect(clock.untilNextMs()).to.equal(750);
    steady.ms += 750;
    expect(clock.untilNextMs()).to.equal(1000);
  });

  it('shows the time as the system has it, also after it was set', () => {
    const { clock, wall } = createRig();
    expect(clock.toWall(17)).to.equal(17);
    wall.ms += 3_600_000;
    expect([clock.toWall(17), clock.offsetSeconds()]).to.deep.equal([3617, 3600]);
    wall.ms -= 7_200_000;
    expect(clock.toWall(17)).to.equal(17 - 3600);
  });

  it('does not take the system for another second off by turns where it is off by a half', () => {
    const { clock, wall } = createRig();
    wall.ms += 60_500;
    const first = clock.offsetSeconds();
    for (const shift of [-20, 40, -30, 15]) {
      wall.ms += shift;
      expect(clock.offsetSeconds()).to.equal(first);
    }
    wall.ms += 1000;
    expect(clock.offsetSeconds()).to.be.within(61, 62);
  });

  it('is for a while at another moment, for what is added then', () => {
    const { clock } = createRig();
    const then = clock.at(START_MS - 300, () => [clock.second(), clock.present()]);
    expect(then).to.deep.equal([1_799_999_999, 1_800_000_000]);
    expect(clock.second()).to.equal(1_800_000_000);
    expect(() =>
      clock.at(0, () => {
        throw new Error('planted');
      }),
    ).to.throw('planted');
    expect(clock.second()).to.equal(1_800_000_000);
  });

  it('knows up to where all has been taken in, and that only grows', () => {
    const { clock } = createRig();
    expect(clock.complete()).to.equal(1_799_999_999);
    clock.completeTo(1_800_000_003);
    clock.completeTo(1_800_000_001);
    expect(clock.complete()).to.equal(1_800_000_003);
  });
});

function createRig(): { clock: WindowClock; steady: { ms: number }; wall: { ms: number } } {
  const steady = { ms: 77.5 };
  const wall = { ms: START_MS };
  const clock = createWindowClock({ nowMs: () => steady.ms, wallNowMs: () => wall.ms });
  return { clock, steady, wall };
}
