import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';

import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';

import { type CollectorProcess, runStatcol, startCollector } from '../support/collector-process.ts';
import { answers, type RecordingTrap, startTrap, takes } from '../support/recording-trap.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { sendUdp } from '../support/udp.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('the state directory has its rules', () => {
  let redis: RedisServer;
  let trap: RecordingTrap;
  let folder: string;
  let collector: CollectorProcess | undefined;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'statcol-state-'));
    redis = await startRedis();
    trap = await startTrap();
  });
  afterEach(async () => {
    await kill();
    await trap.close();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(...args: string[]): Promise<CollectorProcess> {
    const sinks = ['--redis', redis.url, '--trap', trap.url, '--counter-interval', '50'];
    collector = await startCollector([...sinks, '--state-dir', folder, ...args]);
    return collector;
  }

  async function kill(): Promise<void> {
    collector?.signal('SIGKILL');
    await collector?.exited();
  }

  async function hits(count: string): Promise<void> {
    const server = collector!;
    await server.until(({ counters }) => counters.pending === 0);
    expect((await redis.hash('statcol:stats')).get('hits')).to.equal(count);
  }

  it('one collector at a time: the second one says whose it is, and the first goes on', async () => {
    const first = await start();
    const args = ['--redis', redis.url, '--state-dir', folder];
    const second = await runStatcol(['listen', '--port', '0', '--http', '0', ...args]);
    expect(second.code).to.equal(1);
    expect(second.stdout).to.equal('');
    expect(second.stderr.trim().split('\n')).to.have.lengthOf(1);
    expect(second.stderr).to.include(folder).and.to.include(`pid ${first.pid}`);
    await sendUdp(first.udpPort, 'hits:1|c');
    await first.until(({ counters }) => counters.delivered === 1);
    await hits('1');
    // After a crash it is nobody's.
    await kill();
    await start();
  });

  it('a directory that is locked before anything is in it is in use all the same', async () => {
    const path = join(folder, 'state');
    writeFileSync(path, '');
    const holder = spawn('flock', ['--no-fork', path, 'sh', '-c', 'echo locked; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(holder.stdout, 'data');
      const args = ['--redis', redis.url, '--state-dir', folder];
      const second = await runStatcol(['listen', '--port', '0', '--http', '0', ...args]);
      expect(second.code, second.stderr).to.equal(1);
      expect(second.stderr).to.match(/in use by another collector/);
    } finally {
      holder.kill();
      await once(holder, 'close');
    }
  });

  it('without koffi it ends with 2, and says how to get it', async () => {
    const plain = mkdtempSync(join(tmpdir(), 'statcol-plain-'));
    try {
      mkdirSync(join(plain, 'node_modules'));
      for (const name of ['dist', 'bin', 'package.json']) {
        cpSync(join(ROOT, name), join(plain, name), { recursive: true });
      }
      for (const name of ['commander', 'redis']) {
        symlinkSync(join(ROOT, 'node_modules', name), join(plain, 'node_modules', name));
      }
      const args = ['bin/statcol.js', 'listen', '--port', '0', '--http', '0', '--redis', redis.url];
      const child = spawn(process.execPath, [...args, '--state-dir', folder], {
        cwd: plain,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let [stdout, stderr] = ['', ''];
      child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
      child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
      expect(await once(child, 'close')).to.deep.equal([2, null]);
      expect(stdout).to.equal('');
      expect(stderr).to.match(/--state-dir: .*koffi.*npm install koffi/);
      expect(stderr.trim().split('\n')).to.have.lengthOf(1);
      expect(readdirSync(folder)).to.deep.equal([]);
    } finally {
      rmSync(plain, { recursive: true, force: true });
    }
  });

  it('without --redis one warning says what is not kept', async () => {
    collector = await startCollector(['--state-dir', folder]);
    const lines = collector.stderr().match(/^.* warn .*$/gm) ?? [];
    expect(lines).to.have.lengthOf(1);
    expect(lines[0]).to.match(/--state-dir without --redis keeps timings/);
    await sendUdp(collector.udpPort, 'hits:3|c');
    await collector.until(({ counters }) => counters.delivered === 1);
    expect(await collector.stop()).to.equal(0);
    collector = await startCollector(['--state-dir', folder]);
    expect(await collector.json('api/counters')).to.deep.equal({ 'statcol:stats': {} });
    await kill();
    await start();
    expect(collector.stderr()).to.not.match(/without --redis/);
  });

  /** Leaves a directory as a crash does: with a spool, and a ledger. */
  async function crash(): Promise<{ spool: string; ledger: string }> {
    await redis.kill();
    const server = await start();
    await sendUdp(server.udpPort, 'hits:1|c');
    await server.until(({ samples }) => samples.counters === 1);
    await sendUdp(server.udpPort, 'hits:1|c', 'hits:1|c');
    await server.until(({ samples }) => samples.counters === 3);
    await kill();
    await redis.restart();
    const of = (pattern: RegExp): string => readdirSync(folder).find((one) => pattern.test(one))!;
    return { spool: of(/^spool-\d+$/), ledger: of(/^ledger-/) };
  }

  function asides(): Map<string, Buffer> {
    const files = readdirSync(folder).filter((file) => file.startsWith('aside-'));
    return new Map(
      files.map((file) => [
        file.replace(/^aside-[-0-9TZ]+-(?=spool|ledger)/, ''),
        readFileSync(join(folder, file)),
      ]),
    );
  }

  it('what it does not understand is set aside as it is, and the rest is taken over', async () => {
    const { spool, ledger } = await crash();
    const whole = readFileSync(join(folder, ledger)).subarray(0, 5000);
    const version = Buffer.from(whole);
    version.write('statcol ledger 2', 0);
    const boot = Buffer.from(whole);
    boot.writeDoubleLE(0x1234, 16);
    boot.write('ffffffff-ffff-ffff-ffff-ffffffffffff', 48);
    boot.writeUInt32LE(crc32(boot.subarray(0, 84)), 84);
    const foreign = new Map([
      ['spool-0', Buffer.from('yours, not mine\n')],
      ['spool-77', Buffer.from('{"not":"a spool"}\n')],
      ['spool-78', Buffer.alloc(0)],
      ['ledger-0000000000aa', version],
      ['ledger-000000001234', boot],
      ['ledger-0123456789ab', Buffer.from('garbage '.repeat(1000))],
      ['ledger-0123456789ac', Buffer.alloc(0)],
    ]);
    for (const [file, bytes] of foreign) writeFileSync(join(folder, file), bytes);
    writeFileSync(join(folder, 'notes.txt'), 'mine');
    const server = await start();
    await server.until(({ counters }) => counters.delivered === 3);
    await hits('3');
    const found = asides();
    foreign.delete('spool-0'); // older than a spool that was read: it may go
    found.delete('spool-0');
    expect([...found.keys()].toSorted()).to.deep.equal([...foreign.keys()].toSorted());
    for (const [file, bytes] of foreign) {
      expect(found.get(file)!.subarray(0, bytes.length).equals(bytes), file).to.equal(true);
      const line = new RegExp(`warn ${join(folder, file)} is set aside as aside-\\S+: \\w+.*`);
      expect(server.stderr()).to.match(line);
    }
    expect(server.stderr())
      .to.match(/started anew since/)
      .and.to.match(/no spool of this version/);
    expect(readFileSync(join(folder, 'notes.txt'), 'utf8')).to.equal('mine');
    expect(readdirSync(folder)).to.not.include(spool).and.to.not.include(ledger);
  });

  it('of a spool that is torn all that is whole is taken over; it is set aside', async () => {
    const { spool } = await crash();
    const path = join(folder, spool);
    truncateSync(path, statSync(path).size - 1);
    const server = await start();
    const { counters } = await server.until((vitals) => vitals.counters.pending === 0);
    expect(counters.recovered).to.be.within(1, 3);
    await hits(String(counters.recovered));
    expect([...asides().keys()]).to.deep.equal([spool]);
    expect(server.stderr()).to.match(/its last \d+ bytes are no step; all else was read/);
  });

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    it(`${signal} while Redis and the trap are away: kept, said, and delivered once`, async () => {
      const server = await start('--stop-timeout', '300');
      await redis.kill();
      trap.behave(answers(503));
      await sendUdp(server.udpPort, 'hits:2|c\nhits:3|c\nfree:1|c\nlatency:5:7|ms');
      await server.until(({ samples }) => samples.timings === 2);
      server.signal(signal);
      expect(await server.exited()).to.equal(0);
      const said = `kept in ${folder} for the next start: 3 counter samples, 2 timings`;
      expect(server.stderr()).to.include(said);
      await redis.restart();
      trap.behave(takes);
      for (const round of ['once', 'and not again']) {
        const next = await start();
        const wanted = round === 'once' ? [3, 2] : [0, 0];
        const { counters, timings } = await next.until(
          (vitals) => vitals.counters.pending + vitals.timings.pending === 0,
        );
        expect([counters.recovered, timings.recovered], round).to.deep.equal(wanted);
        expect([counters.delivered, timings.delivered], round).to.deep.equal(wanted);
        expect(await next.stop(), next.stderr()).to.equal(0);
        expect(next.stderr()).to.not.include('kept in');
      }
      const counted = Object.fromEntries(await redis.hash('statcol:stats'));
      expect(counted).to.deep.equal({ hits: '5', free: '1' });
      expect(trap.values()).to.deep.equal(new Map([['latency', [5, 7]]]));
    });
  }

  it('a second signal ends it at once with 128 + n, and costs nothing', async () => {
    const server = await start('--stop-timeout', '60000');
    await redis.kill();
    await sendUdp(server.udpPort, 'hits:4|c');
    await server.until(({ samples }) => samples.counters === 1);
    server.signal('SIGTERM');
    while (!/SIGTERM: delivering/.test(server.stderr())) await new Promise(setImmediate);
    server.signal('SIGHUP');
    expect(await server.exited()).to.equal(129);
    await redis.restart();
    await (await start()).until(({ counters }) => counters.delivered === 1);
    await hits('4');
  });
});
