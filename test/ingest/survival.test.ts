import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';

import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';

import { plainLedgers } from '../../src/ingest/kept-ledger.ts';
import type { LedgerSource } from '../../src/ingest/ledger-source.ts';
import { loadLibc } from '../../src/ingest/libc.ts';
import { createLocalIngest } from '../../src/ingest/local-ingest.ts';
import { createTcpServer } from '../../src/ingest/tcp-server.ts';
import { openUnixSocket } from '../../src/ingest/unix-socket.ts';
import { FACTS, LONGEST } from '../protocol/survival-facts.ts';
import { shown } from '../protocol/wire.ts';
import { addDrained, drainOf, nothingDrained, rejected } from '../support/ledger-bench.ts';
import { openTcp, type TcpSender } from '../support/tcp.ts';
import { openUnixSender } from '../support/unix.ts';
import { endAll, openSender, send as sendTo, start } from './rig.ts';

/** One who receives, and how it is sent to: in one datagram, or as lines of a stream. */
interface Line {
  source: LedgerSource;
  send(text: string): Promise<void>;
  close(): void;
}

const LIMITS = { entriesMax: 40_000, nameBytesMax: 1 << 20, timingsMax: 1 << 16 };

async function overUdp(receiver: 'recvmmsg' | 'dgram'): Promise<Line> {
  const { ingest, bound } = await start({ receiver, createLedger: plainLedgers(LIMITS) });
  const sender = await openSender('127.0.0.1');
  return {
    source: ingest,
    send: (text) => sendTo(sender, bound, Buffer.from(text, 'latin1') as unknown as string),
    close: () => {},
  };
}

async function overTcp(): Promise<Line> {
  const server = createTcpServer({
    ...{ host: '127.0.0.1', port: 0, log: () => {}, isHeld: () => false },
    openIngest: (events) =>
      createLocalIngest({
        ...{ names: 'statsd', hashSeed: 1, transport: 'tcp', onHalfFull: () => {}, ...events },
        createLedger: plainLedgers(LIMITS),
      }),
  });
  const { port } = await server.listen();
  const sender: TcpSender = await openTcp(port);
  return {
    source: server.ingest!,
    send: (text) => sender.write(`${text}\n`),
    close: () => server.end(),
  };
}

async function overUnix(): Promise<Line> {
  const folder = mkdtempSync(join(tmpdir(), 'statcol-unix-'));
  const path = join(folder, 'socket');
  const unix = openUnixSocket(await loadLibc(), path, 0o660);
  const { ingest } = await start({ unix, host: path, createLedger: plainLedgers(LIMITS) });
  const sender = await openUnixSender(path);
  return {
    source: ingest,
    send: (text) => sender.send(text),
    close() {
      sender.close();
      rmSync(folder, { recursive: true });
    },
  };
}

const TRANSPORTS: [name: string, open: () => Promise<Line>][] = [
  ['UDP, read by recvmmsg,', () => overUdp('recvmmsg')],
  ['UDP, read by dgram,', () => overUdp('dgram')],
  ['TCP', overTcp],
  ['a unix socket', overUnix],
];

for (const [name, open] of TRANSPORTS) {
  describe(`What must be survived, over ${name}`, () => {
    let line: Line;
    before(async () => (line = await open()));
    after(async () => {
      line.close();
      await endAll();
    });

    /** What has been added once a good line that was sent last is in, as texts. */
    async function added(): Promise<string[]> {
      await line.send('ok:1|c');
      const total = nothingDrained();
      while (!total.counters.has('ok')) {
        addDrained(total, drainOf(await line.source.flip()));
        await setImmediate();
      }
      total.counters.delete('ok');
      const { counters, gauges, sets, timings, stats } = total;
      return [
        ...Array.from(counters, ([key, [sum, samples]]) => `c ${key} ${sum} ${samples}`),
        ...Array.from(sets, ([key, members]) => members.map((one) => `s ${key} ${one}`)).flat(),
        ...Array.from(gauges, ([key, [value, absolute, samples]]) => {
          return `g ${key} ${absolute ? '' : 'by '}${value} ${samples}`;
        }),
        ...Array.from(timings, ([key, pairs]) => {
          return pairs.map(([value, weight]) => `t ${key} ${value} ${weight}`);
        }).flat(),
        ...Object.entries(rejected(stats)).map(([reason, count]) => `${reason} ${count}`),
      ];
    }

    it('adds what the table says, each of it', async () => {
      for (const [datagram, ...wanted] of FACTS) {
        await line.send(datagram);
        expect(await added(), shown(datagram)).to.deep.equal(wanted);
      }
    });

    it('adds what the longest say', async () => {
      for (const [title, datagram, ...wanted] of LONGEST) {
        await line.send(datagram);
        expect(await added(), title).to.deep.equal(wanted);
      }
    });

    it('adds 10,000 distinct names', async () => {
      const names = Array.from({ length: 10_000 }, (_, at) => `name.${at}`);
      for (let at = 0; at < names.length; at += 50) {
        const some = names.slice(at, at + 50);
        await line.send(some.map((one) => `${one}:2|c`).join('\n'));
      }
      expect(await added()).to.deep.equal(names.map((one) => `c ${one} 2 1`));
    });
  });
}
