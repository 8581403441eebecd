import { expect } from 'chai';
import { describe, it } from 'mocha';
import { readRedisUrl } from '../../src/option-readers.ts';
import { readOptions } from '../../src/options.ts';
import { keySlot } from '../../src/sinks/redis-slot.ts';
import {
  groupLabel,
  memberAddress,
  readRedisGroup,
  sentinelAddress,
} from '../../src/sinks/redis-url.ts';

describe('The URL of a group of Redis servers', () => {
  it('of a cluster names nodes', () => {
    expect(readRedisGroup('redis+cluster://a:7000,b.example:7001,[::1]:7002,c')).to.deep.equal({
      kind: 'redis-cluster',
      seeds: [
        { host: 'a', port: 7000 },
        { host: 'b.example', port: 7001 },
        { host: '::1', port: 7002 },
        { host: 'c', port: 6379 },
      ],
      name: '',
      access: {},
      isTls: false,
    });
  });

  it('of sentinels names them, the master, and a database', () => {
    const group = readRedisGroup('rediss+sentinel://me:p%40ss%2Fw@a:1,[fe80::2]/my.master-1/3');
    expect(group).to.deep.equal({
      kind: 'redis-sentinel',
      seeds: [
        { host: 'a', port: 1 },
        { host: 'fe80::2', port: 26_379 },
      ],
      name: 'my.master-1',
      access: { username: 'me', password: 'p@ss/w', database: 3 },
      isTls: true,
    });
    const place = { host: 'a', port: 1 };
    expect(memberAddress(group!, place)).to.deep.equal({
      username: 'me',
      password: 'p@ss/w',
      database: 3,
      socket: { ...place, tls: true },
    });
    expect(sentinelAddress(group!, place)).to.deep.equal({ socket: { ...place, tls: true } });
    expect(groupLabel(group!)).to.equal('redis sentinel a:1,[fe80::2]:26379/my.master-1');
  });

  for (const [given, username, password] of [
    ['redis+cluster://:secret@a:1', undefined, 'secret'],
    ['redis+cluster://me@a:1', 'me', undefined],
    ['redis+cluster://me:@a:1/', 'me', undefined],
    ['redis+cluster://me:a:b@a:1', 'me', 'a:b'],
  ] as const) {
    it(`${given} has user ${username} and password ${password}`, () => {
      const access = readRedisGroup(given)?.access;
      expect([access?.username, access?.password]).to.deep.equal([username, password]);
    });
  }

  for (const wrong of [
    '',
    'redis://a:1',
    'redis+cluster://',
    'redis+cluster://a:1,',
    'redis+cluster://,a:1',
    'redis+cluster://a:0',
    'redis+cluster://a:65536',
    'redis+cluster://a:x',
    'redis+cluster://a b:1',
    'redis+cluster://::1:7000',
    'redis+cluster://[::g]:7000',
    'redis+cluster://[1:2]:7000',
    'redis+cluster://a:1/0',
    'redis+cluster://a:1?x=1',
    'redis+cluster://me:%@a:1',
    'redis+cluster://me@you@a:1',
    'redis+sentinel://a:1',
    'redis+sentinel://a:1/',
    'redis+sentinel://a:1/na me',
    'redis+sentinel://a:1/name/x',
    'redis+sentinel://a:1/name/1/2',
    'redis+other://a:1',
    'REDIS+CLUSTER://a:1',
  ]) {
    it(`${JSON.stringify(wrong)} is none`, () => {
      expect(readRedisGroup(wrong)).to.equal(undefined);
      if (wrong !== 'redis://a:1') expect(readRedisUrl(wrong)).to.equal(undefined);
    });
  }

  it('is an option as it is, and a wrong one is not shown', () => {
    const around = { hostName: 'h', pid: 1, readText: () => '' };
    const read = (value: string): unknown => {
      return readOptions({ redis: { value, from: '--redis' } }, around).redis;
    };
    for (const url of ['redis+cluster://a:1,b:2', 'redis+sentinel://x:y@a:1,b:2/name']) {
      expect(read(url)).to.equal(url);
    }
    expect(() => read('redis+sentinel://me:SECRET@a:1,b:2'))
      .to.throw(/--redis: expected .*redis\+sentinel:.*, got "redis\+sentinel:\/\/\*\*\*"$/)
      .with.property('message')
      .which.does.not.include('SECRET');
  });
});

describe('The slot of a key', () => {
  // As CLUSTER KEYSLOT of Redis 7 says.
  const table: [key: string, slot: number][] = [
    ['123456789', 12_739],
    ['', 0],
    ['a', 15_495],
    ['b', 3300],
    ['c', 7365],
    ['{a}:applied:x', 15_495],
    ['x{a}y{b}', 15_495],
    ['{}a', 10_875],
    ['a}{b}', 3300],
    ['é', 10_180],
  ];
  for (const [key, slot] of table) {
    it(`${JSON.stringify(key)} is ${slot}`, () => expect(keySlot(key)).to.equal(slot));
  }
});
