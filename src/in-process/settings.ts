import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { hostname } from 'node:os';

import { ErrorCode, StatcolError } from '../errors.ts';
import {
  integer,
  type Reading,
  readCollection,
  readRedisUrl,
  type Surroundings,
  text,
} from '../option-readers.ts';
import { membersOf, readValues } from '../options.ts';
import type { ValueSpec } from '../option-spec.ts';
import type { BorrowedClient } from '../sinks/redis-access.ts';
import type { RedisAddress } from '../sinks/redis-link.ts';
import type { StoreChoice } from './counting.ts';

/**
 * Reads a configuration: a plain object of known members.
 *
 * @param path where it stands, put before its members' names in a fault: `queryCounter.`.
 * @throws {StatcolError} `ERR_OPTIONS`, listing every fault.
 */
export function readSettings(
  specs: readonly ValueSpec[],
  given: unknown,
  path = '',
): Record<string, unknown> {
  if (!isPlainObject(given)) {
    const faults = [
      `expected an object of settings${path === '' ? '' : ` for ${path.slice(0, -1)}`}`,
    ];
    throw new StatcolError(ErrorCode.ERR_OPTIONS, faults.join('; '), { faults });
  }
  const all = membersOf(given, path);
  for (const { key, required } of specs) {
    if (required !== true || all[key]?.value !== undefined) continue;
    all[key] = { value: '', from: `\`${path}${key}\`` };
  }
  return readValues(specs, all, around());
}

function around(): Surroundings {
  return { hostName: hostname(), pid: process.pid, readText: () => '' };
}

/** `queryCounter`, in quotes as in a fault → queryCounter. */
function insideOf(from: string): string {
  return `${from.replaceAll('`', '')}.`;
}

/** A spec of a value that is no text. */
export function valueSpec(
  key: string,
  expected: string,
  readValue: (value: unknown, from: string) => unknown,
  secret?: 'all' | 'url',
): ValueSpec {
  const read = (): undefined => undefined;
  return { key, fallback: undefined, expected, read, readValue, ...(secret ? { secret } : {}) };
}

/** A spec of an object whose members have specs of their own. */
export function nestedSpec(
  key: string,
  expected: string,
  specs: readonly ValueSpec[],
  make: (settings: never) => unknown = (settings) => settings,
): ValueSpec {
  const read = (value: unknown, from: string): unknown => {
    if (!isPlainObject(value)) return undefined;
    return make(readSettings(specs, value, insideOf(from)) as never);
  };
  // In its place somebody may have put a URL, with all that it holds.
  return valueSpec(key, expected, read, 'all');
}

/** True or false. */
export function flagSpec(key: string): ValueSpec {
  const read = (value: unknown): unknown => (typeof value === 'boolean' ? value : undefined);
  return valueSpec(key, 'true or false', read);
}

/** A function. */
export function functionSpec(key: string): ValueSpec {
  const read = (value: unknown): unknown => (typeof value === 'function' ? value : undefined);
  return valueSpec(key, 'a function', read);
}

/** How long a last flush may take. */
export const STOP_TIMEOUT: ValueSpec = {
  key: 'stopTimeout',
  fallback: '10000',
  ...integer(0, 600_000),
};

/** How many names may be in use at once. */
export function maxKeysSpec(fallback: number): ValueSpec {
  return { key: 'maxKeys', fallback: String(fallback), ...integer(1, 16_000_000) };
}

/** The hashes of a stats buffer; none is allowed. */
export const KEYS: ValueSpec = valueSpec(
  'keys',
  'a list of names of hashes, each of 1 to 512 bytes; { and } only as a {tag}',
  (value) => {
    if (!Array.isArray(value)) return undefined;
    const names = value.map((one: unknown) => {
      return typeof one === 'string' ? readCollection(one, around()) : undefined;
    });
    return names.includes(undefined) ? undefined : names;
  },
);

/** A host's name or address. */
export const HOST: Reading<string> & Pick<ValueSpec, 'secret'> = {
  expected: 'the name or address of a host',
  secret: 'url',
  read: (given) => (isIP(given) !== 0 || isHostName(given) ? given : undefined),
};

/** Labels of letters, digits, `-` and `_`; the last not a number, which would be an address. */
function isHostName(given: string): boolean {
  const labels = given.replace(/\.$/, '').split('.');
  const areLabels = labels.every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label));
  return areLabels && given.length <= 253 && !/^\d+$/.test(labels.at(-1) ?? '');
}

/** A TCP port. */
export const TCP_PORT: Reading<number> = integer(1, 65_535);

const REDIS_OPTIONS: readonly ValueSpec[] = [
  { key: 'username', fallback: undefined, ...text('a text', /^/) },
  { key: 'password', fallback: undefined, secret: 'all', ...text('a text', /^/) },
  { key: 'database', fallback: undefined, ...integer(0, 1_000_000) },
  valueSpec(
    'socket',
    "node-redis' socket options (`tls`, `ca`, `cert`, `key`, `servername`…) beside host and port; verification is never switched off: give a private CA with `ca`",
    readSocketOptions,
    'all',
  ),
];

const REDIS_CONFIG: readonly ValueSpec[] = [
  { key: 'host', fallback: '127.0.0.1', ...HOST },
  { key: 'port', fallback: '6379', ...TCP_PORT },
  nestedSpec('options', "an object of node-redis' options", REDIS_OPTIONS),
];

/** A Redis: its URL, `{host, port, options}`, or an application's client. Absent: memory. */
export function redisSpec(key: string): ValueSpec {
  const expected =
    'redis://[user:password@]host[:port][/database], rediss://…, {host, port, options}, or a client of node-redis 4 or newer (not in legacyMode)';
  return valueSpec(key, expected, readStoreChoice, 'url');
}

function readStoreChoice(value: unknown, from: string): StoreChoice | undefined {
  if (typeof value === 'string') {
    const url = readRedisUrl(value);
    return url === undefined ? undefined : { kind: 'own', address: { url } };
  }
  if (isBorrowedClient(value)) return { kind: 'borrowed', client: value };
  if (!isPlainObject(value)) return undefined;
  const { host, port, options } = readSettings(
    REDIS_CONFIG,
    value,
    insideOf(from),
  ) as unknown as RedisConfig;
  const { socket, ...rest } = options ?? {};
  return { kind: 'own', address: { ...rest, socket: { ...socket, host, port } } };
}

/** What {@link REDIS_CONFIG} reads. */
interface RedisConfig {
  host: string;
  port: number;
  options: Omit<RedisAddress, 'url'> | undefined;
}

function readSocketOptions(value: unknown): object | undefined {
  if (!isPlainObject(value)) return undefined;
  const isVerified = (value as Record<string, unknown>)['rejectUnauthorized'] !== false;
  const isOurs = ['checkServerIdentity', 'host', 'port', 'path'].some((key) => key in value);
  return isVerified && !isOurs ? value : undefined;
}

/** The PEM text of a certificate. */
export const CA: ValueSpec = valueSpec(
  'ca',
  'the PEM text of a certificate',
  readCertificate,
  'all',
);

function readCertificate(value: unknown): unknown {
  const pem = value instanceof Uint8Array ? Buffer.from(value).toString() : value;
  try {
    void new X509Certificate(pem as string); // throws where there is none
    return pem;
  } catch {
    return undefined;
  }
}

function isBorrowedClient(value: unknown): value is BorrowedClient {
  const client = value as Partial<BorrowedClient> | null | undefined;
  if (typeof client?.eval !== 'function' || typeof client.isOpen !== 'boolean') return false;
  // In the legacy mode of version 4 a client takes callbacks, and dies of what else it is given.
  return (client as { options?: { legacyMode?: unknown } }).options?.legacyMode !== true;
}

/** Not a URL, a Map or another of a class: its members would be none that are meant. */
function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
