import { expect } from 'chai';
import { describe, it } from 'mocha';
import { createTicker, systemTime, type Time, within } from '../../src/flush/time.ts';
import { createFakeTime, settle } from '../support/fake-time.ts';

describe('A ticker', () => {
  it('ticks at its interval, the first time after one', async () => {
    const time = createFakeTime(0);
    const ticks: number[] = [];
    const ticker = createTicker(100, time, async () => void ticks.push(time.nowMs()));
    await time.pass(1000);
    expect(ticks).to.deep.equal([]);
    ticker.start();
    await time.pass(350);
    expect(ticks).to.deep.equal([1100, 1200, 1300]);
  });

  it('counts the interval from the start of one tick to the start of the next', async () => {
    const time = createFakeTime(0);
    const ticks: number[] = [];
    const ticker = createTicker(100, time, async () => {
      ticks.push(time.nowMs());
      await after(time, 30);
    });
    ticker.start();
    await time.pass(450);
    expect(ticks).to.deep.equal([100, 200, 300, 400]);
  });

  it('never ticks twice at once: a tick that takes longer is followed by the next', async () => {
    const time = createFakeTime(0);
    let [atOnce, most, ticks] = [0, 0, 0];
    const ticker = createTicker(100, time, async () => {
      most = Math.max(most, ++atOnce);
      ticks++;
      await after(time, 250);
      atOnce--;
    });
    ticker.start();
    await time.pass(1000);
    expect([most, ticks]).to.deep.equal([1, 4]);
  });

  it('ticks no more once it is stopped', async () => {
    const time = createFakeTime(0);
    let ticks = 0;
    const ticker = createTicker(100, time, async () => void ticks++);
    ticker.start();
    await time.pass(250);
    ticker.stop();
    await time.pass(1000);
    expect([ticks, time.waiting]).to.deep.equal([2, 0]);
  });

  it('ticks no more when it is stopped within a tick', async () => {
    const time = createFakeTime(0);
    let end = (): void => {};
    const ticker = createTicker(100, time, () => new Promise((resolve) => (end = resolve)));
    ticker.start();
    await time.pass(100);
    ticker.stop();
    end();
    await settle();
    expect(time.waiting).to.equal(0);
  });
});

describe('within', () => {
  it('resolves with the work, and leaves no timer', async () => {
    const time = createFakeTime(0);
    let end = (): void => {};
    let resolved = false;
    const work = new Promise<void>((resolve) => (end = resolve));
    void within(time, 100, work).then(() => (resolved = true));
    await time.pass(99);
    expect(resolved).to.equal(false);
    end();
    await settle();
    expect([resolved, time.waiting]).to.deep.equal([true, 0]);
  });

  it('resolves at the limit when the work does not end', async () => {
    const time = createFakeTime(0);
    let resolved = false;
    void within(time, 100, new Promise(() => {})).then(() => (resolved = true));
    await time.pass(100);
    expect(resolved).to.equal(true);
  });
});

describe('The system’s time', () => {
  it('calls back once, no sooner than asked for, on a clock that does not go back', async () => {
    const time = systemTime();
    const startMs = time.nowMs();
    let calls = 0;
    await new Promise<void>((resolve) => {
      time.after(5, () => {
        calls++;
        resolve();
      });
    });
    expect(time.nowMs() - startMs).to.be.at.least(4);
    expect(calls).to.equal(1);
  });

  it('does not call back what was cancelled', async () => {
    const time = systemTime();
    let calls = 0;
    const cancel = time.after(1, () => calls++);
    cancel();
    await after(time, 5);
    cancel();
    expect(calls).to.equal(0);
  });
});

function after(time: Time, delayMs: number): Promise<void> {
  return new Promise((resolve) => void time.after(delayMs, resolve));
}
