import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';

import { createCollector } from '../../src/index.ts';
import { keptName } from '../../src/trap-receiver/names.ts';
import { type CollectorProcess, runStatcol, startCollector } from '../support/collector-process.ts';
import { readPrometheus } from '../support/prometheus-text.ts';
import { type RecordingTrap, startTrap } from '../support/recording-trap.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { sendUdp } from '../support/udp.ts';

const DIALECTS: [dialect: string, ...names: string[]][] = [
  ['influx', 'checkout.time,zone=eu,canary', 'checkout.time,canary=,zone=eu,zone=eu'],
  ['librato', 'checkout.time#zone=eu,canary', 'checkout.time#canary=,zone=eu,zone=eu'],
  ['signalfx', 'checkout.time[zone=eu,canary]', 'checkout[canary=,zone=eu,zone=eu].time'],
];
/** What is read without any flag. */
const ALWAYS = ['checkout.time;zone=eu;canary:7|T', 'checkout.time:7|T|#zone:eu,canary'];
const NAME = 'checkout.time;canary=;zone=eu';

describe('tags have one identity', () => {
  let trap: RecordingTrap;
  let redis: RedisServer | undefined;
  const collectors: CollectorProcess[] = [];

  beforeEach(async () => {
    trap = await startTrap();
  });
  afterEach(async () => {
    for (const one of collectors.splice(0)) {
      one.signal('SIGKILL');
      await one.exited();
    }
    await trap.close();
    await redis?.stop();
    redis = undefined;
  });

  async function start(...flags: string[]): Promise<CollectorProcess> {
    const quick = ['--counter-interval', '20', '--timing-interval', '20', '--trap', trap.url];
    const collector = await startCollector([...quick, ...flags]);
    collectors.push(collector);
    return collector;
  }

  async function metricsOf({ httpUrl }: CollectorProcess): Promise<Map<string, number>> {
    const response = await fetch(new URL('metrics', httpUrl));
    return readPrometheus(await response.text()).values;
  }

  for (const [dialect, ...names] of DIALECTS) {
    it(`as ${dialect}, DogStatsD and Graphite spell them: in the store, at the trap, for Prometheus`, async () => {
      const collector = await start('--tags', dialect);
      const lines = [...names.map((name) => `${name}:7|T`), ...ALWAYS];
      const text = [...lines, ...lines].map((line) => line.replace('|T', '|c')).join('\n');
      await sendUdp(collector.udpPort, text, text.replaceAll('|c', '|ms'));
      await collector.until(({ counters, timings }) => {
        return counters.delivered === 8 && timings.delivered === 8;
      });
      const stored = await collector.json('api/counters');
      expect(stored).to.deep.equal({ 'statcol:stats': { [NAME]: 56 } });
      expect([...trap.values()]).to.deep.equal([
        ['checkout.time|ST[canary:,zone:eu]', Array<number>(8).fill(7)],
      ]);
      const labels = `full_name="${NAME}",name="checkout.time",tag_zone="eu"`;
      const values = await metricsOf(collector);
      const count = [...values].find(([key]) => key.startsWith('statcol_timing_count'))!;
      expect(count).to.deep.equal([`statcol_timing_count{${labels}}`, 8]);
      expect(values.get(`statcol_counted_total{collection="statcol:stats",${labels}}`)).to.equal(
        56,
      );
    });
  }

  it('at the trap also with characters of other dialects, as a broker keeps them', async () => {
    const collector = await start('--tags', 'signalfx', '--names', 'keep');
    const lines = ['a[k=v w,é=#]', 'a;k=v,w', 'a;k=[x]', 'b[k=b"x"]c', 'n;x=,'];
    await sendUdp(collector.udpPort, lines.map((name) => `${name}:1|ms`).join('\n'));
    await collector.until(({ timings }) => timings.delivered === lines.length);
    const base64 = (text: string): string => `b"${Buffer.from(text).toString('base64')}"`;
    const kept = [...trap.values().keys()];
    expect(kept.toSorted()).to.deep.equal([
      `a|ST[k:${base64('[x]')}]`,
      `a|ST[k:${base64('v w')},${base64('é')}:#]`,
      `a|ST[k:${base64('v,w')}]`,
      `bc|ST[k:${base64('b"x"')}]`,
      `n|ST[x:${base64(',')}]`,
    ].toSorted()); // prettier-ignore
    for (const name of kept) expect(keptName(name)).to.equal(name);
  });

  it('beyond a limit of sets per name share one, and nothing is lost', async () => {
    const collector = await start('--tag-sets-per-name', '100', '--threads', '2');
    for (let id = 0; id < 5000; id += 50) {
      const lines = Array.from({ length: 50 }, (_, at) => `cart.full:1|c|#id:${id + at}`);
      await sendUdp(collector.udpPort, [...lines, ...lines].join('\n'));
    }
    const vitals = await collector.until(({ counters }) => counters.delivered === 10_000);
    const { 'statcol:stats': stored = {} } =
      await collector.json<Record<string, Record<string, number>>>('api/counters');
    const { 'cart.full;other=true': others, ...own } = stored;
    const sum = Object.values(own).reduce((all, one) => all + one, 0);
    expect(sum + others!).to.equal(10_000);
    expect(Object.keys(own)).to.have.lengthOf.within(100, 200); // each thread counts for itself
    expect(vitals.keys.tagSetsFolded).to.equal(others);
    expect(vitals.keys.counters).to.equal(Object.keys(stored).length);
    expect(vitals.growth).to.deep.equal([{ name: 'cart.full', keys: vitals.keys.counters }]);
    expect((await metricsOf(collector)).get('statcol_tag_sets_folded_total{}')).to.equal(others);
    const told = collector.stderr().split('\n');
    expect(told.filter((line) => line.includes('sets of tags'))).to.have.lengthOf(1);
    const what =
      '"cart.full" has 100 sets of tags: further ones are counted as "cart.full;other=true"';
    expect(collector.stderr()).to.contain(what);
  });

  it('also over a crash: what was folded is there, and there is room again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'statcol-tags-'));
    try {
      redis = await startRedis();
      const flags = ['--tag-sets-per-name', '3', '--state-dir', folder, '--tags', 'librato'];
      const slow = ['--redis', redis.url, '--counter-interval', '600000'];
      const first = await start(...flags, ...slow);
      const lines = [0, 1, 2, 3, 4, 5].map((id) => `a#id=${id}:1|c`);
      await sendUdp(first.udpPort, lines.join('\n'));
      await first.until(({ lines: { accepted } }) => accepted === 6);
      first.signal('SIGKILL');
      await first.exited();
      const second = await start(...flags, '--redis', redis.url);
      await second.until(({ counters }) => counters.delivered === 6);
      await sendUdp(second.udpPort, 'a#id=5:1|c\na#id=1:1|c');
      await second.until(({ counters }) => counters.delivered === 8);
      expect(await second.json('api/counters')).to.deep.equal({
        'statcol:stats': {
          'a;id=0': 1,
          'a;id=1': 2,
          'a;id=2': 1,
          'a;id=5': 1,
          'a;other=true': 3,
        },
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('where the environment, the library or send name the dialect', async () => {
    const collector = createCollector({ port: 0, http: 'off', tags: 'librato', tagSetsPerName: 1 });
    const { udp } = await collector.start();
    await sendUdp(Number(new URL(udp.replace('udp:', 'http:')).port), 'a#k=v:1|c\na#k=w:1|c');
    let vitals = await collector.vitals();
    while (vitals.lines.accepted < 2) vitals = await collector.vitals();
    expect(vitals.keys).to.include({ counters: 2, tagSetsFolded: 1 });
    await collector.stop();

    const other = await startCollector([], { STATCOL_TAGS: 'influx' });
    collectors.push(other);
    const port = ['--port', String(other.udpPort)];
    const long = `${'a'.repeat(500)},k=${'v'.repeat(100)}:1|c`;
    const sent = await runStatcol(['send', ...port, '--tags', 'influx', long]);
    expect(sent).to.deep.equal({ code: 0, stdout: '', stderr: '' });
    await other.until(({ keys }) => keys.counters === 1);
    const refused = await runStatcol(['send', ...port, 'a,=v:1|c'], { STATCOL_TAGS: 'influx' });
    expect(refused).to.include({ code: 2, stdout: '' });
    expect(refused.stderr).to.contain('would be refused: bad_tags');
    expect(await runStatcol(['send', ...port, long])).to.include({ code: 2, stdout: '' });
    const wrong = await runStatcol(['send', ...port, '--tags', 'x', 'a:1|c']);
    expect(wrong.code).to.equal(2);
    expect(wrong.stderr).to.contain('--tags: expected one of influx, librato, signalfx, got "x"');
  });
});
