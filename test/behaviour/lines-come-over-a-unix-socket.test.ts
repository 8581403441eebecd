import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';

import { type CollectorProcess, runStatcol, startCollector } from '../support/collector-process.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { openUnixSender, type UnixSender } from '../support/unix.ts';

const SELDOM = ['--counter-interval', '600000', '--timing-interval', '600000'];
/** Ends the thread that was started last, which is that of the unix socket, on SIGUSR2. */
const ENDS = {
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(
    "process.on('worker',(one)=>{globalThis.one=one});" +
      "process.on('SIGUSR2',()=>{globalThis.one.terminate()});",
  )}`,
};

describe('lines come over a unix socket', () => {
  let folder: string;
  let path: string;
  let collector: CollectorProcess | undefined;
  const senders: UnixSender[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'statcol-unix-'));
    path = join(folder, 'statcol.sock');
  });
  afterEach(async () => {
    for (const sender of senders.splice(0)) sender.close();
    collector?.signal('SIGKILL');
    await collector?.exited();
    collector = undefined;
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(args: string[] = [], env = {}): Promise<CollectorProcess> {
    return (collector = await startCollector(['--unix', path, ...args], env));
  }

  async function open(): Promise<UnixSender> {
    const sender = await openUnixSender(path);
    senders.push(sender);
    return sender;
  }

  /** Starts where it must not succeed; returns the one line that says why. */
  async function fault(code: number, ...args: string[]): Promise<string> {
    const all = ['listen', '--port', '0', '--http', '0', '--unix', path, ...args];
    const ended = await runStatcol(all);
    expect(ended).to.include({ code, stdout: '' });
    expect(ended.stderr).to.match(/^statcol: .*\n$/);
    return ended.stderr.trimEnd();
  }

  async function withRedis(work: (redis: RedisServer) => Promise<void>): Promise<void> {
    const redis = await startRedis();
    try {
      await work(redis);
    } finally {
      collector?.signal('SIGKILL');
      await redis.stop();
    }
  }

  it('beside UDP, under the same accounts; it is told on stdout', async () => {
    const one = await start();
    expect(one.stdout()).to.match(
      new RegExp(`^udp://127\\.0\\.0\\.1:\\d+\nunix://${path}\nhttp://.*\n$`),
    );
    const sender = await open();
    await sender.send('hits:1|c\nlatency:5|ms');
    await sender.send('bad');
    const { udp, unix, lines, samples } = await one.until((now) => now.unix.datagrams === 2);
    expect(unix).to.deep.equal({ configured: true, datagrams: 2, bytes: 24 });
    expect(udp).to.include({ datagrams: 0, bytes: 0, kernelDrops: 0 });
    expect(lines).to.deep.equal({ accepted: 2, rejected: { no_separator: 1 } });
    expect(samples).to.deep.equal({ counters: 1, timings: 1, gauges: 0, sets: 0 });
    expect(one.stderr()).to.include(`refused (no_separator) from "unix:${path}": "bad"`);
  });

  it('in datagrams as large as over UDP; of larger ones the lines that there is room for', async () => {
    const one = await start();
    const sender = await open();
    const lines = 'hits:1|c\n'.repeat(7278); // 65,502 bytes
    await sender.send(`${lines}a:1|c`);
    const first = await one.until((now) => now.unix.datagrams === 1);
    expect(first.lines).to.deep.equal({ accepted: 7279, rejected: {} });
    expect(first.unix.bytes).to.equal(65_507);
    await sender.send(`${lines}${'n'.repeat(100_000)}:1|c\nlost:1|c`);
    const second = await one.until((now) => now.unix.datagrams === 2);
    expect(second.lines).to.deep.equal({
      accepted: 7279 + 7278,
      rejected: { no_separator: 1 },
    });
  });

  it('none is dropped, however fast they are sent: senders wait', async () => {
    const one = await start();
    const many = await Promise.all([open(), open(), open()]);
    const sent = await Promise.all(many.map((sender) => sender.repeat('hits:1|c', 20_000)));
    expect(sent).to.deep.equal([20_000, 20_000, 20_000]);
    const { lines } = await one.until((now) => now.unix.datagrams >= 60_000);
    expect(lines).to.deep.equal({ accepted: 60_000, rejected: {} });
  });

  for (const [umask, given, mode] of [
    ['0022', undefined, 0o660],
    ['0077', '0666', 0o666],
    ['0000', '600', 0o600],
  ] as const) {
    it(`${given ?? 'the default'} with umask ${umask}: the file has just these rights`, async () => {
      const before = process.umask(Number.parseInt(umask, 8));
      try {
        await start(given === undefined ? [] : ['--unix-mode', given]);
      } finally {
        process.umask(before);
      }
      expect(lstatSync(path).mode & 0o7777).to.equal(mode);
    });
  }

  it('a file that a dead collector has left is replaced; at the end it is removed', async () => {
    const first = await start();
    first.signal('SIGKILL');
    await first.exited();
    expect(existsSync(path)).to.equal(true);
    const second = await start();
    await (await open()).send('hits:1|c');
    await second.until((now) => now.samples.counters === 1);
    expect(await second.stop()).to.equal(0);
    expect(existsSync(path)).to.equal(false);
  });

  it('one that another has put in its place is not removed', async () => {
    const one = await start();
    renameSync(path, `${path}.old`);
    writeFileSync(path, 'mine');
    expect(await one.stop()).to.equal(0);
    expect(readFileSync(path, 'utf8')).to.equal('mine');
  });

  it('in use: says so, exit 1, and the other goes on', async () => {
    const one = await start();
    expect(await fault(1)).to.equal(
      `statcol: unix ${path} is in use: stop the program that listens there, or choose another with --unix`,
    );
    await (await open()).send('hits:1|c');
    await one.until((now) => now.samples.counters === 1);
    const stream = createServer().listen(join(folder, 'stream'));
    await once(stream, 'listening');
    path = join(folder, 'stream');
    expect(await fault(1)).to.match(/stream is in use/);
    stream.close();
  });

  it('a file that is no socket is never removed: exit 1', async () => {
    writeFileSync(path, 'precious');
    expect(await fault(1)).to.equal(
      `statcol: unix ${path} is a file that is no socket, and is not removed: choose another with --unix`,
    );
    expect(readFileSync(path, 'utf8')).to.equal('precious');
    for (const make of [mkdirSync, (at: string) => symlinkSync('nowhere', at)]) {
      path = join(folder, make === mkdirSync ? 'folder' : 'link');
      make(path);
      expect(await fault(1)).to.match(/is a file that is no socket/);
      expect(lstatSync(path, { throwIfNoEntry: false })).to.not.equal(undefined);
    }
  });

  it('no folder for it, or one that is none: exit 1', async () => {
    path = join(folder, 'none', 'socket');
    expect(await fault(1)).to.equal(
      `statcol: unix ${path}: the directory ${join(folder, 'none')} is not there: make it, or choose another with --unix`,
    );
    writeFileSync(join(folder, 'file'), '');
    chmodSync(join(folder, 'file'), 0o600);
    path = join(folder, 'file', 'socket');
    expect(await fault(1)).to.match(/: \/.*\/file is no directory: choose another with --unix$/);
  });

  it('what cannot be is said before anything is bound: exit 2', async () => {
    expect(await fault(2, '--unix-mode', '0888')).to.match(/--unix-mode: expected .*, got "0888"/);
    path = join(folder, 'x'.repeat(108 - folder.length - 1));
    expect(Buffer.byteLength(path)).to.equal(108);
    expect(await fault(2)).to.match(/--unix: expected off, or a path of at most 107 bytes/);
    path = path.slice(0, -1);
    await start();
  });

  it('stopped, it takes all that was sent before, and says no to the rest', () =>
    withRedis(async (redis) => {
      const one = await start(['--redis', redis.url, ...SELDOM]);
      const many = await Promise.all([open(), open(), open()]);
      const sending = many.map((sender) => sender.repeat('hits:1|c', 1e9));
      await one.until((now) => now.samples.counters > 5000);
      expect(await one.stop()).to.equal(0);
      const sent = (await Promise.all(sending)).reduce((sum, count) => sum + count, 0);
      expect((await redis.hash('statcol:stats')).get('hits')).to.equal(String(sent));
      expect(existsSync(path)).to.equal(false);
    }));

  it('killed with a state directory, it loses nothing accepted', () =>
    withRedis(async (redis) => {
      const flags = ['--redis', redis.url, '--state-dir', join(folder, 'state'), ...SELDOM];
      const first = await start(flags);
      await (await open()).repeat('hits:1|c', 3000);
      await first.until((now) => now.samples.counters === 3000);
      first.signal('SIGKILL');
      await first.exited();
      const second = await start(flags);
      expect((await second.vitals()).counters.recovered).to.equal(3000);
      expect(await second.stop()).to.equal(0);
      expect((await redis.hash('statcol:stats')).get('hits')).to.equal('3000');
    }));

  it('a thread that dies is replaced on the same socket: what lies in it is read', async () => {
    const one = await start([], ENDS);
    const sender = await open();
    for (let deaths = 1; deaths <= 3; deaths++) {
      await sender.repeat('hits:1|c', 100);
      await one.until((now) => now.samples.counters === 200 * deaths - 100);
      one.signal('SIGUSR2');
      const said = (): number => one.stderr().match(/another takes its place/g)?.length ?? 0;
      while (said() < deaths) await new Promise(setImmediate);
      expect(await sender.repeat('hits:1|c', 100)).to.equal(100);
      await one.until((now) => now.samples.counters === 200 * deaths);
    }
    expect(await one.stop()).to.equal(0);
    expect(existsSync(path)).to.equal(false);
  });
});
