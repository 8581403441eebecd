import { openTcp, type TcpSender } from './tcp.ts';
import { openSender } from './udp.ts';
import { openUnixSender } from './unix.ts';

/** One who sends datagrams, or what takes their place in a stream. */
export interface FuzzSender {
  /** Resolves when the kernel has all of it. */
  send(datagrams: readonly string[]): Promise<void>;
  close(): void;
}

/** One who sends over a connection at a time. */
export interface FuzzStream {
  /** Sends lines, each ended, and then a part of one; cuts them at random. */
  send(datagrams: readonly string[], part: string): Promise<number>;
  /** Ends the connection, properly or not; the next `send` opens another. */
  end(how: 'reset' | 'end'): Promise<void>;
  close(): void;
}

/** Sends over UDP. */
export function openFuzzUdp(port: number): FuzzSender {
  const sender = openSender(port);
  return {
    send: (datagrams) => sender.send(...datagrams.map((text) => Buffer.from(text, 'latin1'))),
    close: () => sender.close(),
  };
}

/** Sends over a unix socket. */
export async function openFuzzUnix(path: string): Promise<FuzzSender> {
  const sender = await openUnixSender(path);
  return {
    async send(datagrams) {
      await Promise.all(datagrams.map((datagram) => sender.send(datagram)));
    },
    close: () => sender.close(),
  };
}

/** Sends over TCP, at most so many bytes a segment, often far fewer. */
export function openFuzzTcp(port: number, below: (limit: number) => number): FuzzStream {
  let connection: TcpSender | undefined;
  return {
    async send(datagrams, part) {
      connection ??= await openTcp(port);
      const bytes = Buffer.from(
        `${datagrams.map((text) => `${text}\n`).join('')}${part}`,
        'latin1',
      );
      for (let at = 0; at < bytes.length;) {
        const to = at + 1 + below(below(3) === 0 ? 40 : SEGMENT_BYTES_MAX);
        await connection.write(bytes.subarray(at, to));
        at = to;
      }
      return bytes.length;
    },
    async end(how) {
      const ended = connection;
      connection = undefined;
      await (how === 'end' ? ended?.end() : ended?.reset());
    },
    close: () => void connection?.socket.destroy(),
  };
}

const SEGMENT_BYTES_MAX = 20_000;
