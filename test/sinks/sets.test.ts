import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { systemTime } from '../../src/flush/time.ts';
import { createHyperLogLog } from '../../src/sinks/hyperloglog.ts';
import { createMemoryStore } from '../../src/sinks/memory.ts';
import { MEMORY_SETS_MAX } from '../../src/sinks/memory-sets.ts';
import { createOwnAccess } from '../../src/sinks/redis-access.ts';
import { createRedisStore } from '../../src/sinks/redis.ts';
import { SetsFull, type SetStore } from '../../src/sinks/set-store.ts';
import { HashFault } from '../../src/sinks/store.ts';
import { seededRandom } from '../support/random.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';

const SOON = Math.floor(Date.now() / 1000) + 3600;

describe('Sets in Redis and in memory', () => {
  let redis: RedisServer;
  let store: SetStore & { close(): void };
  before(async () => {
    redis = await startRedis();
    const time = systemTime();
    const address = { url: redis.url };
    const access = createOwnAccess({ address, time, timeoutMs: 5000, onLost: () => {} });
    store = createRedisStore(access, () => 'me');
    await store.connect();
  });
  after(async () => {
    store.close();
    await redis.stop();
  });

  it('give the same estimate for the same members, from none to a hundred thousand', async () => {
    const random = seededRandom(8);
    const memory = createMemoryStore();
    const bytes = (length: number): string =>
      String.fromCharCode(...Array.from({ length }, () => Math.floor(random() * 256)));
    expect(await memory.countMembers('k')).to.equal(await store.countMembers('k'));
    let added = 0;
    let told: unknown[] = [];
    for (const size of [1, 2, 5, 20, 100, 1000, 3000, 10_000, 30_000, 100_000]) {
      while (added < size) {
        const members = Array.from({ length: Math.min(1000, size - added) }, (_, at) => {
          return `${added + at}${bytes(Math.floor(random() * 20))}`;
        });
        added += members.length;
        const chunk = { key: 'k', expireAt: SOON, members };
        told = await Promise.all([store.addMembers(chunk), memory.addMembers(chunk)]);
      }
      const estimate = await store.countMembers('k');
      expect(told, `told of ${size}`).to.deep.equal([estimate, estimate]);
      expect(await memory.countMembers('k'), `of ${size}`).to.equal(estimate);
      expect(Math.abs(estimate - size)).to.be.at.most(0.03 * size);
    }
  });

  it('take every byte as it is', async () => {
    await redis.command('DEL', 'bytes', 'plain');
    const all = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));
    const utf8 = ['größe', '日本', '😀'].map((text) => Buffer.from(text).toString('latin1'));
    const members = [...all, ...utf8, '\xc2', '\xc3\xa9', '\xc2\xc2\x80', '\xff\xfe'];
    await store.addMembers({ key: 'bytes', expireAt: SOON, members });
    const estimate = await store.countMembers('bytes');
    // Redis itself changes nothing when it is given the same texts.
    expect(
      await redis.command('PFADD', 'bytes', 'größe', '日本', '😀', 'é', 'a', '\u007f'),
    ).to.equal(0);
    const unique = createHyperLogLog();
    for (const member of members) unique.add(member);
    expect(unique.count()).to.equal(estimate);
  });

  it('may be added twice, and expire', async () => {
    const chunk = { key: 'twice', expireAt: SOON, members: ['a', 'b'] };
    expect(await store.addMembers(chunk)).to.equal(2);
    expect(await store.addMembers(chunk)).to.equal(2);
    expect(await store.countMembers('twice')).to.equal(2);
    expect(Number(await redis.command('TTL', 'twice'))).to.be.within(3500, 3600);
  });

  it('are written where they may not be counted, though nobody is told how many', async () => {
    await redis.command('ACL', 'SETUSER', 'writer', 'on', 'nopass', '~*', '+@all', '-pfcount');
    const url = redis.url.replace('//', '//writer:any@');
    const timing = { time: systemTime(), timeoutMs: 5000, onLost: () => {} };
    const writing = createRedisStore(createOwnAccess({ address: { url }, ...timing }), () => 'me');
    await writing.connect();
    const chunk = { key: 'uncounted', expireAt: SOON, members: ['a', 'b'] };
    expect(await writing.addMembers(chunk)).to.equal(undefined);
    writing.close();
    expect(await store.countMembers('uncounted')).to.equal(2);
  });

  it('refuse where the key is of another type, or holds no such thing', async () => {
    await redis.command('HSET', 'hash', 'a', '1');
    await redis.command('SET', 'text', 'x');
    for (const key of ['hash', 'text']) {
      const chunk = { key, expireAt: SOON, members: ['a'] };
      for (const call of [store.addMembers(chunk), store.countMembers(key)]) {
        const error: unknown = await call.then(
          () => undefined,
          (reason: unknown) => reason,
        );
        expect(error, key).to.be.instanceOf(HashFault);
      }
    }
    expect(await redis.command('GET', 'text')).to.equal('x');
  });
});

describe('Sets in memory', () => {
  it('are forgotten when they expire, and are so many at most', async () => {
    let nowMs = 0;
    const memory = createMemoryStore(() => nowMs);
    const add = (key: string, expireAt: number): Promise<number | undefined> =>
      memory.addMembers({ key, expireAt, members: ['a'] });
    for (let at = 0; at < MEMORY_SETS_MAX; at++) await add(`k${at}`, at === 0 ? 10 : 20);
    const error: unknown = await add('more', 20).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).to.be.instanceOf(SetsFull);
    await add('k1', 20);
    expect(await memory.countMembers('k0')).to.equal(1);
    nowMs = 10_000;
    expect(await memory.countMembers('k0')).to.equal(0);
    await add('more', 20);
    expect(await memory.countMembers('more')).to.equal(1);
  });
});
