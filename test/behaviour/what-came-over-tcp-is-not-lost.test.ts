import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { expect } from 'chai';
import { describe, it } from 'mocha';

import { type CollectorProcess, runStatcol, startCollector } from '../support/collector-process.ts';
import { freePort, type RedisServer, startRedis } from '../support/redis-server.ts';
import { openTcp } from '../support/tcp.ts';

// Flushes are so rare that only the last one delivers.
const SELDOM = ['--counter-interval', '600000', '--timing-interval', '600000'];

describe('nothing that came over TCP is lost', () => {
  let collector: CollectorProcess;
  let redis: RedisServer;
  let folder: string;

  async function start(...args: string[]): Promise<CollectorProcess> {
    const flags = ['--tcp', '0', '--redis', redis.url, ...SELDOM, ...args];
    return (collector = await startCollector(flags));
  }

  async function within(work: () => Promise<void>): Promise<void> {
    redis = await startRedis();
    folder = mkdtempSync(join(tmpdir(), 'statcol-tcp-'));
    try {
      await work();
    } finally {
      collector?.signal('SIGKILL');
      await redis.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  }

  it('a port in use: one line with the address and what to do, exit 1', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as { port: number };
    const udpPort = await freePort();
    const args = ['listen', '--port', String(udpPort), '--http', '0', '--tcp', String(port)];
    const { code, stdout, stderr } = await runStatcol(args);
    holder.close();
    const line = `statcol: tcp 127.0.0.1:${port} is in use: stop the program that holds it, or choose another with --tcp\n`;
    expect({ code, stdout, stderr }).to.deep.equal({ code: 1, stdout: '', stderr: line });
  });

  it('stopped, it loses nothing that was written before, over any number of connections', () =>
    within(async () => {
      for (let round = 0; round < 3; round++) {
        await start();
        const open = await Promise.all(
          Array.from({ length: 20 }, () => openTcp(collector.tcpPort)),
        );
        // Some are closed by their peers, some not even accepted yet, when the signal comes.
        await Promise.all(open.map((sender) => sender.write('hits:1|c\n'.repeat(10_000))));
        const late = Array.from({ length: 20 }, async () => {
          const sender = await openTcp(collector.tcpPort);
          await sender.write('hits:1|c\n'.repeat(100));
          return sender;
        });
        const lateOnes = await Promise.all(late);
        for (const { socket } of open.slice(10)) socket.end();
        for (const { socket } of lateOnes.slice(10)) socket.end('hits:1|c'); // no LF
        collector.signal('SIGTERM');
        expect(await collector.exited()).to.equal(0);
        const hits = Number((await redis.hash('statcol:stats')).get('hits'));
        expect(hits).to.equal((round + 1) * (200_000 + 2000 + 10));
        await Promise.all([...open, ...lateOnes].map(({ closed }) => closed));
      }
    }));

  it('stopped under traffic, it takes all of those that end when they are told', () =>
    within(async () => {
      await start();
      const open = await Promise.all(Array.from({ length: 5 }, () => openTcp(collector.tcpPort)));
      const sent = await Promise.all(
        open.map(async ({ socket }) => {
          let lines = 0;
          let isOver = false;
          socket.once('end', () => (isOver = true)); // the collector's FIN
          while (!isOver) {
            const isRoom = socket.write('hits:1|c\n'.repeat(500));
            lines += 500;
            if (lines === 50_000 && socket === open[0]!.socket) collector.signal('SIGTERM');
            await (isRoom ? pause(0) : Promise.race([once(socket, 'drain'), once(socket, 'end')]));
          }
          return lines;
        }),
      );
      expect(await collector.exited()).to.equal(0);
      const all = sent.reduce((sum, lines) => sum + lines, 0);
      expect(Number((await redis.hash('statcol:stats')).get('hits'))).to.equal(all);
    }));

  it('stopped while peers go on and on, it ends all the same, at the end of a line', () =>
    within(async () => {
      await start('--stop-timeout', '4000');
      const sender = await openTcp(collector.tcpPort);
      let written = 0;
      let isOver = false;
      void sender.closed.then(() => (isOver = true));
      sender.socket.allowHalfOpen = true;
      const going = (async (): Promise<void> => {
        const line = 'hits:1|c\n'.repeat(1000);
        for (; !isOver; written += 1000) await sender.write(line).catch(() => (isOver = true));
      })();
      await collector.until(({ samples }) => samples.counters > 10_000);
      const { samples } = await collector.vitals();
      const startMs = performance.now();
      expect(await collector.stop()).to.equal(0);
      expect(performance.now() - startMs).to.be.below(6000);
      await going;
      const hits = Number((await redis.hash('statcol:stats')).get('hits'));
      expect(hits).to.be.within(samples.counters, written);
    }));

  it('kill -9 with a state directory: everything accepted is delivered by the next, once', () =>
    within(async () => {
      let all = 0;
      for (let round = 0; round < 3; round++) {
        await start('--state-dir', folder);
        const { counters } = await collector.vitals();
        expect(counters.recovered).to.equal(round === 0 ? 0 : 5000);
        await collector.until((now) => now.counters.pending === 0);
        const sender = await openTcp(collector.tcpPort);
        await sender.write('hits:1|c\nother:2|c\n'.repeat(2500));
        await sender.write('hits:1'); // no line yet
        await collector.until(({ samples }) => samples.counters === 5000);
        all += 2500;
        collector.signal('SIGKILL');
        await collector.exited();
        await sender.closed;
      }
      await start('--state-dir', folder);
      expect(await collector.stop()).to.equal(0);
      const hash = Object.fromEntries(await redis.hash('statcol:stats'));
      expect(hash).to.deep.equal({ hits: String(all), other: String(2 * all) });
    }));

  it('kill -9 under traffic: what is taken over is what arrives, to the unit', () =>
    within(async () => {
      let before = 0;
      for (let round = 0; round < 5; round++) {
        await start('--state-dir', folder);
        const sender = await openTcp(collector.tcpPort);
        let sent = 0;
        let isOver = false;
        void sender.closed.then(() => (isOver = true));
        const sending = (async (): Promise<void> => {
          for (; !isOver; sent += 10) {
            await sender.write('hits:1|c\n'.repeat(10)).catch(() => (isOver = true));
          }
        })();
        const { samples } = await collector.until((now) => now.samples.counters > 1000 * round);
        collector.signal('SIGKILL');
        await collector.exited();
        await sending;
        await start('--state-dir', folder);
        const { counters } = await collector.vitals();
        expect(counters.recovered).to.be.within(samples.counters, sent);
        expect(await collector.stop()).to.equal(0);
        const hits = Number((await redis.hash('statcol:stats')).get('hits'));
        expect(hits - before).to.equal(counters.recovered);
        before = hits;
      }
    }));
});
