import type { Endpoints } from '../collector-types.ts';
import { hostPort } from '../ingest/address.ts';
import type { OptionSpec } from '../option-spec.ts';
import type { Options } from '../option-types.ts';
import { addressOf, readRedisGroup } from '../sinks/redis-url.ts';
import { oneLine } from './answers.ts';

/** Stands for what is not shown. */
const HIDDEN = '***';

/**
 * Returns the options as they are in force, a line each, named as in a program: the answer to
 * `config`. Of secrets is only shown that they are there; where any free port was asked for, the
 * one that was taken.
 *
 *     port: 8125          redis: redis://***@127.0.0.1:6379     trap: https://broker:43191/***
 *     tcp: off            httpToken: ***                        trapCa: given
 */
export function optionsText(
  specs: readonly OptionSpec[],
  options: Options,
  endpoints: Partial<Endpoints>,
): string {
  const bound = boundTo(endpoints);
  return specs
    .map((spec) => `${spec.key}: ${oneLine(bound.get(spec.key) ?? shown(spec, options))}\n`)
    .join('');
}

/** Where it listens, as options say it. */
function boundTo({ udp, ...others }: Partial<Endpoints>): Map<string, string> {
  const bound = new Map<string, string>();
  const port = /\d+$/.exec(udp ?? '');
  if (port !== null) bound.set('port', port[0]);
  for (const [key, url] of Object.entries(others)) {
    const address = /^\w+:\/\/([^/]+:\d+)\/?$/.exec(url ?? '')?.[1];
    if (address !== undefined) bound.set(key, address);
  }
  return bound;
}

function shown({ key, secret }: OptionSpec, options: Options): string {
  const value = options[key];
  if (value === undefined) return 'none';
  if (value === null) return 'off';
  if (secret === 'all') return HIDDEN;
  if (secret === 'url') return shownUrl(value as string);
  if (key === 'trapCa') return 'given'; // a file's whole text
  if (key === 'unixMode') return `0${Number(value).toString(8).padStart(3, '0')}`;
  if (Array.isArray(value)) return value.join(',');
  return typeof value === 'object' && 'host' in value
    ? hostPort(value.host, value.port)
    : `${value as string | number}`;
}

/**
 * Returns a URL without what may be secret in it: user and password, what is behind a `?`, and the
 * path of a trap. What is left of Redis' is the hosts, the master's name and the database.
 */
function shownUrl(text: string): string {
  const scheme = text.slice(0, text.indexOf('://') + 3);
  const access = text.includes('@') ? `${HIDDEN}@` : '';
  const group = readRedisGroup(text);
  if (group !== undefined) {
    const { seeds, name, access: found } = group;
    const database = found.database === undefined ? '' : `/${found.database}`;
    const hosts = seeds.map(addressOf).join(',');
    return `${scheme}${access}${hosts}${name === '' ? '' : `/${name}`}${database}`;
  }
  const { host, pathname, search, protocol } = new URL(text);
  const isRedis = protocol.startsWith('redis');
  const path = isRedis || pathname === '/' ? pathname : `/${HIDDEN}`;
  return `${scheme}${access}${host}${path}${search === '' ? '' : `?${HIDDEN}`}`;
}
