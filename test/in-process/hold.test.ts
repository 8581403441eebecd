import { expect } from 'chai';
import { describe, it } from 'mocha';
import { settle } from '../support/fake-time.ts';
import { createHold } from '../../src/in-process/hold.ts';

/** How many timers keep this process alive. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
}

describe('A hold', () => {
  it('keeps the process alive from the first take to the last release', () => {
    const hold = createHold();
    const before = timers();
    const [first, second] = [hold.take(), hold.take()];
    expect(timers()).to.equal(before + 1);
    first();
    expect(timers()).to.equal(before + 1);
    second();
    expect(timers()).to.equal(before);
  });

  it('counts a release once, however often it is called', () => {
    const hold = createHold();
    const before = timers();
    const [first, second] = [hold.take(), hold.take()];
    first();
    first();
    expect(timers()).to.equal(before + 1);
    second();
    const third = hold.take();
    second();
    expect(timers()).to.equal(before + 1);
    third();
    expect(timers()).to.equal(before);
  });

  it('is taken during work, and gives back what comes of it', async () => {
    const hold = createHold();
    await settle(); // the test's own timer is there
    const before = timers();
    expect(await hold.during(() => Promise.resolve(timers()))).to.equal(before + 1);
    expect(timers()).to.equal(before);
  });

  for (const kind of ['rejects', 'throws']) {
    it(`is released also when work ${kind}`, async () => {
      const hold = createHold();
      await settle();
      const before = timers();
      const failure = new Error(kind);
      const work = (): Promise<never> => {
        if (kind === 'throws') throw failure;
        return Promise.reject(failure);
      };
      expect(await hold.during(work).catch((error: unknown) => error)).to.equal(failure);
      expect(timers()).to.equal(before);
    });
  }
});
