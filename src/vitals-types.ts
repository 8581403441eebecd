import type { Grown } from './flush/growth.ts';
import type { WindowUsage } from './window/summary.ts';

// Types only: the page reads them too.

/** What became of samples of one kind; `samples + recovered = delivered + pending + dropped`. */
export interface Fate {
  recovered: number;
  delivered: number;
  pending: number;
  dropped: Record<string, number>;
}

/** The collector's own numbers, as `/api/vitals` gives them; each is explained in METRICS.md. */
export interface Vitals {
  uptimeSeconds: number;
  version: string;
  udp: {
    receiver: string;
    threads: number;
    datagrams: number;
    bytes: number;
    /** Null where the system does not tell. */
    kernelDrops: number | null;
    receiveBufferBytes: number;
  };
  tcp: TcpUsage;
  unix: UnixUsage;
  lines: { accepted: number; rejected: Record<string, number> };
  samples: { counters: number; timings: number; gauges: number; sets: number };
  counters: Fate;
  timings: Fate;
  gauges: Fate;
  sets: Fate;
  keys: {
    counters: number;
    timings: number;
    gauges: number;
    sets: number;
    limit: number;
    tagSetsFolded: number;
  };
  growth: Grown[];
  window: WindowUsage;
  receiver: ReceiverUsage;
  store: { kind: string; up: boolean; lastError: string | null; lastFlushMs: number | null };
  state: { configured: boolean; up: boolean; lastError: string | null; spoolBytes: number };
  trap: { configured: boolean; up: boolean; lastError: string | null; lastPushMs: number | null };
}

/** What has come over TCP. */
export interface TcpUsage {
  configured: boolean;
  /** Open now. */
  connections: number;
  /** Since the start. */
  accepted: number;
  /** Closed as they came, since too many were open. */
  refused: number;
  bytes: number;
}

/** What has come over the unix socket. */
export interface UnixUsage {
  configured: boolean;
  datagrams: number;
  bytes: number;
}

/** What the trap receiver has taken in; nothing of it is in `samples`. */
export interface ReceiverUsage {
  configured: boolean;
  samples: number;
  /** Left out because the window had no room for their names. */
  leftOut: number;
}
