import { createKeys, MAX_KEYS } from './middleware/keys.ts';
import { FIRST_KINDS } from './middleware/kinds.ts';
import { createMiddleware, type KeyRule, type Middleware } from './middleware/middleware.ts';

export type { KeyRule, Middleware } from './middleware/middleware.ts';

/** As much of a StatsD client as the middleware needs; that of `statcol/client` has it. */
export interface MetricsClient {
  incr(name: string, count?: number): void;
  timing(name: string, ms: number): void;
}

/** What a middleware is made with. */
export interface MiddlewareOptions {
  /** Sends the metrics. The application closes it. */
  client: MetricsClient;
  /** What requests are counted under: default `route`, the pattern of the route that matched. */
  key?: KeyRule | undefined;
  /** How many different keys are counted each for itself. Default 10,000. */
  maxKeys?: number | undefined;
}

/**
 * Creates a middleware that sends what `StatCollector` counts through a StatsD client:
 *
 *     requestTotal./users/_id:1|c    responseTotal./users/_id:1|c    2xx./users/_id:1|c
 *     success./users/_id:1|c         /users/_id:12|ms
 *
 * A collector with `--layout split --names keep` makes the same hashes of it, and pushes the same
 * timings. A line cannot carry `:` or `|`, and `;` would begin tags: each becomes `_`.
 *
 * @throws {TypeError} for an option that is none: this is a mistake in the program.
 */
export function middleware(options: MiddlewareOptions): Middleware {
  const { client, key = 'route', maxKeys = MAX_KEYS, ...unknown } = Object(options);
  const [stray] = Object.keys(unknown);
  if (stray !== undefined) {
    throw new TypeError(`Expected client, key or maxKeys, got an unknown option: ${stray}`);
  }
  if (typeof client?.incr !== 'function' || typeof client.timing !== 'function') {
    throw new TypeError('Expected `client` to have incr() and timing(), as that of statcol/client');
  }
  if (key !== 'route' && key !== 'path') {
    throw new TypeError(`Expected \`key\` to be 'route' or 'path', got ${JSON.stringify(key)}`);
  }
  if (!Number.isInteger(maxKeys) || maxKeys < 1) {
    throw new TypeError(`Expected \`maxKeys\` to be a whole number from 1, got ${String(maxKeys)}`);
  }
  // Each hash is there from the start, and has a field for every URI from its first request on.
  for (const kind of FIRST_KINDS) client.incr(kind, 0);
  const keys = createKeys(maxKeys, {
    onNew(uri) {
      for (const kind of FIRST_KINDS) client.incr(`${kind}.${inLine(uri)}`, 0);
    },
    onFull: (why) => process.emitWarning(why, 'StatcolWarning'),
  });
  return createMiddleware({
    keyRule: key,
    keys,
    observer: {
      counted: (kind, uri) => client.incr(`${kind}.${inLine(uri)}`),
      timed: (uri, ms) => client.timing(inLine(uri), ms),
    },
    nowMs: () => performance.now(),
  });
}

function inLine(uri: string): string {
  return uri.replaceAll(/[:;|]/g, '_');
}
