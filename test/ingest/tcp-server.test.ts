import { Server } from 'node:net';
import { setImmediate, setTimeout as pause } from 'node:timers/promises';

import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';
import sinon from 'sinon';

import { plainLedgers, type Seed } from '../../src/ingest/kept-ledger.ts';
import { createLocalIngest, type LocalIngest } from '../../src/ingest/local-ingest.ts';
import { createTcpServer, type TcpServer } from '../../src/ingest/tcp-server.ts';
import { Stat } from '../../src/ledger/stat.ts';
import { Kind } from '../../src/protocol/parse.ts';
import { addDrained, drainOf, nothingDrained, rejected } from '../support/ledger-bench.ts';
import { openTcp, sendTcp } from '../support/tcp.ts';

/** A server on a free port, what it has said, and how often its log of timings was half full. */
interface Rig {
  server: TcpServer;
  ingest: LocalIngest;
  port: number;
  said: string[];
  hand: { isHeld: boolean };
  halves: () => number;
}

describe('a server of lines over TCP', () => {
  const servers: TcpServer[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.end();
    sinon.restore();
  });

  async function start(timingsMax = 64): Promise<Rig> {
    const said: string[] = [];
    let halves = 0;
    const hand = { isHeld: false };
    const limits = { entriesMax: 64, nameBytesMax: 4096, timingsMax };
    const server = createTcpServer({
      host: '127.0.0.1',
      port: 0,
      log: (level, message) => said.push(`${level} ${message}`),
      isHeld: () => hand.isHeld,
      openIngest: (events) =>
        createLocalIngest({
          ...{ names: 'statsd', hashSeed: 1, transport: 'tcp', createLedger: plainLedgers(limits) },
          ...{ onHalfFull: () => void halves++, ...events },
        }),
    });
    servers.push(server);
    const { port } = await server.listen();
    return { server, ingest: server.ingest!, port, said, hand, halves: () => halves };
  }

  it('reads on only when there is room for timings: none is lost', async () => {
    // Half of it is as much as is read in one go: 80 KiB of `t:1|ms` and more.
    const { ingest, port, halves } = await start(1 << 16);
    const lines = 400_000;
    let isSent = false;
    const sending = sendTcp(port, 't:1|ms\n'.repeat(lines)).then(() => (isSent = true));
    while (!ingest.isHalfFull) await setImmediate();
    await pause(50);
    expect(isSent).to.equal(false); // it waits in the peer
    expect(halves()).to.equal(1);
    const total = nothingDrained();
    while (!isSent || ingest.isHalfFull) {
      if (ingest.isHalfFull) addDrained(total, drainOf(await ingest.flip()));
      await setImmediate();
    }
    await sending;
    addDrained(total, drainOf(await ingest.flip()));
    expect(total.stats[Stat.timingsDropped]).to.equal(0);
    expect(total.timings.get('t')).to.have.length(lines);
    expect(halves()).to.be.above(5);
  });

  it('reads nothing while it is held, and all of it afterwards', async () => {
    const { server, ingest, port, hand } = await start();
    hand.isHeld = true;
    const sender = await openTcp(port);
    await sender.write('a:1|c\n');
    for (let turns = 0; turns < 20; turns++) await setImmediate();
    server.goOn(); // still held
    for (let turns = 0; turns < 20; turns++) await setImmediate();
    expect([ingest.hasNew(), server.usage().bytes]).to.deep.equal([false, 0]);
    hand.isHeld = false;
    server.goOn();
    await sender.end();
    expect(drainOf(await ingest.flip()).counters.get('a')).to.not.equal(undefined);
  });

  it('goes on into a fresh ledger, in which names are known from before', async () => {
    const { ingest, port } = await start();
    expect(ingest.hasNew()).to.equal(false);
    const sender = await openTcp(port);
    await sender.write('a:1|c\nb:1|c\nhal');
    while (!ingest.hasNew()) await setImmediate();
    const old = await ingest.renew([{ kind: Kind.counter, name: 'a' }]);
    expect([...drainOf(old.reader).counters.keys()]).to.deep.equal(['a', 'b']);
    old.release();
    expect((await ingest.flip()).usage().entries).to.equal(1);
    await sender.write('f:1|c\n');
    await sender.end();
    const total = nothingDrained();
    addDrained(total, drainOf(await ingest.flip()));
    addDrained(total, drainOf(await ingest.flip()));
    expect([...total.counters.keys()]).to.deep.equal(['half']);
  });

  it('whose fresh ledger cannot be seeded keeps the one it has', async () => {
    const { ingest, port } = await start();
    const faulty = (function* (): Generator<Seed> {
      yield { kind: Kind.counter, name: 'a' };
      throw new Error('planted fault');
    })();
    const fault: unknown = await ingest.renew(faulty).catch((error: unknown) => error);
    expect(fault).to.have.property('message', 'planted fault');
    await sendTcp(port, 'a:1|c');
    expect([...drainOf(await ingest.flip()).counters.keys()]).to.deep.equal(['a']);
  });

  it('tells who has sent the last line refused, whoever has sent since', async () => {
    const { ingest, port } = await start();
    const [one, other] = [await openTcp(port), await openTcp(port)];
    await one.write('bad\n');
    while (!ingest.hasNew()) await setImmediate();
    await other.write('a:1|c\n');
    await Promise.all([one.end(), other.end()]);
    const drained = drainOf(await ingest.flip());
    expect(rejected(drained.stats)).to.deep.equal({ no_separator: 1 });
    expect(drained.refusals.get('no_separator')).to.deep.equal(['bad', one.source]);
  });

  it('counts connections that the system could not give, and says so sparingly', async () => {
    const listeners = sinon.spy(Server.prototype, 'on');
    const { server, said, port } = await start();
    const calls = listeners.args as unknown as [event: string, on: (error: Error) => void][];
    const [, onError] = calls.findLast(([event]) => event === 'error')!;
    for (let at = 0; at < 3; at++) onError(new Error('accept EMFILE'));
    expect(server.usage()).to.include({ refused: 3, accepted: 0 });
    expect(said).to.deep.equal(['warn tcp: 1 connections were closed as they came: accept EMFILE']);
    await sendTcp(port, 'a:1|c');
    expect(server.usage()).to.include({ refused: 3, accepted: 1 });
  });

  it('stopped at once, says that not all was read; nothing stays open', async () => {
    const { server, port } = await start();
    const sender = await openTcp(port);
    await sender.write('a:1|c\n');
    expect(await server.stop(0)).to.equal(false);
    await sender.closed;
    expect(server.usage()).to.include({ connections: 0 });
    const refused: unknown = await openTcp(port).catch((error: unknown) => error);
    expect(refused).to.have.property('code', 'ECONNREFUSED');
  });

  it('says why it cannot listen, and what to do', async () => {
    const cases: [host: string, port: number, fault: RegExp][] = [
      ['192.0.2.1', 0, /^tcp 192\.0\.2\.1:0 is no address of this machine: .*--tcp$/],
      ['127.0.0.1', (await start()).port, /^tcp 127\.0\.0\.1:\d+ is in use: .*--tcp$/],
    ];
    for (const [host, port, wanted] of cases) {
      const openIngest = (): never => expect.fail('it has not been bound');
      const server = createTcpServer({
        ...{ host, port, log: () => {}, isHeld: () => false, openIngest },
      });
      const fault: unknown = await server.listen().catch((error: unknown) => error);
      expect(fault).to.include({ code: 'ERR_LISTEN' });
      expect((fault as Error).message).to.match(wanted);
      expect(server.ingest).to.equal(undefined);
      server.end();
    }
  });
});
