import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';

import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';

import { BOUNDS } from '../../src/window/lifetime-histograms.ts';
import { linesInLedgers } from '../support/chaos-ledger.ts';
import { type CollectorProcess, startCollector } from '../support/collector-process.ts';
import { keyOf, readPrometheus, runPromtool } from '../support/prometheus-text.ts';
import { seededRandom } from '../support/random.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { openSender } from '../support/udp.ts';

const COLLECTION = 'statcol:stats';
const COUNTERS = ['hits', 'hits;zone=eu', '__proto__', 'requestTotal./users/é x', 'na"me\\'];
const TIMINGS = ['latency', 'latency;path=b;zone=eu', '__proto__', 'größe'];

describe('prometheus reads what was counted', () => {
  let collector: CollectorProcess;
  let redis: RedisServer | undefined;

  afterEach(async () => {
    collector.signal('SIGKILL');
    await collector.exited();
    await redis?.stop();
    redis = undefined;
  });

  async function start(...flags: string[]): Promise<void> {
    collector = await startCollector(['--counter-interval', '20', '--names', 'keep', ...flags]);
  }

  async function scrape(): Promise<string> {
    const response = await fetch(new URL('metrics', collector.httpUrl));
    expect(response.status).to.equal(200);
    expect(response.headers.get('content-type')).to.match(/^text\/plain; version=0\.0\.4/);
    return response.text();
  }

  /** Labels of the canonical names above, as they are to be. */
  function labelsOf(full: string): Record<string, string> {
    const [name = '', ...tags] = full.split(';');
    const pairs = tags.map((tag) => [`tag_${tag.split('=')[0]}`, tag.split('=')[1]!]);
    return { name, ...(Object.fromEntries(pairs) as Record<string, string>) };
  }

  it('as it was sent: every counter, every bucket, again and again', async () => {
    await start();
    const sender = openSender(collector.udpPort);
    const random = seededRandom(7);
    const pick = (from: string[]): string => from[Math.floor(random() * from.length)]!;
    const counted = new Map<string, number>();
    const timed = new Map<string, number[]>();
    let before = new Map<string, number>();
    let samples = 0;
    for (let round = 0; round < 5; round++) {
      for (let n = 0; n < 40; n++) {
        const [counter, timing] = [pick(COUNTERS), pick(TIMINGS)];
        const amount = Math.floor(random() * 1000);
        counted.set(counter, (counted.get(counter) ?? 0) + amount);
        const edge = BOUNDS[Math.floor(random() * BOUNDS.length)]!;
        const values = [edge, Math.round(random() ** 4 * 80_000) / 8];
        timed.set(timing, [...(timed.get(timing) ?? []), ...values]);
        await sender.send(`${counter}:${amount}|c\n${timing}:${values.join(':')}|ms`);
        samples += 1;
      }
      await collector.until(({ counters }) => counters.delivered === samples);
      const text = await scrape();
      expect(await runPromtool(text)).to.deep.equal({ code: 0, said: '' });
      const { values } = readPrometheus(text);
      for (const [name, total] of counted) {
        const labels = { collection: COLLECTION, ...labelsOf(name) };
        expect(values.get(keyOf('statcol_counted_total', labels)), name).to.equal(total);
      }
      for (const [name, all] of timed) expectHistogram(values, labelsOf(name), all);
      for (const [key, value] of before) {
        if (/^statcol_(timing|counted)/.test(key)) {
          expect(values.get(key), key).to.be.at.least(value);
        }
      }
      before = values;
    }
    sender.close();
    expect(before.get('statcol_samples_total{kind="counter"}')).to.equal(samples);
    expect(before.get('statcol_samples_delivered_total{kind="timing"}')).to.equal(2 * samples);
  });

  function expectHistogram(
    found: Map<string, number>,
    labels: Record<string, string>,
    all: readonly number[],
  ): void {
    for (const bound of [...BOUNDS, Infinity]) {
      const le = bound === Infinity ? '+Inf' : String(bound);
      const within = all.filter((value) => value <= bound).length;
      const key = keyOf('statcol_timing_bucket', { ...labels, le });
      expect(found.get(key), key).to.equal(within);
    }
    expect(found.get(keyOf('statcol_timing_count', labels))).to.equal(all.length);
    const sum = all.reduce((total, value) => total + value, 0);
    expect(found.get(keyOf('statcol_timing_sum', labels))).to.be.closeTo(sum, 1e-6);
  }

  it('what other collectors have timed too', async () => {
    await start('--trap-secret', 's3cret');
    const path = `module/httptrap/${randomUUID()}/s3cret`;
    const body = {
      exact: { _type: 'n', _value: [10, 10.5, -1] },
      binned: { _type: 'h', _value: ['H[1.0e+01]=3', 'H[9.9e+00]=2', 'H[NaN]=1'] },
    };
    const sent = { method: 'PUT', body: JSON.stringify(body) };
    expect((await fetch(new URL(path, collector.httpUrl), sent)).status).to.equal(200);
    const text = await scrape();
    expect(await runPromtool(text)).to.deep.equal({ code: 0, said: '' });
    const { values } = readPrometheus(text);
    const of = (name: string, le: string): number | undefined =>
      values.get(keyOf('statcol_timing_bucket', { name, le }));
    // 10 itself is within 10; of the bin from 10 to 11 nobody knows, so it is not.
    expect([of('exact', '5'), of('exact', '10'), of('exact', '20')]).to.deep.equal([1, 2, 3]);
    expect([of('binned', '5'), of('binned', '10'), of('binned', '20')]).to.deep.equal([0, 2, 5]);
    expect(of('binned', '+Inf')).to.equal(6);
    expect(values.get('statcol_receiver_samples_total{}')).to.equal(9);
  });

  it('all but the counters while Redis does not answer', async () => {
    redis = await startRedis();
    await start('--redis', redis.url);
    const sender = openSender(collector.udpPort);
    await sender.send('hits:3|c\nlatency:7|ms');
    sender.close();
    await collector.until(({ counters }) => counters.delivered === 1);
    const key = keyOf('statcol_counted_total', { collection: COLLECTION, name: 'hits' });
    const well = readPrometheus(await scrape()).values;
    expect([well.get(key), well.get('statcol_store_up{}')]).to.deep.equal([3, 1]);
    await redis.command('CLIENT', 'PAUSE', '60000', 'ALL');
    const text = await scrape();
    expect(text).not.to.include('statcol_counted');
    const { values } = readPrometheus(text);
    expect(values.get('statcol_store_up{}')).to.equal(0);
    expect(values.get('statcol_timing_count{name="latency"}')).to.equal(1);
    expect(values.get('statcol_samples_delivered_total{kind="counter"}')).to.equal(1);
    expect(await runPromtool(text)).to.deep.equal({ code: 0, said: '' });
  });

  it('what a crash had left in the ledger, where nobody had read it yet', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'statcol-metrics-'));
    const flags = [
      '--state-dir',
      folder,
      '--counter-interval',
      '60000',
      '--timing-interval',
      '60000',
    ];
    try {
      await start(...flags);
      const sender = openSender(collector.udpPort);
      for (let n = 0; n < 100; n++) await sender.send(`latency:${n}|ms`);
      sender.close();
      // In the ledger; or drained from it by the end of a second, which leaves them in the spool.
      const deadlineMs = performance.now() + 1500;
      while (linesInLedgers(folder) < 100 && performance.now() < deadlineMs) await setImmediate();
      collector.signal('SIGKILL');
      await collector.exited();
      await start(...flags);
      const { values } = readPrometheus(await scrape());
      const recovered = values.get('statcol_samples_recovered_total{kind="timing"}');
      expect(recovered).to.be.above(0);
      expect(values.get('statcol_timing_count{name="latency"}')).to.equal(recovered);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('100,000 timings in one answer, while others get theirs', async () => {
    await start('--counter-interval', '1000');
    const sender = openSender(collector.udpPort);
    const names = 100_000;
    for (let n = 0; n < names; n += 50) {
      const lines = Array.from({ length: 50 }, (_, at) => `some.name.${n + at}:${n + at}|ms`);
      await sender.send(lines.join('\n'));
      if (n % 5000 === 0) await collector.until(({ samples }) => samples.timings === n + 50);
    }
    sender.close();
    await collector.until(({ samples }) => samples.timings === names);
    let isOver = false;
    const reading = readBuckets().finally(() => (isOver = true));
    let answers = 0;
    let longestMs = 0;
    while (!isOver) {
      const startMs = performance.now();
      expect((await fetch(new URL('healthz', collector.httpUrl))).status).to.equal(200);
      longestMs = Math.max(longestMs, performance.now() - startMs);
      answers++;
    }
    expect(await reading).to.equal(19 * names);
    expect(answers).to.be.above(20);
    expect(longestMs).to.be.below(1000);
  });

  /** Reads all metrics as they come, and returns how many buckets there were. */
  function readBuckets(): Promise<number> {
    return new Promise((resolve, reject) => {
      let buckets = 0;
      let rest = '';
      get(new URL('metrics', collector.httpUrl), (response) => {
        response.setEncoding('utf8').on('data', (piece: string) => {
          const lines = (rest + piece).split('\n');
          rest = lines.pop()!;
          for (const line of lines) if (line.startsWith('statcol_timing_bucket{')) buckets++;
        });
        response.on('end', () => resolve(buckets)).on('error', reject);
      }).on('error', reject);
    });
  }
});
