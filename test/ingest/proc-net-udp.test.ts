import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { endianness } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { localAddress, readUdpSocket } from '../../src/ingest/proc-net-udp.ts';

const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});

describe('localAddress', () => {
  const table: [address: string, port: number, expected: string][] = [
    ['127.0.0.1', 8125, '0100007F:1FBD'],
    ['0.0.0.0', 1, '00000000:0001'],
    ['192.168.10.254', 65535, 'FE0AA8C0:FFFF'],
    ['255.255.255.255', 0, 'FFFFFFFF:0000'],
    ['::', 8125, '00000000000000000000000000000000:1FBD'],
    ['::1', 8125, '00000000000000000000000001000000:1FBD'],
    ['2001:db8::', 8125, 'B80D0120000000000000000000000000:1FBD'],
    ['2001:db8::8:800:200c:417a', 80, 'B80D012000000000000808007A410C20:0050'],
    ['2001:db8:1:2:3:4:5:6', 8125, 'B80D0120020001000400030006000500:1FBD'],
    ['::ffff:127.0.0.1', 8125, '0000000000000000FFFF00000100007F:1FBD'],
    ['1:2:3:4:5:6:1.2.3.4', 8125, '02000100040003000600050004030201:1FBD'],
    ['fe80::fc:ff:fe00:1%eth0', 8125, '000080FE00000000FF00FC00010000FE:1FBD'],
    ['FE80::FC:FF:FE00:1', 8125, '000080FE00000000FF00FC00010000FE:1FBD'],
  ];
  for (const [address, port, expected] of table) {
    it(`writes ${address} port ${port} as the kernel does`, () => {
      // The table's words are in the machine's byte order; those here are little-endian.
      expect(endianness()).to.equal('LE');
      expect(localAddress(address, port)).to.equal(expected);
    });
  }
});

describe('readUdpSocket', () => {
  for (const host of ['127.0.0.1', '0.0.0.0', '::1', '::']) {
    it(`tells what lies unread in a socket bound to ${host}`, async () => {
      const { socket, port } = await bind(host);
      expect(readUdpSocket(host, port)).to.deep.equal({ rxQueueBytes: 0, drops: 0 });
      const sender = await bind(host.includes(':') ? '::1' : '127.0.0.1');
      const to = host.includes(':') ? '::1' : '127.0.0.1';
      // Sends end within this turn of the loop: the socket cannot have been read meanwhile.
      await send(sender.socket, { port, to, packets: 10, bytes: 100 });
      const { rxQueueBytes, drops } = readUdpSocket(host, port)!;
      expect(rxQueueBytes).to.be.at.least(1000); // with the kernel's overhead
      expect(drops).to.equal(0);
      let seen = 0;
      socket.on('message', () => seen++);
      while (seen < 10) await setImmediate();
      expect(readUdpSocket(host, port)).to.deep.equal({ rxQueueBytes: 0, drops: 0 });
    });
  }

  it('tells how many datagrams found the receive buffer full', async () => {
    const { socket, port } = await bind('127.0.0.1');
    socket.setRecvBufferSize(8192);
    const sender = await bind('127.0.0.1');
    await send(sender.socket, { port, to: '127.0.0.1', packets: 200, bytes: 1000 });
    const { drops } = readUdpSocket('127.0.0.1', port)!;
    expect(drops).to.be.within(100, 199);
    let seen = 0;
    socket.on('message', () => seen++);
    while (readUdpSocket('127.0.0.1', port)!.rxQueueBytes > 0) await setImmediate();
    expect(seen + drops).to.equal(200);
    expect(readUdpSocket('127.0.0.1', port)!.drops).to.equal(drops);
  });

  it('knows nothing of an address that nobody has', async () => {
    const { port } = await bind('127.0.0.1');
    expect(readUdpSocket('127.0.0.2', port)).to.equal(undefined);
    expect(readUdpSocket('0.0.0.0', port)).to.equal(undefined);
    expect(readUdpSocket('192.0.2.1', port)).to.equal(undefined);
    expect(readUdpSocket('::1', port)).to.equal(undefined);
    sockets.pop()!.close();
    expect(readUdpSocket('127.0.0.1', port)).to.equal(undefined);
  });
});

describe('readUdpSocket, beside clients', () => {
  it('is not misled by clients connected to the socket, which have its address too', async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    const clients = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const client = createSocket('udp4');
        client.connect(port, '127.0.0.1');
        await once(client, 'connect');
        return client;
      }),
    );
    for (const client of clients) client.send('a:1|c');
    // Sent within this turn of the loop, in which nothing can have been read.
    const state = readUdpSocket('127.0.0.1', port);
    for (const one of [socket, ...clients]) one.close();
    expect(state?.rxQueueBytes).to.be.above(0);
  });
});

/** Binds a socket that is not read before this turn of the loop is over. */
async function bind(host: string): Promise<{ socket: Socket; port: number }> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  sockets.push(socket);
  socket.bind(0, host);
  await once(socket, 'listening');
  return { socket, port: socket.address().port };
}

interface Burst {
  port: number;
  to: string;
  packets: number;
  bytes: number;
}

async function send(socket: Socket, { port, to, packets, bytes }: Burst): Promise<void> {
  const packet = Buffer.alloc(bytes, 'x');
  const sent = (): Promise<void> =>
    new Promise((resolve, reject) => {
      socket.send(packet, port, to, (error) => (error === null ? resolve() : reject(error)));
    });
  await Promise.all(Array.from({ length: packets }, sent));
}
