import { createSocket } from 'node:dgram';
import { setImmediate } from 'node:timers/promises';

/** Sends datagrams to a port of this machine; each is handed to the kernel before it resolves. */
export interface Sender {
  send(...datagrams: (string | Uint8Array)[]): Promise<void>;
  close(): void;
}

/** Opens a sender. */
export function openSender(port: number, host = '127.0.0.1'): Sender {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.unref(); // a test that fails must not keep the others waiting for its end
  return {
    async send(...datagrams) {
      for (const datagram of datagrams) {
        await new Promise<void>((resolve, reject) => {
          socket.send(datagram, port, host, (error) => (error ? reject(error) : resolve()));
        });
      }
      // A datagram is often gone at once, and a loop of sends would keep everything else waiting.
      await setImmediate();
    },
    close: () => void socket.close(),
  };
}

/** Sends datagrams over a socket of their own. */
export async function sendUdp(port: number, ...datagrams: (string | Uint8Array)[]): Promise<void> {
  const sender = openSender(port);
  try {
    await sender.send(...datagrams);
  } finally {
    sender.close();
  }
}
