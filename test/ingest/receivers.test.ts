import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';

import { expect } from 'chai';
import { describe, it } from 'mocha';
import sinon from 'sinon';

import { openDgramReceiver } from '../../src/ingest/dgram-receiver.ts';
import { loadLibc } from '../../src/ingest/libc.ts';
import type { OpenReceiver, Receiver } from '../../src/ingest/receiver.ts';
import { openRecvmmsgReceiver } from '../../src/ingest/recvmmsg-receiver.ts';

const RECEIVERS: [kind: Receiver['kind'], open: OpenReceiver][] = [
  ['dgram', openDgramReceiver],
  ['recvmmsg', async (options) => openRecvmmsgReceiver(await loadLibc(), options)],
];

/** Opens a receiver that keeps what it receives, and says from whom. */
async function open(
  openReceiver: OpenReceiver,
  host: string,
): Promise<{ receiver: Receiver; received: string[]; sources: Set<string> }> {
  const received: string[] = [];
  const sources = new Set<string>();
  const receiver = await openReceiver({
    host,
    port: 0,
    receiveBufferBytes: 1 << 20,
    sharing: 'alone',
    onPacket({ bytes }, start, length) {
      received.push(Buffer.from(bytes.subarray(start, start + length)).toString('latin1'));
      sources.add(receiver.source());
    },
  });
  return { receiver, received, sources };
}

for (const [kind, openReceiver] of RECEIVERS) {
  describe(`the ${kind} receiver`, () => {
    for (const host of ['127.0.0.1', '::1', '0.0.0.0', '::']) {
      const is6 = host.includes(':');
      const reached = is6 ? '::1' : '127.0.0.1';

      it(`bound to ${host}, tells where it is, and who sends`, async () => {
        const { receiver, received, sources } = await open(openReceiver, host);
        expect(receiver).to.include({ kind, address: host });
        expect(receiver.receiveBufferBytes).to.be.at.least(1 << 16);
        const sender = createSocket(is6 ? 'udp6' : 'udp4').bind(0, reached);
        await once(sender, 'listening');
        sender.send('a:1|c', receiver.port, reached);
        while (received.length === 0) await new Promise(setImmediate);
        const { port } = sender.address();
        expect([...sources]).to.deep.equal([is6 ? `[::1]:${port}` : `127.0.0.1:${port}`]);
        sender.close();
        receiver.close();
      });

      it(`bound to ${host}, drained it refuses what comes, so that nothing is lost unseen`, async () => {
        const { receiver, received } = await open(openReceiver, host);
        const sender = createSocket(is6 ? 'udp6' : 'udp4');
        sender.connect(receiver.port, reached);
        await once(sender, 'connect');
        for (let n = 0; n < 20; n++) sender.send(`early.${n}:1|c`);
        // The sends above lie in the socket, unread: this turn of the loop is not over.
        expect(await receiver.drain(5000)).to.equal(true);
        expect(received).to.have.length(20);
        const refused = once(sender, 'error'); // told by the kernel, as for a closed port
        sender.send('late:1|c');
        expect((await refused)[0]).to.have.property('code', 'ECONNREFUSED');
        expect(received).to.have.length(20);
        receiver.close();
        sender.close();
      });
    }

    it('takes datagrams of every length, whole and in order', async () => {
      const { receiver, received } = await open(openReceiver, '127.0.0.1');
      const sender = createSocket('udp4');
      const lengths = [0, 1, 1432, 1473, 9000, 65_506, 65_507, 2];
      for (const [at, length] of lengths.entries()) {
        const datagram = Buffer.alloc(length, 97 + at);
        await new Promise((resolve) => {
          sender.send(datagram, receiver.port, '127.0.0.1', resolve);
        });
      }
      while (received.length < lengths.length) await new Promise(setImmediate);
      const expected = lengths.map((length, at) => String.fromCharCode(97 + at).repeat(length));
      expect(received.map((text) => text.length)).to.deep.equal(lengths);
      expect(received).to.deep.equal(expected);
      expect(receiver.kernelDrops()).to.equal(0);
      sender.close();
      receiver.close();
    });

    it('takes more than a batch at once, each datagram once', async () => {
      const { receiver, received } = await open(openReceiver, '127.0.0.1');
      const sender = createSocket('udp4');
      sender.connect(receiver.port, '127.0.0.1');
      await once(sender, 'connect');
      const texts = Array.from({ length: 700 }, (_, at) => `n${at}:1|c`);
      for (const text of texts) sender.send(text);
      expect(await receiver.drain(5000)).to.equal(true);
      expect(received).to.deep.equal(texts);
      sender.close();
      receiver.close();
    });

    it('counts what the kernel throws away, also the last of it', async () => {
      const { receiver, received } = await open(openReceiver, '127.0.0.1');
      const sender = createSocket('udp4');
      sender.connect(receiver.port, '127.0.0.1');
      await once(sender, 'connect');
      const datagram = Buffer.alloc(60_000, 97);
      const sent = 200; // 12 MB, unread, against a buffer of one
      for (let n = 0; n < sent; n++) sender.send(datagram);
      await receiver.drain(5000);
      expect(receiver.kernelDrops()).to.be.greaterThan(0);
      expect(received.length + receiver.kernelDrops()!).to.equal(sent);
      sender.close();
      receiver.close();
    });

    it('cannot be bound twice, and says so as Node does', async () => {
      const { receiver } = await open(openReceiver, '127.0.0.1');
      const again = { host: '127.0.0.1', port: receiver.port, receiveBufferBytes: 1 << 20 };
      const error: unknown = await openReceiver({
        ...again,
        sharing: 'alone',
        onPacket: () => {},
      }).then(
        () => undefined,
        (one: unknown) => one,
      );
      expect(error).to.have.property('code', 'EADDRINUSE');
      receiver.close();
    });
  });
}

describe('the recvmmsg receiver, when much comes at once', () => {
  it('does not ask the kernel who sends, until somebody wants to know', async () => {
    const sources = new Map<number, string>();
    let read = 0;
    let nowMs = 0;
    const clock = sinon.stub(performance, 'now').callsFake(() => nowMs);
    const receiver = openRecvmmsgReceiver(await loadLibc(), {
      host: '127.0.0.1',
      port: 0,
      receiveBufferBytes: 4 << 20,
      sharing: 'alone',
      onPacket() {
        if ([10, 300, 600, 1100].includes(++read)) sources.set(read, receiver.source());
        // As if the first question had come 11 seconds before the others.
        if (read === 10) nowMs += 11_000;
      },
    });
    const sender = createSocket('udp4');
    sender.connect(receiver.port, '127.0.0.1');
    await once(sender, 'connect');
    for (let n = 0; n < 1200; n++) sender.send('a:1|c');
    expect(await receiver.drain(60_000)).to.equal(true);
    clock.restore();
    const known = `127.0.0.1:${sender.address().port}`;
    expect(Object.fromEntries(sources)).to.deep.equal({
      10: known,
      300: '',
      600: known,
      1100: known,
    });
    sender.close();
    receiver.close();
  });
});
