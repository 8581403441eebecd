import type { RedisAddress } from './redis-link.ts';

/** A host, without brackets, and a port. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Several servers that stand for one Redis: a cluster, or those that sentinels watch. */
export interface RedisGroup {
  readonly kind: 'redis-cluster' | 'redis-sentinel';
  /** Nodes of the cluster, or the sentinels: where one begins to ask. */
  readonly seeds: readonly HostPort[];
  /** What the sentinels call the master; empty for a cluster. */
  readonly name: string;
  /** How to get into the servers that hold the data, wherever they are. */
  readonly access: Pick<RedisAddress, 'username' | 'password' | 'database'>;
  readonly isTls: boolean;
}

const GROUP =
  /^(rediss?)\+(cluster|sentinel):\/\/(?:([^@/?#:]*)(?::([^@/?#]*))?@)?([^@/?#]+)(?:\/([^?#]*))?$/;
const SEED = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9_.-]+))(?::(\d{1,5}))?$/;
/** What Redis itself allows, and a database behind it. */
const NAME = /^([A-Za-z0-9._-]+)(?:\/(\d{1,9}))?$/;
const DEFAULT_PORTS = { cluster: 6379, sentinel: 26_379 };

/**
 * Reads `redis+cluster://[user:password@]host:port,…` or
 * `redis+sentinel://[user:password@]host:port,…/name[/database]`, or either with `rediss+`; returns
 * undefined where the text is neither. Not with `URL`, which knows no list of hosts.
 */
export function readRedisGroup(text: string): RedisGroup | undefined {
  const [, scheme, form, username, password, hosts, path] = GROUP.exec(text) ?? [];
  if (form !== 'cluster' && form !== 'sentinel') return undefined;
  const seeds = hosts!.split(',').map((one) => readSeed(one, DEFAULT_PORTS[form]));
  if (!seeds.every((one) => one !== undefined)) return undefined;
  const [, name = '', database] = NAME.exec(path ?? '') ?? [];
  // A sentinel knows its masters by name; a cluster has no name, and no databases.
  if (form === 'cluster' ? (path ?? '') !== '' : name === '') return undefined;
  try {
    return {
      kind: `redis-${form}`,
      seeds,
      name,
      access: {
        ...(username ? { username: decodeURIComponent(username) } : {}),
        ...(password ? { password: decodeURIComponent(password) } : {}),
        ...(database === undefined ? {} : { database: Number(database) }),
      },
      isTls: scheme === 'rediss',
    };
  } catch {
    return undefined; // a % that is no code of a character
  }
}

function readSeed(text: string, defaultPort: number): HostPort | undefined {
  const [, ipv6, host = ipv6, digits] = SEED.exec(text) ?? [];
  const port = digits === undefined ? defaultPort : Number(digits);
  if (host === undefined || port < 1 || port > 65_535) return undefined;
  return ipv6 === undefined || URL.canParse(`redis://[${ipv6}]`) ? { host, port } : undefined;
}

/** Returns where a group's servers are, without user and password. */
export function groupLabel({ kind, seeds, name }: RedisGroup): string {
  const hosts = seeds.map(addressOf).join(',');
  return kind === 'redis-cluster' ? `redis cluster ${hosts}` : `redis sentinel ${hosts}/${name}`;
}

/** Returns `host:port`. */
export function addressOf({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Returns how a server of a group is reached, for which one must get in. */
export function memberAddress(
  { access, isTls }: RedisGroup,
  { host, port }: HostPort,
): RedisAddress {
  return { ...access, socket: isTls ? { host, port, tls: true } : { host, port } };
}

/** Returns how a sentinel is reached: without the servers' password, which is none of its business. */
export function sentinelAddress({ isTls }: RedisGroup, { host, port }: HostPort): RedisAddress {
  return { socket: isTls ? { host, port, tls: true } : { host, port } };
}
