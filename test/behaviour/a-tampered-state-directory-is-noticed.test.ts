import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';

import type { Vitals } from '../../src/vitals.ts';
import { type CollectorProcess, runStatcol, startCollector } from '../support/collector-process.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { sendUdp } from '../support/udp.ts';

describe('a tampered state directory is noticed', () => {
  let redis: RedisServer;
  let folder: string;
  let running: CollectorProcess[] = [];

  beforeEach(async () => {
    redis = await startRedis('--appendonly', 'yes', '--appendfsync', 'always');
    folder = join(mkdtempSync(join(tmpdir(), 'statcol-tampered-')), 'state dir');
  });
  afterEach(async () => {
    for (const one of running.splice(0)) {
      one.signal('SIGKILL');
      await one.exited();
    }
    await redis.stop();
    rmSync(join(folder, '..'), { recursive: true, force: true });
  });

  async function start(...more: string[]): Promise<CollectorProcess> {
    const flags = ['--state-dir', folder, '--counter-interval', '30', ...more];
    const collector = await startCollector(flags);
    running.push(collector);
    return collector;
  }

  const startWithRedis = (): Promise<CollectorProcess> => start('--redis', redis.url);

  async function count(collector: CollectorProcess, times: number): Promise<void> {
    const { samples } = await collector.vitals();
    await sendUdp(collector.udpPort, Array<string>(times).fill('hits:1|c').join('\n'));
    await collector.until((now) => now.samples.counters === samples.counters + times);
  }

  async function kill(collector: CollectorProcess): Promise<void> {
    collector.signal('SIGKILL');
    await collector.exited();
    running = running.filter((one) => one !== collector);
  }

  const isWell = ({ state }: Vitals): boolean => state.up;

  for (const what of ['everything', 'spool', 'ledger'] as const) {
    it(`${what} removed while it runs: begun anew, and kill -9 loses nothing after that`, async () => {
      const collector = await startWithRedis();
      await count(collector, 10);
      await collector.until(({ counters }) => counters.delivered === 10);
      if (what === 'everything') rmSync(folder, { recursive: true });
      else {
        for (const file of readdirSync(folder)) {
          if (file.startsWith(what)) rmSync(join(folder, file));
        }
      }
      // Found out by itself, with nothing to count.
      const is = (name: string): boolean =>
        existsSync(folder) && readdirSync(folder).some((file) => file.startsWith(name));
      await collector.until((now) => is('spool-') && is('ledger-') && is('state') && isWell(now));
      expect(collector.stderr()).to.match(/removed/);
      await redis.kill();
      await count(collector, 15);
      await kill(collector);
      await redis.restart();
      const next = await startWithRedis();
      await next.until(({ counters }) => counters.pending === 0);
      expect((await redis.hash('statcol:stats')).get('hits')).to.equal('25');
    });
  }

  it('another collector takes a removed one over: the first keeps away from it', async () => {
    const first = await startWithRedis();
    await count(first, 10);
    await first.until(({ counters }) => counters.delivered === 10);
    first.signal('SIGSTOP'); // so that it cannot make it anew before
    rmSync(folder, { recursive: true });
    const second = await startWithRedis();
    first.signal('SIGCONT');
    await first.until((now) => !isWell(now));
    expect(first.stderr()).to.include(`in use by another collector (pid ${second.pid})`);
    await redis.kill();
    await count(first, 5);
    first.signal('SIGTERM');
    expect(await first.exited()).to.equal(1);
    expect(first.stderr()).to.match(/not delivered: 5 counter samples, 0 timings\n$/);
    expect(await second.vitals()).to.satisfy(isWell);
  });

  it('a state file of somebody else is set aside as it is', async () => {
    mkdirSync(folder);
    writeFileSync(join(folder, 'state'), 'hello, this is mine');
    const collector = await startWithRedis();
    expect(await collector.vitals()).to.satisfy(isWell);
    const [aside] = readdirSync(folder).filter((file) => /^aside-.*-state$/.test(file));
    expect(readFileSync(join(folder, aside!), 'utf8')).to.equal('hello, this is mine');
    expect(collector.stderr()).to.match(/state is set aside as aside-.*: it is none of ours/);
  });

  it('what bears the name of its files and is no file keeps nobody waiting', async () => {
    mkdirSync(folder);
    for (const name of ['spool-3', 'ledger-aaaaaaaaaaaa', 'state']) {
      execFileSync('mkfifo', [join(folder, name)]);
    }
    mkdirSync(join(folder, 'spool-1'));
    const collector = await startWithRedis();
    await collector.until(isWell);
    await collector.until(() => !existsSync(join(folder, 'spool-3')));
    const asides = readdirSync(folder).filter((file) => file.startsWith('aside-'));
    expect(asides).to.have.length(4);
  });

  it('counts for Redis are not given to a collector without it', async () => {
    const collector = await startWithRedis();
    await redis.kill();
    await count(collector, 10);
    await kill(collector);
    const flags = ['--state-dir', folder, '--port', '0', '--http', 'off'];
    const { code, stderr } = await runStatcol(['listen', ...flags]);
    expect(code).to.equal(1);
    expect(stderr).to.match(
      /holds 10 samples of counters, gauges and sets that are to go to Redis.*--redis/,
    );
    await redis.restart();
    const next = await startWithRedis();
    await next.until(({ counters }) => counters.delivered === 10);
    expect((await redis.hash('statcol:stats')).get('hits')).to.equal('10');
  });
});
