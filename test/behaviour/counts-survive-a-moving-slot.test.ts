import { expect } from 'chai';
import { describe, it } from 'mocha';

import { startCluster } from '../support/redis-cluster.ts';
import { startSteadyCounts } from '../support/steady-counts.ts';

describe('counts survive a moving slot', () => {
  it('there and back, with its hash and marker on different sides for a while', async () => {
    const cluster = await startCluster({ masters: 2 });
    const { collector, during, expectExact, stop } = await startSteadyCounts(
      ...['--redis', cluster.url],
    );
    try {
      await during(Promise.resolve());
      for (const turn of [1, 2]) {
        const from = await cluster.masterOf('a');
        const to = cluster.nodes.slice(0, 2).find((node) => node !== from)!;
        await cluster.beginMove('a', to);
        await during(Promise.resolve());
        await cluster.moveKey('a');
        await during(
          collector.until(({ store }) => String(store.lastError).startsWith('TRYAGAIN')),
        );
        await during(cluster.endMove('a'));
        expect(await cluster.masterOf('a'), `turn ${turn}`).to.equal(to);
        await collector.until(({ counters, store }) => store.up && counters.pending === 0);
      }
      await expectExact((name) => cluster.hash(name));
    } finally {
      await stop();
      await cluster.stop();
    }
  });
});
