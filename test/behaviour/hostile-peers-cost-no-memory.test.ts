import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';

import { type CollectorProcess, startCollector } from '../support/collector-process.ts';
import { sendUdp } from '../support/udp.ts';

// No real Redis does any of this, so these are servers of the test's own.
describe('a hostile Redis costs no memory', () => {
  let server: Server | undefined;
  let collector: CollectorProcess | undefined;
  const open = new Set<Socket>();

  afterEach(async () => {
    collector?.signal('SIGKILL');
    await collector?.exited();
    for (const socket of open) socket.destroy();
    server?.close();
  });

  async function against(
    onData: (socket: Socket, data: Buffer) => void,
  ): Promise<CollectorProcess> {
    server = createServer((socket) => {
      open.add(socket);
      socket.on('error', () => {});
      socket.on('data', (data) => onData(socket, data));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const flags = ['--redis', `redis://127.0.0.1:${port}`, '--counter-interval', '20'];
    collector = await startCollector(flags);
    await sendUdp(collector.udpPort, 'hits:1|c');
    return collector;
  }

  function residentBytes(pid: number): number {
    return 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);
  }

  it('that accepts and never answers: given up after 5 s, kept, visible', async () => {
    const { until } = await against(() => {});
    const { store, counters } = await until(({ store: { lastError } }) => lastError !== null);
    expect(store.lastError).to.equal('redis did not answer within 5 s');
    expect(counters.pending).to.equal(1);
  });

  it('whose reply never ends: cut off, kept, visible', async () => {
    const { until, pid } = await against((socket, data) => {
      if (data.includes('PING')) {
        socket.write('+PONG\r\n');
        return;
      }
      const piece = Buffer.alloc(1 << 20, 'x');
      const pour = (): void => {
        while (!socket.destroyed && socket.write(piece));
        if (!socket.destroyed) socket.once('drain', pour);
      };
      socket.write('$536870912\r\n');
      pour();
    });
    const { store, counters } = await until(({ store: { lastError } }) => lastError !== null);
    expect(store.lastError).to.match(/redis sent over 1048576 bytes in reply to one call/);
    expect(counters.pending).to.equal(1);
    expect(residentBytes(pid)).to.be.below(250 << 20);
  });

  it('that talks nonsense: kept, visible', async () => {
    const { until } = await against((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const { store, counters } = await until(({ store: { lastError } }) => lastError !== null);
    expect(store.lastError).to.be.a('string');
    expect(counters.pending).to.equal(1);
  });
});
