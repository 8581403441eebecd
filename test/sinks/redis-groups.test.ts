import { expect } from 'chai';
import { after, afterEach, before, describe, it } from 'mocha';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { systemTime } from '../../src/flush/time.ts';
import { createRedisStore } from '../../src/sinks/redis.ts';
import { createOwnAccess } from '../../src/sinks/redis-access.ts';
import type { SetStore } from '../../src/sinks/set-store.ts';
import type { Store } from '../../src/sinks/store.ts';
import { runProgram } from '../support/program.ts';
import { type RedisCluster, startCluster } from '../support/redis-cluster.ts';
import { type SentinelGroup, startSentinelGroup } from '../support/redis-sentinel.ts';
import { freePort, startRedis } from '../support/redis-server.ts';

const PARTS = [{ field: 'x', amount: 1 }];

describe('Over a cluster or sentinels, the store in Redis', () => {
  let cluster: RedisCluster;
  let group: SentinelGroup;
  const stores: Store[] = [];
  before(async () => {
    [cluster, group] = await Promise.all([startCluster({ masters: 2 }), startSentinelGroup()]);
  });
  after(() => Promise.all([cluster.stop(), group.stop()]));
  afterEach(() => {
    for (const one of stores.splice(0)) one.close();
  });

  function storeAt(
    url: string,
    timeoutMs = 500,
    replicas = 0,
    lost: string[] = [],
  ): Store & SetStore {
    const time = systemTime();
    const onLost = (error: string): void => void lost.push(error);
    const access = createOwnAccess({ address: { url }, time, timeoutMs, replicas, onLost });
    const store = createRedisStore(access, () => 'test');
    stores.push(store);
    return store;
  }

  function apply(store: Store, hash: string, seq: number): Promise<unknown> {
    return store.apply({ hash, seq, parts: PARTS, total: false });
  }

  it('applies chunks once and reads them, whichever master has them', async () => {
    const kinds: string[] = [];
    for (const { url } of [cluster, group]) {
      const store = storeAt(url);
      kinds.push(store.kind);
      expect(store.connected).to.equal(false);
      await store.connect();
      expect(store.connected).to.equal(true);
      for (let n = 0; n < 20; n++) {
        await apply(store, `h${n}`, 1);
        await apply(store, `h${n}`, 1);
        expect(await store.read(`h${n}`)).to.deep.equal([['x', '1']]);
        expect(await store.readField(`h${n}`, 'x')).to.equal('1');
      }
    }
    expect(kinds).to.deep.equal(['redis-cluster', 'redis-sentinel']);
  });

  it('adds the members of many sets, wherever each of them is', async () => {
    const keys = [...Array.from({ length: 20 }, (_, n) => `s${n}`), '{s1}:a', '{s1}:b'];
    const chunks = keys.map((key, n) => ({
      ...{ key, expireAt: Math.floor(Date.now() / 1000) + 600 },
      members: Array.from({ length: n + 1 }, (_, member) => String(member)),
    }));
    for (const { url } of [cluster, group]) {
      const store = storeAt(url);
      expect([...(await store.addMembers(chunks))]).to.deep.equal([]);
      const counts = await Promise.all(keys.map((key) => store.countMembers(key)));
      expect(counts).to.deep.equal(keys.map((_, n) => n + 1));
    }
  });

  it('is served by any one seed, be the others dead, silent or strangers', async () => {
    const silent = await startSilent();
    const stranger = await startRedis();
    const bad = `127.0.0.1:${await freePort()},127.0.0.1:${silent.port},127.0.0.1:${stranger.port}`;
    const good = [cluster.nodes[3]!.port, group.sentinels[1]!.port];
    const urls = [`redis+cluster://${bad},127.0.0.1:${good[0]}`];
    urls.push(`redis+sentinel://${bad},127.0.0.1:${good[1]}/counts`);
    for (const url of urls) await apply(storeAt(url, 2000), 'seeds', 1);
    await silent.close();
    await stranger.stop();
  });

  it('says what each of the seeds failed of, and shows no secret', async () => {
    const port = await freePort();
    const stranger = await startRedis();
    for (const [url, last] of [
      [`redis+cluster://me:SECRET@127.0.0.1:${port},[::1]:${port}`, 'ECONNREFUSED'],
      [`redis+sentinel://me:SECRET@127.0.0.1:${port},[::1]:${port}/m`, 'ECONNREFUSED'],
      [`redis+cluster://127.0.0.1:${port},127.0.0.1:${stranger.port}`, 'cluster support disabled'],
    ] as const) {
      const store = storeAt(url);
      const text = String(await failureOf(store.connect()));
      expect(text).to.match(/no (node of the redis cluster .* answers|sentinel names a master): /);
      expect(text).to.include(`connect ECONNREFUSED 127.0.0.1:${port}; `).and.include(last);
      expect(text + store.label).not.to.include('SECRET');
      expect(store.connected).to.equal(false);
    }
    await stranger.stop();
  });

  it('names the sentinel that does not know the master, and the password that is wrong', async () => {
    const unknown = failureOf(storeAt(group.url.replace('counts', 'other')).connect());
    expect(String(await unknown)).to.match(/sentinel 127.0.0.1:\d+ knows no master named other/);
    for (const url of [cluster.url, group.url]) {
      const wrong = failureOf(storeAt(url.replace('://', '://me:SECRET@')).connect());
      expect(String(await wrong))
        .to.match(/WRONGPASS/)
        .and.not.include('SECRET');
    }
  });

  it('gives up a master that does not answer in time, and finds it when it does', async () => {
    for (const one of [cluster, group]) {
      const store = storeAt(one.url, 300);
      await apply(store, 'late', 1);
      const master = one === cluster ? await cluster.masterOf('late') : await group.master();
      await master.command('CLIENT', 'PAUSE', '60000', 'WRITE');
      const failure = String(await failureOf(apply(store, 'late', 2)));
      expect(failure).to.include('redis did not answer within 0.3 s');
      expect(store.connected).to.equal(false);
      await master.command('CLIENT', 'UNPAUSE');
      await apply(store, 'late', 2);
      expect(Object.fromEntries(await one.hash('late'))).to.deep.equal({ x: '2' });
    }
  });

  it('uses up the number of a chunk that a hash of another type refuses', async () => {
    for (const one of [cluster, group]) {
      const store = storeAt(one.url);
      const master = one === cluster ? await cluster.masterOf('text') : await group.master();
      await master.command('SET', 'text', 'x');
      const fault = { name: 'HashFault', message: 'WRONGTYPE text holds a string, not a hash' };
      for (const type of ['string', 'none']) {
        expect(await failureOf(apply(store, 'text', 1)), type).to.include(fault);
        await master.command('DEL', 'text');
      }
      expect(await store.read('text')).to.deep.equal([]);
      await apply(store, 'text', 2);
      expect(await store.read('text')).to.deep.equal([['x', '1']]);
    }
  });

  it('says so when a connection is lost between two calls', async () => {
    const lost: string[] = [];
    const store = storeAt(cluster.url, 500, 0, lost);
    await apply(store, 'lost', 1);
    const master = await cluster.masterOf('lost');
    await master.command('CLIENT', 'KILL', 'TYPE', 'normal');
    while (store.connected) await new Promise(setImmediate);
    expect(lost).to.have.length(1);
    expect(lost[0]).to.match(/^127\.0\.0\.1:\d+: /);
    await apply(store, 'lost', 2);
  });

  it('opens anew when it is used after it was closed', async () => {
    for (const { url } of [cluster, group]) {
      const store = storeAt(url);
      await apply(store, 'again', 1);
      store.close();
      expect(store.connected).to.equal(false);
      expect(await store.readField('again', 'x')).to.equal('1');
      await apply(store, 'again', 1);
    }
  });

  it('leaves nothing behind when it is closed, whatever it is doing', async () => {
    const silent = await startSilent();
    const at = `127.0.0.1:${silent.port}`;
    const urls = [cluster.url, group.url, `redis+cluster://${at}`, `redis+sentinel://${at}/m`];
    const { stdout, stderr, code } = await runProgram(`
      import { createOwnAccess } from './dist/sinks/redis-access.js';
      import { systemTime } from './dist/flush/time.js';
      const startMs = performance.now();
      for (const url of ${JSON.stringify([...urls, `redis://${at}`])}) {
        for (const afterMs of [0, 1, 5, 50, 400]) {
          const access = createOwnAccess({
            address: { url }, time: systemTime(), timeoutMs: 60000, onLost() {},
          });
          access.evaluate('return 1', ['h'], []).catch(() => {});
          access.readHash('h').catch(() => {});
          setTimeout(() => access.close(), afterMs);
        }
      }
      process.on('exit', () => console.log(performance.now() - startMs < 5000));
    `);
    expect({ stdout, stderr, code }).to.deep.equal({ stdout: 'true\n', stderr: '', code: 0 });
    await silent.close();
  });
});

/** A server that takes connections and says nothing. */
async function startSilent(): Promise<{ port: number; close(): Promise<void> }> {
  const open = new Set<Socket>();
  const server: Server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, 'close');
    },
  };
}

function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}
