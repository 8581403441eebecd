import { expect } from 'chai';
import { describe, it } from 'mocha';
import { settle } from '../support/fake-time.ts';
import { createRig, type Rig } from './rig.ts';

describe('The last flush of counters', () => {
  it('writes what waits and what was left over, rounded to the nearest', async () => {
    const rig = createRig();
    rig.add('a', 1.75);
    rig.add('b', 1.25);
    await rig.flush();
    rig.add('a', 0.25);
    rig.add('b', 1);
    const done = lastFlush(rig);
    await settle();
    expect(done.resolved).to.equal(true);
    expect([rig.store.value('h', 'a'), rig.store.value('h', 'b')]).to.deep.equal([2, 2]);
    expect(rig.flusher.tally.delivered).to.equal(4);
  });

  it('rounds up a remainder that has no samples of its own any more', async () => {
    const rig = createRig();
    rig.add('a', 1.5);
    await rig.flush();
    const done = lastFlush(rig);
    await settle();
    expect(done.resolved).to.equal(true);
    expect(rig.store.value('h', 'a')).to.equal(2);
  });

  it('comes behind the batch in flight, which keeps its content', async () => {
    const rig = createRig();
    let answer = (): void => {};
    rig.store.decide = () => new Promise((resolve) => (answer = () => resolve('ok')));
    rig.add('a', 1.5);
    await rig.flush();
    rig.add('a', 3);
    const done = lastFlush(rig);
    await settle();
    expect([done.resolved, rig.store.sent.length]).to.deep.equal([false, 1]);
    for (let turn = 0; turn < 2; turn++) {
      answer();
      await settle();
    }
    expect(rig.store.sent).to.deep.equal(['h#1 a=1', 'h#2 a=4']);
    expect(done.resolved).to.equal(true);
  });

  it('tries at once though a pause has begun, and then for as long as it takes', async () => {
    const rig = createRig();
    rig.store.decide = () => 'lost-after';
    rig.add('a', 1);
    await rig.flush();
    await rig.time.pass(20_000);
    const tries = rig.store.sent.length;
    const done = lastFlush(rig);
    await settle();
    expect(rig.store.sent).to.have.length(tries + 1);
    await rig.time.pass(60_000);
    expect(done.resolved).to.equal(false);
    rig.store.decide = () => 'ok';
    await rig.time.pass(5000);
    expect(done.resolved).to.equal(true);
    expect(rig.store.value('h', 'a')).to.equal(1);
    expect(rig.time.waiting).to.equal(0);
  });

  it('waits for a hash that refuses, and resolves when it takes its part', async () => {
    const rig = createRig({ collections: ['bad', 'good'] });
    rig.store.decide = ({ hash }) => (hash === 'bad' ? 'hash-fault' : 'ok');
    rig.add('a', 1.6);
    await rig.flush();
    const done = lastFlush(rig);
    await rig.time.pass(20_000);
    expect(done.resolved).to.equal(false);
    expect(rig.store.value('good', 'a')).to.equal(2);
    rig.check();
    rig.store.decide = () => 'ok';
    await rig.time.pass(5000);
    expect(done.resolved).to.equal(true);
    expect(rig.store.value('bad', 'a')).to.equal(2);
    expect([rig.flusher.tally.delivered, rig.flusher.pendingSamples]).to.deep.equal([1, 0]);
  });

  it('resolves at once when there is nothing', async () => {
    const rig = createRig();
    const done = lastFlush(rig);
    await settle();
    expect(done.resolved).to.equal(true);
    expect(rig.store.sent).to.deep.equal([]);
  });

  it('is given up by stop; what is not delivered stays pending', async () => {
    const rig = createRig();
    rig.store.decide = () => 'lost-before';
    rig.add('a', 1, 4);
    const done = lastFlush(rig);
    await settle();
    rig.flusher.stop();
    await settle();
    expect(done.resolved).to.equal(true);
    expect(rig.time.waiting).to.equal(0);
    expect([rig.flusher.tally.delivered, rig.flusher.pendingSamples]).to.deep.equal([0, 4]);
    await rig.flush();
    expect(rig.store.sent).to.have.length(1);
  });

  it('is given up by stop while a call is under way, whose answer still counts', async () => {
    const rig = createRig({ collections: ['one', 'two'] });
    let answer = (): void => {};
    rig.store.decide = () => new Promise((resolve) => (answer = () => resolve('ok')));
    rig.add('a', 1, 4);
    const done = lastFlush(rig);
    await settle();
    rig.flusher.stop();
    await settle();
    expect(done.resolved).to.equal(true);
    answer();
    await settle();
    rig.check();
    expect(rig.store.sent).to.deep.equal(['one#1 a=1']);
    expect(rig.flusher.pendingSamples).to.equal(4);
  });

  it('resolves also after stop', async () => {
    const rig = createRig();
    rig.flusher.stop();
    const done = lastFlush(rig);
    await settle();
    expect(done.resolved).to.equal(true);
  });
});

describe('The lanes of a counter flusher', () => {
  it('are forgotten beyond their limit, and their numbers never come again', async () => {
    const rig = createRig({ layout: 'split', collections: [''], lanesMax: 2 });
    for (const name of ['a', 'a', 'a', 'b', 'c', 'd', 'a', 'b', 'c', 'd', 'a']) {
      rig.add(`${name}.x`, 1);
      await rig.flush();
    }
    // Had a number come again, the store would have taken the chunk for one it has applied.
    for (const [name, sum] of Object.entries({ a: 5, b: 2, c: 2, d: 2 })) {
      expect(rig.store.value(name, 'x'), name).to.equal(sum);
    }
    expect(rig.flusher.hashes()).to.have.length(2);
  });

  it('are kept while they hold something back', async () => {
    const rig = createRig({ layout: 'split', collections: [''], lanesMax: 1 });
    rig.store.decide = ({ hash }) => (hash === 'bad' ? 'hash-fault' : 'ok');
    for (const name of ['bad.x', 'a.x', 'b.x', 'c.x']) {
      rig.add(name, 1);
      await rig.flush();
    }
    expect(rig.flusher.hashes()).to.include('bad');
    rig.store.decide = () => 'ok';
    await rig.time.pass(1000);
    await rig.flush();
    expect(rig.store.value('bad', 'x')).to.equal(1);
    expect(rig.flusher.tally.delivered).to.equal(4);
  });
});

function lastFlush(rig: Rig): { resolved: boolean } {
  const done = { resolved: false };
  void rig.flusher.flushLast().then(() => (done.resolved = true));
  return done;
}
