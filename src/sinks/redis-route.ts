import { createClusterRoute } from './redis-cluster.ts';
import { type Call, createRedisLink, type RedisLinkOptions } from './redis-link.ts';
import { createSentinelRoute } from './redis-sentinel.ts';
import { groupLabel, type RedisGroup, readRedisGroup } from './redis-url.ts';

/**
 * The way to the server that has a key: always to that one, to the master that sentinels name, or
 * to a master of a cluster. Like a link it queues nothing, and goes nowhere unless it is asked to.
 */
export interface RedisRoute {
  readonly kind: 'redis' | RedisGroup['kind'];
  /** What it is called in the log. Holds no secret. */
  readonly label: string;
  readonly connected: boolean;
  connect(): Promise<void>;
  /** Makes calls over one and the same connection to the master that has a key. */
  session<Result>(key: string, work: (call: Call) => Promise<Result>): Promise<Result>;
  /** Makes calls to every master, one master after the other. */
  everywhere(work: (call: Call) => Promise<void>): Promise<void>;
  /** Gives up everything that is open or under way, which rejects. A later call opens anew. */
  close(): void;
}

/**
 * Creates the route that an address asks for: the URL of one Redis, of a cluster or of sentinels.
 *
 * Clusters and sentinels are followed here, and not by `createCluster` and `createSentinel` of
 * node-redis: those keep sockets and go on connecting after they were destroyed while they look
 * for servers, give no hold on the connection that a redirected command went over, which WAIT is
 * about, and no limit on a reply. What is left of them is little: whom to ask, and whom then.
 */
export function openRoute(options: RedisLinkOptions): RedisRoute {
  const { url } = options.address;
  const group = url === undefined ? undefined : readRedisGroup(url);
  if (group?.kind === 'redis-cluster') return createClusterRoute(group, options);
  if (group?.kind === 'redis-sentinel') return createSentinelRoute(group, options);
  let link = createRedisLink(options);
  return {
    kind: 'redis',
    label: `redis ${hostOf(options.address)}`,
    get connected() {
      return link.connected;
    },
    connect: () => link.connect(),
    session: (_key, work) => link.session(work),
    everywhere: (work) => link.session(work),
    close() {
      link.close();
      link = createRedisLink(options);
    },
  };
}

/** Returns where a Redis is, without user and password. */
export function hostOf({ url, socket }: RedisLinkOptions['address']): string {
  const group = url === undefined ? undefined : readRedisGroup(url);
  if (group !== undefined) return groupLabel(group).replace(/^redis /, '');
  if (url !== undefined) return new URL(url).host;
  const { host = '127.0.0.1', port = 6379, path } = { ...socket } as Record<string, unknown>;
  return typeof path === 'string' ? path : `${String(host)}:${String(port)}`;
}
