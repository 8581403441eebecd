import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';

/** A connection on which lines are sent. */
export interface TcpSender {
  readonly socket: Socket;
  /** Where it comes from, as it stands in the log. */
  readonly source: string;
  /** Resolves when the kernel has all of it. */
  write(bytes: string | Uint8Array): Promise<void>;
  /** Ends properly (FIN); resolves when the other side has, too. */
  end(): Promise<void>;
  /** Breaks off (RST). */
  reset(): Promise<void>;
  /** Resolves when it is closed, by whomever. */
  readonly closed: Promise<void>;
}

/** Opens a connection; texts are sent byte by character. */
export async function openTcp(port: number, host = '127.0.0.1'): Promise<TcpSender> {
  const socket = connect({ port, host, noDelay: true });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await once(socket, 'connect');
  socket.on('error', () => {}); // told by `closed`
  socket.resume(); // or the other side's end would not be seen
  const { localAddress, localPort } = socket;
  return {
    socket,
    source: `${localAddress}:${localPort}`,
    async write(bytes) {
      await new Promise<void>((resolve, reject) => {
        const data = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
        socket.write(data, (error) => (error == null ? resolve() : reject(error)));
      });
      // The kernel often takes it at once, and a loop of writes would keep everything else waiting.
      await setImmediate();
    },
    async end() {
      socket.end();
      await closed;
    },
    async reset() {
      socket.resetAndDestroy();
      await closed;
    },
    closed,
  };
}

/** Sends bytes over a connection of their own, and ends it properly. */
export async function sendTcp(port: number, bytes: string | Uint8Array): Promise<void> {
  const sender = await openTcp(port);
  await sender.write(bytes);
  await sender.end();
  await setImmediate();
}
