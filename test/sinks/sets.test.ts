import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { systemTime } from '../../src/flush/time.ts';
import { createHyperLogLog } from '../../src/sinks/hyperloglog.ts';
import { createMemoryStore } from '../../src/sinks/memory.ts';
import { MEMORY_SETS_BYTES_MAX } from '../../src/sinks/memory-sets.ts';
import { createOwnAccess } from '../../src/sinks/redis-access.ts';
import { createRedisStore } from '../../src/sinks/redis.ts';
import type { SetChunk, SetFaults, SetStore } from '../../src/sinks/set-store.ts';
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
    const told: [number, number][] = [];
    for (const size of [1, 2, 5, 20, 100, 1000, 3000, 10_000, 30_000, 100_000]) {
      while (added < size) {
        const members = Array.from({ length: Math.min(1000, size - added) }, (_, at) => {
          return `${added + at}${bytes(Math.floor(random() * 20))}`;
        });
        added += members.length;
        const chunk = { key: 'k', expireAt: SOON, members };
        told.length = 0;
        const tell = (at: number, unique: number): void => void told.push([at, unique]);
        await Promise.all([store.addMembers([chunk], tell), memory.addMembers([chunk], tell)]);
      }
      const estimate = await store.countMembers('k');
      expect(told, `told of ${size}`).to.deep.equal([
        [0, estimate],
        [0, estimate],
      ]);
      expect(await memory.countMembers('k'), `of ${size}`).to.equal(estimate);
      expect(Math.abs(estimate - size)).to.be.at.most(0.03 * size);
    }
  });

  it('take every byte as it is', async () => {
    await redis.command('DEL', 'bytes', 'plain');
    const all = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));
    const utf8 = ['größe', '日本', '😀'].map((text) => Buffer.from(text).toString('latin1'));
    const members = [...all, ...utf8, '\xc2', '\xc3\xa9', '\xc2\xc2\x80', '\xff\xfe'];
    await store.addMembers([{ key: 'bytes', expireAt: SOON, members }]);
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
    await store.addMembers([chunk]);
    await store.addMembers([chunk]);
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
    const tell = (): never => expect.fail('nobody can know');
    expect([...(await writing.addMembers([chunk], tell))]).to.deep.equal([]);
    writing.close();
    expect(await store.countMembers('uncounted')).to.equal(2);
  });

  it('refuse where the key is of another type, or holds no such thing; others take theirs', async () => {
    await redis.command('HSET', 'hash', 'a', '1');
    await redis.command('SET', 'text', 'x');
    const chunks = ['one', 'hash', 'two', 'text', 'three'].map((key, at) => {
      const members = Array.from({ length: at + 1 }, (_, member) => `${member}`);
      return { key, expireAt: SOON, members };
    });
    const told: [number, number][] = [];
    const faults = await store.addMembers(chunks, (at, unique) => told.push([at, unique]));
    expect([...faults]).to.deep.equal([
      [1, 'wrong_type'],
      [3, 'wrong_type'],
    ]);
    expect(told).to.deep.equal([
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
    for (const [key, count] of Object.entries({ one: 1, two: 3, three: 5 })) {
      expect(await store.countMembers(key), key).to.equal(count);
      expect(Number(await redis.command('TTL', key)), key).to.be.within(3500, 3600);
    }
    for (const key of ['hash', 'text']) {
      const error: unknown = await store.countMembers(key).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error, key).to.be.instanceOf(HashFault);
    }
    expect(await redis.command('GET', 'text')).to.equal('x');
  });
});

describe('Sets in memory', () => {
  const one = (key: string, expireAt: number, members = ['a']): SetChunk[] => [
    { key, expireAt, members },
  ];
  const many = Array.from({ length: 300 }, (_, at) => String(at));
  const FULL = [[0, 'sets_full']];

  it('are forgotten when they expire, and take so much at most', async () => {
    let nowMs = 0;
    const memory = createMemoryStore(() => nowMs);
    await memory.addMembers(one('early', 10, many));
    await memory.addMembers(one('small', 20));
    await memory.addMembers(one('large', 20, many));
    let faults: SetFaults = new Map();
    let count = 0;
    for (; faults.size === 0; count++) faults = await memory.addMembers(one(`k${count}`, 20, many));
    expect(count).to.be.within(MEMORY_SETS_BYTES_MAX / 17_000, MEMORY_SETS_BYTES_MAX / 16_384);
    expect([...faults]).to.deep.equal(FULL);
    // One that is small might grow.
    expect([...(await memory.addMembers(one('small', 20, ['b'])))]).to.deep.equal(FULL);
    expect([...(await memory.addMembers(one('large', 20, ['more'])))]).to.deep.equal([]);
    expect(await memory.countMembers('early')).to.be.within(295, 305);
    nowMs = 10_000;
    expect(await memory.countMembers('early')).to.equal(0);
    expect([...(await memory.addMembers(one('small', 20, ['b'])))]).to.deep.equal([]);
    expect(await memory.countMembers('small')).to.equal(2);
  });

  it('take little when they have few members: over a hundred thousand find room', async () => {
    const memory = createMemoryStore();
    for (let at = 0; at < 120_000; at++) {
      expect((await memory.addMembers(one(`k${at}`, SOON))).size, `${at}`).to.equal(0);
    }
  });
});
