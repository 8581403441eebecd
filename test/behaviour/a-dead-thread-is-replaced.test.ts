import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';

import type { Vitals } from '../../src/vitals.ts';
import { type CollectorProcess, startCollector } from '../support/collector-process.ts';
import { type RecordingTrap, startTrap } from '../support/recording-trap.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { openSender, type Sender } from '../support/udp.ts';

// Nothing from outside lets the thread die, so it is planted: a module that is loaded before the
// program, and in its threads too.
const preload = (code: string): NodeJS.ProcessEnv => ({
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}`,
});
/** Ends the thread on SIGUSR2. */
const ENDS = preload(
  "process.on('worker',(one)=>{globalThis.one=one});" +
    "process.on('SIGUSR2',()=>{globalThis.one.terminate()});",
);
/** Throws in the thread when there is a file; `first` is done before. */
const throws = (path: string, first: string): NodeJS.ProcessEnv =>
  preload(`import {existsSync,rmSync} from 'node:fs';
    import {isMainThread} from 'node:worker_threads';
    const path=${JSON.stringify(path)};
    if(!isMainThread)setInterval(()=>{if(!existsSync(path))return;${first};
      throw new Error('planted fault')},5);`);

/** What lies in the socket of a port. */
function unreadBytes(port: number): number {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = readFileSync('/proc/net/udp', 'latin1').split('\n');
  const [, , , , queues = ':0'] =
    rows.map((row) => row.trim().split(/\s+/)).find((row) => row[1]?.endsWith(local)) ?? [];
  return Number.parseInt(queues.split(':')[1]!, 16);
}

describe('a dead ingest thread is replaced', () => {
  let redis: RedisServer;
  let trap: RecordingTrap;
  let folder: string;
  let collector: CollectorProcess;
  let sender: Sender;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'statcol-state-'));
    redis = await startRedis();
    trap = await startTrap();
  });
  afterEach(async () => {
    sender.close();
    collector.signal('SIGKILL');
    await collector.exited();
    await trap.close();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(env: NodeJS.ProcessEnv, ...args: string[]): Promise<void> {
    const sinks = ['--redis', redis.url, '--trap', trap.url, '--trap-type', 'n'];
    collector = await startCollector([...sinks, '--counter-interval', '50', ...args], env);
    sender = openSender(collector.udpPort);
  }

  async function vitals(): Promise<Vitals> {
    const all = await collector.vitals();
    for (const kind of ['counters', 'timings'] as const) {
      const { recovered, delivered, pending, dropped } = all[kind];
      expect(dropped).to.deep.equal({});
      expect(delivered + pending, kind).to.equal(all.samples[kind] + recovered);
    }
    return all;
  }

  const said = (pattern: RegExp): number => collector.stderr().match(pattern)?.length ?? 0;
  const replaced = (): number => said(/the ingest thread ended .*; another takes its place/g);

  /** Ends the thread, and sends until another counts. */
  async function die(): Promise<void> {
    const before = replaced();
    collector.signal('SIGUSR2');
    while (replaced() === before) await send();
    const { samples } = await vitals();
    do await send();
    while ((await vitals()).samples.counters === samples.counters);
  }

  async function send(): Promise<void> {
    await sender.send('hits:1|c\nlatency:1|ms');
  }

  async function expectDelivered(samples: Vitals['samples']): Promise<void> {
    const counted = Object.fromEntries(await redis.hash('statcol:stats'));
    expect(counted).to.deep.equal({ hits: String(samples.counters) });
    expect(trap.values().get('latency')).to.have.lengthOf(samples.timings);
  }

  for (const receiver of ['recvmmsg', 'dgram']) {
    for (const isKept of [false, true]) {
      const how = `${receiver}, ${isKept ? 'with' : 'without'} a state directory`;
      it(`${how}: it goes on, and all that was accepted is delivered`, async () => {
        const state = isKept ? ['--state-dir', folder] : [];
        await start(ENDS, '--receiver', receiver, ...state);
        for (let deaths = 1; deaths <= 3; deaths++) {
          for (let at = 0; at < 500; at++) await send();
          const before = await vitals();
          await die();
          const after = await vitals();
          expect(after.samples.counters).to.be.above(before.samples.counters);
          expect(after.udp.receiver).to.equal(receiver);
          expect(after.state.up).to.equal(isKept);
        }
        // Quiet again, nothing is lost: it is the same port, and one socket has it.
        const { samples } = await vitals();
        for (let at = 0; at < 200; at++) await send();
        const last = await collector.until((now) => {
          return now.samples.counters >= samples.counters + 200;
        });
        expect(last.samples).to.include({
          counters: samples.counters + 200,
          timings: samples.timings + 200,
        });
        expect(await collector.stop()).to.equal(0);
        await expectDelivered(last.samples);
        expect(replaced()).to.equal(3);
      });
    }
  }

  for (const receiver of ['recvmmsg', 'dgram']) {
    it(`${receiver}: what the dead one had counted, and nobody had asked for, is delivered`, async () => {
      const seldom = ['--counter-interval', '600000', '--timing-interval', '600000'];
      await start(ENDS, '--receiver', receiver, ...seldom);
      for (let at = 0; at < 300; at++) await send();
      while (unreadBytes(collector.udpPort) > 0) await new Promise(setImmediate);
      collector.signal('SIGUSR2');
      while (replaced() === 0) await new Promise(setImmediate);
      const { samples } = await vitals();
      expect(samples).to.include({ counters: 300, timings: 300 });
      expect(await collector.stop()).to.equal(0);
      await expectDelivered(samples);
    });
  }

  it('recvmmsg: what lies in the socket while there is no thread is read by the next', async () => {
    await start(ENDS, '--receiver', 'recvmmsg');
    for (let at = 0; at < 10; at++) await send();
    await collector.until(({ samples }) => samples.counters === 10);
    collector.signal('SIGUSR2');
    while (replaced() === 0) await new Promise(setImmediate);
    for (let at = 0; at < 500; at++) await send(); // the next one takes longer to start
    const { udp } = await collector.until(({ samples }) => samples.counters === 510);
    expect(udp).to.include({ kernelDrops: 0, datagrams: 510 });
    expect(await collector.stop()).to.equal(0);
  });

  it('after the sixth death within a minute it gives up: the last flush, and exit code 1', async () => {
    await start(ENDS, '--timing-interval', '600000');
    for (let deaths = 1; deaths <= 5; deaths++) await die();
    const { samples } = await vitals();
    collector.signal('SIGUSR2');
    expect(await collector.exited()).to.equal(1);
    expect(replaced()).to.equal(5);
    expect(said(/delivering what was accepted, then ending/g)).to.equal(1);
    await expectDelivered(samples);
  });

  for (const receiver of ['recvmmsg', 'dgram']) {
    for (const [how, first] of [
      ['once', 'rmSync(path)'],
      ['in every thread', ''],
    ] as const) {
      it(`${receiver}: an error thrown ${how} ends it, after the last flush, with 1`, async () => {
        const path = join(folder, 'throw');
        const seldom = ['--counter-interval', '600000', '--timing-interval', '600000'];
        await start(throws(path, first), '--receiver', receiver, ...seldom);
        for (let at = 0; at < 100; at++) await send();
        const { samples } = await collector.until((now) => now.samples.counters === 100);
        writeFileSync(path, '');
        await send().catch(() => {}); // wakes it, should it sleep
        expect(await collector.exited(), collector.stderr()).to.equal(1);
        expect(collector.stderr()).to.not.match(/the last flush failed/);
        expect(collector.stderr()).to.match(/the ingest thread failed.*planted fault/);
        const counted = Number((await redis.hash('statcol:stats')).get('hits'));
        expect(counted).to.be.within(samples.counters, samples.counters + 1);
        expect(trap.values().get('latency')).to.have.lengthOf(counted);
      });
    }
  }
});
