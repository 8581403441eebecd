import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

import type { createClient, RedisClientOptions } from 'redis';

import { errorText } from '../errors.ts';
import { inTime, type Time } from '../flush/time.ts';
import { isErrorReply, loadRedis } from './node-redis.ts';

/** How long a connection and a reply are awaited. */
export const REDIS_TIMEOUT_MS = 5000;

/** Where a Redis is and how to get in, in node-redis' own terms: `url`, or `socket` and the rest. */
export type RedisAddress = Pick<
  RedisClientOptions,
  'url' | 'socket' | 'username' | 'password' | 'database'
>;

/** What a link is made with. */
export interface RedisLinkOptions {
  address: RedisAddress;
  time: Time;
  /** Whether the connection does not keep the process alive; by default it does. */
  isBackground?: boolean;
  /** Most often {@link REDIS_TIMEOUT_MS}. */
  timeoutMs: number;
  /** How many bytes may come in reply to one call. */
  replyBytesMax: number;
  /** Called when the connection goes away between two calls. */
  onLost: (error: string) => void;
}

/** Sends a command and returns its reply, in time. */
export type Call = (args: string[]) => Promise<unknown>;

/**
 * One connection to Redis that is opened when it is needed. Calls may be made while others wait for
 * their replies, which come in order.
 */
export interface RedisLink {
  readonly connected: boolean;
  connect(): Promise<void>;
  /**
   * Sends a command and returns its reply, connecting first if need be. Rejects with Redis' own
   * error, which leaves the connection in order, or with what went wrong on the way, which costs
   * it: a late reply must never be taken for the reply to something else.
   */
  call(args: string[]): Promise<unknown>;
  /** Makes several calls over one and the same connection; otherwise as `call`. */
  session<Result>(work: (call: Call) => Promise<Result>): Promise<Result>;
  /** For good; what is under way rejects. */
  close(): void;
}

/**
 * Creates a link. Nothing is queued while it is away, and nothing reconnects by itself: whoever
 * calls decides when to try again.
 */
export function createRedisLink(options: RedisLinkOptions): RedisLink {
  const limit = { limitMs: options.timeoutMs, late: () => tooLate(options.timeoutMs) };
  let connection: Connection | undefined;
  let opening: Connection | undefined;
  let connecting: Promise<Connection> | undefined;
  let closed = false;

  return {
    get connected() {
      return connection !== undefined;
    },
    connect: async () => void (await connected()),
    call: (args) => session((call) => call(args)),
    session,
    close() {
      closed = true;
      opening?.destroy();
      if (connection !== undefined) lose(connection);
    },
  };

  async function session<Result>(work: (call: Call) => Promise<Result>): Promise<Result> {
    const over = await connected();
    try {
      return await work((args) => inTime(options.time, limit, over.call(args)));
    } catch (error) {
      if (isErrorReply(error)) throw error;
      lose(over);
      throw over.failure() ?? error;
    }
  }

  function connected(): Promise<Connection> {
    if (closed) return Promise.reject(isClosed());
    if (connection !== undefined) return Promise.resolve(connection);
    connecting ??= open().finally(() => (connecting = undefined));
    return connecting;
  }

  async function open(): Promise<Connection> {
    const redis = await loadRedis();
    if (closed) throw isClosed();
    const opened = openConnection(redis.createClient, options, (error) => {
      if (connection !== opened) return;
      lose(opened);
      options.onLost(errorText(error));
    });
    opening = opened;
    try {
      await inTime(options.time, limit, opened.ready);
      // Says NOAUTH or LOADING plainly; a long command without a password would just be cut off.
      await inTime(options.time, limit, opened.call(['PING']));
    } catch (error) {
      opened.destroy();
      throw opened.failure() ?? error;
    } finally {
      opening = undefined;
    }
    connection = opened;
    return opened;
  }

  function lose(over: Connection): void {
    if (connection === over) connection = undefined;
    over.destroy();
  }
}

interface Connection {
  readonly ready: Promise<unknown>;
  call(args: string[]): Promise<unknown>;
  /** What the connection died of: a call in flight is only told that it died. */
  failure(): Error | undefined;
  destroy(): void;
}

function isClosed(): Error {
  return new Error('the connection to redis is closed');
}

function openConnection(
  create: typeof createClient,
  { address, isBackground, timeoutMs, replyBytesMax }: RedisLinkOptions,
  onEnd: (error: Error) => void,
): Connection {
  const client = create({
    ...address,
    RESP: 2,
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    socket: { ...address.socket, connectTimeout: timeoutMs, reconnectStrategy: false },
  });
  if (isBackground === true) client.unref();
  let received = 0; // bytes since the last call
  let failure: Error | undefined;
  let isDestroyed = false;
  client.on('error', (error: Error) => {
    failure ??= error;
    onEnd(error);
  });
  // node-redis goes on to connect what was destroyed while it did.
  client.on('connect', () => {
    if (isDestroyed) client.destroy();
  });
  const [socket, ready] = capturingSocket(() => client.connect());
  socket?.on('data', (data: Buffer) => {
    received += data.length;
    if (received > replyBytesMax) {
      socket.destroy(new Error(`redis sent over ${replyBytesMax} bytes in reply to one call`));
    }
  });
  return {
    ready,
    call(args) {
      received = 0;
      return client.sendCommand<unknown>(args);
    },
    failure: () => failure,
    destroy() {
      if (isDestroyed) return;
      isDestroyed = true;
      client.destroy();
      // Not by node-redis, as long as it is connecting.
      socket?.destroy(new Error('the connection to redis was given up'));
    },
  };
}

/**
 * Runs `start`, which opens a TCP connection in its first synchronous step, and returns the socket
 * beside its result. node-redis does not show its socket, and its parser has no limit on a reply.
 * Undefined over TLS, where the peer has proven who it is.
 */
function capturingSocket<Result>(start: () => Result): [Socket | undefined, Result] {
  let captured: Socket | undefined;
  const onSocket = (message: unknown): void => {
    captured = (message as { socket: Socket }).socket;
  };
  subscribe('net.client.socket', onSocket);
  try {
    const result = start();
    return [captured, result];
  } finally {
    unsubscribe('net.client.socket', onSocket);
  }
}

/** Says that Redis did not answer. */
export function tooLate(timeoutMs: number): Error {
  return new Error(`redis did not answer within ${timeoutMs / 1000} s`);
}
