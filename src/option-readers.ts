import { X509Certificate } from 'node:crypto';
import { isIP, isIPv6 } from 'node:net';

import { UNIX_PATH_BYTES_MAX } from './ingest/libc.ts';
import { hasTag } from './sinks/redis-script.ts';
import { readRedisGroup } from './sinks/redis-url.ts';

/** What options depend on beside what is given: the machine and the process. */
export interface Surroundings {
  hostName: string;
  pid: number;
  /** Returns the text of a file; throws where it cannot be read. */
  readText: (path: string) => string;
}

/** A reader of a text and what it expects, as an option's spec takes them. */
export interface Reading<Value> {
  readonly expected: string;
  /** Returns the value, or undefined if the text is not what is expected. */
  readonly read: (given: string) => Value | undefined;
}

/** One of a few words. */
export function oneOf<Value extends string>(
  ...values: Value[]
): Reading<Value> & { argument: string } {
  return {
    argument: values.join('|'),
    expected: `one of ${values.join(', ')}`,
    read: (given) => values.find((value) => value === given),
  };
}

/** A whole number in decimal digits. */
export function integer(min: number, max: number): Reading<number> {
  return {
    expected: `a whole number from ${min} to ${max}`,
    read(given) {
      const value = Number(given);
      return /^\d+$/.test(given) && value >= min && value <= max ? value : undefined;
    },
  };
}

/** A number of bytes, with a unit or without: `1GiB`, `500MB`, `1073741824`. */
export function size(minBytes: number): Reading<number> {
  return {
    expected: `a size from ${minBytes >> 20}MiB on, like 1GiB, 500MB or a number of bytes`,
    read(given) {
      const match = /^(\d{1,16})(?:([KMGT])(i?)B)?$/.exec(given);
      const power = ' KMGT'.indexOf(match?.[2] ?? ' ');
      const bytes = Number(match?.[1]) * (match?.[3] === 'i' ? 1024 : 1000) ** power;
      return bytes >= minBytes && Number.isSafeInteger(bytes) ? bytes : undefined;
    },
  };
}

/** A text of a certain form. */
export function text(expected: string, pattern: RegExp): Reading<string> {
  return { expected, read: (given) => (pattern.test(given) ? given : undefined) };
}

/** Reads an IP address; `localhost` is the IPv4 one. */
export function readHost(given: string): string | undefined {
  if (given === 'localhost') return '127.0.0.1';
  return isIP(given) === 0 ? undefined : given;
}

/**
 * Reads the URL of a Redis, with a host and at most a database number behind it, or of several
 * that stand for one.
 */
export function readRedisUrl(given: string): string | undefined {
  if (readRedisGroup(given) !== undefined) return given;
  const url = urlOf(given);
  if (url === undefined || !/^rediss?:$/.test(url.protocol) || url.hostname === '')
    return undefined;
  if (url.hostname.includes(',')) return undefined; // several are a cluster, or sentinels
  return /^(\/\d*)?$/.test(url.pathname) ? given : undefined;
}

/** Reads the name of a hash, with `{host}` and `{pid}` filled in. */
export function readCollection(given: string, { hostName, pid }: Surroundings): string | undefined {
  const name = given.replaceAll('{host}', hostName).replaceAll('{pid}', String(pid));
  const length = Buffer.byteLength(name);
  if (length < 1 || length > 512) return undefined;
  // Braces that form no tag would put a hash and its marker into different slots of a cluster.
  return /[{}]/.test(name) && !hasTag(name) ? undefined : name;
}

/** Reads the PEM file at a path and returns its text. */
export function readPem(path: string, { readText }: Surroundings): string | undefined {
  try {
    const pem = readText(path);
    void new X509Certificate(pem); // throws where there is none
    return pem;
  } catch {
    return undefined;
  }
}

/** Reads `off` (null), a port, or host and port; an IPv6 host in brackets. */
export function readListen(given: string): { host: string; port: number } | null | undefined {
  if (given === 'off') return null;
  const match = /^(?:(\[[^\]]+\]|[^:[\]]+):)?(\d{1,5})$/.exec(given);
  const host = readHost((match?.[1] ?? '127.0.0.1').replaceAll(/[[\]]/g, ''));
  const port = Number(match?.[2]);
  if (match === null || host === undefined || port > 65_535) return undefined;
  return match[1]?.startsWith('[') === true && !isIPv6(host) ? undefined : { host, port };
}

/** Reads `off` (null), or the path of a unix socket. */
export function readUnix(given: string): string | null | undefined {
  if (given === 'off') return null;
  const length = Buffer.byteLength(given);
  // What begins a line of its own would be a second endpoint on stdout.
  const isPath = length > 0 && length <= UNIX_PATH_BYTES_MAX && !/\p{Cc}/u.test(given);
  return isPath ? given : undefined;
}

/** Reads the rights of a file in octal digits: `0660`, `660`. */
export function readMode(given: string): number | undefined {
  return /^0?[0-7]{3}$/.test(given) ? Number.parseInt(given, 8) : undefined;
}

/** Takes the same as a number, which in a program is written `0o660`. */
export function modeOf(given: unknown): number | undefined {
  const isMode = Number.isInteger(given) && (given as number) >= 0 && (given as number) <= 0o777;
  return isMode ? (given as number) : undefined;
}

/** Reads a collector's name; an empty one is made from the host's. */
export function readInstance(
  given: string,
  { hostName }: Pick<Surroundings, 'hostName'>,
): string | undefined {
  if (given !== '') return /^[A-Za-z0-9_.-]{1,64}$/.test(given) ? given : undefined;
  return hostName.replaceAll(/[^A-Za-z0-9_.-]/g, '-').slice(0, 64) || 'statcol';
}

/** Returns a URL, or undefined where the text is none. */
export function urlOf(given: string): URL | undefined {
  return URL.canParse(given) ? new URL(given) : undefined;
}
