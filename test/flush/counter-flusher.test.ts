import { expect } from 'chai';
import { describe, it } from 'mocha';
import { reasonText } from '../../src/flush/drop-log.ts';
import { settle } from '../support/fake-time.ts';
import { createRig, droppedOf, type Rig } from './rig.ts';

describe('The counter flusher', () => {
  describe('batches', () => {
    it('numbers chunks per hash, rising by one from batch to batch', async () => {
      const rig = createRig({ layout: 'split', collections: ['s_'] });
      for (const name of ['x.a', 'y.b', 'x.a', 'y']) {
        rig.add(name, 1);
        await rig.flush();
      }
      expect(rig.store.sent).to.deep.equal(['s_x#1 a=1', 's_y#1 b=1', 's_x#2 a=1', 's_y#2 -=1']);
      expect(rig.store.value('s_x', 'total')).to.equal(2);
    });

    it('cuts a large one into chunks of a thousand fields, one after the other', async () => {
      const rig = createRig();
      for (let at = 0; at < 2500; at++) rig.add(`n${at}`, at);
      await rig.flush();
      expect(rig.store.sent.map((text) => text.split(' ').length - 1)).to.deep.equal([
        1000, 1000, 500,
      ]);
      expect(rig.store.sent.map((text) => text.split(' ')[0])).to.deep.equal(['h#1', 'h#2', 'h#3']);
      expect(rig.store.inFlightMax).to.equal(1);
      expect(rig.flusher.tally.delivered).to.equal(2500);
    });

    it('has one in flight; what is counted meanwhile merges into one next batch', async () => {
      const rig = createRig();
      let answer = (): void => {};
      rig.store.decide = () => new Promise((resolve) => (answer = () => resolve('ok')));
      rig.add('a', 1);
      await rig.flush();
      for (let interval = 0; interval < 3; interval++) {
        rig.add('a', 10);
        await rig.flush();
      }
      expect(rig.store.sent).to.deep.equal(['h#1 a=1']);
      expect(rig.flusher.pendingSamples).to.equal(1);
      answer();
      await settle();
      await rig.flush();
      answer();
      await settle();
      rig.check();
      expect(rig.store.sent).to.deep.equal(['h#1 a=1', 'h#2 a=30']);
      expect(rig.flusher.tally.delivered).to.equal(4);
    });

    it('sends nothing when nothing was counted', async () => {
      const rig = createRig();
      await rig.flush();
      expect(rig.store.sent).to.deep.equal([]);
      expect(rig.flusher.health.lastMs).to.equal(null);
      expect(rig.flusher.hashes()).to.deep.equal([]);
    });

    it('writes each name to every collection, and delivers its samples once', async () => {
      const rig = createRig({ collections: ['one', 'two', 'three'] });
      rig.add('a', 3, 2);
      await rig.flush();
      expect(rig.store.sent).to.deep.equal(['one#1 a=3', 'two#1 a=3', 'three#1 a=3']);
      expect(rig.flusher.tally.delivered).to.equal(2);
      expect(rig.flusher.hashes()).to.deep.equal(['one', 'two', 'three']);
    });

    it('writes the 0 of a new name, and no 0 after it, whose samples are delivered', async () => {
      const rig = createRig();
      rig.add('a', 0);
      await rig.flush();
      rig.add('a', 0, 3);
      rig.add('b', 0.25);
      await rig.flush();
      rig.add('b', 0.25);
      await rig.flush();
      expect(rig.store.sent).to.deep.equal(['h#1 a=0', 'h#2 b=0']);
      expect(rig.flusher.tally.delivered).to.equal(6);
    });

    it('keeps zeros pending while the store is away', async () => {
      const rig = createRig();
      rig.add('a', 0);
      await rig.flush();
      rig.add('a', 0.5, 4);
      rig.store.connected = false;
      rig.store.connectError = 'gone';
      await rig.flush();
      expect(rig.flusher.pendingSamples).to.equal(4);
      rig.store.connectError = undefined;
      await rig.time.pass(100);
      expect(rig.flusher.tally.delivered).to.equal(5);
    });
  });

  describe('while the store fails', () => {
    it('sends a chunk again, with its number and content, until it is answered', async () => {
      const rig = createRig();
      rig.store.decide = () => (rig.store.sent.length < 4 ? 'lost-after' : 'ok');
      rig.add('a', 5, 2);
      await rig.flush();
      rig.add('a', 7);
      rig.add('b', 1);
      await rig.time.pass(10_000);
      await rig.flush();
      expect(rig.store.sent).to.deep.equal([
        ...Array.from({ length: 4 }, () => 'h#1 a=5'),
        'h#2 a=7 b=1',
      ]);
      expect(rig.store.value('h', 'a')).to.equal(12);
      expect(rig.flusher.tally.delivered).to.equal(4);
    });

    for (const [random, share] of [
      [0, 0.5],
      [0.5, 0.75],
      [1 - 2 ** -53, 1],
    ] as const) {
      it(`waits 0.1 s, doubling to 5 s, times ${share} for a random ${random}`, async () => {
        const rig = createRig({ random: () => random });
        rig.store.decide = () => 'lost-before';
        rig.add('a', 1);
        await rig.flush();
        for (let turn = 0; turn < 8; turn++) await rig.time.passToNext();
        const steps = [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000];
        expect(rig.time.delays.map((one) => Math.round(one * 1e6) / 1e6)).to.deep.equal(
          steps.map((step) => step * share),
        );
        rig.check();
      });
    }

    it('begins again with the first pause after a success', async () => {
      const rig = createRig();
      rig.store.decide = () => (rig.store.sent.length % 3 === 0 ? 'ok' : 'lost-before');
      for (let batch = 0; batch < 2; batch++) {
        rig.add('a', 1);
        await rig.flush();
        await rig.time.pass(1000);
      }
      expect(rig.time.delays).to.deep.equal([75, 150, 75, 150]);
    });

    it('does not try sooner because of a flush', async () => {
      const rig = createRig();
      rig.store.decide = () => 'lost-before';
      rig.add('a', 1);
      for (let turn = 0; turn < 5; turn++) await rig.flush();
      expect(rig.store.sent).to.have.length(1);
    });

    it('goes on with the chunk that failed, not with those before it', async () => {
      const rig = createRig();
      for (let at = 0; at < 2000; at++) rig.add(`n${at}`, 1);
      rig.store.decide = () => (rig.store.sent.length === 2 ? 'lost-after' : 'ok');
      await rig.flush();
      expect(rig.flusher.tally.delivered).to.equal(1000);
      await rig.time.pass(100);
      expect(rig.store.sent.map((text) => text.split(' ')[0])).to.deep.equal(['h#1', 'h#2', 'h#2']);
      expect(rig.flusher.tally.delivered).to.equal(2000);
    });

    it('connects first, and says why it cannot', async () => {
      const rig = createRig();
      rig.store.connected = false;
      rig.store.connectError = 'refused';
      rig.add('a', 1);
      await rig.flush();
      expect(rig.store.sent).to.deep.equal([]);
      expect([rig.flusher.health.up, rig.flusher.health.lastError]).to.deep.equal([
        false,
        'refused',
      ]);
      rig.store.connectError = undefined;
      await rig.time.pass(100);
      expect(rig.store.value('h', 'a')).to.equal(1);
      expect(rig.flusher.health.up).to.equal(true);
    });

    it('logs once when it goes away and once when it is back, not for each attempt', async () => {
      const rig = createRig();
      rig.store.decide = () => 'lost-before';
      rig.add('a', 1);
      await rig.flush();
      await rig.time.pass(20_000);
      expect(rig.flusher.health.downMs()).to.equal(20_000);
      rig.store.decide = () => 'ok';
      await rig.time.pass(5000);
      expect(rig.said).to.have.length(2);
      expect(rig.said[0]).to.equal(
        'warn: fake store failed: connection lost; everything is kept and tried again',
      );
      expect(rig.said[1]).to.match(/^info: fake store is back after 2\d\.\d s$/);
      expect(rig.flusher.health.lastError).to.equal('connection lost');
    });

    it('is down from the moment a connection is lost between two batches', async () => {
      const rig = createRig();
      await rig.flush();
      rig.flusher.health.failed('closed');
      expect(rig.flusher.health.up).to.equal(false);
      rig.add('a', 1);
      await rig.flush();
      expect(rig.flusher.health.up).to.equal(true);
      expect(rig.said).to.have.length(2);
    });
  });

  describe('fields that cannot be added to', () => {
    for (const fault of ['not_integer', 'overflow', 'refused'] as const) {
      it(`are dropped as ${fault}, counted and logged; their neighbours are written`, async () => {
        const rig = createRig();
        rig.store.badFields.set('h b', fault);
        for (const [at, name] of ['a', 'b', 'c'].entries()) rig.add(name, 1, at + 1);
        await rig.flush();
        expect(rig.store.sent).to.deep.equal(['h#1 a=1 b=1 c=1']);
        expect([...rig.flusher.tally.dropped]).to.deep.equal([[fault, 2]]);
        expect(rig.flusher.tally.delivered).to.equal(4);
        const told = `warn: "h b": 2 counter samples dropped: ${reasonText(fault)}`;
        expect(rig.said).to.deep.equal([told]);
        expect(rig.flusher.health.up).to.equal(true);
      });
    }

    it('are all told of, however many there are in a second', async () => {
      const rig = createRig();
      const names = Array.from({ length: 1500 }, (_, at) => `n${at}`);
      for (const name of names) rig.store.badFields.set(`h ${name}`, 'overflow');
      for (const name of names) rig.add(name, 1, 2);
      await rig.flush();
      const first = '"h n0": 2 counter samples dropped (and 1998 of 999 others: "h n1", "h n2", ';
      expect(rig.said.splice(0)).to.deep.equal([`warn: ${first}"h n3", …): overflow`]);
      await rig.time.pass(999);
      await rig.flush();
      expect(rig.said).to.deep.equal([]);
      await rig.time.pass(1);
      await rig.flush();
      expect(rig.said).to.have.length(1);
      expect(rig.said[0]).to.match(/"h n1000": 2 .* \(and 998 of 499 others/);
    });

    it('are dropped once after a lost reply', async () => {
      const rig = createRig();
      rig.store.badFields.set('h b', 'not_integer');
      rig.store.decide = () => (rig.store.sent.length === 1 ? 'lost-after' : 'ok');
      rig.add('a', 2, 3);
      rig.add('b', 2, 4);
      await rig.flush();
      await rig.time.pass(100);
      expect([...rig.flusher.tally.dropped]).to.deep.equal([['not_integer', 4]]);
      expect([rig.store.value('h', 'a'), rig.flusher.tally.delivered]).to.deep.equal([2, 3]);
    });

    it('are dropped once though several collections have them', async () => {
      const rig = createRig({ collections: ['one', 'two', 'three'] });
      rig.store.badFields.set('one a', 'overflow').set('three a', 'not_integer');
      rig.add('a', 1, 5);
      await rig.flush();
      expect([...rig.flusher.tally.dropped]).to.deep.equal([['overflow', 5]]);
      expect(rig.store.value('two', 'a')).to.equal(1);
    });

    for (const amount of [2 ** 63, -(2 ** 63) - 2048, 1e300, Infinity, NaN]) {
      it(`never see ${amount}: beyond 64 bits, it is dropped as overflow`, async () => {
        const rig = createRig({ collections: ['one', 'two'] });
        rig.add('a', amount, 2);
        rig.add('b', -(2 ** 63));
        await rig.flush();
        expect([...rig.flusher.tally.dropped]).to.deep.equal([['overflow', 2]]);
        expect(rig.store.value('one', 'a')).to.equal(undefined);
        expect(rig.store.value('two', 'b')).to.equal(-(2 ** 63));
        expect(droppedOf(rig.flusher.tally)).to.equal(2);
      });
    }
  });

  it('what else goes to the store has its share of time, and counters go out in between', async () => {
    const order: string[] = [];
    let left = 3;
    const rig: Rig = createRig({
      async sendMore(isOver) {
        order.push(`more, with ${rig.flusher.tally.delivered} delivered`);
        while (!isOver()) await rig.time.pass(150);
        rig.add('a', 1);
        return --left === 0;
      },
    });
    rig.add('a', 1);
    await rig.flush();
    for (let turns = 0; left > 0 && turns < 20; turns++) await settle();
    expect(order).to.deep.equal([1, 2, 3].map((count) => `more, with ${count} delivered`));
    left = 2;
    await rig.flusher.flushLast();
    expect([left, order.length]).to.deep.equal([0, 5]);
  });
});
