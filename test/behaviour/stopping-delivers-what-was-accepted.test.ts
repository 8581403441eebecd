import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';

import { type CollectorProcess, startCollector } from '../support/collector-process.ts';
import { answers, type RecordingTrap, startTrap, takes } from '../support/recording-trap.ts';
import { freePort, type RedisServer, startRedis } from '../support/redis-server.ts';
import { openSender, sendUdp } from '../support/udp.ts';

// Flushes are so rare that only the last one delivers.
const SELDOM = ['--counter-interval', '600000', '--timing-interval', '600000'];

describe('stopping delivers what was accepted', () => {
  let redis: RedisServer;
  let trap: RecordingTrap;
  let collector: CollectorProcess;

  beforeEach(async () => {
    redis = await startRedis();
    trap = await startTrap();
  });
  afterEach(async () => {
    collector.signal('SIGKILL');
    await collector.exited();
    await trap.close();
    await redis.stop();
  });

  async function start(...args: string[]): Promise<void> {
    collector = await startCollector([
      '--redis',
      redis.url,
      '--trap',
      trap.url,
      ...SELDOM,
      ...args,
    ]);
  }

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    it(`${signal} in the middle of a burst: exact, also what lies unread in the socket`, async () => {
      await start();
      const sender = openSender(collector.udpPort);
      const lines = Array.from({ length: 20 }, (_, at) => `hits:1|c\nlatency:${at}|ms`).join('\n');
      // All are in the socket's buffer, or read, before the signal: 200 datagrams of 400 bytes.
      await sender.send(...Array<string>(200).fill(lines));
      collector.signal(signal);
      sender.close();
      expect(await collector.exited()).to.equal(0);
      expect(Object.fromEntries(await redis.hash('statcol:stats'))).to.deep.equal({ hits: '4000' });
      const values = trap.values().get('latency') ?? [];
      expect(values.toSorted((a, b) => a - b)).to.deep.equal(
        Array.from({ length: 20 }, (_, at) => Array<number>(200).fill(at)).flat(),
      );
    });
  }

  it('goes on trying while Redis and the trap are away, and exits 0 when they are back', async () => {
    await start('--stop-timeout', '20000');
    await sendUdp(collector.udpPort, 'hits:7|c\nlatency:5|ms');
    await redis.kill();
    trap.behave(answers(503));
    await collector.until((vitals) => vitals.samples.timings === 1);
    collector.signal('SIGTERM');
    await trap.received(2);
    await redis.restart();
    trap.behave(takes);
    expect(await collector.exited()).to.equal(0);
    expect((await redis.hash('statcol:stats')).get('hits')).to.equal('7');
    expect(trap.values().get('latency')).to.deep.equal([5]);
    // Every attempt was the same body under the same key.
    expect(new Set(trap.submissions.map((one) => one.headers['idempotency-key'])).size).to.equal(1);
    expect(new Set(trap.submissions.map((one) => one.text)).size).to.equal(1);
  });

  it('what cannot be delivered in time is reported, and the exit code is 1', async () => {
    await start('--stop-timeout', '300');
    await redis.kill();
    trap.behave(answers(500));
    await sendUdp(
      collector.udpPort,
      'hits:1|c\nhits:1|c\nlatency:1|ms\nlatency:2|ms\nlatency:3|ms',
    );
    await collector.until((vitals) => vitals.samples.timings === 3);
    expect(await collector.stop()).to.equal(1);
    expect(collector.stderr()).to.match(/^statcol: not delivered: 2 counter samples, 3 timings$/m);
  });

  it('a second signal ends it at once, with 128 and the number of the signal', async () => {
    await start('--stop-timeout', '60000');
    await redis.kill();
    await sendUdp(collector.udpPort, 'hits:1|c');
    await collector.until((vitals) => vitals.samples.counters === 1);
    collector.signal('SIGTERM');
    while (!/SIGTERM: delivering/.test(collector.stderr())) await new Promise(setImmediate);
    collector.signal('SIGINT');
    expect(await collector.exited()).to.equal(130);
  });

  it('a trap that never answers does not keep it past the deadline', async () => {
    const port = await freePort();
    await start('--stop-timeout', '500', '--trap', `http://127.0.0.1:${port}/`);
    trap.behave(() => {});
    await sendUdp(collector.udpPort, 'latency:1|ms');
    await collector.until((vitals) => vitals.samples.timings === 1);
    const startMs = Date.now();
    expect(await collector.stop()).to.equal(1);
    expect(Date.now() - startMs).to.be.below(5000);
  });
});
