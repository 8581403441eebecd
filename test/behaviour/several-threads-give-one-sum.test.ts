import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';

import type { Vitals } from '../../src/vitals.ts';
import { type CollectorProcess, runStatcol, startCollector } from '../support/collector-process.ts';
import { openSender, type Sender } from '../support/udp.ts';

const THREADS = 3;
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
/** From 22.12 and 23.1 on, Node's own sockets can share a port. */
const DGRAM_SHARES = major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);

describe('several threads give one sum', () => {
  let collector: CollectorProcess;
  let senders: Sender[] = [];

  afterEach(async () => {
    for (const sender of senders.splice(0)) sender.close();
    collector.signal('SIGKILL');
    await collector.exited();
  });

  /** Starts a collector, and senders of which the kernel deals each to one of the sockets. */
  async function start(...flags: string[]): Promise<void> {
    collector = await startCollector(['--threads', String(THREADS), ...flags]);
    senders = Array.from({ length: 30 }, () => openSender(collector.udpPort));
  }

  for (const receiver of ['recvmmsg', 'dgram'] as const) {
    const threads = receiver === 'recvmmsg' || DGRAM_SHARES ? THREADS : 1;

    it(`by ${receiver}: each line counts once, whichever thread has read it`, async () => {
      await start('--receiver', receiver);
      const rounds = 200;
      for (let round = 0; round < rounds; round++) {
        await Promise.all(
          senders.map((sender, at) => {
            return sender.send(`hits:1|c\nfrom.${at}:2|c\nload:${round}|ms`, 'bad');
          }),
        );
      }
      const lines = rounds * senders.length;
      const vitals = await collector.until(
        ({ udp, counters }) => udp.datagrams >= 2 * lines && counters.pending === 0,
      );
      expect(vitals.udp).to.include({ receiver, threads, kernelDrops: 0, datagrams: 2 * lines });
      expect(vitals.lines).to.deep.equal({
        accepted: 3 * lines,
        rejected: { no_separator: lines },
      });
      const fields = (await allCounters())['statcol:stats']!;
      expect(fields['hits']).to.equal(lines);
      for (const at of senders.keys()) expect(fields[`from.${at}`]).to.equal(2 * rounds);
      const timings = await collector.json<Record<string, { count: number }>>('api/timings');
      expect(timings['load']!.count).to.equal(lines);
      if (threads === 1) {
        expect(collector.stderr()).to.match(/one ingest thread instead of 3: .*Node 22\.12/);
      }
    });

    it(`by ${receiver}: what lies in the sockets at the end is read`, async () => {
      await start('--receiver', receiver);
      for (let round = 0; round < 50; round++) {
        await Promise.all(senders.map((sender) => sender.send('hits:1|c', 'hits:1|c')));
      }
      expect(await collector.stop()).to.equal(0);
      expect(collector.stderr()).not.to.match(/not delivered|could be read/);
    });

    it(`by ${receiver}: a second collector is told that the port is taken`, async () => {
      await start('--receiver', receiver);
      for (const flags of [[], ['--threads', '2']]) {
        const args = ['--port', String(collector.udpPort), '--http', 'off', '--receiver', receiver];
        const second = await runStatcol(['listen', ...args, ...flags]);
        expect(second.code).to.equal(1);
        expect(second.stdout).to.equal('');
        expect(second.stderr).to.match(/is in use: stop the program that holds it/);
      }
    });
  }

  it('hold no more names together than one would', async () => {
    await start('--receiver', 'recvmmsg', '--max-keys', '40');
    for (const [at, sender] of senders.entries()) {
      await sender.send(`a.${at}:1|c`, `b.${at}:1|c`, `t.${at}:1|ms`);
    }
    const all = 3 * senders.length;
    const {
      keys,
      lines,
      counters: fate,
      timings,
    } = await collector.until(
      ({ udp, counters: { pending } }) => udp.datagrams === all && pending === 0,
    );
    expect(keys.counters + keys.timings).to.equal(40);
    const refused = lines.rejected['key_limit'] ?? 0;
    const dropped = (fate.dropped['key_limit'] ?? 0) + (timings.dropped['key_limit'] ?? 0);
    expect(dropped).to.be.above(0);
    expect(40 + refused + dropped).to.equal(all);
    checkSamples(await collector.vitals());
  });

  function allCounters(): Promise<Record<string, Record<string, number>>> {
    return collector.json('api/counters');
  }

  function checkSamples({ samples, counters: fate, timings }: Vitals): void {
    for (const [count, of] of [
      [samples.counters, fate],
      [samples.timings, timings],
    ] as const) {
      const dropped = Object.values(of.dropped).reduce((a, b) => a + b, 0);
      expect(of.delivered + of.pending + dropped).to.equal(count);
    }
  }
});
