import { expect } from 'chai';
import { describe, it } from 'mocha';
import type { TrapAnswer } from '../../src/sinks/trap.ts';
import { settle } from '../support/fake-time.ts';
import { createTimingRig, TAKEN } from './timing-rig.ts';

describe('The timing flusher', () => {
  it('pushes one body under a key of its own, rising by one', async () => {
    const rig = createTimingRig();
    for (const name of ['a', 'b', 'a']) {
      rig.add(name, 1, 2);
      await rig.flush();
    }
    expect(rig.pushed).to.deep.equal(['me-1/1 {a:1,2}', 'me-1/2 {b:1,2}', 'me-1/3 {a:1,2}']);
    expect(rig.flusher.tally.delivered).to.equal(6);
    expect(rig.flusher.health.up).to.equal(true);
  });

  it('pushes nothing when nothing was timed', async () => {
    const rig = createTimingRig();
    await rig.flush();
    expect(rig.pushed).to.deep.equal([]);
    expect(rig.flusher.health.lastMs).to.equal(null);
    rig.add('a', 1);
    await rig.flush();
    expect(rig.pushed).to.deep.equal(['me-1/1 {a:1}']);
  });

  it('gives each body of a large backlog a key of its own', async () => {
    const rig = createTimingRig({ bodyBytesMax: 60 });
    for (let at = 0; at < 5; at++) rig.add(`n${at}`, at);
    await rig.flush();
    expect(rig.pushed).to.deep.equal([0, 1, 2, 3, 4].map((at) => `me-1/${at + 1} {n${at}:${at}}`));
    expect(rig.inFlightMax()).to.equal(1);
  });

  it('has one body in flight; what is timed meanwhile waits for the next flush', async () => {
    const rig = createTimingRig();
    let answer = (): void => {};
    rig.decide(() => new Promise((resolve) => (answer = () => resolve(TAKEN))));
    rig.add('a', 1);
    await rig.flush();
    rig.add('a', 2);
    await rig.flush();
    rig.add('a', 3);
    await rig.flush();
    expect(rig.pushed).to.deep.equal(['me-1/1 {a:1}']);
    expect([rig.flusher.pendingSamples, rig.book.pendingSamples]).to.deep.equal([1, 2]);
    rig.decide(() => TAKEN);
    answer();
    await settle();
    expect(rig.pushed).to.have.length(1);
    await rig.flush();
    expect(rig.pushed.slice(1)).to.deep.equal(['me-1/2 {a:2,3}']);
    rig.check();
  });

  it('sends a body again, same content and key, from 0.2 s doubling to 10 s', async () => {
    const rig = createTimingRig();
    rig.decide(() => new Error('answered 503'));
    rig.add('a', 1);
    await rig.flush();
    for (let turn = 0; turn < 8; turn++) {
      rig.add('a', 2);
      await rig.flush();
      await rig.time.passToNext();
      rig.check();
    }
    expect(new Set(rig.pushed)).to.deep.equal(new Set(['me-1/1 {a:1}']));
    expect(rig.time.delays).to.deep.equal(
      [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000].map((step) => step * 0.75),
    );
    rig.decide(() => TAKEN);
    await rig.time.passToNext();
    expect(rig.pushed.at(-2)).to.equal('me-1/1 {a:1}');
    expect(rig.pushed.at(-1)).to.equal('me-1/2 {a:2,2,2,2,2,2,2,2}');
    rig.decide(() => new Error('again'));
    rig.add('a', 1);
    await rig.flush();
    expect(rig.time.delays.at(-1)).to.equal(150);
  });

  it('logs once when the trap goes away and once when it is back', async () => {
    const rig = createTimingRig();
    rig.decide(() => new Error('answered 503'));
    rig.add('a', 1);
    await rig.flush();
    await rig.time.pass(30_000);
    expect([rig.flusher.health.up, rig.flusher.health.lastError]).to.deep.equal([
      false,
      'answered 503',
    ]);
    rig.decide(() => TAKEN);
    await rig.time.pass(10_000);
    expect(rig.said).to.have.length(2);
    expect(rig.said[0]).to.match(/^warn: trap http:\/\/t failed: answered 503; everything is kept/);
    expect(rig.said[1]).to.match(/^info: trap http:\/\/t is back/);
  });

  describe('a body that the trap refuses', () => {
    for (const status of [301, 400, 404, 413]) {
      it(`with ${status} is dropped as trap_status_${status}; the next has a new key`, async () => {
        const rig = createTimingRig();
        rig.decide(() => ({ taken: false, status }));
        rig.add('a', 1, 2, 3);
        await rig.flush();
        rig.decide(() => TAKEN);
        rig.add('a', 4);
        await rig.flush();
        expect(rig.pushed).to.deep.equal(['me-1/1 {a:1,2,3}', 'me-1/2 {a:4}']);
        expect([...rig.flusher.tally.dropped]).to.deep.equal([[`trap_status_${status}`, 3]]);
        expect(rig.flusher.tally.delivered).to.equal(1);
        expect(rig.time.waiting).to.equal(0);
      });
    }

    it('is an error that is said once per status', async () => {
      const rig = createTimingRig();
      for (const status of [404, 404, 403, 404, 403]) {
        rig.decide(() => ({ taken: false, status }));
        rig.add('a', 1);
        await rig.flush();
      }
      const errors = rig.said.filter((line) => line.startsWith('error'));
      expect(errors).to.deep.equal([
        'error: trap http://t refuses timings with status 404: dropped as trap_status_404',
        'error: trap http://t refuses timings with status 403: dropped as trap_status_403',
      ]);
      expect(rig.flusher.health.up).to.equal(false);
    });

    it('is not said to be kept', async () => {
      const rig = createTimingRig();
      rig.decide(() => ({ taken: false, status: 404 }));
      rig.add('a', 1);
      await rig.flush();
      expect(rig.said.filter((line) => line.includes('kept'))).to.deep.equal([]);
    });
  });

  it('says each remark of the trap once, and at most a hundred', async () => {
    const rig = createTimingRig();
    for (const note of ['1 metrics filtered', '1 metrics filtered', 'odd']) {
      rig.decide(() => ({ taken: true, note }));
      rig.add('a', 1);
      await rig.flush();
    }
    expect(rig.said).to.deep.equal([
      'warn: trap http://t remarks: 1 metrics filtered',
      'warn: trap http://t remarks: odd',
    ]);
    for (let turn = 0; turn < 200; turn++) {
      rig.decide(() => ({ taken: true, note: `remark ${turn}` }));
      rig.add('a', 1);
      await rig.flush();
    }
    expect(rig.said).to.have.length(100);
    expect(rig.flusher.tally.delivered).to.equal(203);
  });

  it('folds what waits behind a trap that is away, once it is large, and loses nothing', async () => {
    const rig = createTimingRig();
    rig.decide(() => new Error('away'));
    const many = Array.from({ length: 50_000 }, (_, at) => 1 + (at % 50));
    for (let turn = 0; turn < 10; turn++) {
      rig.add('a', ...many);
      await rig.flush();
      expect(rig.book.listedSamples).to.be.at.most(200_000 + many.length);
    }
    expect(rig.flusher.pendingSamples + rig.book.pendingSamples).to.equal(500_000);
    rig.decide(() => TAKEN);
    const done = rig.flushLast();
    await rig.flush();
    await rig.flush();
    expect(done.resolved).to.equal(true);
    expect(rig.flusher.tally.delivered).to.equal(500_000);
  });

  describe('at the end', () => {
    it('pushes what waits, also what came while a body was in flight', async () => {
      const rig = createTimingRig();
      let answer = (): void => {};
      rig.decide(() => new Promise((resolve) => (answer = () => resolve(TAKEN))));
      rig.add('a', 1);
      await rig.flush();
      rig.add('a', 2);
      const done = rig.flushLast();
      for (let turn = 0; turn < 2; turn++) {
        expect(done.resolved).to.equal(false);
        answer();
        await settle();
      }
      expect(done.resolved).to.equal(true);
      expect(rig.pushed).to.deep.equal(['me-1/1 {a:1}', 'me-1/2 {a:2}']);
    });

    it('tries at once, and then for as long as it takes', async () => {
      const rig = createTimingRig();
      rig.decide(() => new Error('away'));
      rig.add('a', 1);
      await rig.flush();
      const done = rig.flushLast();
      await settle();
      expect(rig.pushed).to.have.length(2);
      await rig.time.pass(60_000);
      expect(done.resolved).to.equal(false);
      rig.decide(() => TAKEN);
      await rig.time.pass(10_000);
      expect([done.resolved, rig.flusher.tally.delivered]).to.deep.equal([true, 1]);
      expect(rig.time.waiting).to.equal(0);
    });

    it('resolves when there is nothing', async () => {
      const rig = createTimingRig();
      const done = rig.flushLast();
      await settle();
      expect(done.resolved).to.equal(true);
    });

    it('is given up by stop, which cuts what is under way and keeps it pending', async () => {
      const rig = createTimingRig();
      rig.decide(() => new Promise<TrapAnswer>(() => {}));
      rig.add('a', 1, 2);
      const done = rig.flushLast();
      await settle();
      rig.flusher.stop();
      await settle();
      expect(done.resolved).to.equal(true);
      expect(rig.closed()).to.equal(true);
      expect(rig.flusher.pendingSamples).to.equal(2);
      rig.check();
    });

    it('resolves also after stop', async () => {
      const rig = createTimingRig();
      rig.flusher.stop();
      const done = rig.flushLast();
      await settle();
      expect(done.resolved).to.equal(true);
    });
  });
});
