import { createClient } from 'redis';

import { Stats, type StatsOptions } from '../../src/index.ts';
import { type RedisServer, startRedis } from './redis-server.ts';

/** Where a stats buffer may write to. */
export const PLACES = ['a Redis by URL', "the application's client", 'memory'] as const;

/** A client of node-redis, as an application makes one. */
export type Client = ReturnType<typeof createClient>;

/** One of {@link PLACES}, ready to be used. */
export interface Place {
  /** What `new Stats` takes as `redis`. */
  readonly redis: StatsOptions['redis'];
  /** Its server, with an append-only file; memory has none. */
  readonly server: RedisServer | undefined;
  /** The application's client, where it is that. */
  readonly client: Client | undefined;
  /** A module's lines that define `redis`, connected, and `quit`, which ends it. */
  readonly program: string;
  /** Creates a stats buffer that writes to it, by default when told to alone. */
  stats(options?: StatsOptions): Stats;
  /** Returns a hash as it was written: from Redis itself, or what is read of a memory. */
  hash(stats: Stats, name: string): Promise<Record<string, string>>;
  /** Stops what was created, and forgets all data. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** Opens a place, with a server of its own. */
export async function openPlace(name: (typeof PLACES)[number]): Promise<Place> {
  const server = name === 'memory' ? undefined : await startRedis(...SAFE);
  const client =
    name === "the application's client" ? await connectClient(server!.port) : undefined;
  const redis = client ?? server?.url;
  const created: Stats[] = [];

  return {
    redis,
    server,
    client,
    program: programOf(server?.url, client !== undefined),
    stats(options = {}) {
      const place = redis === undefined ? {} : { redis };
      const stats = new Stats({ ...place, writeFrequency: 0, onLog: () => {}, ...options });
      created.push(stats);
      return stats;
    },
    async hash(stats, hash) {
      if (server !== undefined) return Object.fromEntries(await server.hash(hash));
      return { ...(await stats.getAll([hash]))[hash] };
    },
    async clear() {
      await Promise.all(created.splice(0).map((stats) => stats.stop()));
      await server?.command('FLUSHALL');
    },
    async close() {
      client?.destroy();
      await server?.stop();
    },
  };
}

/** Arguments of a server that loses nothing when it is killed. */
export const SAFE = ['--appendonly', 'yes', '--appendfsync', 'always'];

/** Connects a client that comes back by itself, quickly. */
export async function connectClient(port: number): Promise<Client> {
  const client: Client = createClient({ socket: { port, reconnectStrategy: 5 } });
  client.on('error', () => {}); // it goes with its server, and comes back
  await client.connect();
  return client;
}

/** A client, and what is asked of it. */
export interface WatchedClient {
  readonly client: Client;
  /** How many statements it had not answered yet, at most. */
  readonly statementsMax: number;
  /** How many statements it was given while it was not connected. */
  readonly whileAway: number;
}

/** Watches what a client is given to do; it does it all the same. */
export function watchClient(client: Client): WatchedClient {
  let statements = 0;
  let statementsMax = 0;
  let whileAway = 0;
  const evaluate = client.eval.bind(client);
  const watched = async (...given: Parameters<typeof evaluate>): Promise<unknown> => {
    statementsMax = Math.max(statementsMax, ++statements);
    if (!client.isReady) whileAway++;
    try {
      return await evaluate(...given);
    } finally {
      statements--;
    }
  };
  Object.assign(client, { eval: watched });
  return {
    client,
    get statementsMax() {
      return statementsMax;
    },
    get whileAway() {
      return whileAway;
    },
  };
}

/** Resolves when a client is connected, be it again. */
export async function untilReady(client: Client | undefined): Promise<void> {
  if (client?.isReady === false)
    await new Promise<void>((resolve) => client.once('ready', resolve));
}

/** Resolves when a client has noticed that its server is gone. */
export async function untilAway(client: Client | undefined): Promise<void> {
  if (client?.isReady !== true) return;
  await new Promise<void>((resolve) => client.once('reconnecting', resolve));
}

/** Writes until all that was counted is written: a try that began before may have failed. */
export async function writeAll(stats: Stats): Promise<void> {
  while (stats.vitals().pending > 0) {
    await stats.write().catch(() => {});
    await new Promise(setImmediate);
  }
}

/** Resolves when all that was counted is written, by itself. */
export async function drained(stats: Stats): Promise<void> {
  while (stats.vitals().pending > 0) await new Promise(setImmediate);
}

function programOf(url: string | undefined, isClient: boolean): string {
  const own = `const redis = ${JSON.stringify(url) ?? 'undefined'}; const quit = () => {};`;
  if (!isClient) return own;
  return `
    import { createClient } from 'redis';
    const redis = createClient({ url: ${JSON.stringify(url)} });
    await redis.connect();
    const quit = () => redis.close();`;
}
