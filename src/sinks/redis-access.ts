import { inTime, type Time } from '../flush/time.ts';
import { loadRedis } from './node-redis.ts';
import { type RedisAddress, type RedisLinkOptions, tooLate } from './redis-link.ts';
import { openRoute, type RedisRoute } from './redis-route.ts';

/** What a store asks of Redis, over connections of its own or those of an application. */
export interface RedisAccess {
  readonly kind: RedisRoute['kind'];
  /** What it is called in the log. Holds no secret. */
  readonly label: string;
  readonly connected: boolean;
  /** Nothing can be sent any more, and nobody will mend that. */
  readonly closed: boolean;
  connect(): Promise<void>;
  /**
   * Runs a script where the first of its keys is. Rejects with Redis' own error, with what went
   * wrong on the way, or where too few replicas have confirmed it.
   */
  evaluate(script: string, keys: string[], args: string[]): Promise<unknown>;
  /** Returns fields and values in turns. */
  readHash(hash: string): Promise<string[]>;
  /** Returns a field's value, null where there is none. */
  readField(hash: string, field: string): Promise<string | null>;
  /** Returns how many fields there are. */
  countFields(hash: string): Promise<number>;
  /** Returns about how many unique members a HyperLogLog has. */
  countUnique(key: string): Promise<number>;
  close(): void;
}

/** What connections of our own are made with. */
export interface OwnRedisOptions {
  address: RedisAddress;
  time: Time;
  isBackground?: boolean;
  /** How long a connection and a reply are awaited. */
  timeoutMs: number;
  /** How many replicas must have what a script has written; none when absent. */
  replicas?: number;
  /** Called when the connection that chunks are sent over goes away between two of them. */
  onLost: (error: string) => void;
}

/** The longest honest reply to a chunk, a thousand gauges beyond reason, takes 340 kB. */
const APPLY_REPLY_BYTES_MAX = 1 << 20;
/** A million fields of a hundred bytes and more. */
const READ_REPLY_BYTES_MAX = 256 << 20;

/**
 * Creates access over connections of our own, to one Redis, a cluster or what sentinels watch: some
 * for chunks and some for reads, so that the reading of a large hash never keeps a chunk waiting
 * past its time.
 */
export function createOwnAccess(options: OwnRedisOptions): RedisAccess {
  const { timeoutMs, replicas = 0 } = options;
  loadRedis().catch(() => {}); // it will be needed in a moment; whoever connects is told
  const route = (replyBytesMax: number, onLost: RedisLinkOptions['onLost']): RedisRoute => {
    return openRoute({ ...options, replyBytesMax, onLost });
  };
  const chunks = route(APPLY_REPLY_BYTES_MAX, options.onLost);
  const reads = route(READ_REPLY_BYTES_MAX, () => {});
  // So that Redis has given up waiting before we give up Redis.
  const waitMs = Math.ceil(0.8 * timeoutMs);
  return {
    kind: chunks.kind,
    label: chunks.label,
    get connected() {
      return chunks.connected;
    },
    closed: false,
    connect: () => chunks.connect(),
    evaluate,
    readHash: (hash) => {
      return reads.session(hash, (call) => call(['HGETALL', hash])) as Promise<string[]>;
    },
    readField: (hash, field) => {
      return reads.session(hash, (call) => call(['HGET', hash, field])) as Promise<string | null>;
    },
    countFields: (hash) => {
      return reads.session(hash, (call) => call(['HLEN', hash])) as Promise<number>;
    },
    countUnique: (key) => {
      return reads.session(key, (call) => call(['PFCOUNT', key])) as Promise<number>;
    },
    close() {
      chunks.close();
      reads.close();
    },
  };

  async function evaluate(script: string, keys: string[], args: string[]): Promise<unknown> {
    const { reply, confirmed } = await chunks.session(keys[0]!, async (call) => ({
      reply: await call(['EVAL', script, String(keys.length), ...keys, ...args]),
      // It waits for what its own connection has written: a session has but one.
      confirmed:
        replicas === 0 ? 0 : Number(await call(['WAIT', String(replicas), String(waitMs)])),
    }));
    if (confirmed < replicas) throw notConfirmed(confirmed, replicas, waitMs);
    return reply;
  }
}

function notConfirmed(confirmed: number, replicas: number, waitMs: number): Error {
  return new Error(
    `${confirmed} of ${replicas} replicas had the chunk after ${waitMs / 1000} s; it is sent ` +
      'again until they have: see to the replicas, or lower --redis-wait',
  );
}

/**
 * A client of node-redis that belongs to an application, as much of it as is used: `createClient`,
 * `createClientPool` and `createCluster` give one, from version 4 on.
 */
export interface BorrowedClient {
  readonly isOpen: boolean;
  /** Absent where a client speaks over several connections. */
  readonly isReady?: boolean;
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

/** Some applications have told their client to give bytes. */
type Text = string | Buffer;

/**
 * Creates access over an application's client, which is never connected, closed or changed. It is
 * used through scripts alone: their replies are the same in both versions of Redis' protocol.
 * Nothing is sent while it is not connected, and no chunk while it has not answered for the one
 * before, so that nothing piles up in its queue.
 */
export function createBorrowedAccess(
  client: BorrowedClient,
  { time, timeoutMs }: { time: Time; timeoutMs: number },
): RedisAccess {
  const limit = { limitMs: timeoutMs, late: () => tooLate(timeoutMs) };
  let isAwaited = false;
  return {
    kind: 'redis',
    label: "redis (the application's client)",
    get connected() {
      return client.isOpen && client.isReady !== false;
    },
    get closed() {
      return !client.isOpen;
    },
    connect: () => Promise.resolve().then(checkConnected),
    async evaluate(script, keys, args) {
      checkConnected();
      if (isAwaited) throw tooLate(timeoutMs);
      isAwaited = true;
      const answer = client.eval(script, { keys, arguments: args });
      const settled = (): void => void (isAwaited = false);
      answer.then(settled, settled);
      return inTime(time, limit, answer);
    },
    async readHash(hash) {
      const reply = await run("return redis.call('HGETALL', KEYS[1])", [hash], []);
      return (reply as Text[]).map((one) => one.toString());
    },
    async readField(hash, field) {
      const script = "return redis.call('HGET', KEYS[1], ARGV[1])";
      return ((await run(script, [hash], [field])) as Text | null)?.toString() ?? null;
    },
    async countFields(hash) {
      return Number(await run("return redis.call('HLEN', KEYS[1])", [hash], []));
    },
    async countUnique(key) {
      return Number(await run("return redis.call('PFCOUNT', KEYS[1])", [key], []));
    },
    close: () => {},
  };

  function checkConnected(): void {
    if (!client.isOpen) throw new Error("the application's client is closed: call its connect()");
    if (client.isReady === false) throw new Error("the application's client is not connected");
  }

  async function run(script: string, keys: string[], args: string[]): Promise<unknown> {
    checkConnected();
    return inTime(time, limit, client.eval(script, { keys, arguments: args }));
  }
}
