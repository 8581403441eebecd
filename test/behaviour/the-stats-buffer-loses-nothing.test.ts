import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';

import { systemTime } from '../../src/flush/time.ts';
import { createBorrowedAccess } from '../../src/sinks/redis-access.ts';
import { startProxy } from '../support/proxy.ts';
import { startRedis } from '../support/redis-server.ts';
import { createTeller } from '../support/stats-count.ts';
import { runStatsWithCuts } from '../support/stats-cut-run.ts';
import {
  connectClient,
  drained,
  openPlace,
  type Place,
  PLACES,
  untilAway,
  untilReady,
  watchClient,
  writeAll,
} from '../support/stats-place.ts';

const CUTS = 40;

for (const name of PLACES.filter((one) => one !== 'memory')) {
  describe(`the stats buffer loses nothing, in ${name}`, () => {
    let place: Place | undefined;

    afterEach(async () => {
      await place?.clear();
      await place?.close();
      place = undefined;
    });

    it(`${CUTS} cuts at random bytes of requests and replies neither lose nor double`, async () => {
      const run = await runStatsWithCuts(name, CUTS, 20);
      expect(run.cuts).to.equal(CUTS);
      expect(run.written).to.deep.equal(run.counted);
      expect(run.unwritten).to.equal(0);
      expect(run.unbalanced).to.deep.equal([]);
      expect(run.statementsMax).to.be.at.most(1);
    });

    it('kill -9 while counting: exact after each restart', async () => {
      place = await openPlace(name);
      const stats = place.stats({ keys: ['a', 'b'], writeFrequency: 1 });
      const teller = createTeller(stats, 9);
      for (let crash = 0; crash < 3; crash++) {
        let killed: Promise<void> | undefined;
        for (let n = 0; n < 100; n++) {
          teller.count();
          if (n === 50) killed = place.server!.kill();
          // When it is away, it finds back by itself.
          if (n < 50) await stats.write();
          await new Promise(setImmediate);
          teller.look();
        }
        await killed;
        await place.server!.restart();
        await untilReady(place.client);
        await drained(stats);
        expect(await place.hash(stats, 'a')).to.deep.equal(teller.counted);
        expect(await place.hash(stats, 'b')).to.deep.equal(teller.counted);
      }
      expect(teller.unbalanced).to.deep.equal([]);
      expect(stats.vitals()).to.deep.include({ samples: 1500, delivered: 1500, dropped: {} });
    });

    it('what is dropped is accounted for: names over the limit, and after stop', async () => {
      place = await openPlace(name);
      const stats = place.stats({ keys: ['a'], writeFrequency: 1, maxKeys: 10 });
      const teller = createTeller(stats, 5);
      for (let n = 0; n < 40; n++) {
        teller.count();
        await stats.write();
        teller.look();
      }
      await stats.stop();
      teller.count();
      expect(teller.unbalanced).to.deep.equal([]);
      const { samples, delivered, dropped } = stats.vitals();
      expect(samples).to.equal(205);
      expect(dropped).to.have.all.keys('key_limit', 'stopped');
      expect(dropped['stopped']).to.equal(5);
      expect(delivered + dropped['key_limit']! + 5).to.equal(205);
      expect(Object.keys(await place.hash(stats, 'a'))).to.have.length(10);
    });
  });
}

describe("the stats buffer does not fill the queue of an application's client", () => {
  it('at most one statement while its server is away, and none that is given to it then', async () => {
    const place = await openPlace("the application's client");
    try {
      const watched = watchClient(place.client!);
      const stats = place.stats({ keys: ['a', 'b', 'c'], writeFrequency: 1 });
      const teller = createTeller(stats, 1);
      teller.count();
      await stats.write();
      await Promise.all([place.server!.kill(), untilAway(place.client)]);
      for (let n = 0; n < 50; n++) {
        teller.count();
        await stats.write().catch(() => {});
        if (n % 10 === 0) await untilReconnecting();
      }
      expect(watched.whileAway).to.equal(0);
      expect(watched.statementsMax).to.equal(1);
      await place.server!.restart();
      await untilReady(place.client);
      await writeAll(stats);
      expect(watched.statementsMax).to.equal(1);
      for (const key of ['a', 'b', 'c']) {
        expect(await place.hash(stats, key)).to.deep.equal(teller.counted);
      }
      expect(teller.unbalanced).to.deep.equal([]);
    } finally {
      await place.clear();
      await place.close();
    }

    function untilReconnecting(): Promise<void> {
      return new Promise((resolve) => place.client!.once('reconnecting', resolve));
    }
  });

  it('at most one statement while its server is silent', async () => {
    const redis = await startRedis();
    const proxy = await startProxy(redis.port);
    const watched = watchClient(await connectClient(proxy.port));
    try {
      // As a stats buffer has it, but for the five seconds that a reply is awaited.
      const options = { time: systemTime(), timeoutMs: 20 };
      const access = createBorrowedAccess(watched.client, options);
      proxy.decide(() => 'swallow');
      for (let n = 0; n < 5; n++) {
        const error = await access
          .evaluate('return 1', [], [])
          .catch((refusal: unknown) => refusal);
        expect(error).to.be.instanceOf(Error);
      }
      expect(watched.statementsMax).to.equal(1);
    } finally {
      watched.client.destroy();
      await proxy.close();
      await redis.stop();
    }
  });
});
