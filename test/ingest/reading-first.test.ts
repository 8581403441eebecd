import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';

import type { Ingest } from '../../src/ingest/ingest.ts';
import { plainLedgers } from '../../src/ingest/kept-ledger.ts';
import { loadLibc } from '../../src/ingest/libc.ts';
import { openUnixSocket } from '../../src/ingest/unix-socket.ts';
import { Stat } from '../../src/ledger/stat.ts';
import { drainOf } from '../support/ledger-bench.ts';
import { openUnixSender } from '../support/unix.ts';
import { endAll, start } from './rig.ts';

const LIMITS = { entriesMax: 8, nameBytesMax: 100, timingsMax: 8 };
/** It rests ten times, for a millisecond at most, then it sleeps: all that it does is met with. */
const PAUSES_MS = Array.from({ length: 42 }, (_, at) => [0, 0.3, 1, 2, 5, 12][at % 6]!);

describe('What was sent before a flip is asked for is on the side that it gives', () => {
  const sockets: Socket[] = [];
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.close();
    await endAll();
  });

  async function openSender(port: number): Promise<Socket> {
    const socket = createSocket('udp4');
    sockets.push(socket);
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect'); // from then on each send is in the other socket when it returns
    return socket;
  }

  async function datagramsOf(ingest: Ingest): Promise<number> {
    return drainOf(await ingest.flip()).stats[Stat.datagrams]!;
  }

  for (const receiver of ['recvmmsg', 'dgram'] as const) {
    it(`with ${receiver}, whatever the thread is doing`, async () => {
      const { ingest, bound } = await start({ receiver, createLedger: plainLedgers(LIMITS) });
      const sender = await openSender(bound.port);
      for (const [round, pauseMs] of PAUSES_MS.entries()) {
        await pause(pauseMs);
        const sent = 1 + (round % 8);
        for (let n = 0; n < sent; n++) sender.send('hits:1|c');
        expect(await datagramsOf(ingest), `round ${round}, after ${pauseMs} ms`).to.equal(sent);
      }
    });

    it(`with ${receiver}, also of more than one read can take`, async () => {
      const { ingest, bound } = await start({ receiver, createLedger: plainLedgers(LIMITS) });
      const sender = await openSender(bound.port);
      const sent = receiver === 'dgram' ? 100 : 600;
      for (let n = 0; n < sent; n++) sender.send('hits:1|c');
      expect(await datagramsOf(ingest)).to.equal(sent);
    });
  }

  it('with a unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'statcol-unix-'));
    const path = join(folder, 'statcol.sock');
    const unix = openUnixSocket(await loadLibc(), path, 0o660);
    const { ingest } = await start({ unix, host: path, createLedger: plainLedgers(LIMITS) });
    const sender = await openUnixSender(path);
    try {
      for (const [round, pauseMs] of PAUSES_MS.entries()) {
        await pause(pauseMs);
        await sender.send('hits:1|c');
        expect(await datagramsOf(ingest), `round ${round}, after ${pauseMs} ms`).to.equal(1);
      }
    } finally {
      sender.close();
      await endAll();
      rmSync(folder, { recursive: true });
    }
  });
});
