import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';

import type { Fate, Vitals } from '../../src/vitals.ts';
import { type CollectorProcess, startCollector } from '../support/collector-process.ts';
import { answers, type RecordingTrap, startTrap } from '../support/recording-trap.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { openSender } from '../support/udp.ts';

describe('every sample is accounted for', () => {
  let redis: RedisServer | undefined;
  let trap: RecordingTrap | undefined;
  let collector: CollectorProcess;

  afterEach(async () => {
    collector.signal('SIGKILL');
    await collector.exited();
    await trap?.close();
    await redis?.stop();
    trap = redis = undefined;
  });

  function sum(counts: Record<string, number>): number {
    return Object.values(counts).reduce((a, b) => a + b, 0);
  }

  /** The second identity of the design: it has to hold in every answer. */
  function checkSamples({ samples, counters, gauges, sets, timings }: Vitals): void {
    const accounted = ({ delivered, pending, dropped }: Fate): number =>
      delivered + pending + sum(dropped);
    expect(samples.counters + counters.recovered).to.equal(accounted(counters));
    expect(samples.sets + sets.recovered).to.equal(accounted(sets));
    expect(samples.gauges + gauges.recovered).to.equal(accounted(gauges));
    expect(samples.timings + timings.recovered).to.equal(accounted(timings));
  }

  it('in every answer, while sinks fail and recover, and to the datagram at the end', async () => {
    redis = await startRedis('--appendonly', 'yes', '--appendfsync', 'always');
    trap = await startTrap();
    const flags = ['--counter-interval', '10', '--timing-interval', '10'];
    collector = await startCollector(['--redis', redis.url, '--trap', trap.url, ...flags]);
    const sender = openSender(collector.udpPort);
    const lines = [
      'a:1|c',
      'b:2:3:4|c|@0.5',
      't:1:2|ms',
      'bad',
      'x:1|zzz',
      'g:1|g\ns:x|s',
      't:5|h|@0.1',
    ];
    const datagrams = 2000;
    let statuses = 0;
    trap.behave((response, submission) => {
      const status = [200, 503, 200, 404, 200][statuses++ % 5] ?? 200;
      answers(status)(response, submission);
    });
    for (let n = 0; n < datagrams; n++) {
      await sender.send(lines.join('\n'));
      if (n % 100 === 0) checkSamples(await collector.vitals());
      if (n === 700) await redis.kill();
      if (n === 1400) await redis.restart();
    }
    sender.close();
    const vitals = await collector.until(
      (now) =>
        now.udp.datagrams === datagrams &&
        [now.counters, now.gauges, now.sets, now.timings].every(({ pending }) => pending === 0),
    );
    checkSamples(vitals);
    expect(vitals.udp.bytes).to.equal(datagrams * lines.join('\n').length);
    expect(vitals.lines).to.deep.equal({
      accepted: 6 * datagrams,
      rejected: { no_separator: datagrams, bad_type: datagrams },
    });
    expect(vitals.samples).to.deep.equal({
      ...{ counters: 4 * datagrams, timings: 3 * datagrams, gauges: datagrams, sets: datagrams },
    });
    expect(vitals.counters.delivered).to.equal(4 * datagrams);
    expect(Object.fromEntries(await redis.hash('statcol:stats'))).to.deep.equal({
      a: String(datagrams),
      b: String(18 * datagrams),
    });
    expect(Object.keys(vitals.timings.dropped)).to.deep.equal(['trap_status_404']);
    expect(collector.stderr().match(/refuses timings with status 404/g)).to.have.length(1);
  });

  it('datagrams sent = read + dropped by the kernel + waiting, while it cannot read', async function () {
    collector = await startCollector([]);
    const sender = openSender(collector.udpPort);
    const before = await collector.vitals();
    expect(before.udp.kernelDrops, 'this system does not tell').not.to.equal(null);
    // Asleep it reads nothing: once the receive buffer is full, the kernel drops. A datagram takes
    // 768 bytes of it at least.
    collector.signal('SIGSTOP');
    const sent = 100 * (Math.ceil(before.udp.receiveBufferBytes / 76_800) + 20);
    for (let n = 0; n < sent; n += 100) await sender.send(...Array<string>(100).fill('a:1|c'));
    sender.close();
    collector.signal('SIGCONT');
    const { udp, samples } = await collector.until(
      ({ udp: { datagrams, kernelDrops } }) => datagrams + (kernelDrops ?? 0) >= sent,
    );
    expect(udp.datagrams + (udp.kernelDrops ?? 0)).to.equal(sent);
    expect(udp.kernelDrops).to.be.above(0);
    expect(samples.counters).to.equal(udp.datagrams);
  });

  it('a flood of names stops at --max-keys, and everything else is still counted', async () => {
    collector = await startCollector(['--max-keys', '1000', '--counter-interval', '50']);
    const sender = openSender(collector.udpPort);
    await sender.send('known:1|c\nslow:5|ms');
    await collector.until((vitals) => vitals.samples.timings === 1);
    for (let n = 0; n < 3000; n += 20) {
      const flood = Array.from({ length: 20 }, (_, at) => `flood.${n + at}:1|c`);
      await sender.send([...flood, 'known:1|c', 'slow:5|ms'].join('\n'));
    }
    sender.close();
    const vitals = await collector.until(
      ({ lines }) => lines.accepted + sum(lines.rejected) === 2 + 150 * 22,
    );
    expect(vitals.lines.rejected).to.deep.equal({ key_limit: 3000 - 998 });
    expect(vitals.keys).to.include({ counters: 999, timings: 1, gauges: 0, limit: 1000 });
    checkSamples(vitals);
    await collector.until(({ counters }) => counters.pending === 0);
    const counters = await collector.json<Record<string, Record<string, number>>>('api/counters');
    expect(counters['statcol:stats']?.['known']).to.equal(151);
    const timings = await collector.json<Record<string, { count: number }>>('api/timings');
    expect(timings['slow']?.count).to.equal(151);
  });
});
