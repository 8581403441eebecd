import { isIPv6 } from 'node:net';

import type { OnPacket } from './pipeline.ts';

/** What every receiver of datagrams is told. */
export interface ReceiverOptions {
  /** An IPv4 or IPv6 address. */
  host: string;
  /** 0 takes a free port. */
  port: number;
  /** The receive buffer to ask the kernel for; it may grant less. */
  receiveBufferBytes: number;
  sharing: Sharing;
  /** A socket that is bound already, to go on with: then host, port and buffer say nothing. */
  adopt?: Descriptors | undefined;
  /**
   * The path of a unix socket, which is to be adopted: then its senders have no address, and its
   * kernel makes them wait where it would drop.
   */
  path?: string | undefined;
  /** Called for each datagram, up to 65,536 bytes. The bytes may be kept by nobody. */
  onPacket: OnPacket;
  /** Called in its place for the first 65,536 bytes of one that was longer, as none over UDP is. */
  onCut?: OnPacket | undefined;
}

/**
 * Whether the port is for one socket, or several take turns by who sends (`SO_REUSEPORT`). Sockets
 * that all ask for it before they are bound share a port with anybody, in silence: so the `first`
 * one sees to it that the port was free, and only then lets the `next` ones in.
 */
export type Sharing = 'alone' | 'first' | 'next';

/** Numbers of files of the process, which no thread owns. */
export interface Descriptors {
  readonly socketFd: number;
  /** Wakes who sleeps over the socket, by 8 bytes written to it. */
  readonly wakeFd: number;
}

/** Ways of receiving. */
export type ReceiverKind = 'dgram' | 'recvmmsg';

/** What to receive with; `auto`: the fastest there is. */
export type ReceiverChoice = 'auto' | ReceiverKind;

/** A bound socket whose datagrams are handed to `onPacket`. One form per way of receiving. */
export interface Receiver {
  /** Its name, as it stands in `/api/vitals`. */
  readonly kind: ReceiverKind;
  readonly address: string;
  readonly port: number;
  /** Where it is read beside the event loop. Whoever opened the receiver closes them, last of all. */
  readonly descriptors: Descriptors | undefined;
  /** Whether others may bind the same port beside it. */
  readonly isShared: boolean;
  /** The receive buffer that was granted, as the kernel counts it. */
  readonly receiveBufferBytes: number;
  /**
   * Who sent the datagram being handed over: `127.0.0.1:40001`. Empty where that was not asked for,
   * since so much comes; asking sees to it that it is known of the next ones.
   */
  source(): string;
  /**
   * Hands over what lies in the socket when it is called, then calls `then`; before it returns,
   * where it can. So whoever knows that something was sent finds it in what was read by then. Where
   * there is more, it ends with {@link READ_FIRST_MAX} datagrams, or a few beyond that.
   */
  readFirst(then: () => void): void;
  /**
   * Reads on until what lay in the socket when it was called has been handed over: on Linux until
   * its queue was seen empty once, elsewhere until 50 ms passed without a datagram.
   * What comes after the call is refused. Returns false if the deadline came before.
   */
  drain(timeoutMs: number): Promise<boolean>;
  /**
   * Datagrams that the kernel threw away so far; null where it does not tell. With `dgram` it tells
   * by address: then it is the number of all sockets that share the port.
   */
  kernelDrops(): number | null;
  close(): void;
}

/** So many datagrams of a flood are read before a flip is answered: a few milliseconds of work. */
export const READ_FIRST_MAX = 2048;

/** Opens a socket and starts to receive. Rejects with the system's error where it cannot bind. */
export type OpenReceiver = (options: ReceiverOptions) => Promise<Receiver>;

/**
 * The port of a peer that sends nothing. A receiver that is drained connects to it, which makes the
 * kernel refuse what comes from then on, as it does once a socket is closed, while what it holds
 * can still be read: a datagram that came between the last look and the close would be lost
 * without a trace. A connected socket takes datagrams from its peer alone. Source: RFC 863.
 */
export const MUTE_PORT = 9;

/** Returns the host of that peer for a socket bound to an address. */
export function muteHost(address: string): string {
  return isIPv6(address) ? '::1' : '127.0.0.1';
}
