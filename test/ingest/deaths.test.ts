import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { setImmediate } from 'node:timers/promises';
import { Stat } from '../../src/ledger/stat.ts';
import { Kind } from '../../src/protocol/parse.ts';
import { drainOf, nothingDrained } from '../support/ledger-bench.ts';
import { chosen, endAll, openSender, send, start, take } from './rig.ts';

for (const receiver of ['dgram', 'recvmmsg'] as const) {
  describe(`an ingest thread that dies, by ${receiver},`, () => {
    beforeEach(() => void (chosen.receiver = receiver));
    afterEach(endAll);

    it('tells it once, and what was accepted can still be drained', async () => {
      const { ingest, bound, worker, halfFull, deaths, death } = await start({}, 8);
      await send(await openSender('127.0.0.1'), bound, 'hits:1|c\nt:1:2:3:4:5|ms');
      await halfFull; // so these have been accepted
      // No ledger to go on with: a fault as a defect of the thread would be one.
      worker.postMessage({ type: 'swap' });
      const flipping = ingest.flip(); // this one is never answered by the thread
      expect((await death).code).to.equal('ERR_INGEST');
      expect((await death).cause).to.be.instanceOf(TypeError);
      const { counters, timings } = drainOf(await flipping);
      expect([...counters]).to.deep.equal([['hits', [1, 1]]]);
      expect(timings.get('t')).to.have.length(5);
      expect(drainOf(await ingest.flip())).to.deep.equal(nothingDrained());
      expect(await ingest.stop(1000)).to.equal(true);
      await ingest.end();
      expect(deaths).to.have.length(1);
    });

    it('is told so also if it ends without an error, but not if it was ended', async () => {
      const first = await start({});
      await first.worker.terminate();
      expect((await first.death).message).to.match(/^the ingest thread ended with code 1$/);
      expect(drainOf(await first.ingest.flip())).to.deep.equal(nothingDrained());
      const second = await start({});
      await second.ingest.end();
      const error = await second.ingest.renew([]).catch((fault: unknown) => fault);
      expect(error).to.have.property('code', 'ERR_INGEST');
      expect(drainOf(await second.ingest.flip())).to.deep.equal(nothingDrained());
      expect(second.deaths).to.deep.equal([]);
    });

    it('is replaced on the same socket, after what it had accepted was drained', async () => {
      const { ingest, bound, worker, death } = await start({});
      const sender = await openSender('127.0.0.1');
      await send(sender, bound, 'hits:1|c');
      while (!ingest.hasNew()) await setImmediate();
      const reader = await ingest.flip(); // answered between two datagrams
      await worker.terminate();
      await death;
      expect(ingest.isDead).to.equal(true);
      // Nobody reads now: what the C library's socket holds is for the next thread.
      if (receiver === 'recvmmsg') await send(sender, bound, 'hits:10|c');
      expect([...drainOf(reader).counters]).to.deep.equal([['hits', [1, 1]]]);
      const old = await ingest.renew([{ kind: Kind.counter, name: 'hits' }]);
      expect(drainOf(old.reader)).to.deep.equal(nothingDrained());
      old.release();
      expect(ingest.isDead).to.equal(false);
      await send(sender, bound, 'hits:100|c');
      const packets = receiver === 'recvmmsg' ? 2 : 1;
      const { counters, stats } = await take(ingest, packets);
      expect([...counters]).to.deep.equal([['hits', [packets === 2 ? 110 : 100, packets]]]);
      expect(stats[Stat.datagrams]).to.equal(packets);
      expect(await ingest.stop(1000)).to.equal(true);
    });
  });
}
