import * as readers from './option-readers.ts';
import { integer, oneOf, size, type Surroundings, text } from './option-readers.ts';
import { LOG_LEVELS, type Options } from './option-types.ts';
import { TAG_DIALECTS } from './protocol/dialects.ts';

/** What reading a value takes: an option's spec, or that of a member of a configuration. */
export interface ValueSpec {
  readonly key: string;
  /** The default, as text. Undefined: none. */
  readonly fallback: string | undefined;
  /** It must be given. */
  readonly required?: boolean;
  /** It may be given several times. */
  readonly list?: boolean;
  /** What of its value must not be shown: all of it, or what a URL may hold beside the host. */
  readonly secret?: 'all' | 'url';
  /** What is expected, for the one who gave something else. */
  readonly expected: string;
  /** Returns the value, or undefined if the text is not what is expected. */
  readonly read: (text: string, around: Surroundings) => unknown;
  /**
   * Reads what is no text, in place of `read`. May throw `ERR_OPTIONS` with the faults of what is
   * inside.
   */
  readonly readValue?: (value: unknown, from: string) => unknown;
}

/** One option: how it is written, what it means, and how its text becomes a value. */
export interface OptionSpec<Key extends keyof Options = keyof Options> extends ValueSpec {
  readonly key: Key;
  readonly flag: string;
  /** What stands behind the flag in the help. */
  readonly argument: string;
  /** The default as the help and the README show it. */
  readonly shownDefault: string;
  readonly help: string;
  readonly read: (text: string, around: Surroundings) => Options[Key] | undefined;
}

function spec<Key extends keyof Options>(one: OptionSpec<Key>): OptionSpec {
  return one;
}

const INTERVAL = integer(10, 600_000);

/** Every option, in the order of the help. The one place where names and defaults are written. */
export const OPTION_SPECS: readonly OptionSpec[] = [
  spec({
    key: 'host',
    flag: '--host',
    argument: 'address',
    fallback: '127.0.0.1',
    shownDefault: '127.0.0.1',
    help: 'UDP address to bind (IPv4 or IPv6)',
    expected: 'an IPv4 or IPv6 address of this machine',
    read: readers.readHost,
  }),
  spec({
    key: 'port',
    flag: '--port',
    argument: 'n',
    fallback: '8125',
    shownDefault: '8125',
    help: 'UDP port; 0 takes a free one',
    ...integer(0, 65_535),
  }),
  spec({
    key: 'redis',
    flag: '--redis',
    argument: 'url',
    fallback: undefined,
    shownDefault: 'none: memory store',
    help: 'Redis, cluster or sentinels; counters are added there; the memory store forgets at exit',
    secret: 'url',
    expected:
      'a URL like redis://127.0.0.1:6379, rediss://user:password@host:port/database, redis+cluster://host:port,host:port or redis+sentinel://host:port,host:port/name',
    read: readers.readRedisUrl,
  }),
  spec({
    key: 'redisWait',
    flag: '--redis-wait',
    argument: 'replicas',
    fallback: '0',
    shownDefault: '0',
    help: 'how many replicas must have a write before it counts as delivered (WAIT)',
    ...integer(0, 100),
  }),
  spec({
    key: 'collection',
    flag: '--collection',
    argument: 'hash',
    fallback: 'statcol:stats',
    shownDefault: 'statcol:stats',
    help: 'hash every counter is added to; repeatable; {host} and {pid} are replaced',
    list: true,
    expected: 'a name of 1 to 512 bytes, whose braces, if any, form one tag like {app}:stats',
    read: readers.readCollection as never,
  }),
  spec({
    key: 'layout',
    flag: '--layout',
    fallback: 'flat',
    shownDefault: 'flat',
    help: 'flat: field = name; split: hash = collection + first part of the name',
    ...oneOf('flat', 'split'),
  }),
  spec({
    key: 'counterInterval',
    flag: '--counter-interval',
    argument: 'ms',
    fallback: '1000',
    shownDefault: '1000',
    help: 'how often counters are written',
    ...INTERVAL,
  }),
  spec({
    key: 'trap',
    flag: '--trap',
    argument: 'url',
    fallback: undefined,
    shownDefault: 'none',
    help: 'HTTP trap that timings are pushed to (PUT)',
    secret: 'url',
    expected: 'a URL like https://host:43191/module/httptrap/<uuid>/<secret>',
    read: (given) => (/^https?:$/.test(readers.urlOf(given)?.protocol ?? '') ? given : undefined),
  }),
  spec({
    key: 'trapType',
    flag: '--trap-type',
    fallback: 'n',
    shownDefault: 'n',
    help: 'n: every value as it is; h: histograms, in which a sample counts 1/rate',
    ...oneOf('n', 'h'),
  }),
  spec({
    key: 'trapCa',
    flag: '--trap-ca',
    argument: 'file',
    fallback: undefined,
    shownDefault: 'system CAs',
    help: "PEM file with the trap's private CA",
    expected: 'a readable PEM file with at least one certificate',
    read: readers.readPem,
  }),
  spec({
    key: 'trapServername',
    flag: '--trap-servername',
    argument: 'name',
    fallback: undefined,
    shownDefault: "the URL's host",
    help: "name to verify in the trap's certificate",
    ...text('a host name', /^(?=.{1,253}$)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/),
  }),
  spec({
    key: 'timingInterval',
    flag: '--timing-interval',
    argument: 'ms',
    fallback: '500',
    shownDefault: '500',
    help: 'how often timings are pushed',
    ...INTERVAL,
  }),
  spec({
    key: 'http',
    flag: '--http',
    argument: '[host:]port',
    fallback: '127.0.0.1:8127',
    shownDefault: '127.0.0.1:8127',
    help: 'page, API, health, metrics, trap receiver; off disables; port 0 takes a free one',
    expected: 'off, a port from 0 to 65535, or host:port like 127.0.0.1:8127 or [::1]:8127',
    read: readers.readHttp,
  }),
  spec({
    key: 'httpToken',
    flag: '--http-token',
    argument: 'secret',
    fallback: undefined,
    shownDefault: 'none',
    help: 'asked for on / and /api/* (Authorization: Bearer, or the cookie that /?token=… sets)',
    secret: 'all',
    ...text('8 to 256 letters, digits or any of -._~+/=', /^[A-Za-z0-9._~+/=-]{8,256}$/),
  }),
  spec({
    key: 'trapSecret',
    flag: '--trap-secret',
    argument: 'secret',
    fallback: undefined,
    shownDefault: 'none: receiver off',
    help: "takes others' timings at /module/httptrap/<uuid>/<secret>",
    secret: 'all',
    ...text('1 to 256 letters, digits or any of -._~', /^[A-Za-z0-9._~-]{1,256}$/),
  }),
  spec({
    key: 'names',
    flag: '--names',
    fallback: 'statsd',
    shownDefault: 'statsd',
    help: 'statsd: only [A-Za-z0-9_.;=-] is kept; keep: all but control characters is',
    ...oneOf('statsd', 'keep'),
  }),
  spec({
    key: 'tags',
    flag: '--tags',
    fallback: undefined,
    shownDefault: 'none',
    help: 'reads influx (name,k=v), librato (name#k=v) or signalfx (name[k=v]) tags too',
    ...oneOf(...TAG_DIALECTS),
    argument: 'dialect',
  }),
  spec({
    key: 'tagSetsPerName',
    flag: '--tag-sets-per-name',
    argument: 'n',
    fallback: '1000',
    shownDefault: '1000',
    help: 'further sets of tags of a name are counted as name;other=true',
    ...integer(1, 16_000_000),
  }),
  spec({
    key: 'maxKeys',
    flag: '--max-keys',
    argument: 'n',
    fallback: '1000000',
    shownDefault: '1000000',
    help: 'distinct names (and their spellings) held at once',
    ...integer(1, 16_000_000),
  }),
  spec({
    key: 'threads',
    flag: '--threads',
    argument: 'n',
    fallback: '1',
    shownDefault: '1',
    help: 'ingest threads, each with a socket of its own on the port (SO_REUSEPORT)',
    ...integer(1, 64),
  }),
  spec({
    key: 'receiver',
    flag: '--receiver',
    fallback: 'auto',
    shownDefault: 'auto',
    help: '`recvmmsg`: many datagrams a call, on Linux with koffi; `dgram`: works everywhere; `auto`: the fastest there is',
    ...oneOf('auto', 'recvmmsg', 'dgram'),
  }),
  spec({
    key: 'stateDir',
    flag: '--state-dir',
    argument: 'dir',
    fallback: undefined,
    shownDefault: 'none',
    help: 'ledger file and spool: a crash loses nothing accepted; on Linux, needs koffi',
    ...text('the path of a directory', /^[^\0]{1,4000}$/),
  }),
  spec({
    key: 'spoolLimit',
    flag: '--spool-limit',
    argument: 'size',
    fallback: '1GiB',
    shownDefault: '1GiB',
    help: 'bound of the spool; beyond it the oldest timings are dropped, counters never',
    ...size(16 << 20),
  }),
  spec({
    key: 'stopTimeout',
    flag: '--stop-timeout',
    argument: 'ms',
    fallback: '10000',
    shownDefault: '10000',
    help: 'deadline for the last flush',
    ...integer(0, 3_600_000),
  }),
  spec({
    key: 'instance',
    flag: '--instance',
    argument: 'name',
    fallback: '',
    shownDefault: 'host name',
    help: 'names this collector in batches; a random part is added',
    expected: '1 to 64 letters, digits or any of _.-',
    read: readers.readInstance,
  }),
  spec({
    key: 'logLevel',
    flag: '--log-level',
    fallback: 'info',
    shownDefault: 'info',
    help: 'how much is said on stderr',
    ...oneOf(...LOG_LEVELS),
    argument: 'level',
  }),
];
