import type { Log } from '../flush/health.ts';
import type { TrapType } from '../flush/timing-book.ts';
import type { StoreChoice } from '../in-process/counting.ts';
import * as specs from '../in-process/settings.ts';
import { integer, oneOf, text } from '../option-readers.ts';
import type { ValueSpec } from '../option-spec.ts';
import type { BorrowedClient } from '../sinks/redis-access.ts';
import type { RedisAddress } from '../sinks/redis-link.ts';
import { MAX_KEYS } from './keys.ts';
import type { KeyRule } from './middleware.ts';

/** How requests and responses are counted. */
export interface QueryCounterConfig {
  /**
   * Where counts go: host (default 127.0.0.1), port (6379) and node-redis' options for user,
   * password, database and socket; or a URL; or a client of node-redis that the application
   * connects and closes. Default: memory, which forgets when the process ends.
   */
  redisConfig?:
    | string
    | BorrowedClient
    | {
        host?: string | undefined;
        port?: number | undefined;
        options?: Omit<RedisAddress, 'url'> | undefined;
      }
    | undefined;
  /** Put before the hashes' names: `foo_` for `foo_requestTotal`. Default none. */
  statPrefix?: string | undefined;
  /** Milliseconds from the end of one push to the next. Default 30,000. */
  pushInterval?: number | undefined;
  /** Says everything on stderr. Default: as the collector's own. */
  debug?: boolean | undefined;
}

/** How response times are pushed. */
export interface ResponseTimerConfig {
  /** The HTTP trap, by default over https; verification is never switched off. */
  circonusConfig: {
    host: string;
    /** Default 443, over http 80. */
    port?: number | undefined;
    /** Default `/`. */
    path?: string | undefined;
    protocol?: 'https:' | 'http:' | undefined;
    /** PEM text of the private CA that the trap's certificate comes from. */
    ca?: string | Uint8Array | undefined;
    /** The name that the certificate bears, if not the host's. */
    servername?: string | undefined;
  };
  /** `n` (default): every time as it is, in a list; `h`: as histograms. */
  trapType?: TrapType | undefined;
  /** Milliseconds from the end of one push to the next. Default 500. */
  pushInterval?: number | undefined;
  /** Says everything on stderr. Default: as the collector's own. */
  debug?: boolean | undefined;
}

/** What a stat collector is made with; all of it may be left out, and configured later. */
export interface StatCollectorOptions {
  queryCounter?: QueryCounterConfig | undefined;
  responseTimer?: ResponseTimerConfig | undefined;
  /** Says everything on stderr. Default false. */
  debug?: boolean | undefined;
  /** What requests are counted under: default `route`, the pattern of the route that matched. */
  key?: KeyRule | undefined;
  /** How many different keys are counted each for itself. Default 10,000. */
  maxKeys?: number | undefined;
  /** How long `stop` may take, in milliseconds. Default 10,000. */
  stopTimeout?: number | undefined;
  /** Told what a log should say. Default: warnings and errors go to `process.emitWarning`. */
  onLog?: Log | undefined;
}

/** A {@link QueryCounterConfig}, complete. */
export interface QueryCounterSettings {
  redisConfig: StoreChoice | undefined;
  statPrefix: string;
  pushInterval: number;
  debug: boolean | undefined;
}

/** A {@link ResponseTimerConfig}, complete. */
export interface ResponseTimerSettings {
  circonusConfig: { url: string; ca: string | undefined; servername: string | undefined };
  trapType: TrapType;
  pushInterval: number;
  debug: boolean | undefined;
}

/** {@link StatCollectorOptions}, complete. */
export interface StatCollectorSettings {
  queryCounter: QueryCounterSettings | undefined;
  responseTimer: ResponseTimerSettings | undefined;
  debug: boolean | undefined;
  key: KeyRule;
  maxKeys: number;
  stopTimeout: number;
  onLog: Log | undefined;
}

const PUSH_INTERVAL = integer(10, 86_400_000);

/** Specs of a {@link QueryCounterConfig}. */
export const QUERY_COUNTER: readonly ValueSpec[] = [
  specs.redisSpec('redisConfig'),
  {
    key: 'statPrefix',
    fallback: '',
    ...text('a text of up to 400 characters without blanks and braces', /^[^\s{}]{0,400}$/),
  },
  { key: 'pushInterval', fallback: '30000', ...PUSH_INTERVAL },
  specs.flagSpec('debug'),
];

const TRAP_CONFIG: readonly ValueSpec[] = [
  { key: 'host', fallback: undefined, required: true, ...specs.HOST },
  { key: 'port', fallback: undefined, ...specs.TCP_PORT },
  { key: 'path', fallback: '/', secret: 'all', ...text('a path, from its first /', /^\/[^\s#]*$/) },
  { key: 'protocol', fallback: 'https:', ...oneOf('https:', 'http:') },
  specs.CA,
  { key: 'servername', fallback: undefined, ...specs.HOST },
];

/** Specs of a {@link ResponseTimerConfig}. */
export const RESPONSE_TIMER: readonly ValueSpec[] = [
  {
    ...specs.nestedSpec(
      'circonusConfig',
      '{host, port, path} of an HTTP trap',
      TRAP_CONFIG,
      trapAddress,
    ),
    required: true,
  },
  { key: 'trapType', fallback: 'n', ...oneOf('n', 'h') },
  { key: 'pushInterval', fallback: '500', ...PUSH_INTERVAL },
  specs.flagSpec('debug'),
];

/** Specs of {@link StatCollectorOptions}. */
export const STAT_COLLECTOR: readonly ValueSpec[] = [
  specs.nestedSpec('queryCounter', 'an object: redisConfig, statPrefix…', QUERY_COUNTER),
  specs.nestedSpec('responseTimer', 'an object: circonusConfig…', RESPONSE_TIMER),
  specs.flagSpec('debug'),
  { key: 'key', fallback: 'route', ...oneOf('route', 'path') },
  specs.maxKeysSpec(MAX_KEYS),
  specs.STOP_TIMEOUT,
  specs.functionSpec('onLog'),
];

function trapAddress({
  host = '',
  port,
  path,
  protocol,
  ca,
  servername,
}: Record<string, string | undefined>): ResponseTimerSettings['circonusConfig'] {
  const name = host.includes(':') ? `[${host}]` : host;
  const url = `${protocol}//${name}${port === undefined ? '' : `:${port}`}${path}`;
  return { url, ca, servername };
}
