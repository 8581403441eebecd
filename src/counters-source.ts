import { ErrorCode, errorText, StatcolError } from './errors.ts';
import {
  createLayout,
  gaugeHash,
  type LayoutName,
  type Place,
  TOTAL_FIELD,
} from './flush/layout.ts';
import { systemTime } from './flush/time.ts';
import { sanitise } from './protocol/names.ts';
import { pairsOf } from './sinks/redis.ts';
import { REDIS_TIMEOUT_MS } from './sinks/redis-link.ts';
import { hostOf, openRoute, type RedisRoute } from './sinks/redis-route.ts';

/** Fields and values of a hash, in order. */
export type Fields = [field: string, value: string][];

/** Where counters are read from. */
export interface SourceOptions {
  /** Read Redis itself; else the collector at `http`. */
  redis: string | undefined;
  /** The URL of a running collector. */
  http: string;
  httpToken: string | undefined;
  /** Undefined: what the collector shows, or `statcol:stats`. */
  collection: string | undefined;
  layout: LayoutName;
}

const DEFAULT_COLLECTION = 'statcol:stats';
const TIMEOUT_MS = 5000;
const REPLY_BYTES_MAX = 256 << 20;

/**
 * Returns every hash and its fields.
 *
 * @throws {StatcolError} `ERR_SOURCE` if Redis or the collector does not give them.
 */
export async function readCounters(options: SourceOptions): Promise<[hash: string, Fields][]> {
  if (options.redis === undefined) return readFromCollector('counters', options);
  const collection = options.collection ?? DEFAULT_COLLECTION;
  return withRedis(options.redis, async (route) => {
    const hashes = options.layout === 'flat' ? [collection] : await scan(route, collection);
    const ofGauges = options.layout === 'flat' ? -1 : hashes.indexOf(gaugeHash(collection));
    if (ofGauges >= 0) hashes.splice(ofGauges, 1);
    const found: [string, Fields][] = [];
    for (const hash of hashes) {
      const reply = await route.session(hash, (call) => call(['HGETALL', hash]));
      found.push([hash, pairsOf(reply as string[])]);
    }
    return found;
  });
}

/**
 * Returns every collection and its gauges; none where they are of another type.
 *
 * @throws {StatcolError} as {@link readCounters}.
 */
export async function readGauges(
  options: SourceOptions,
): Promise<[collection: string, gauges: Fields][]> {
  if (options.redis === undefined) return readFromCollector('gauges', options);
  const collection = options.collection ?? DEFAULT_COLLECTION;
  const hash = gaugeHash(collection);
  return withRedis(options.redis, async (route) => {
    const reply = await route.session(hash, (call) => call(['HGETALL', hash])).catch(noneOfType);
    return [[collection, pairsOf(reply as string[])]];
  });
}

function noneOfType(error: unknown): string[] {
  if (errorText(error).startsWith('WRONGTYPE')) return [];
  throw error;
}

/**
 * Returns the value of a counter, or else of a gauge of that name; `0` if there was never either. A
 * name that is not found as it is written is looked for as either of `--names` would have made it.
 *
 * @throws {StatcolError} as {@link readCounters}.
 */
export async function readCounter(name: string, options: SourceOptions): Promise<string> {
  if (options.redis !== undefined) {
    return withRedis(options.redis, async (route) => {
      const layout = createLayout(options.layout, [options.collection ?? DEFAULT_COLLECTION]);
      const read = (hash: string, field: string): Promise<unknown> =>
        route.session(hash, (call) => call(['HGET', hash, field]));
      return (await find(name, layout.place, read)) ?? find(name, layout.placeGauge, read);
    }).then((value) => value ?? '0');
  }
  const counters = await readFromCollector('counters', options);
  // With --layout split what a collector shows first is not the collection but a hash of it.
  const shown = options.layout === 'flat' ? counters[0]?.[0] : undefined;
  const collection = options.collection ?? shown ?? DEFAULT_COLLECTION;
  const { place } = createLayout(options.layout, [collection]);
  const counter = await find(name, place, (hash, field) => fieldOf(counters, hash, field));
  if (counter !== undefined) return counter;
  const gauges = await readFromCollector('gauges', options);
  const hash = options.collection ?? gauges[0]?.[0] ?? DEFAULT_COLLECTION;
  const placeGauge = (field: string): Place[] => [{ hash, field }];
  return (await find(name, placeGauge, (of, field) => fieldOf(gauges, of, field))) ?? '0';
}

function fieldOf(hashes: [string, Fields][], hash: string, field: string): string | undefined {
  return hashes.find(([one]) => one === hash)?.[1].find(([one]) => one === field)?.[1];
}

/** Looks for a name under each spelling it may have; `read` gives a text where there is one. */
async function find(
  name: string,
  place: (name: string) => Place[],
  read: (hash: string, field: string) => unknown,
): Promise<string | undefined> {
  for (const spelling of new Set([name, sanitise(name, 'statsd'), sanitise(name, 'keep')])) {
    const [first] = place(spelling);
    const value = await read(first!.hash, first!.field ?? TOTAL_FIELD);
    if (typeof value === 'string') return value;
  }
  return undefined;
}

async function readFromCollector(
  what: 'counters' | 'gauges',
  options: SourceOptions,
): Promise<[string, Fields][]> {
  const { origin } = new URL(options.http);
  const abort = new AbortController();
  // Not AbortSignal.timeout: it does not keep the process, and so not the answer, alive.
  const timer = setTimeout(() => abort.abort(new Error('no answer in time')), TIMEOUT_MS);
  let hashes: [string, Fields][];
  try {
    const response = await fetch(`${origin}/api/${what}`, {
      headers:
        options.httpToken === undefined ? {} : { Authorization: `Bearer ${options.httpToken}` },
      signal: abort.signal,
      redirect: 'error',
    });
    const text = await response.text();
    if (response.status === 401) {
      throw new StatcolError(ErrorCode.ERR_SOURCE, `${origin} wants its token: give --http-token`);
    }
    if (!response.ok) throw new Error(`it answered ${response.status}: ${text.slice(0, 300)}`);
    hashes = parseCounters(text);
  } catch (error) {
    if (error instanceof StatcolError) throw error;
    const cause = (error as Error).cause ?? error;
    throw new StatcolError(
      ErrorCode.ERR_SOURCE,
      `no ${what} from ${origin}: ${errorText(cause)}; is a collector running there? ` +
        'Name another with --http, or read Redis with --redis',
      { cause },
    );
  } finally {
    clearTimeout(timer);
  }
  return hashes.filter(
    ([hash]) => options.collection === undefined || hash.startsWith(options.collection),
  );
}

/** Reads `/api/counters` or `/api/gauges` without losing digits beyond 2^53, which `JSON.parse` alone would. */
function parseCounters(text: string): [string, Fields][] {
  const quoted = text.replaceAll(/("(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?)/g, (_, string, digits) =>
    string === undefined ? `"${digits as string}"` : (string as string),
  );
  const all = JSON.parse(quoted) as unknown;
  if (!isObject(all)) throw new Error('what it answered are none');
  return Object.entries(all).map(([hash, fields]) => {
    if (!isObject(fields)) throw new Error('what it answered are none');
    return [hash, Object.entries(fields).map(([field, value]) => [field, String(value)])];
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function scan(route: RedisRoute, prefix: string): Promise<string[]> {
  const pattern = `${prefix.replaceAll(/[*?[\]\\]/g, String.raw`\$&`)}*`;
  const how = ['MATCH', pattern, 'COUNT', '1000', 'TYPE', 'hash'];
  const found = new Set<string>();
  await route.everywhere(async (call) => {
    let cursor = '0';
    do {
      const [next, keys] = (await call(['SCAN', cursor, ...how])) as [string, string[]];
      for (const key of keys) found.add(key);
      cursor = next;
    } while (cursor !== '0');
  });
  return [...found].toSorted();
}

async function withRedis<Result>(
  url: string,
  work: (route: RedisRoute) => Promise<Result>,
): Promise<Result> {
  const route = openRoute({
    address: { url },
    time: systemTime(),
    timeoutMs: REDIS_TIMEOUT_MS,
    replyBytesMax: REPLY_BYTES_MAX,
    onLost: () => {},
  });
  try {
    return await work(route);
  } catch (cause) {
    throw new StatcolError(
      ErrorCode.ERR_SOURCE,
      `no counters from redis ${hostOf({ url })}: ${errorText(cause)}`,
      { cause },
    );
  } finally {
    route.close();
  }
}
