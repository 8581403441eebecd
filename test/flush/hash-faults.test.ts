import { expect } from 'chai';
import { describe, it } from 'mocha';
import { createRig, type Rig } from './rig.ts';

describe('A hash that refuses', () => {
  it('is held back alone; other hashes and later batches go on', async () => {
    const rig = rigOf('bad', 'good');
    for (const sum of [1, 10, 100]) {
      rig.add('a', sum);
      await rig.flush();
    }
    expect(rig.store.sent).to.deep.equal([
      'bad#1 a=1',
      'good#1 a=1',
      'good#2 a=10',
      'good#3 a=100',
    ]);
    expect([rig.flusher.tally.delivered, rig.flusher.pendingSamples]).to.deep.equal([0, 3]);
    expect(rig.flusher.health.up).to.equal(true);
  });

  it('gets what was held, merged, under its next number, once it takes it', async () => {
    const rig = rigOf('bad', 'good');
    rig.add('a', 1);
    await rig.flush();
    rig.add('a', 10, 2);
    rig.add('b', 5);
    await rig.flush();
    rig.store.decide = () => 'ok';
    await rig.time.pass(1000);
    rig.add('c', 7);
    await rig.flush();
    expect(rig.store.sent.filter((text) => text.startsWith('bad'))).to.deep.equal([
      'bad#1 a=1',
      'bad#2 a=11 b=5 c=7',
    ]);
    expect(rig.flusher.tally.delivered).to.equal(5);
    expect(rig.flusher.refusing.size).to.equal(0);
  });

  it('is tried again at each due flush, with pauses from 0.1 s doubling to 5 s', async () => {
    const rig = rigOf('bad');
    rig.add('a', 1);
    const triedMs: number[] = [];
    for (let turn = 0; turn < 4000; turn++) {
      const before = rig.store.sent.length;
      await rig.flush();
      if (rig.store.sent.length > before) triedMs.push(rig.time.nowMs() - 1000);
      await rig.time.pass(5);
    }
    const pauses = triedMs.slice(1).map((ms, at) => ms - triedMs[at]!);
    expect(pauses.slice(0, 9)).to.deep.equal([75, 150, 300, 600, 1200, 2400, 3750, 3750, 3750]);
    expect(rig.store.sent.at(-1)).to.equal('bad#11 a=1');
  });

  it('begins again with the first pause after it took something', async () => {
    const rig = rigOf('bad');
    rig.add('a', 1);
    await rig.flush();
    await rig.time.pass(75);
    await rig.flush();
    rig.store.decide = () => 'ok';
    await rig.time.pass(150);
    await rig.flush();
    rig.store.decide = () => 'hash-fault';
    rig.add('a', 1);
    await rig.flush();
    await rig.time.pass(75);
    await rig.flush();
    expect(rig.store.sent).to.deep.equal([
      'bad#1 a=1',
      'bad#2 a=1',
      'bad#3 a=1',
      'bad#4 a=1',
      'bad#5 a=1',
    ]);
  });

  it('holds back all of its chunks, and keeps those that were applied', async () => {
    const rig = createRig();
    for (let at = 0; at < 2500; at++) rig.add(`n${at}`, 1);
    rig.store.decide = () => (rig.store.sent.length === 2 ? 'hash-fault' : 'ok');
    await rig.flush();
    expect(rig.store.sent).to.have.length(2);
    expect([rig.flusher.tally.delivered, rig.flusher.pendingSamples]).to.deep.equal([1000, 1500]);
    await rig.time.pass(100);
    await rig.flush();
    expect(rig.flusher.tally.delivered).to.equal(2500);
    for (const at of [0, 999, 1000, 2499]) expect(rig.store.value('h', `n${at}`)).to.equal(1);
  });

  it('says so once, and once when it takes counters again', async () => {
    const rig = rigOf('bad');
    rig.add('a', 1);
    for (let turn = 0; turn < 5; turn++) {
      await rig.flush();
      await rig.time.pass(1000);
    }
    expect([...rig.flusher.refusing]).to.deep.equal([
      ['bad', { reason: 'WRONGTYPE', sinceMs: 1000 }],
    ]);
    rig.store.decide = () => 'ok';
    await rig.time.pass(5000);
    await rig.flush();
    expect(rig.said).to.deep.equal([
      'warn: bad refuses counters: WRONGTYPE; they are kept until it takes them',
      'info: bad takes counters again',
    ]);
  });

  it('drops a field that cannot be added to when the rest is taken', async () => {
    const rig = rigOf('bad', 'good');
    rig.store.badFields.set('bad b', 'not_integer');
    rig.add('a', 1, 2);
    rig.add('b', 1, 3);
    await rig.flush();
    rig.store.decide = () => 'ok';
    await rig.time.pass(100);
    await rig.flush();
    expect([...rig.flusher.tally.dropped]).to.deep.equal([['not_integer', 3]]);
    expect(rig.flusher.tally.delivered).to.equal(2);
    expect(rig.flusher.pendingSamples).to.equal(0);
  });

  it('takes back what it held where another hash drops the same samples', async () => {
    const rig = rigOf('bad', 'good');
    rig.store.badFields.set('good a', 'overflow');
    rig.add('a', 1, 3);
    await rig.flush();
    expect([...rig.flusher.tally.dropped]).to.deep.equal([['overflow', 3]]);
    expect(rig.flusher.pendingSamples).to.equal(0);
    rig.store.decide = () => 'ok';
    await rig.time.pass(100);
    await rig.flush();
    expect(rig.store.value('bad', 'a')).to.equal(1);
    expect(rig.flusher.tally.delivered).to.equal(0);
  });

  it('keeps samples pending that only it lacks, when another takes its part', async () => {
    const rig = createRig({ collections: ['one', 'two'] });
    rig.store.decide = () => 'hash-fault';
    rig.add('a', 1, 3);
    await rig.flush();
    rig.store.decide = ({ hash }) => (hash === 'two' ? 'hash-fault' : 'ok');
    await rig.time.pass(1000);
    await rig.flush();
    expect(rig.store.value('one', 'a')).to.equal(1);
    expect(rig.store.value('two', 'a')).to.equal(undefined);
    expect([rig.flusher.tally.delivered, rig.flusher.pendingSamples]).to.deep.equal([0, 3]);
    rig.store.decide = () => 'ok';
    await rig.time.pass(5000);
    await rig.flush();
    expect(rig.store.value('two', 'a')).to.equal(1);
    expect([rig.flusher.tally.delivered, rig.flusher.pendingSamples]).to.deep.equal([3, 0]);
  });

  it('keeps samples pending that only it lacks, when the other came back before it', async () => {
    const randoms = [0, 0.9];
    const rig = createRig({ collections: ['one', 'two'], random: () => randoms.shift() ?? 0.5 });
    rig.store.decide = () => 'hash-fault';
    rig.add('a', 1, 3);
    await rig.flush();
    rig.store.decide = ({ hash }) => (hash === 'two' ? 'hash-fault' : 'ok');
    await rig.time.pass(60);
    await rig.flush();
    expect(rig.store.sent).to.deep.equal(['one#1 a=1', 'two#1 a=1', 'one#2 a=1']);
    expect([rig.flusher.tally.delivered, rig.flusher.pendingSamples]).to.deep.equal([0, 3]);
    rig.store.decide = () => 'ok';
    await rig.time.pass(1000);
    await rig.flush();
    expect([rig.flusher.tally.delivered, rig.flusher.pendingSamples]).to.deep.equal([3, 0]);
  });

  it('never hands the store an amount beyond 64 bits, however much it holds', async () => {
    const rig = rigOf('bad', 'good');
    for (let turn = 0; turn < 2; turn++) {
      rig.add('a', 2 ** 62 * 1.5);
      await rig.flush();
    }
    rig.store.decide = () => 'ok';
    await rig.time.pass(1000);
    rig.flusher.flush();
    await rig.time.pass(0);
    expect(rig.store.breaches).to.deep.equal([]);
    expect(rig.flusher.tally.dropped.get('overflow')).to.equal(2);
    rig.check();
  });

  it('of a split layout keeps its part, total and all, while other names go on', async () => {
    const rig = createRig({ layout: 'split', collections: ['s_'] });
    rig.store.decide = ({ hash }) => (hash === 's_x' ? 'hash-fault' : 'ok');
    for (const name of ['x.a', 'x.a', 'y.a', 'x']) {
      rig.add(name, 1);
      await rig.flush();
    }
    expect(rig.store.value('s_y', 'total')).to.equal(1);
    rig.store.decide = () => 'ok';
    await rig.time.pass(1000);
    await rig.flush();
    expect(rig.store.sent.at(-1)).to.equal('s_x#2 a=2 -=1');
    expect(rig.store.value('s_x', 'total')).to.equal(3);
    expect(rig.flusher.tally.delivered).to.equal(4);
  });
});

/** `bad` refuses everything. */
function rigOf(...collections: string[]): Rig {
  const rig = createRig({ collections });
  rig.store.decide = ({ hash }) => (hash === 'bad' ? 'hash-fault' : 'ok');
  return rig;
}
