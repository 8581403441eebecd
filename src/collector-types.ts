import type { Log } from './flush/health.ts';
import type { Vitals } from './vitals.ts';

/** What a collector may be given: the flags of `statcol listen`, in camelCase. See the README. */
export interface CollectorOptions {
  host?: string | undefined;
  port?: number | undefined;
  /** `off`, a port, or `host:port`. */
  tcp?: string | number | undefined;
  /** `off`, or a path. */
  unix?: string | undefined;
  /** In octal digits, or as a number: `0o660`. */
  unixMode?: string | number | undefined;
  /** `off`, a port, or `host:port`. */
  admin?: string | number | undefined;
  redis?: string | undefined;
  redisWait?: number | undefined;
  collection?: string | readonly string[] | undefined;
  layout?: 'flat' | 'split' | undefined;
  counterInterval?: number | undefined;
  trap?: string | undefined;
  trapType?: 'n' | 'h' | undefined;
  trapCa?: string | undefined;
  trapServername?: string | undefined;
  timingInterval?: number | undefined;
  /** `off`, a port, or `host:port`. */
  http?: string | number | undefined;
  httpToken?: string | undefined;
  trapSecret?: string | undefined;
  names?: 'statsd' | 'keep' | undefined;
  tags?: 'influx' | 'librato' | 'signalfx' | undefined;
  tagSetsPerName?: number | undefined;
  maxKeys?: number | undefined;
  threads?: number | undefined;
  receiver?: 'auto' | 'recvmmsg' | 'dgram' | undefined;
  stateDir?: string | undefined;
  /** In bytes, or like `1GiB`. */
  spoolLimit?: number | string | undefined;
  stopTimeout?: number | undefined;
  instance?: string | undefined;
}

/** What a collector tells the one who runs it. */
export interface CollectorEvents {
  /** Something worth a line in a log. Silent when absent. */
  onLog?: Log;
  /** It cannot go on: what was accepted can still be delivered with `stop`. */
  onFatal?: (error: Error) => void;
}

/** Where a collector listens. */
export interface Endpoints {
  /** Such as `udp://127.0.0.1:8125`. */
  udp: string;
  /** Such as `tcp://127.0.0.1:8125`; undefined when it is off. */
  tcp: string | undefined;
  /** Such as `unix:///run/statcol.sock`; undefined when it is off. */
  unix: string | undefined;
  /** Such as `admin://127.0.0.1:8126`; undefined when it is off. */
  admin: string | undefined;
  /** Such as `http://127.0.0.1:8127/`; undefined when it is off. */
  http: string | undefined;
}

/** What a collector could not deliver before its deadline, in samples. */
export interface Undelivered {
  counters: number;
  timings: number;
  /** Absent where there are none. */
  gauges?: number;
  sets?: number;
  /** The state directory that keeps it for the next start; absent where it is lost. */
  keptIn?: string | undefined;
}

/** A StatsD collector within this process. */
export interface Collector {
  /**
   * Binds and begins to receive. Rejects with `ERR_LISTEN` where an address is not to be had; then
   * nothing is bound. Redis or the trap being away is no error: it is tried again. Once only:
   * rejects with `ERR_STATE` when called again, also after a start that failed.
   */
  start(): Promise<Endpoints>;
  /** The collector's own numbers, of this moment. Between `start` and `stop`. */
  vitals(): Promise<Vitals>;
  /**
   * Reads what lies in the sockets, closes them, delivers everything, and closes the rest. Takes
   * `stopTimeout` milliseconds at most, and resolves with what could not be delivered by then.
   */
  stop(): Promise<Undelivered>;
}
