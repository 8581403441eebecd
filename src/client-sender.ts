import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns';
import { isIP } from 'node:net';

/** Sends a client's datagrams to where its collector is. */
export interface Sender {
  /** Sends a datagram, and forgets it; its memory must not be used again. Never throws. */
  send(datagram: Uint8Array): void;
  /** Resolves when all have left, and closes. */
  close(): Promise<void>;
}

/** How long the address of a host's name is good for. */
const LOOKUP_MS = 60_000;

/** The address behind a host's name. */
interface Found {
  address: string;
  family: number;
}

/**
 * Creates a sender, which opens its socket for the first datagram. The name is looked up at most
 * once a minute; nothing keeps the process alive.
 */
export function createSender(host: string, port: number): Sender {
  const family = isIP(host);
  let found: Found | undefined = family === 0 ? undefined : { address: host, family };
  let foundUntilMs = family === 0 ? 0 : Infinity;
  let socket: Socket | undefined;
  let sending = 0;
  let onSent = (): void => {};
  const waiting: Uint8Array[] = [];
  const sent = (): void => {
    if (--sending === 0) onSent();
  };

  return {
    send(datagram) {
      sending++;
      if (performance.now() < foundUntilMs) sendNow(datagram);
      else if (waiting.push(datagram) === 1) lookUp();
    },
    async close() {
      if (sending > 0) await new Promise<void>((resolve) => (onSent = resolve));
      socket?.close();
      socket = undefined;
    },
  };

  function lookUp(): void {
    lookup(host, { family: found?.family ?? 0 }, (error, address, addressFamily) => {
      // After a failure the old address is the best guess; without one, what waits is lost.
      if (error === null) found = { address, family: addressFamily };
      foundUntilMs = performance.now() + LOOKUP_MS;
      for (const datagram of waiting.splice(0)) sendNow(datagram);
    });
  }

  function sendNow(datagram: Uint8Array): void {
    if (found === undefined) sent();
    else socketOf(found.family).send(datagram, port, found.address, sent);
  }

  function socketOf(ofFamily: number): Socket {
    if (socket === undefined) {
      // The address is one already: the socket's own look-up, one per call, is left out.
      socket = createSocket({
        type: ofFamily === 6 ? 'udp6' : 'udp4',
        lookup: (address, _options, callback) => callback(null, address, ofFamily),
      });
      socket.on('error', () => {});
      socket.unref();
    }
    return socket;
  }
}
