import { type Fields, readFromCollector } from './collector-source.ts';
import { ErrorCode, errorText, StatcolError } from './errors.ts';
import {
  createLayout,
  gaugeHash,
  type LayoutName,
  type Place,
  TOTAL_FIELD,
} from './flush/layout.ts';
import { dayOf } from './flush/set-book.ts';
import { systemTime } from './flush/time.ts';
import { sanitise } from './protocol/names.ts';
import { isErrorReply } from './sinks/node-redis.ts';
import { pairsOf } from './sinks/redis.ts';
import { REDIS_TIMEOUT_MS } from './sinks/redis-link.ts';
import { hostOf, openRoute, type RedisRoute } from './sinks/redis-route.ts';
import { setKey } from './sinks/set-store.ts';

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
/** As many sets as a collector tells of; and so many keys are looked through for them. */
const SETS_MAX = 100_000;
const SCANS_MAX = 10_000;
const KEYS_PER_SCAN = 1000;
const REPLY_BYTES_MAX = 256 << 20;

/**
 * Returns every hash and its fields.
 *
 * @throws {StatcolError} `ERR_SOURCE` if Redis or the collector does not give them.
 */
export async function readCounters(options: SourceOptions): Promise<[hash: string, Fields][]> {
  if (options.redis === undefined) return readFromCollector('counters', options);
  const collection = options.collection ?? DEFAULT_COLLECTION;
  return withRedis('counters', options.redis, async (route) => {
    const hashes = options.layout === 'flat' ? [collection] : await hashesOf(route, collection);
    const ofGauges = options.layout === 'flat' ? -1 : hashes.indexOf(gaugeHash(collection));
    if (ofGauges >= 0) hashes.splice(ofGauges, 1);
    const found: [string, Fields][] = [];
    for (const hash of hashes) {
      found.push([hash, await readHash(route, hash)]);
    }
    return found;
  });
}

/**
 * Returns every collection and its gauges.
 *
 * @throws {StatcolError} as {@link readCounters}.
 */
export async function readGauges(
  options: SourceOptions,
): Promise<[collection: string, gauges: Fields][]> {
  if (options.redis === undefined) return readFromCollector('gauges', options);
  const collection = options.collection ?? DEFAULT_COLLECTION;
  const hash = gaugeHash(collection);
  return withRedis('gauges', options.redis, async (route) => {
    return [[collection, await readHash(route, hash)]];
  });
}

async function readHash(route: RedisRoute, hash: string): Promise<Fields> {
  const reply = await route.session(hash, (call) => call(['HGETALL', hash])).catch(named(hash));
  return pairsOf(reply as string[]);
}

/** Redis does not say which key it is that cannot be read. */
function named(key: string): (error: unknown) => never {
  return (cause) => {
    throw isErrorReply(cause) ? new Error(`${key}: ${errorText(cause)}`, { cause }) : cause;
  };
}

/** The sets of a collection. */
export interface SetsOfToday {
  readonly collection: string;
  /** Names, and how many unique members each has today (UTC). */
  readonly counts: Fields;
  /** Why these are not all; undefined where they are. */
  readonly missing: string | undefined;
}

/**
 * Returns every collection and its sets of today; of Redis, whose keys are looked through for them,
 * 100,000 sets of 10,000,000 keys a server at most.
 *
 * @throws {StatcolError} as {@link readCounters}, but not where Redis refuses: that is told.
 */
export async function readSets(options: SourceOptions): Promise<SetsOfToday[]> {
  if (options.redis === undefined) {
    const found = await readFromCollector('sets', options);
    return found.map(([collection, counts]) => ({ collection, counts, missing: undefined }));
  }
  const collection = options.collection ?? DEFAULT_COLLECTION;
  const counts: Fields = [];
  return withRedis('sets', options.redis, async (route) => {
    const [before, behind] = setKey(collection, '\0', today()).split('\0') as [string, string];
    try {
      const found = await scan(route, {
        pattern: `${globbed(before)}*${globbed(behind)}`,
        type: 'string',
        keysMax: SETS_MAX,
      });
      for (const key of found.keys) {
        const count = await countUnique(route, key).catch(noneOfType);
        const name = key.slice(before.length, key.length - behind.length);
        if (count !== undefined) counts.push([name, String(count)]);
      }
      const missing = found.isCut ? 'there are too many keys to look through' : undefined;
      return [{ collection, counts, missing }];
    } catch (error) {
      if (!isErrorReply(error)) throw error;
      return [{ collection, counts, missing: `redis refuses: ${errorText(error)}` }];
    }
  });
}

function today(): string {
  return dayOf(Date.now());
}

async function countUnique(route: RedisRoute, key: string): Promise<number> {
  return Number(await route.session(key, (call) => call(['PFCOUNT', key])));
}

function noneOfType(error: unknown): undefined {
  if (errorText(error).startsWith('WRONGTYPE')) return undefined;
  throw error;
}

/**
 * Returns the value of a counter, or else of a gauge, or else how many unique members a set has
 * today (UTC), of that name; `0` if there is none of these. A name that is not found as it is
 * written is looked for as either of `--names` would have made it.
 *
 * @throws {StatcolError} as {@link readCounters}.
 */
export async function readValue(name: string, options: SourceOptions): Promise<string> {
  return (await (options.redis === undefined ? fromCollector : fromRedis)(name, options)) ?? '0';
}

async function fromRedis(name: string, options: SourceOptions): Promise<string | undefined> {
  const collection = options.collection ?? DEFAULT_COLLECTION;
  return withRedis('counters', options.redis!, async (route) => {
    const layout = createLayout(options.layout, [collection]);
    const read = (hash: string, field: string): Promise<unknown> =>
      route.session(hash, (call) => call(['HGET', hash, field])).catch(named(hash));
    const count = async (key: string): Promise<string | undefined> => {
      const unique = await countUnique(route, key).catch(named(key));
      return unique === 0 ? undefined : String(unique);
    };
    return (
      (await find(name, layout.place, read)) ??
      (await find(name, layout.placeGauge, read)) ??
      find(name, (field) => [{ hash: setKey(collection, field, today()), field }], count)
    );
  });
}

async function fromCollector(name: string, options: SourceOptions): Promise<string | undefined> {
  const counters = await readFromCollector('counters', options);
  // With --layout split what a collector shows first is not the collection but a hash of it.
  const shown = options.layout === 'flat' ? counters[0]?.[0] : undefined;
  const collection = options.collection ?? shown ?? DEFAULT_COLLECTION;
  const { place } = createLayout(options.layout, [collection]);
  const counter = await find(name, place, (hash, field) => fieldOf(counters, hash, field));
  if (counter !== undefined) return counter;
  for (const kind of ['gauges', 'sets'] as const) {
    const found = await readFromCollector(kind, options);
    const hash = options.collection ?? found[0]?.[0] ?? DEFAULT_COLLECTION;
    const placeOne = (field: string): Place[] => [{ hash, field }];
    const value = await find(name, placeOne, (of, field) => fieldOf(found, of, field));
    if (value !== undefined) return value;
  }
  return undefined;
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

async function hashesOf(route: RedisRoute, prefix: string): Promise<string[]> {
  const which = { pattern: `${globbed(prefix)}*`, type: 'hash', keysMax: Infinity } as const;
  return (await scan(route, which)).keys;
}

/** Escapes what means something in a pattern of Redis. */
function globbed(text: string): string {
  return text.replaceAll(/[*?[\]\\]/g, String.raw`\$&`);
}

async function scan(
  route: RedisRoute,
  { pattern, type, keysMax }: { pattern: string; type: 'hash' | 'string'; keysMax: number },
): Promise<{ keys: string[]; isCut: boolean }> {
  const how = ['MATCH', pattern, 'COUNT', String(KEYS_PER_SCAN), 'TYPE', type];
  const found = new Set<string>();
  let isCut = false;
  await route.everywhere(async (call) => {
    let cursor = '0';
    let scans = 0;
    do {
      const [next, keys] = (await call(['SCAN', cursor, ...how])) as [string, string[]];
      for (const key of keys) {
        if (found.size >= keysMax) isCut = true;
        else found.add(key);
      }
      cursor = next;
      if (++scans >= SCANS_MAX && keysMax < Infinity && cursor !== '0') isCut = true;
    } while (cursor !== '0' && !isCut);
  });
  return { keys: [...found].toSorted(), isCut };
}

async function withRedis<Result>(
  what: string,
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
      `no ${what} from redis ${hostOf({ url })}: ${errorText(cause)}`,
      { cause },
    );
  } finally {
    route.close();
  }
}
