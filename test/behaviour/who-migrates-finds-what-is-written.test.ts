import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';

import { type CollectorProcess, runStatcol, startCollector } from '../support/collector-process.ts';
import { commandsOf, fencesOf, MIGRATE_PAGE } from '../support/migrate-page.ts';
import { questionsOf, wordsOf } from '../support/migrate-page.ts';
import { readPrometheus } from '../support/prometheus-text.ts';
import { openSender } from '../support/udp.ts';

const TYPES = ['counters', 'timings', 'gauges', 'sets'] as const;

// What the others do with the same lines was seen with statsd 0.9.0 and statsd_exporter 0.31.0.
describe('who migrates finds what is written in docs/migrate.md', () => {
  let collector: CollectorProcess;
  let sent = 0;

  before(async () => {
    collector = await startCollector(['--counter-interval', '20']);
  });

  after(async () => {
    collector.signal('SIGKILL');
    await collector.exited();
  });

  /** Sends lines that hold so many samples, and waits until all are where they belong. */
  async function send(samples: number, ...lines: string[]): Promise<void> {
    const sender = openSender(collector.udpPort);
    await sender.send(...lines);
    sender.close();
    await delivered(samples);
  }

  async function delivered(samples: number): Promise<void> {
    sent += samples;
    await collector.until((vitals) => {
      return TYPES.reduce((sum, type) => sum + vitals[type].delivered, 0) === sent;
    });
  }

  async function stored(path: string): Promise<Record<string, number>> {
    const all = await collector.json<Record<string, Record<string, number>>>(path);
    return all['statcol:stats'] ?? {};
  }

  it('from statsd: fractions, names, tags, gauges, sets, and what is refused', async () => {
    await send(6, 'half:0.5|c', 'third:1|c|@0.3', 'a/b c%:1|c', 'zz:5|zzz', 'u:a|s\nu:b|s\nu:a|s');
    await send(5, 'tg:1|c|#z:1,b:2,canary', 'depth:333|g', 'depth:-10|g', 'depth:+4|g', 'neg:-2|c');
    const counters = { half: 0, third: 3, 'a-b_c': 1, neg: -2, 'tg;b=2;canary=;z=1': 1 };
    expect(await stored('api/counters')).to.include(counters);
    await send(1, 'half:0.5|c');
    expect(await stored('api/counters')).to.include({ half: 1 });
    expect(await stored('api/gauges')).to.deep.equal({ depth: 327 });
    expect(await stored('api/sets')).to.deep.equal({ u: 2 });
    expect((await collector.vitals()).lines.rejected).to.deep.equal({ bad_type: 1 });
  });

  it('from DogStatsD: its protocol, negative gauges, and the line to try', async () => {
    const [example] = commandsOf(MIGRATE_PAGE).filter((line) => line.startsWith('statcol send '));
    const words = wordsOf(example!).slice(1);
    expect(words.slice(0, 3)).to.deep.equal(['send', '--port', '9125']);
    const { code } = await runStatcol(['send', '--port', String(collector.udpPort), words[3]!]);
    expect(code).to.equal(0);
    await delivered(3);
    await send(3, 'v:15|c|#env:dev|T1656581400', 'temp:-3|g', 'temp:-3|g', '_sc|Redis|2');
    await send(3, 'v:1|c|#env:dev|e:x|card:low', 'cold:0:-3|g', '_e{2,2}:ab|cd');
    expect(await stored('api/counters')).to.include({ 'v;env=dev': 16 });
    expect(await stored('api/gauges')).to.include({ temp: -6, cold: -3 });
    const timings = await collector.json<Record<string, { count: number }>>('api/timings');
    expect(timings['page.views;env=dev']).to.include({ count: 3, min: 1, max: 32 });
    expect((await collector.vitals()).lines.rejected).to.include({ unsupported: 2 });
  });

  it('from statsd_exporter: names as labels, milliseconds, no tag lost', async () => {
    await send(3, 'api.hits:1|c|#zone:eu,canary', 'api.latency:320|ms|@0.1', 'api.size:320|d');
    const { values } = readPrometheus(await metrics());
    const name = 'statcol_counted_total{collection="statcol:stats",full_name="api.hits;canary=';
    expect(values.get(`${name};zone=eu",name="api.hits",tag_zone="eu"}`)).to.equal(1);
    expect(values.get('statcol_timing_sum{name="api.latency"}')).to.equal(3200);
    expect(values.get('statcol_timing_count{name="api.latency"}')).to.equal(10);
    expect(values.get('statcol_timing_sum{name="api.size"}')).to.equal(320);
  });

  it('every number that is named is told', async () => {
    const { families } = readPrometheus(await metrics());
    const named = [...MIGRATE_PAGE.matchAll(/statcol_[a-z_]+[a-z]/g)].map(([family]) => {
      return family.replace(/^(statcol_timing)_(bucket|sum|count)$/, '$1');
    });
    expect([...families.keys()]).to.include.members(named);
    const vitals = (await collector.vitals()) as unknown as Record<string, unknown>;
    const paths = [...MIGRATE_PAGE.matchAll(/`((?:udp|lines)\.\w+)`/g)].map(([, path]) => path!);
    expect(paths).to.include('lines.rejected');
    for (const path of paths) {
      const [group = '', number = ''] = path.split('.');
      expect(vitals[group], path).to.have.property(number);
    }
  });

  it('Prometheus takes every question, and what it is told to do', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'statcol-migrate-'));
    try {
      const rules = questionsOf(MIGRATE_PAGE).map((expr, at) => ({ record: `a:${at}`, expr }));
      expect(rules).to.have.length.above(15);
      // JSON is YAML too.
      writeFileSync(join(folder, 'rules.yml'), JSON.stringify({ groups: [{ name: 'a', rules }] }));
      const [scrape = '', relabel = ''] = fencesOf(MIGRATE_PAGE, 'yaml');
      writeFileSync(join(folder, 'all.yml'), scrape.trimEnd() + '\n' + relabel);
      await promtool('check', 'rules', join(folder, 'rules.yml'));
      await promtool('check', 'config', join(folder, 'all.yml'));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  async function metrics(): Promise<string> {
    return (await fetch(new URL('metrics', collector.httpUrl))).text();
  }

  async function promtool(...args: string[]): Promise<void> {
    const child = spawn('promtool', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const output of [child.stdout, child.stderr]) {
      output.setEncoding('utf8').on('data', (piece: string) => (said += piece));
    }
    const [code] = (await once(child, 'close')) as [number];
    expect(code, said).to.equal(0);
  }
});
