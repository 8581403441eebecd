import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';

import { runStatcol } from '../support/collector-process.ts';
import { type RedisCluster, startCluster } from '../support/redis-cluster.ts';
import { eventually } from '../support/redis-node.ts';
import { sendUdp } from '../support/udp.ts';
import { type SentinelGroup, startSentinelGroup } from '../support/redis-sentinel.ts';
import { startSteadyCounts, type SteadyCounts, THREE_HASHES } from '../support/steady-counts.ts';

describe('counts survive a failover', () => {
  let servers: RedisCluster | SentinelGroup | undefined;
  let counts: SteadyCounts | undefined;

  afterEach(async () => {
    await counts?.stop();
    await servers?.stop();
    counts = servers = undefined;
  });

  async function count(url: string, wait: number): Promise<SteadyCounts> {
    counts = await startSteadyCounts('--redis', url, '--redis-wait', String(wait));
    await counts.during(Promise.resolve());
    return counts;
  }

  it('of a cluster: a master dies, its replica takes over, the old one comes back', async () => {
    const cluster = await startCluster({ durable: true, nodeTimeoutMs: 500 });
    servers = cluster;
    const { collector, during, expectExact, sent } = await count(cluster.url, 1);
    expect((await collector.vitals()).store.kind).to.equal('redis-cluster');
    const old = await cluster.killMasterOf('a');
    await during(cluster.promoted('a', old));
    // Until it is back, nobody is left to confirm what the new master of `a` has.
    await during(old.start());
    await expectExact((name) => cluster.hash(name));
    const source = ['--redis', cluster.url, '--collection', 'b'];
    const { stdout } = await runStatcol(['get', 'name.1', ...source]);
    expect(stdout).to.equal(`${sent()['name.1']}\n`);
    const all = await runStatcol(['stats', '--json', '--layout', 'split', '--redis', cluster.url]);
    expect(all.code, all.stderr).to.equal(0);
    // Each master has some of the sets.
    const sets = Array.from({ length: 12 }, (_, at) => `set${at}`);
    await sendUdp(collector.udpPort, ...sets.map((name) => `${name}:x|s`));
    await collector.until((vitals) => vitals.sets.delivered === sets.length);
    const tables = await runStatcol(['stats', ...source]);
    const shown = Array.from(tables.stdout.matchAll(/^ {2}(set\d+) +1$/gm), ([, name]) => name);
    expect(shown, tables.stdout + tables.stderr).to.have.members(sets);
    expect(await collector.stop()).to.equal(0);
  });

  it('of a cluster that is not waited for: counting goes on with what there is', async () => {
    const cluster = await startCluster({ nodeTimeoutMs: 500 });
    servers = cluster;
    const { collector, during, expectExact } = await count(cluster.url, 0);
    await collector.until(({ counters }) => counters.pending === 0);
    for (const name of THREE_HASHES) await inStep(cluster, name);
    const old = await cluster.killMasterOf('b');
    await during(cluster.promoted('b', old));
    await expectExact((name) => cluster.hash(name));
  });

  it('that sentinels make', async () => {
    const group = await startSentinelGroup({ durable: true });
    servers = group;
    const { collector, during, expectExact } = await count(group.url, 1);
    expect((await collector.vitals()).store.kind).to.equal('redis-sentinel');
    await during(group.promoted(await group.killMaster()));
    await expectExact((name) => group.hash(name));
    expect(await collector.stop()).to.equal(0);
  });
});

/** A master that has died takes with it what its replicas do not have yet. */
async function inStep(cluster: RedisCluster, key: string): Promise<void> {
  const master = await cluster.masterOf(key);
  await eventually(async () => {
    const info = String(await master.command('INFO', 'replication'));
    const offset = /master_repl_offset:(\d+)/.exec(info)?.[1];
    return info.includes(`state=online,offset=${offset},`);
  }, `a replica in step with the master of ${key}`);
}
