import { setTimeout as pause } from 'node:timers/promises';

import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';

import type { Vitals } from '../../src/vitals.ts';
import { type CollectorProcess, startCollector } from '../support/collector-process.ts';
import { openTcp, sendTcp, type TcpSender } from '../support/tcp.ts';
import { sendUdp } from '../support/udp.ts';

describe('lines come over TCP', () => {
  let collector: CollectorProcess;
  const senders: TcpSender[] = [];

  afterEach(async () => {
    for (const { socket } of senders.splice(0)) socket.destroy();
    collector.signal('SIGKILL');
    await collector.exited();
  });

  async function start(...args: string[]): Promise<void> {
    collector = await startCollector(['--tcp', '0', ...args]);
  }

  async function open(): Promise<TcpSender> {
    const sender = await openTcp(collector.tcpPort);
    senders.push(sender);
    return sender;
  }

  /** Waits for so many lines, and checks that every sample is accounted for, in every answer. */
  async function lines(accepted: number, rejected: Record<string, number> = {}): Promise<Vitals> {
    const refused = (of: Vitals): number => {
      return Object.values(of.lines.rejected).reduce((sum, count) => sum + count, 0);
    };
    const all = accepted + Object.values(rejected).reduce((sum, count) => sum + count, 0);
    const vitals = await collector.until((now) => {
      for (const kind of ['counters', 'timings'] as const) {
        const { recovered, delivered, pending, dropped } = now[kind];
        expect(dropped).to.deep.equal({});
        expect(delivered + pending, kind).to.equal(now.samples[kind] + recovered);
      }
      return now.lines.accepted + refused(now) >= all;
    });
    expect(vitals.lines).to.deep.equal({ accepted, rejected });
    return vitals;
  }

  it('beside UDP, and add to the same counts; each transport counts its own bytes', async () => {
    await start('--counter-interval', '20');
    const [udp, tcp] = ['hits:1|c\nlatency:5|ms', 'hits:2|c\r\nhits:4|c\nlatency:7|ms'];
    await sendUdp(collector.udpPort, udp);
    await sendTcp(collector.tcpPort, tcp);
    const vitals = await lines(5);
    expect(vitals.udp).to.include({ datagrams: 1, bytes: udp.length });
    expect(vitals.tcp).to.deep.equal({
      configured: true,
      connections: 0,
      accepted: 1,
      refused: 0,
      bytes: tcp.length,
    });
    await collector.until(({ counters }) => counters.delivered === 3);
    const counters = await collector.json('api/counters');
    expect(counters).to.deep.equal({ 'statcol:stats': { hits: 7 } });
  });

  it('in the dialect that is asked for, with as many sets of tags as a name may have', async () => {
    const flags = ['--tags', 'influx', '--tag-sets-per-name', '2'];
    await start('--counter-interval', '20', ...flags);
    const tcp = ['eu', 'us', 'eu', 'af', 'as'].map((zone) => `hits,zone=${zone}:1|c`);
    await sendTcp(collector.tcpPort, `${tcp.join('\n')}\n`);
    await collector.until(({ counters }) => counters.delivered === 5);
    const counters = await collector.json('api/counters');
    expect(counters).to.deep.equal({
      'statcol:stats': { 'hits;zone=eu': 2, 'hits;zone=us': 1, 'hits;other=true': 2 },
    });
  });

  it('byte by byte from a peer that is slow, as if they had come at once', async () => {
    await start();
    const [slow, other] = [await open(), await open()];
    for (const byte of 'slow:1|c\r\nslow:2') {
      await slow.write(byte);
      await pause(1);
    }
    await other.write('other:1|c\n');
    await lines(2); // the slow one holds nobody up
    await slow.write('0|c');
    await pause(20);
    await lines(2);
    await slow.end(); // the last line has no LF, and counts as it ends properly
    const vitals = await lines(3);
    expect(vitals.counters.pending + vitals.counters.delivered).to.equal(3);
    expect(vitals.tcp).to.include({ connections: 1, accepted: 2 });
  });

  it('but not the last one of a connection that breaks off in it: it may be cut', async () => {
    await start('--counter-interval', '20');
    const sender = await open();
    await sender.write('hits:1|c\nhits:1');
    await lines(1);
    await sender.reset();
    await collector.until(({ tcp }) => tcp.connections === 0);
    await sendTcp(collector.tcpPort, 'hits:10|c');
    await lines(2);
    await collector.until(({ counters }) => counters.delivered === 2);
    expect(await collector.json('api/counters')).to.deep.equal({ 'statcol:stats': { hits: 11 } });
  });

  it('whole lines that came right before a reset count', async () => {
    await start();
    for (let at = 0; at < 50; at++) {
      const sender = await open();
      await sender.write('hits:1|c\n'.repeat(20));
      await lines((at + 1) * 20);
      await sender.write('hits:');
      await sender.reset();
    }
    await lines(1000);
  });

  it('a line without an end costs no memory, is refused once, and the connection goes on', async () => {
    await start();
    const sender = await open();
    const piece = Buffer.alloc(1 << 20, 'x');
    for (let at = 0; at < 64; at++) await sender.write(piece);
    const { tcp } = await lines(0, { no_separator: 1 });
    expect(tcp.bytes).to.be.below(65 << 20);
    await sender.write('\nhits:1|c\n');
    await lines(1, { no_separator: 1 });
    expect(collector.stderr()).to.match(
      new RegExp(`refused \\(no_separator\\) from "${sender.source}": "x{190,200}" and more`),
    );
  });

  it('of any length that a datagram can have; longer ones for what their beginning says', async () => {
    await start();
    const sender = await open();
    const long = (text: string): string => text.padEnd(70_000, text.at(-1));
    await sender.write(`a:1|c|${'x'.repeat(4091)}\n`); // 4,097 bytes
    await sender.write(`a:${'0'.repeat(65_000)}1|c\n`);
    await sender.write(
      `${long('n')}:1|c\n${long('n:1|c\0')}\n${long('a:1|ms|#t')}\n${long('a:1')}|c\n`,
    );
    await sender.write(`${'n'.repeat(600)}:1|c\n`);
    await lines(2, { no_separator: 2, bad_type: 1, bad_tags: 1, name_too_long: 1 });
  });

  it('from 1,000 connections at once; the next one is closed, counted and told of', async () => {
    await start();
    for (let at = 0; at < 1000; at++) await open();
    await Promise.all(senders.map((sender) => sender.write('hits:1|c\nhi')));
    const { tcp } = await lines(1000);
    expect(tcp).to.include({ connections: 1000, accepted: 1000, refused: 0 });
    for (let at = 0; at < 3; at++) {
      const more = await openTcp(collector.tcpPort);
      more.socket.write('hits:1|c\n');
      await more.closed;
    }
    await collector.until((now) => now.tcp.refused === 3);
    expect(collector.stderr().match(/tcp: 1 connections were closed as they came/g)).to.have.length(
      1,
    );
    await Promise.all(senders.map((sender) => sender.write('ts:1|c\n')));
    await lines(2000);
    await senders.pop()!.end();
    await collector.until((now) => now.tcp.connections === 999);
    await sendTcp(collector.tcpPort, 'hits:1|c\n');
    await lines(2001);
  });

  it('a flood on one connection holds up neither the others nor anything else', async () => {
    await start('--counter-interval', '20');
    const [flood, other] = [await open(), await open()];
    const block = Buffer.from('flood:1|c\nflood:5|ms\n'.repeat(5000));
    let isOver = false;
    let sent = 0;
    const flooding = (async (): Promise<void> => {
      for (; !isOver; sent += 10_000) await flood.write(block);
    })();
    await collector.until(({ samples }) => samples.timings > 100_000);
    const took: number[] = [];
    for (let at = 1; at <= 10; at++) {
      const startMs = performance.now();
      await other.write(`other.${at}:1|c\n`);
      const seen = async (): Promise<boolean> => {
        const all = await collector.json<Record<string, Record<string, number>>>('api/counters');
        return all['statcol:stats']?.[`other.${at}`] === 1;
      };
      while (!(await seen())) await pause(5);
      took.push(performance.now() - startMs);
    }
    isOver = true;
    await flooding;
    expect(took.toSorted((a, b) => a - b)[5]).to.be.below(1000);
    await lines(sent + 10);
  });

  it('an idle connection stays open', async () => {
    await start();
    const sender = await open();
    await sender.write('hits:1|c\n');
    await pause(300);
    await sender.write('hits:1|c\n');
    expect((await lines(2)).tcp).to.include({ connections: 1, accepted: 1 });
  });

  it('over IPv6, whose endpoint is in brackets', async () => {
    await start('--tcp', '[::1]:0');
    expect(collector.stdout()).to.match(/^udp:.*\ntcp:\/\/\[::1\]:\d+\nhttp:.*\n$/);
    const sender = await openTcp(collector.tcpPort, '::1');
    await sender.write('hits:1|c\nbad\n');
    await sender.end();
    await lines(1, { no_separator: 1 });
    expect(collector.stderr()).to.match(/from "\[::1\]:\d+": "bad"/);
  });

  it('an IPv4 peer of a socket for both is shown as what it is', async () => {
    await start('--tcp', '[::]:0');
    await sendTcp(collector.tcpPort, 'bad');
    await lines(0, { no_separator: 1 });
    expect(collector.stderr()).to.match(/from "127\.0\.0\.1:\d+": "bad"/);
  });
});
