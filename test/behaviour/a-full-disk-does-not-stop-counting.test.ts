import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';

import type { Vitals } from '../../src/vitals.ts';
import { type CollectorProcess, startCollector } from '../support/collector-process.ts';
import { type RecordingTrap, startTrap, takes } from '../support/recording-trap.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts';
import { openSender, type Sender, sendUdp } from '../support/udp.ts';

const MIB = 1 << 20;

/** What came in is delivered, waits or was dropped, and nothing else. */
function expectIdentities({ samples, ...vitals }: Vitals): void {
  for (const kind of ['counters', 'gauges', 'sets', 'timings'] as const) {
    const { recovered, delivered, pending, dropped } = vitals[kind];
    const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0);
    expect(delivered + pending + lost, kind).to.equal(samples[kind] + recovered);
  }
}

describe('a full disk does not stop counting', () => {
  let redis: RedisServer;
  let trap: RecordingTrap;
  let disk: SmallDisk;
  let collector: CollectorProcess | undefined;
  let sender: Sender | undefined;

  beforeEach(async () => {
    disk = mountSmallDisk(8);
    redis = await startRedis('--appendonly', 'yes', '--appendfsync', 'always');
    trap = await startTrap();
  });
  afterEach(async () => {
    sender?.close();
    sender = undefined;
    collector?.signal('SIGKILL');
    await collector?.exited();
    await trap.close();
    await redis.stop();
    disk.remove();
  });

  async function start(...args: string[]): Promise<CollectorProcess> {
    const often = ['--counter-interval', '50', '--stop-timeout', '500'];
    const where = ['--redis', redis.url, '--state-dir', disk.folder];
    collector = await startCollector([...where, ...often, ...args]);
    sender?.close();
    sender = openSender(collector.udpPort);
    return collector;
  }

  async function health(): Promise<{ status: number; reasons: string[] }> {
    const response = await fetch(new URL('healthz', collector!.httpUrl));
    const { reasons = [] } = (await response.json()) as { reasons?: string[] };
    return { status: response.status, reasons };
  }

  const hits = async (): Promise<number> => {
    return Number((await redis.hash('statcol:stats')).get('hits'));
  };
  const errorsOf = (server: CollectorProcess): string[] => {
    return (server.stderr().match(/^.* (?:error|warn) .*$/gm) ?? []).filter((line) =>
      line.includes(disk.folder),
    );
  };

  it('it counts and delivers exactly, says so, and is well again by itself', async () => {
    const server = await start();
    let sent = 0;
    const send = async (): Promise<void> => {
      await sender!.send('hits:1|c');
      sent++;
    };
    for (let at = 0; at < 10; at++) await send();
    await server.until(({ counters }) => counters.delivered === 10);
    expect(await health()).to.deep.equal({ status: 200, reasons: [] });

    disk.fill();
    let vitals: Vitals;
    do {
      await send();
      vitals = await server.vitals();
      expectIdentities(vitals);
    } while (vitals.state.up && sent < 10_000);
    expect(vitals.state.lastError).to.match(/ENOSPC/);
    for (let at = 0; at < 100; at++) await send();
    await server.until(({ counters }) => counters.delivered === sent);
    expect(await hits()).to.equal(sent);
    const { status, reasons } = await health();
    expect(status).to.equal(503);
    expect(reasons.join()).to.match(/^the state directory has failed for \d+ s: .*ENOSPC/);
    expect(errorsOf(server)).to.have.lengthOf(1);

    disk.free();
    await server.until(({ state }) => state.up);
    expect(await health()).to.deep.equal({ status: 200, reasons: [] });
    expect(server.stderr()).to.match(/info .*everything is remembered again/);
    await redis.kill();
    for (let at = 0; at < 5; at++) await send();
    await server.until(({ samples }) => samples.counters === sent);
    server.signal('SIGKILL');
    await server.exited();
    await redis.restart();
    await (await start()).until(({ counters }) => counters.delivered > 0);
    await collector!.until(({ counters }) => counters.pending === 0);
    expect(await hits()).to.equal(sent);
  });

  it('a ledger that cannot grow goes on in memory, and in a file again when there is room', async () => {
    const server = await start();
    await sender!.send('first:1|c');
    await server.until(({ counters }) => counters.delivered === 1);
    disk.fill();
    const names = 12_000;
    for (let at = 0; at < names; at += 100) {
      const lines = Array.from({ length: 100 }, (_, one) => `name${at + one}:1|c`);
      await sender!.send(lines.join('\n'));
    }
    const full = await server.until(({ counters }) => counters.delivered === names + 1);
    expectIdentities(full);
    expect(full.udp.kernelDrops).to.equal(0);
    expect(full.state.up).to.equal(false);
    expect(server.stderr()).to.match(/the ledger has not found room/);
    const counted = await redis.hash('statcol:stats');
    expect(counted.size).to.equal(names + 1);
    expect(new Set(counted.values())).to.deep.equal(new Set(['1']));
    disk.free();
    await server.until(({ state }) => state.up);
    await redis.kill();
    await sender!.send('name0:1|c');
    await server.until(({ samples }) => samples.counters === names + 2);
    server.signal('SIGKILL');
    await server.exited();
    await redis.restart();
    await (await start()).until(({ counters }) => counters.delivered > 0);
    expect((await redis.hash('statcol:stats')).get('name0')).to.equal('2');
  });

  it('a read-only directory: it counts, and says that a crash would lose it', async () => {
    disk.makeReadOnly();
    const server = await start();
    await sender!.send('hits:1|c\npart:0.6|c\nlatency:1|ms');
    const vitals = await server.until(({ counters }) => counters.delivered === 2);
    expectIdentities(vitals);
    expect(vitals.state).to.include({ configured: true, up: false, spoolBytes: 0 });
    expect((await health()).reasons.join()).to.match(/^the state directory has failed .*EROFS/);
    expect(errorsOf(server)).to.have.lengthOf(1);
    expect(await server.stop()).to.equal(0);
    // The remainder is not kept: so it is rounded, as without a directory.
    const counted = Object.fromEntries(await redis.hash('statcol:stats'));
    expect(counted).to.deep.equal({ hits: '1', part: '1' });
  });

  it('a read-only directory and Redis away at the end: not kept, so it is reported', async () => {
    disk.makeReadOnly();
    const server = await start();
    await redis.kill();
    await sendUdp(server.udpPort, 'hits:1|c');
    await server.until(({ samples }) => samples.counters === 1);
    expect(await server.stop()).to.equal(1);
    expect(server.stderr()).to.match(/^statcol: not delivered: 1 counter samples, 0 timings$/m);
  });

  /** Of both files, while one takes the place of the other. */
  function spoolBytes(): number {
    const files = readdirSync(disk.folder).filter((file) => file.startsWith('spool-'));
    const sizes = files.map((file) => {
      return statSync(join(disk.folder, file), { throwIfNoEntry: false })?.size ?? 0;
    });
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  it('the spool keeps within its limit: the oldest timings go, counted; counters stay', async () => {
    disk.remove();
    disk = mountSmallDisk(64);
    const limit = 16 * MIB;
    trap.behave((response) => response.writeHead(503).end());
    const server = await start('--trap', trap.url, '--spool-limit', '16MiB');
    await sender!.send('first:1|ms'); // alone in a body that is never answered
    await trap.received(1);
    await redis.kill();
    // Every value of a name falls into a bin of its own: folding does not make them fewer.
    const values = Array.from({ length: 9 }, (_, ten) =>
      Array.from({ length: 90 }, (__, bin) => `${bin + 10}e${ten - 4}`).join(':'),
    );
    const names = 4000;
    let most = 0;
    let vitals = await server.vitals();
    for (let name = 0; name < names; name++) {
      for (const some of values) await sender!.send(`hits:1|c\nn${name}:${some}|ms`);
      if (name % 50 > 0) continue;
      vitals = await server.vitals();
      expectIdentities(vitals);
      most = Math.max(most, spoolBytes());
    }
    vitals = await server.until(({ samples }) => samples.counters === names * values.length);
    expectIdentities(vitals);
    expect(vitals.timings.dropped['spool_full']).to.be.above(100_000);
    expect(Object.keys(vitals.timings.dropped)).to.deep.equal(['spool_full']);
    expect(vitals.counters.dropped).to.deep.equal({});
    expect(server.stderr()).to.match(/warn \d+ timings dropped: spool_full: see --spool-limit/);
    expect(vitals.state.up).to.equal(true);
    expect(most / MIB, 'MiB').to.be.at.most(limit / MIB);

    await redis.restart();
    trap.behave(takes);
    await server.until(({ counters, timings }) => counters.pending + timings.pending === 0);
    expect(await hits()).to.equal(names * values.length);
    const taken = trap.submissions.map(({ text }) => text).join();
    expect(taken)
      .to.include('"first"')
      .and.to.include(`"n${names - 1}"`);
    expect(taken).to.not.include('"n0"');
  });

  it('members of sets that wait for Redis keep within it too', async () => {
    disk.remove();
    disk = mountSmallDisk(64);
    const limit = 16 * MIB;
    const server = await start('--spool-limit', '16MiB');
    await redis.kill();
    const long = 'x'.repeat(1000);
    const sets = 300;
    const each = 50;
    let most = 0;
    for (let set = 0; set < sets; set++) {
      const lines = Array.from({ length: each }, (_, member) => `u${set}:${member}${long}|s`);
      await sender!.send(`hits:1|c\n${lines.join('\n')}`);
      if (set % 20 > 0) continue;
      expectIdentities(await server.vitals());
      most = Math.max(most, spoolBytes());
    }
    const vitals = await server.until(({ samples }) => samples.sets === sets * each);
    expectIdentities(vitals);
    expect(Object.keys(vitals.sets.dropped)).to.deep.equal(['spool_full']);
    expect(vitals.counters.dropped).to.deep.equal({});
    expect(vitals.state.up).to.equal(true);
    expect(most / MIB, 'MiB').to.be.at.most(limit / MIB);

    await redis.restart();
    const { sets: left } = await server.until(({ counters, sets: { pending } }) => {
      return counters.pending + pending === 0;
    });
    expect(await hits()).to.equal(sets);
    expect(left.delivered + left.dropped['spool_full']!).to.equal(sets * each);
  });
});
