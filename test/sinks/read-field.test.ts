import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { systemTime } from '../../src/flush/time.ts';
import { createMemoryStore } from '../../src/sinks/memory.ts';
import { createRedisStore } from '../../src/sinks/redis.ts';
import { createOwnAccess } from '../../src/sinks/redis-access.ts';
import { HashFault, type Store } from '../../src/sinks/store.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';

const FIELDS = ['a', '__proto__', '', 'é\n', 'total'];

describe('A field of a store', () => {
  let redis: RedisServer;
  let stores: Store[];
  before(async () => {
    redis = await startRedis();
    stores = [createMemoryStore(), ownStore(redis.url)];
  });
  after(async () => {
    for (const one of stores) one.close();
    await redis.stop();
  });

  it('is read as it was written, in memory as in Redis', async () => {
    const parts = FIELDS.map((field, at) => ({ field, amount: at - 1 }));
    for (const store of stores) {
      await store.apply({ hash: 'h', seq: 1, parts, total: false });
      await store.apply({
        hash: 'h',
        seq: 2,
        parts: [{ field: 'a', amount: 2 ** 53 }],
        total: false,
      });
      const values = await Promise.all(FIELDS.map((field) => store.readField('h', field)));
      expect(values, store.kind).to.deep.equal(['9007199254740991', '0', '1', '2', '3']);
      expect(await store.countFields('h')).to.equal(FIELDS.length);
      expect(await store.countFields('none')).to.equal(0);
    }
  });

  it('that is not there is null, and so is one of a hash that is not', async () => {
    for (const store of stores) {
      await store.apply({
        hash: 'there',
        seq: 1,
        parts: [{ field: 'a', amount: 1 }],
        total: false,
      });
      const places = [
        ['there', 'b'],
        ['there', 'constructor'],
        ['there', 'total'],
        ['none', 'a'],
        ['constructor', 'name'],
      ] as const;
      for (const [hash, field] of places) {
        expect(await store.readField(hash, field), `${store.kind} ${hash} ${field}`).to.equal(null);
      }
    }
  });

  it('of what is no hash is a fault of that hash alone', async () => {
    await redis.command('SET', 's', 'x');
    const store = stores[1]!;
    for (const work of [store.readField('s', 'a'), store.read('s'), store.countFields('s')]) {
      const failure = await work.catch((error: unknown) => error);
      expect(failure).to.be.instanceOf(HashFault);
    }
    expect(await store.readField('none', 'a')).to.equal(null);
  });
});

describe('A store of one’s own', () => {
  it('is never closed for good: what is away may come back', async () => {
    const memory = createMemoryStore();
    const redis = await startRedis();
    const store = ownStore(redis.url);
    await redis.kill();
    expect(await store.connect().catch((error: unknown) => error)).to.be.instanceOf(Error);
    expect([store.connected, store.closed, memory.closed]).to.deep.equal([false, false, false]);
    await redis.restart();
    expect(await store.readField('h', 'a')).to.equal(null);
    store.close();
    memory.close();
    expect([store.closed, memory.closed]).to.deep.equal([false, false]);
    await redis.stop();
  });
});

function ownStore(url: string): Store {
  const address = { url };
  const options = { address, time: systemTime(), timeoutMs: 5000, onLost: () => {} };
  return createRedisStore(createOwnAccess(options), () => 'test');
}
