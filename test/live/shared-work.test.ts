import { expect } from 'chai';
import { describe, it } from 'mocha';

import { createSharedWork, type SharedWork } from '../../src/live/shared-work.ts';
import { createFakeTime, type FakeTime, settle } from '../support/fake-time.ts';

interface Rig {
  work: SharedWork<string, string>;
  time: FakeTime;
  /** What was begun, and what is to happen to it. */
  begun: { wish: string; signal: AbortSignal; done: (value: string) => void }[];
}

/** Work that is due after a second, and done when the test says so. */
function create(): Rig {
  const time = createFakeTime();
  const begun: Rig['begun'] = [];
  const work = createSharedWork<string, string>({
    keyOf: (wish) => wish.toLowerCase(),
    make: (wish, signal) =>
      new Promise((resolve, reject) => {
        begun.push({ wish, signal, done: resolve });
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      }),
    isDue: (_wish, { ageMs }) => ageMs >= 1000,
    nowMs: () => time.nowMs(),
  });
  return { work, time, begun };
}

async function stateOf(promise: Promise<string>): Promise<string> {
  const state = await Promise.race([promise.catch(() => 'rejected'), settle().then(() => 'waits')]);
  return state;
}

describe('Shared work', () => {
  it('is done once for all who want the same at a time', async () => {
    const { work, begun } = create();
    const [one, two, other] = [work.open('A'), work.open('a'), work.open('b')];
    const reading = [one.read(), two.read(), other.read(), one.read()];
    expect(begun.map(({ wish }) => wish)).to.deep.equal(['A', 'b']);
    for (const { wish, done } of begun) done(`${wish}!`);
    expect(await Promise.all(reading)).to.deep.equal(['A!', 'A!', 'b!', 'A!']);
    expect(await two.read()).to.equal('A!');
    expect(begun).to.have.length(2);
  });

  it('that takes long is told as it was while it is done again, unless that is old', async () => {
    const { work, time, begun } = create();
    const open = work.open('a');
    const first = open.read();
    await time.pass(100);
    begun[0]!.done('one');
    expect(await first).to.equal('one');
    await time.pass(1000);
    expect(await open.read()).to.equal('one');
    expect(await open.read()).to.equal('one');
    expect(begun).to.have.length(2);
    await time.pass(10_000);
    const waiting = open.read();
    expect(await stateOf(waiting)).to.equal('waits');
    begun[1]!.done('two');
    expect(await waiting).to.equal('two');
  });

  it('that takes no time is waited for', async () => {
    const { work, time, begun } = create();
    const open = work.open('a');
    const first = open.read();
    begun[0]!.done('one');
    await first;
    await time.pass(1000);
    const second = open.read();
    expect(await stateOf(second)).to.equal('waits');
    begun[1]!.done('two');
    expect(await second).to.equal('two');
  });

  it('is given up when nobody wants it any more, and only then', async () => {
    const { work, begun } = create();
    const [one, two] = [work.open('a'), work.open('a')];
    const reading = [one.read(), two.read()];
    one.close();
    one.close();
    expect(begun[0]!.signal.aborted).to.equal(false);
    expect(await stateOf(one.read())).to.equal('rejected');
    two.close();
    expect(begun[0]!.signal.aborted).to.equal(true);
    expect(await Promise.all(reading.map(stateOf))).to.deep.equal(['rejected', 'rejected']);
    // Who comes in the same moment is not told of that.
    const three = work.open('a');
    const again = three.read();
    begun[1]!.done('new');
    expect(await again).to.equal('new');
  });

  it('that fails fails for who waits, and is tried again for the next', async () => {
    const time = createFakeTime();
    let fails = true;
    const work = createSharedWork<string, string>({
      keyOf: (wish) => wish,
      make: () => (fails ? Promise.reject(new Error('no')) : Promise.resolve('yes')),
      isDue: () => true,
      nowMs: () => time.nowMs(),
    });
    const open = work.open('a');
    expect(await stateOf(open.read())).to.equal('rejected');
    fails = false;
    expect(await open.read()).to.equal('yes');
  });

  it('is kept for a moment, for two who may come again', async () => {
    const { work, begun } = create();
    for (const wish of ['a', 'b', 'c']) {
      const open = work.open(wish);
      const reading = open.read();
      begun.at(-1)!.done(wish);
      await reading;
      open.close();
    }
    expect(await work.open('c').read()).to.equal('c');
    expect(await work.open('b').read()).to.equal('b');
    expect(begun).to.have.length(3);
    expect(await stateOf(work.open('a').read())).to.equal('waits');
    expect(begun).to.have.length(4);
  });
});
