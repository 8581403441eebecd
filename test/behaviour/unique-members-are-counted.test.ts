import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';

import type { Vitals } from '../../src/vitals.ts';
import { type CollectorProcess, startCollector } from '../support/collector-process.ts';
import { readPrometheus, runPromtool } from '../support/prometheus-text.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { openTcp } from '../support/tcp.ts';
import { openSender, sendUdp } from '../support/udp.ts';

const isDelivered = (samples: number) => {
  return ({ sets }: Vitals): boolean => sets.delivered === samples;
};

describe('unique members are counted', () => {
  const running: CollectorProcess[] = [];
  let redis: RedisServer | undefined;
  let folder: string | undefined;

  afterEach(async () => {
    for (const collector of running.splice(0)) {
      collector.signal('SIGKILL');
      await collector.exited();
    }
    await redis?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true });
    redis = folder = undefined;
  });

  async function start(...flags: string[]): Promise<CollectorProcess> {
    const collector = await startCollector(['--counter-interval', '20', ...flags]);
    running.push(collector);
    return collector;
  }

  async function send(collector: CollectorProcess, ...datagrams: string[]): Promise<void> {
    const sender = openSender(collector.udpPort);
    await sender.send(...datagrams);
    sender.close();
  }

  /** The key of today; a test that runs into midnight looks at both days. */
  function keyOf(name: string): string {
    return `statcol:stats:set:${name}:${new Date().toISOString().slice(0, 10)}`;
  }

  it('over two collectors as Redis itself counts them, and as memory does', async () => {
    redis = await startRedis();
    const flags = ['--redis', redis.url];
    const all = [await start(...flags), await start(...flags), await start()];
    const users = Array.from({ length: 3000 }, (_, at) => `user-${at * 7919}-größe`);
    const lines = (from: number, to: number): string[] => {
      const found: string[] = [];
      for (let at = from; at < to; at += 20) {
        found.push(
          users
            .slice(at, at + 20)
            .map((user) => `users:${user}|s|@0.5`)
            .join('\n'),
        );
      }
      return found;
    };
    await Promise.all([
      send(all[0]!, ...lines(0, 2000), 'a:x|s\na:x|s\na:y|s'),
      send(all[1]!, ...lines(1000, 3000)),
      send(all[2]!, ...lines(0, 3000), 'a:x|s\na:x|s\na:y|s'),
    ]);
    await all[0]!.until(isDelivered(2003));
    await all[1]!.until(isDelivered(2000));
    const { sets, samples, keys } = await all[2]!.until(isDelivered(3003));
    expect(sets).to.deep.equal({ recovered: 0, delivered: 3003, pending: 0, dropped: {} });
    expect([samples.sets, keys.sets]).to.deep.equal([3003, 2]);
    for (let at = 0; at < users.length; at += 500) {
      await redis.command('PFADD', 'own', ...users.slice(at, at + 500));
    }
    const own = await redis.command('PFCOUNT', 'own');
    expect(await redis.command('PFCOUNT', keyOf('users'))).to.equal(own);
    expect(Number(await redis.command('TTL', keyOf('users')))).to.be.within(690_000, 691_200);
    const wanted = { 'statcol:stats': { users: own, a: 2 } };
    expect(await all[0]!.json('api/sets')).to.deep.equal(wanted);
    expect(await all[1]!.json('api/sets')).to.deep.equal({ 'statcol:stats': { users: own } });
    expect(await all[2]!.json('api/sets')).to.deep.equal(wanted);
    const metrics = await (await fetch(new URL('metrics', all[2]!.httpUrl))).text();
    expect(await runPromtool(metrics)).to.deep.equal({ code: 0, said: '' });
    const shown = readPrometheus(metrics).samples.filter(
      ({ name }) => name === 'statcol_set_unique',
    );
    expect(shown.map(({ labels, value }) => [labels['name'], value])).to.deep.equal([
      ['users', own],
      ['a', 2],
    ]);
  });

  it('over TCP as fast as Redis takes them: who sends more waits, and none is dropped', async () => {
    redis = await startRedis();
    // So seldom that what asks for a flush is that half of the room is taken.
    const collector = await start(
      '--redis',
      redis.url,
      '--tcp',
      '0',
      '--counter-interval',
      '60000',
    );
    const members = 500_000; // 20 MB: more than there is room for
    const sender = await openTcp(collector.tcpPort);
    for (let at = 0; at < members; at += 5000) {
      const ids = Array.from({ length: 5000 }, (_, n) => String(at + n).padStart(40, '0'));
      await sender.write(ids.map((id) => `ids:${id}|s\n`).join(''));
    }
    await sender.end();
    await collector.until(({ samples }) => samples.sets === members);
    await sendUdp(collector.udpPort, 'hits:1|c');
    expect(await collector.stop()).to.equal(0);
    expect(collector.stderr()).not.to.include('dropped');
    const count = Number(await redis.command('PFCOUNT', keyOf('ids')));
    expect(count).to.be.within(0.97 * members, 1.03 * members);
    expect((await redis.hash('statcol:stats')).get('hits')).to.equal('1');
  });

  it('although one key is of another type: only that is dropped', async () => {
    redis = await startRedis();
    await redis.command('SET', keyOf('bad'), 'x');
    const collector = await start('--redis', redis.url);
    await send(collector, 'bad:x|s\ngood:x|s\nn:1|c');
    const { sets } = await collector.until(
      (now) => isDelivered(1)(now) && now.counters.delivered === 1,
    );
    expect(sets.dropped).to.deep.equal({ wrong_type: 1 });
    expect(await collector.json('api/sets')).to.deep.equal({ 'statcol:stats': { good: 1 } });
    expect(collector.stderr()).to.include(
      `"${keyOf('bad')}": 1 set samples dropped: wrong_type; rename or remove that key`,
    );
  });

  it('when Redis was away, and when the collector was killed meanwhile', async () => {
    redis = await startRedis();
    folder = mkdtempSync(join(tmpdir(), 'statcol-sets-'));
    const flags = ['--redis', redis.url, '--state-dir', folder, '--log-level', 'silent'];
    const first = await start(...flags);
    await send(first, 'users:a|s\nusers:b|s');
    await first.until(isDelivered(2));
    await redis.kill();
    await send(first, 'users:b|s\nusers:c|s\nusers:c|s');
    await first.until(({ samples, sets }) => samples.sets === 5 && sets.pending === 3);
    first.signal('SIGKILL');
    await first.exited();
    const second = await start(...flags);
    expect((await second.vitals()).sets).to.deep.include({ recovered: 3, pending: 3 });
    await send(second, 'users:d|s');
    await second.until(({ samples }) => samples.sets === 1);
    await redis.restart();
    await second.until(isDelivered(4));
    // What the server held died with it.
    expect(await redis.command('PFCOUNT', keyOf('users'))).to.equal(3);
    await second.stop();
    const third = await start(...flags);
    expect((await third.vitals()).sets).to.deep.include({ recovered: 0, pending: 0 });
  });
});
