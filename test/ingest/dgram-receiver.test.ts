import { createSocket } from 'node:dgram';
import { once } from 'node:events';

import { expect } from 'chai';
import { describe, it } from 'mocha';

import { openDgramReceiver } from '../../src/ingest/dgram-receiver.ts';

describe('the dgram receiver', () => {
  for (const host of ['127.0.0.1', '::1', '0.0.0.0']) {
    it(`bound to ${host}, drained it refuses what comes, so that nothing is lost unseen`, async () => {
      const received: string[] = [];
      const receiver = await openDgramReceiver({
        host,
        port: 0,
        receiveBufferBytes: 1 << 20,
        onPacket: (bytes, length) =>
          received.push(Buffer.from(bytes).toString('latin1', 0, length)),
      });
      const sender = createSocket(host === '::1' ? 'udp6' : 'udp4');
      sender.connect(receiver.port, host === '::1' ? '::1' : '127.0.0.1');
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
});
