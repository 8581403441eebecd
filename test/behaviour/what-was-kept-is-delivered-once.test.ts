import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';

import { type CollectorProcess, startCollector } from '../support/collector-process.ts';
import { type Proxy, startProxy } from '../support/proxy.ts';
import { answers, type RecordingTrap, startTrap, takes } from '../support/recording-trap.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { sendUdp } from '../support/udp.ts';

/** Lets a process believe that it is so many days later. */
const later = (days: number): NodeJS.ProcessEnv => ({
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(
    `const now=Date.now;Date.now=()=>now()+${days}*86400000;`,
  )}`,
});

describe('what was kept is delivered once', () => {
  let redis: RedisServer;
  let trap: RecordingTrap;
  let proxy: Proxy;
  let folder: string;
  let collector: CollectorProcess | undefined;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'statcol-state-'));
    redis = await startRedis();
    proxy = await startProxy(redis.port);
    trap = await startTrap();
  });
  afterEach(async () => {
    await kill();
    await trap.close();
    await proxy.close();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(
    args: string[] = [],
    env: NodeJS.ProcessEnv = {},
  ): Promise<CollectorProcess> {
    const url = `redis://127.0.0.1:${proxy.port}`;
    const often = ['--counter-interval', '50', '--timing-interval', '50', '--stop-timeout', '500'];
    collector = await startCollector(
      ['--redis', url, '--state-dir', folder, ...often, ...args],
      env,
    );
    return collector;
  }

  async function kill(): Promise<void> {
    collector?.signal('SIGKILL');
    await collector?.exited();
  }

  const counted = async (): Promise<Record<string, string>> =>
    Object.fromEntries(await redis.hash('statcol:stats'));
  const markers = async (): Promise<string[]> =>
    (await redis.command('KEYS', '*:applied:*')) as string[];
  const keys = (): string[] => {
    return trap.submissions.map(({ headers }) => String(headers['idempotency-key']));
  };

  it('an instance keeps its name, and its numbers go on, however it ends', async () => {
    const ends = [() => collector!.stop(), kill, () => collector!.stop()];
    for (const [at, end] of ends.entries()) {
      const server = await start(['--trap', trap.url, '--instance', `given${at}`]);
      await sendUdp(server.udpPort, 'hits:1|c\nlatency:1|ms');
      await server.until((vitals) => vitals.counters.delivered + vitals.timings.delivered === 2);
      await end();
    }
    expect(await counted()).to.deep.equal({ hits: '3' });
    const [marker, ...others] = await markers();
    expect(others).to.deep.equal([]);
    const instance = /:applied:(given0\S+)$/.exec(marker!)?.[1];
    expect(keys()).to.deep.equal([1, 2, 3].map((seq) => `${instance}/${seq}`));
  });

  it('a half and a half are one, with a stop between them', async () => {
    for (const round of [1, 2]) {
      const server = await start();
      await sendUdp(server.udpPort, 'half:0.5|c\nthird:1|c|@0.75');
      await server.until(({ counters }) => counters.delivered === 2);
      expect(await server.stop(), server.stderr()).to.equal(0);
      const half = round === 1 ? '0' : '1';
      expect(await counted()).to.deep.equal({ half, third: round === 1 ? '1' : '2' });
    }
    await (await start()).stop(); // nothing is rounded up later
    expect(await counted()).to.deep.equal({ half: '1', third: '2' });
  });

  it('timings for a trap outlive a run without one, and those of that run are not among them', async () => {
    trap.behave(answers(503));
    const first = await start(['--trap', trap.url]);
    await sendUdp(first.udpPort, 'latency:1:2|ms');
    await trap.received(1); // from here on that body is in flight, and the others wait behind it
    await sendUdp(first.udpPort, 'latency:3|ms\nother:4:5|ms|@0.5');
    await first.until(({ samples }) => samples.timings === 5);
    expect(await first.stop()).to.equal(0);

    const second = await start();
    await sendUdp(second.udpPort, 'latency:99|ms');
    const { timings } = await second.until(({ samples }) => samples.timings === 1);
    expect(timings).to.deep.equal({ recovered: 5, delivered: 1, pending: 5, dropped: {} });
    expect(await second.stop()).to.equal(0);
    expect(second.stderr()).to.include('5 timings wait for a trap');
    expect(second.stderr()).to.match(
      /kept in \S+ for the next start: 0 counter samples, 5 timings/,
    );

    trap.behave(takes);
    const third = await start(['--trap', trap.url]);
    await third.until((vitals) => vitals.timings.delivered === 5);
    expect(trap.values()).to.deep.equal(
      new Map([
        ['latency', [1, 2, 3]],
        ['other', [4, 5]],
      ]),
    );
    expect(await third.stop()).to.equal(0);
  });

  it('a body in flight keeps its key and its content across kill -9', async () => {
    trap.behave(() => {}); // it has taken it, perhaps, and its answer is lost
    const first = await start(['--trap', trap.url]);
    await sendUdp(first.udpPort, 'latency:1:2|ms');
    await trap.received(1);
    await sendUdp(first.udpPort, 'latency:3|ms');
    await first.until(({ samples }) => samples.timings === 3);
    await kill();
    trap.behave(takes);
    const second = await start(['--trap', trap.url]);
    await second.until(({ timings }) => timings.delivered === 3);
    const [lost, again, next, ...others] = trap.submissions;
    expect(others).to.deep.equal([]);
    expect(again!.text).to.equal(lost!.text);
    expect(keys()[1]).to.equal(keys()[0]);
    expect(keys()[2]).to.match(/\/2$/);
    expect(next!.text).to.equal('{"latency":{"_type":"n","_value":[3]}}');
  });

  /** Has a chunk applied of which the answer is lost, and kills the collector. */
  async function loseAnAnswer(): Promise<void> {
    const server = await start();
    await sendUdp(server.udpPort, 'hits:1|c');
    await server.until(({ counters }) => counters.delivered === 1);
    proxy.decide(({ direction }) => (direction === 'reply' ? 'swallow' : 'pass'));
    await sendUdp(server.udpPort, 'hits:1|c\nother:1|c');
    while ((await counted())['hits'] !== '2') await new Promise(setImmediate);
    await kill();
    proxy.decide(() => 'pass');
  }

  it('a chunk sent 5 days ago and not answered is sent again, and not counted twice', async () => {
    await loseAnAnswer();
    const server = await start([], later(5));
    await server.until(({ counters }) => counters.delivered === 2);
    expect(await counted()).to.deep.equal({ hits: '2', other: '1' });
    expect(readdirSync(folder).filter((file) => file.startsWith('aside'))).to.deep.equal([]);
  });

  /** As Redis does after 7 days: who sends the chunk again now would double it. */
  async function forgetMarkers(): Promise<void> {
    for (const marker of await markers()) await redis.command('DEL', marker);
  }

  async function expectSetAside(server: CollectorProcess): Promise<void> {
    const { counters } = await server.until((vitals) => vitals.counters.pending === 0);
    expect(await counted()).to.deep.equal({ hits: '2', other: '1' });
    expect(counters).to.deep.equal({
      recovered: 2,
      delivered: 0,
      pending: 0,
      dropped: { too_old: 2 },
    });
    const asides = readdirSync(folder).filter((file) => file.startsWith('aside-'));
    expect(asides).to.have.lengthOf(1);
    expect(asides[0]).to.match(/-chunk-2\.json$/);
    const { hash, amounts } = JSON.parse(readFileSync(join(folder, asides[0]!), 'utf8')) as {
      hash: string;
      amounts: { field: string; amount: number }[];
    };
    expect(hash).to.equal('statcol:stats');
    expect(amounts).to.have.deep.members([
      { field: 'hits', amount: 1 },
      { field: 'other', amount: 1 },
    ]);
    expect(server.stderr()).to.match(
      / error .*too old to be sent again: it is set aside as aside-/,
    );
  }

  it('one sent 7 days ago is set aside and reported, never sent again; counting goes on', async () => {
    await loseAnAnswer();
    await forgetMarkers();
    const server = await start([], later(7));
    await expectSetAside(server);
    await sendUdp(server.udpPort, 'hits:5|c');
    await server.until(({ counters }) => counters.delivered === 1);
    expect((await counted())['hits']).to.equal('7');
    await server.stop();
    const next = await start([], later(7));
    expect((await next.vitals()).counters.recovered).to.equal(0);
  });

  it('its days are counted from when it was sent first, not from when it was tried again', async () => {
    await loseAnAnswer();
    await redis.command('REPLICAOF', '127.0.0.1', '1'); // READONLY from now on
    const second = await start([], later(4));
    await second.until(({ store }) => /READONLY/.test(store.lastError ?? ''));
    await kill();
    await redis.command('REPLICAOF', 'NO', 'ONE');
    await forgetMarkers();
    await expectSetAside(await start([], later(8)));
  });
});
