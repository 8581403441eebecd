import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';

import { systemTime } from '../../src/flush/time.ts';
import { createRedisStore } from '../../src/sinks/redis.ts';
import { createOwnAccess } from '../../src/sinks/redis-access.ts';
import { type CollectorProcess, startCollector } from '../support/collector-process.ts';
import { eventually, type RedisNode, startNode } from '../support/redis-node.ts';
import { sendUdp } from '../support/udp.ts';

describe('with --redis-wait, replicas confirm what is delivered', () => {
  const nodes: RedisNode[] = [];
  let collector: CollectorProcess | undefined;

  afterEach(async () => {
    for (const node of nodes) node.signal('SIGCONT');
    await collector?.stop();
    for (const node of nodes.splice(0)) await node.stop();
    collector = undefined;
  });

  async function startPair(): Promise<[master: RedisNode, replica: RedisNode]> {
    const args = ['--repl-diskless-sync-delay', '0'];
    const [master, replica] = await Promise.all([startNode(...args), startNode(...args)]);
    nodes.push(master, replica);
    await replica.command('REPLICAOF', '127.0.0.1', String(master.port));
    await eventually(async () => {
      return String(await master.command('INFO', 'replication')).includes('state=online');
    }, 'a replica');
    return [master, replica];
  }

  it('a replica that sleeps holds delivery back, and counting goes on', async () => {
    const [master, replica] = await startPair();
    collector = await startCollector([
      ...['--redis', `redis://127.0.0.1:${master.port}`, '--redis-wait', '1'],
      ...['--counter-interval', '50'],
    ]);
    const { udpPort, until } = collector;
    await sendUdp(udpPort, 'hits:1|c');
    await until(({ counters }) => counters.delivered === 1);
    replica.signal('SIGSTOP');
    await sendUdp(udpPort, 'hits:2|c');
    await eventually(async () => (await hits(master)) === '3', 'the chunk at the master');
    expect((await collector.vitals()).counters).to.include({ pending: 1, delivered: 1 });
    await sendUdp(udpPort, 'hits:4|c');
    const { counters, store } = await until((now) => now.store.lastError !== null);
    expect(counters).to.include({ pending: 2, delivered: 1 });
    expect(store.lastError).to.match(/^0 of 1 replicas had the chunk after 4 s; it is sent again/);
    replica.signal('SIGCONT');
    await until((now) => now.counters.delivered === 3 && now.store.up);
    expect([await hits(master), await hits(replica)]).to.deep.equal(['7', '7']);
  });

  it('a chunk sent again over another connection waits for what the first has written', async () => {
    const [master, replica] = await startPair();
    const url = `redis://127.0.0.1:${master.port}`;
    const apply = async (timeoutMs: number): Promise<unknown> => {
      const time = systemTime();
      const access = createOwnAccess({
        ...{ address: { url }, time, timeoutMs, replicas: 1, onLost: () => {} },
      });
      const store = createRedisStore(access, () => 'test');
      const parts = [{ field: 'hits', amount: 1 }];
      try {
        return await store.apply({ hash: 'statcol:stats', seq: 1, parts, total: false });
      } finally {
        store.close();
      }
    };
    replica.signal('SIGSTOP');
    for (let turn = 0; turn < 2; turn++) {
      const failure = await apply(2000).catch(String);
      expect(failure, `turn ${turn}`).to.match(/0 of 1 replicas had the chunk after 1\.6 s/);
    }
    const last = apply(15_000);
    replica.signal('SIGCONT');
    expect([...((await last) as Map<number, string>)]).to.deep.equal([]);
    expect([await hits(master), await hits(replica)]).to.deep.equal(['1', '1']);
  });

  async function hits(node: RedisNode): Promise<unknown> {
    return node.command('HGET', 'statcol:stats', 'hits');
  }
});
