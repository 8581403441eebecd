import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { expect } from 'chai';
import { StatsD } from 'hot-shots';
import { afterEach, beforeEach, describe, it } from 'mocha';

import { Client } from '../../src/client.ts';
import { type CollectorProcess, startCollector } from '../support/collector-process.ts';
import { type RecordingTrap, startTrap } from '../support/recording-trap.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';

const run = promisify(execFile);

describe('clients in other languages give exact sums', () => {
  let redis: RedisServer;
  let trap: RecordingTrap;
  let collector: CollectorProcess;

  beforeEach(async () => {
    redis = await startRedis();
    trap = await startTrap();
    collector = await startCollector([
      ...['--redis', redis.url, '--trap', trap.url],
      ...['--counter-interval', '100', '--timing-interval', '100'],
    ]);
  });
  afterEach(async () => {
    await collector.stop();
    await trap.close();
    await redis.stop();
  });

  /** Waits until so many samples are delivered; then the counters, and the sorted timings. */
  async function delivered(
    counters: number,
    timings: number,
  ): Promise<{ counts: Record<string, string>; times: number[] }> {
    await collector.until(
      (vitals) => vitals.counters.delivered === counters && vitals.timings.delivered === timings,
    );
    const counts = Object.fromEntries(await redis.hash('statcol:stats'));
    const times = [...trap.values().values()].flat().toSorted((a, b) => a - b);
    return { counts, times };
  }

  it('hot-shots (Node), buffered and with tags', async () => {
    const client = new StatsD({
      host: '127.0.0.1',
      port: collector.udpPort,
      maxBufferSize: 1000,
      bufferFlushInterval: 10,
    });
    for (let n = 1; n <= 200; n++) {
      client.increment('hot.hits');
      client.increment('hot.bytes', n, { zone: 'eu' });
      client.decrement('hot.down', 2);
      client.timing('hot.latency', n);
      client.histogram('hot.size', n + 0.5);
      client.distribution('hot.spread', 1000 + n);
    }
    await new Promise<void>((resolve) => client.close(() => resolve()));
    const { counts, times } = await delivered(600, 600);
    expect(counts).to.deep.equal({
      'hot.hits': '200',
      'hot.bytes;zone=eu': '20100',
      'hot.down': '-400',
    });
    const wanted = Array.from({ length: 200 }, (_, at) => [at + 1, at + 1.5, at + 1001]);
    expect(times).to.deep.equal(wanted.flat().toSorted((a, b) => a - b));
  });

  it('bash, through /dev/udp', async () => {
    const script = `for n in $(seq 100); do
      echo "bash.hits:1|c" > /dev/udp/127.0.0.1/$0
      echo -n "bash.latency:$n|ms" > /dev/udp/127.0.0.1/$0
    done`;
    await run('bash', ['-c', script, String(collector.udpPort)]);
    const { counts, times } = await delivered(100, 100);
    expect(counts).to.deep.equal({ 'bash.hits': '100' });
    expect(times).to.deep.equal(Array.from({ length: 100 }, (_, at) => at + 1));
  });

  it("Python's statsd, also through its pipeline", async () => {
    const script = `
import statsd, sys
c = statsd.StatsClient('127.0.0.1', int(sys.argv[1]), prefix='py')
for n in range(1, 101):
    c.incr('hits')
    c.timing('latency', n)
with c.pipeline() as p:
    for n in range(100):
        p.incr('piped', 3)
    p.decr('down', 5)
`;
    await run('/usr/bin/python3', ['-c', script, String(collector.udpPort)]);
    const { counts, times } = await delivered(201, 100);
    expect(counts).to.deep.equal({ 'py.hits': '100', 'py.piped': '300', 'py.down': '-5' });
    expect(times).to.deep.equal(Array.from({ length: 100 }, (_, at) => at + 1));
  });

  it("Perl's Net::Statsd", async () => {
    const script = `
use Net::Statsd;
$Net::Statsd::HOST = '127.0.0.1';
$Net::Statsd::PORT = $ARGV[0];
for my $n (1 .. 100) {
  Net::Statsd::increment('perl.hits');
  Net::Statsd::timing('perl.latency', $n);
}
Net::Statsd::update_stats('perl.bytes', 512);
`;
    await run('/usr/bin/perl', ['-e', script, String(collector.udpPort)]);
    const { counts, times } = await delivered(101, 100);
    expect(counts).to.deep.equal({ 'perl.hits': '100', 'perl.bytes': '512' });
    expect(times).to.deep.equal(Array.from({ length: 100 }, (_, at) => at + 1));
  });

  it('our own client', async () => {
    const client = new Client({ port: collector.udpPort, prefix: 'own.' });
    for (let n = 1; n <= 100; n++) {
      client.incr('hits');
      client.decr('down', 3, { tags: { zone: 'eu', canary: '' } });
      client.timing('latency', n / 4);
    }
    await client.close();
    const { counts, times } = await delivered(200, 100);
    expect(counts).to.deep.equal({ 'own.hits': '100', 'own.down;canary=;zone=eu': '-300' });
    expect(times).to.deep.equal(Array.from({ length: 100 }, (_, at) => (at + 1) / 4));
  });
});
