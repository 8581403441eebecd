import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';

import { type CollectorProcess, startCollector } from '../support/collector-process.ts';
import { freePort, type RedisServer, startRedis } from '../support/redis-server.ts';
import { openSender, sendUdp } from '../support/udp.ts';

const FAST = ['--counter-interval', '50'];

describe('nothing is lost while Redis refuses', () => {
  let redis: RedisServer | undefined;
  let collector: CollectorProcess | undefined;

  afterEach(async () => {
    await redis?.command('CONFIG', 'SET', 'maxmemory', '0').catch(() => {});
    await collector?.stop();
    await redis?.stop();
    collector = redis = undefined;
  });

  /** Counts while Redis refuses, sees the reason, lets it recover, and finds every count. */
  async function refusing(
    running: RedisServer,
    reason: RegExp,
    recover: () => Promise<unknown>,
  ): Promise<void> {
    const { udpPort, until } = collector!;
    const before = (await collector!.vitals()).counters.delivered;
    for (let n = 0; n < 5; n++) await sendUdp(udpPort, 'hits:1|c\nother:2|c');
    const vitals = await until(
      (now) => now.store.lastError !== null && now.counters.pending === 10,
    );
    expect(vitals.store.lastError).to.match(reason);
    expect(vitals.counters.delivered).to.equal(before);
    await degraded(reason);
    await recover();
    await until((now) => now.store.up && now.counters.pending === 0);
    const hash = await running.hash('statcol:stats');
    expect(Object.fromEntries(hash)).to.deep.equal({ hits: '5', other: '10' });
    expect(await (await fetch(new URL('healthz', collector!.httpUrl))).json()).to.deep.equal({
      status: 'ok',
    });
  }

  /** Waits until /healthz says so, which it does after three intervals. */
  async function degraded(reason: RegExp): Promise<void> {
    const { httpUrl, until } = collector!;
    await until(() => true);
    for (;;) {
      const response = await fetch(new URL('healthz', httpUrl));
      const body = (await response.json()) as { status: string; reasons?: string[] };
      if (response.status !== 503) continue;
      expect(body.status).to.equal('degraded');
      expect(body.reasons?.join()).to.match(reason);
      return;
    }
  }

  async function start(...args: string[]): Promise<RedisServer> {
    const started = await startRedis(...args);
    redis = started;
    collector = await startCollector(['--redis', started.url, ...FAST]);
    return started;
  }

  it('not there at the start, then there', async () => {
    const port = await freePort();
    collector = await startCollector(['--redis', `redis://127.0.0.1:${port}`, ...FAST]);
    await sendUdp(collector.udpPort, 'hits:5|c');
    const vitals = await collector.until((now) => now.store.lastError !== null);
    expect(vitals.store.lastError).to.match(/ECONNREFUSED/);
    expect(vitals.counters.pending).to.equal(1);
    redis = await startRedis('--port', String(port));
    await collector.until((now) => now.counters.delivered === 1);
    const late = Object.fromEntries(await hashAt(port));
    expect(late).to.deep.equal({ hits: '5' });

    async function hashAt(at: number): Promise<Map<string, string>> {
      const { createClient } = await import('redis');
      const client = createClient({ url: `redis://127.0.0.1:${at}` });
      await client.connect();
      const found = await client.hGetAll('statcol:stats');
      client.destroy();
      return new Map(Object.entries(found));
    }
  });

  it('gone away while nothing is counted: seen at once, and back', async () => {
    const running = await start();
    await collector!.until((now) => now.store.up);
    await running.kill();
    await refusing(running, /ECONNREFUSED|closed/i, () => running.restart());
    expect(collector!.stderr()).to.match(/redis 127\.0\.0\.1:\d+ failed/);
    expect(collector!.stderr()).to.match(/redis 127\.0\.0\.1:\d+ is back after/);
  });

  it('READONLY: it became a replica', async () => {
    const running = await start();
    await running.command('REPLICAOF', '127.0.0.1', '1');
    await refusing(running, /READONLY/, () => running.command('REPLICAOF', 'NO', 'ONE'));
  });

  it('OOM: its memory is full', async () => {
    const running = await start();
    await running.command('CONFIG', 'SET', 'maxmemory', '1');
    await refusing(running, /OOM/, () => running.command('CONFIG', 'SET', 'maxmemory', '0'));
  });

  it('MISCONF: it cannot write its disk', async () => {
    const running = await start();
    await running.command('CONFIG', 'SET', 'min-replicas-to-write', '1');
    const recover = (): Promise<unknown> =>
      running.command('CONFIG', 'SET', 'min-replicas-to-write', '0');
    await refusing(running, /NOREPLICAS/, recover);
  });

  it('NOAUTH: it wants a password we do not have', async () => {
    const running = await startRedis('--requirepass', 'secret-word');
    redis = running;
    const { createClient } = await import('redis');
    const admin = createClient({ url: `redis://:secret-word@127.0.0.1:${running.port}` });
    admin.on('error', () => {}); // it goes with its server
    await admin.connect();
    collector = await startCollector(['--redis', running.url, ...FAST]);
    await refusing(running, /NOAUTH/, () =>
      admin.sendCommand(['CONFIG', 'SET', 'requirepass', '']),
    );
    admin.destroy();
  });

  it('WRONGPASS: the password is wrong, and is never shown', async () => {
    redis = await startRedis('--requirepass', 'secret-word');
    const url = `redis://:wrong-word@127.0.0.1:${redis.port}`;
    collector = await startCollector(['--redis', url, ...FAST, '--stop-timeout', '200']);
    await sendUdp(collector.udpPort, 'hits:5|c');
    const vitals = await collector.until((now) => now.store.lastError !== null);
    expect(vitals.store.lastError).to.match(/WRONGPASS/);
    expect(await collector.stop()).to.equal(1);
    expect(collector.stderr()).to.match(/not delivered: 1 counter samples, 0 timings\n$/);
    expect(collector.stderr()).not.to.include('wrong-word');
  });

  it('LOADING: it is reading its file', async () => {
    const running = await startRedis('--key-load-delay', '0');
    redis = running;
    for (let n = 0; n < 200; n++) await running.command('SET', `key.${n}`, 'x');
    await running.command('SAVE');
    await running.kill();
    // Half a second and more to load, during which it answers LOADING to everything.
    await running.restart(
      '--key-load-delay',
      '20000',
      '--loading-process-events-interval-bytes',
      '1024',
    );
    collector = await startCollector(['--redis', running.url, ...FAST]);
    await sendUdp(collector.udpPort, 'hits:5|c\nother:10|c');
    const vitals = await collector.until((now) => now.store.lastError !== null);
    expect(vitals.store.lastError).to.match(/LOADING/);
    await collector.until((now) => now.counters.delivered === 2);
    const hash = await running.hash('statcol:stats');
    expect(Object.fromEntries(hash)).to.deep.equal({ hits: '5', other: '10' });
  });

  it('WRONGTYPE: one hash holds back its own part only, merged, until it is one', async () => {
    const running = await startRedis();
    redis = running;
    await running.command('SET', 'bad', 'not a hash');
    const collections = ['--collection', 'good', '--collection', 'bad'];
    collector = await startCollector(['--redis', running.url, ...FAST, ...collections]);
    const sender = openSender(collector.udpPort);
    for (let n = 1; n <= 5; n++) {
      await sender.send('hits:1|c\nother:2|c');
      await collector.until((now) => now.samples.counters === 2 * n);
    }
    sender.close();
    await eventually(async () => (await running.hash('good')).get('hits') === '5');
    const vitals = await collector.vitals();
    expect(vitals.store.up).to.equal(true);
    expect(vitals.counters).to.deep.include({ pending: 10, delivered: 0 });
    await degraded(/bad has refused for .* WRONGTYPE/);
    // What cannot be read is not shown as empty.
    const shown = await collector.json<{ error: string }>('api/counters');
    expect(shown.error).to.match(/: bad cannot be read: WRONGTYPE/);
    await running.command('DEL', 'bad');
    await collector.until((now) => now.counters.delivered === 10);
    const wanted = { hits: '5', other: '10' };
    expect(Object.fromEntries(await running.hash('good'))).to.deep.equal(wanted);
    expect(Object.fromEntries(await running.hash('bad'))).to.deep.equal(wanted);
  });

  it('a field that holds no integer, and one that is full: dropped, neighbours written', async () => {
    const running = await startRedis();
    redis = running;
    await running.command('HSET', 'statcol:stats', 'text', 'hello', 'full', '9223372036854775807');
    collector = await startCollector(['--redis', running.url, ...FAST]);
    await sendUdp(
      collector.udpPort,
      'text:1|c\nfull:1|c\nfine:1|c\nhuge:1e300|c\nfine:-1e300|c\nfine:1|c',
    );
    const vitals = await collector.until((now) => now.counters.pending === 0);
    expect(vitals.counters.delivered).to.equal(2);
    expect(vitals.counters.dropped).to.deep.equal({ not_integer: 1, overflow: 3 });
    const hash = await running.hash('statcol:stats');
    expect(Object.fromEntries(hash)).to.deep.equal({
      text: 'hello',
      full: '9223372036854775807',
      fine: '2',
    });
  });

  async function eventually(holds: () => Promise<boolean>): Promise<void> {
    await collector!.until(() => true);
    while (!(await holds()));
  }
});
