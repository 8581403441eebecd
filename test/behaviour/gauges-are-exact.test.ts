import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';

import type { Vitals } from '../../src/vitals.ts';
import { type CollectorProcess, runStatcol, startCollector } from '../support/collector-process.ts';
import { readPrometheus, runPromtool } from '../support/prometheus-text.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { openSender } from '../support/udp.ts';

const HASH = 'statcol:stats:gauges';

describe('gauges are exact', () => {
  const running: CollectorProcess[] = [];
  let redis: RedisServer | undefined;

  afterEach(async () => {
    for (const collector of running.splice(0)) {
      collector.signal('SIGKILL');
      await collector.exited();
    }
    await redis?.stop();
    redis = undefined;
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

  const isDelivered = (samples: number) => {
    return ({ gauges }: Vitals): boolean => gauges.delivered === samples;
  };

  for (const where of ['memory', 'Redis'] as const) {
    it(`in ${where}: set, changed, packed, beside counters of the same name`, async () => {
      if (where === 'Redis') redis = await startRedis();
      const collector = await start(...(redis === undefined ? [] : ['--redis', redis.url]));
      await send(collector, 'a:5|g\na:1|c', 'a:+3|g|@0.1', 'b:1:2:-0.5|g', 'c:-4|g\n__proto__:1|g');
      await collector.until(isDelivered(7));
      await send(collector, 'a:-1|g', 'c:+0.25|g', 'big:1000000000000000000000|g|#zone:eu');
      const vitals = await collector.until(isDelivered(10));
      expect(vitals.samples).to.include({ counters: 1, gauges: 10 });
      expect(vitals.keys).to.include({ counters: 1, gauges: 5 });
      expect(vitals.gauges).to.deep.equal({ recovered: 0, delivered: 10, pending: 0, dropped: {} });
      const wanted = `{"statcol:stats":{"a":7,"b":1.5,"c":-3.75,"__proto__":1,"big;zone=eu":1${'0'.repeat(21)}}}`;
      const text = await (await fetch(new URL('api/gauges', collector.httpUrl))).text();
      // Redis gives fields in an order of its own.
      const sorted = (json: string): string =>
        json.replaceAll(/[{}]/g, '').split(',').toSorted().join();
      expect(sorted(text)).to.equal(sorted(wanted));
      expect(await collector.json('api/counters')).to.deep.equal({ 'statcol:stats': { a: 1 } });

      const metrics = await (await fetch(new URL('metrics', collector.httpUrl))).text();
      expect(await runPromtool(metrics)).to.deep.equal({ code: 0, said: '' });
      const shown = readPrometheus(metrics).samples.filter(({ name }) => name === 'statcol_gauges');
      expect(shown.find(({ labels }) => labels['tag_zone'] === 'eu')?.value).to.equal(1e21);
      expect(shown.map(({ labels }) => labels['collection'])).to.deep.equal(
        Array(5).fill('statcol:stats'),
      );
      const sources = [['--http', collector.httpUrl]];
      if (redis !== undefined) sources.push(['--redis', redis.url]);
      for (const source of sources) {
        const get = async (name: string) => (await runStatcol(['get', name, ...source])).stdout;
        expect([await get('b'), await get('a'), await get('none')]).to.eql(['1.5\n', '1\n', '0\n']);
        const { stdout } = await runStatcol(['stats', ...source]);
        expect(stdout).to.match(/^statcol:stats\n {2}a {2}1\n\nstatcol:stats:gauges\n/);
        expect(stdout).to.match(/\n {2}c +-3\.75\n/);
        const { stdout: json } = await runStatcol(['stats', '--json', ...source]);
        expect(JSON.parse(json)).to.deep.equal({ 'statcol:stats': { a: 1 } });
      }
    });
  }

  it('over two collectors of one Redis: what both change is one sum', async () => {
    redis = await startRedis();
    const flags = ['--redis', redis.url, '--layout', 'split', '--collection', 'x_'];
    const [one, other] = [await start(...flags), await start(...flags)];
    await send(one, 'a.b:100|g');
    await one.until(isDelivered(1));
    const changes = Array.from({ length: 50 }, (_, at) => `a.b:${at % 2 === 0 ? '+3' : '-1'}|g`);
    await Promise.all([send(one, ...changes), send(other, ...changes)]);
    await one.until(isDelivered(51));
    await other.until(isDelivered(50));
    expect(Object.fromEntries(await redis.hash('x_:gauges'))).to.deep.equal({ 'a.b': '200' });
    await send(other, 'a.b:7|g');
    await other.until(isDelivered(51));
    expect(await one.json('api/gauges')).to.deep.equal({ x_: { 'a.b': 7 } });
    expect(await one.json('api/counters')).to.deep.equal({});
  });

  it('while their key is of another type: counters go on, and nothing is lost', async () => {
    redis = await startRedis();
    await redis.command('SET', HASH, 'x');
    const collector = await start('--redis', redis.url);
    await send(collector, 'a:+1|g\na:1|c');
    await collector.until(({ counters }) => counters.delivered === 1);
    await send(collector, 'a:+2|g');
    const { gauges } = await collector.until(({ samples }) => samples.gauges === 2);
    expect(gauges).to.deep.include({ delivered: 0, pending: 2 });
    expect(collector.stderr()).to.include(`${HASH} refuses gauges: WRONGTYPE`);
    const answer = await fetch(new URL('api/gauges', collector.httpUrl));
    expect(answer.status).to.equal(503);
    expect(await answer.text()).to.match(
      /^\{"error":"redis .*: statcol:stats:gauges cannot be read: WRONGTYPE .*rename or remove/,
    );
    for (const source of [`--http=${collector.httpUrl}`, `--redis=${redis.url}`]) {
      expect((await runStatcol(['get', 'a', source])).stdout).to.equal('1\n');
      for (const asked of [['get', 'other'], ['stats']]) {
        const { code, stdout, stderr } = await runStatcol([...asked, source]);
        expect({ code, stdout }, asked[0]).to.deep.equal({ code: 1, stdout: '' });
        expect(stderr).to.match(/^statcol: no .*statcol:stats:gauges.* WRONGTYPE .*\n$/);
      }
    }
    await redis.command('DEL', HASH);
    await collector.until(isDelivered(2));
    expect(Object.fromEntries(await redis.hash(HASH))).to.deep.equal({ a: '3' });
  });

  it('when a field holds no number: that field is left, its neighbours are written', async () => {
    redis = await startRedis();
    await redis.command('HSET', HASH, 'bad', 'words');
    const collector = await start('--redis', redis.url);
    await send(collector, 'bad:+1:+1|g\ngood:+1|g');
    const { gauges } = await collector.until(isDelivered(1));
    expect(gauges.dropped).to.deep.equal({ not_number: 2 });
    expect(Object.fromEntries(await redis.hash(HASH))).to.eql({ bad: 'words', good: '1' });
    await send(collector, 'bad:5|g');
    await collector.until(isDelivered(2));
    expect((await redis.hash(HASH)).get('bad')).to.equal('5');
  });
});
