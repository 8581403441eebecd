import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';

import { type CollectorProcess, startCollector } from '../support/collector-process.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { openSender, sendUdp } from '../support/udp.ts';

const FAST = ['--counter-interval', '100', '--timing-interval', '100'];

describe('counts are exact', () => {
  let redis: RedisServer;
  const running: CollectorProcess[] = [];

  beforeEach(async () => {
    redis = await startRedis();
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((collector) => collector.stop()));
    await redis.stop();
  });

  async function start(...args: string[]): Promise<CollectorProcess> {
    const collector = await startCollector(['--redis', redis.url, ...FAST, ...args]);
    running.push(collector);
    return collector;
  }

  it('ten thousand sampled lines give the right total, as an integer', async () => {
    const collector = await start();
    const sender = openSender(collector.udpPort);
    for (let batch = 0; batch < 250; batch++) {
      await sender.send(Array<string>(40).fill('sampled:1|c|@0.3').join('\n'));
    }
    sender.close();
    await collector.until((vitals) => vitals.counters.delivered === 10_000);
    // 10,000 / 0.3 is 33,333 and a third; the third waits for the next sample.
    expect(await redis.hash('statcol:stats')).to.deep.equal(new Map([['sampled', '33333']]));
    await sendUdp(collector.udpPort, 'sampled:1|c|@0.3\nsampled:1|c|@0.3');
    await collector.until((vitals) => vitals.counters.delivered === 10_002);
    expect(await redis.hash('statcol:stats')).to.deep.equal(new Map([['sampled', '33340']]));
  });

  it('fractions add up to whole numbers and a last one is rounded', async () => {
    const collector = await start();
    for (let n = 0; n < 10; n++) await sendUdp(collector.udpPort, 'tenth:0.1|c\nhalf:0.5|c');
    await sendUdp(collector.udpPort, 'rest:0.6|c');
    await collector.until((vitals) => vitals.counters.delivered === 21);
    const hash = await redis.hash('statcol:stats');
    expect(hash).to.deep.equal(
      new Map([
        ['tenth', '1'],
        ['half', '5'],
        ['rest', '0'],
      ]),
    );
    expect(await collector.stop()).to.equal(0);
    expect((await redis.hash('statcol:stats')).get('rest')).to.equal('1');
  });

  it('two collectors on one Redis add up', async () => {
    const both = [await start(), await start()];
    await Promise.all(
      both.map(async (collector, index) => {
        const sender = openSender(collector.udpPort);
        for (let n = 0; n < 500; n++) await sender.send(`shared:1|c\nown.${index}:2|c`);
        sender.close();
        await collector.until((vitals) => vitals.counters.delivered === 1000);
      }),
    );
    expect(Object.fromEntries(await redis.hash('statcol:stats'))).to.deep.equal({
      shared: '1000',
      'own.0': '1000',
      'own.1': '1000',
    });
  });

  it('every collection gets every counter, with {pid} and {host} filled in', async () => {
    const collector = await start('--collection', 'all', '--collection', '{pid}:stats');
    await sendUdp(collector.udpPort, 'a:3|c\n__proto__:4|c\nconstructor:5|c');
    await collector.until((vitals) => vitals.counters.delivered === 3);
    const wanted = new Map([
      ['a', '3'],
      ['__proto__', '4'],
      ['constructor', '5'],
    ]);
    expect(await redis.hash('all')).to.deep.equal(wanted);
    expect(await redis.hash(`${collector.pid}:stats`)).to.deep.equal(wanted);
    const text = await (await fetch(new URL('api/counters', collector.httpUrl))).text();
    expect(text).to.include('"__proto__":4');
  });

  it('the split layout writes a hash per first part, with its total', async () => {
    const collector = await start('--layout', 'split', '--names', 'keep', '--collection', 'foo_');
    const lines = ['requestTotal./users:1|c', 'requestTotal./users:1|c', 'requestTotal./a b:5|c'];
    await sendUdp(collector.udpPort, [...lines, 'plain:7|c', 'x.total:2|c'].join('\n'));
    await collector.until((vitals) => vitals.counters.delivered === 5);
    expect(Object.fromEntries(await redis.hash('foo_requestTotal'))).to.deep.equal({
      '/users': '2',
      '/a b': '5',
      total: '7',
    });
    expect(Object.fromEntries(await redis.hash('foo_plain'))).to.deep.equal({ total: '7' });
    expect(Object.fromEntries(await redis.hash('foo_x'))).to.deep.equal({
      '(total)': '2',
      total: '2',
    });
  });

  it('nothing but the collections and their markers is written, and markers expire', async () => {
    const collector = await start('--instance', 'blue', '--collection', '{app}:stats');
    await sendUdp(collector.udpPort, 'a:1|c');
    await collector.until((vitals) => vitals.counters.delivered === 1);
    const keys = ((await redis.command('KEYS', '*')) as string[]).toSorted();
    expect(keys).to.have.length(2);
    expect(keys[0]).to.equal('{app}:stats');
    expect(keys[1]).to.match(/^\{app\}:stats:applied:blue-[0-9a-f]{16}$/);
    const seconds = Number(await redis.command('TTL', keys[1]!));
    expect(seconds).to.be.within(7 * 24 * 3600 - 60, 7 * 24 * 3600);
  });
});
