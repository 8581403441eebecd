import { expect } from 'chai';
import { describe, it } from 'mocha';
import { createTicker, inTime, type Time } from '../../src/flush/time.ts';
import { createFakeTime, settle } from '../support/fake-time.ts';

const LIMIT = { limitMs: 100, late: () => new Error('too late') };

describe('inTime', () => {
  it('gives what work gives, and leaves no timer', async () => {
    const time = createFakeTime();
    expect(await inTime(time, LIMIT, Promise.resolve(7))).to.equal(7);
    expect(time.waiting).to.equal(0);
  });

  it('rejects with what work rejects with, and leaves no timer', async () => {
    const time = createFakeTime();
    const failure = new Error('away');
    const work = inTime(time, LIMIT, Promise.reject(failure));
    expect(await work.catch((error: unknown) => error)).to.equal(failure);
    expect(time.waiting).to.equal(0);
  });

  it('is in time until the limit', async () => {
    const time = createFakeTime();
    const work = resolvers<string>();
    const outcome = inTime(time, LIMIT, work.promise);
    await time.pass(99.9);
    work.resolve('there');
    expect(await outcome).to.equal('there');
  });

  it('rejects with what the caller says at the limit, and passes over what comes later', async () => {
    for (const later of ['resolve', 'reject'] as const) {
      const time = createFakeTime();
      const work = resolvers<string>();
      let said = '';
      void inTime(time, LIMIT, work.promise).catch((error: Error) => (said += error.message));
      await time.pass(100);
      expect([said, time.waiting]).to.deep.equal(['too late', 0]);
      if (later === 'resolve') work.resolve('late');
      else work.reject(new Error('late'));
      await settle(); // a rejection that nobody handles would fail the run
      expect(said).to.equal('too late');
    }
  });

  it('makes the error only when it is late', async () => {
    const time = createFakeTime();
    let made = 0;
    const late = (): Error => new Error(`late ${++made}`);
    await inTime(time, { limitMs: 100, late }, Promise.resolve());
    await time.pass(1000);
    expect(made).to.equal(0);
  });
});

describe('A ticker from end to start', () => {
  it('counts the interval from the end of one tick to the start of the next', async () => {
    const time = createFakeTime(0);
    const ticks: number[] = [];
    const tick = async (): Promise<void> => {
      ticks.push(time.nowMs());
      await after(time, 30);
    };
    const ticker = createTicker(100, time, tick, 'end');
    ticker.start();
    await time.pass(500);
    expect(ticks).to.deep.equal([100, 230, 360, 490]);
  });

  it('leaves the whole interval also after a tick that takes longer than one', async () => {
    const time = createFakeTime(0);
    const ticks: number[] = [];
    const tick = async (): Promise<void> => {
      ticks.push(time.nowMs());
      await after(time, 1000);
    };
    createTicker(100, time, tick, 'end').start();
    await time.pass(2500);
    expect(ticks).to.deep.equal([100, 1200, 2300]);
  });

  it('ticks no more when it is stopped within a tick', async () => {
    const time = createFakeTime(0);
    const work = resolvers<void>();
    const ticker = createTicker(100, time, () => work.promise, 'end');
    ticker.start();
    await time.pass(100);
    ticker.stop();
    work.resolve();
    await settle();
    expect(time.waiting).to.equal(0);
  });
});

interface Resolvers<Value> {
  promise: Promise<Value>;
  resolve: (value: Value) => void;
  reject: (error: Error) => void;
}

function resolvers<Value>(): Resolvers<Value> {
  let resolve: (value: Value) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<Value>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}

function after(time: Time, delayMs: number): Promise<void> {
  return new Promise((resolve) => void time.after(delayMs, resolve));
}
