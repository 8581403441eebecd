import type { Vitals } from '../../src/vitals.ts';

/** Numbers of a collector to which everything has happened. */
export const VITALS: Vitals = {
  uptimeSeconds: 12.5,
  version: '1.2.3',
  udp: {
    receiver: 'recvmmsg',
    threads: 2,
    datagrams: 1000,
    bytes: 27_000,
    kernelDrops: 7,
    receiveBufferBytes: 33_554_432,
  },
  tcp: { configured: true, connections: 3, accepted: 12, refused: 1, bytes: 4096 },
  unix: { configured: true, datagrams: 20, bytes: 500 },
  lines: { accepted: 990, rejected: { bad_value: 9, no_separator: 1 } },
  samples: { counters: 700, timings: 300, gauges: 50, sets: 9 },
  counters: { recovered: 0, delivered: 600, pending: 98, dropped: { overflow: 2 } },
  timings: { recovered: 0, delivered: 299, pending: 1, dropped: {} },
  gauges: { recovered: 1, delivered: 45, pending: 5, dropped: { not_number: 1 } },
  sets: { recovered: 0, delivered: 7, pending: 1, dropped: { sets_full: 1 } },
  keys: { counters: 5, timings: 3, gauges: 2, sets: 1, limit: 1_000_000, tagSetsFolded: 12 },
  growth: [
    { name: 'checkout.time', keys: 4 },
    { name: 'api.', keys: 2 },
  ],
  window: { names: 3, bytes: 1234, columnsMerged: 0, columnsDropped: 0 },
  receiver: { configured: false, samples: 0, leftOut: 0 },
  store: { kind: 'memory', up: true, lastError: null, lastFlushMs: 1.5 },
  state: { configured: true, up: true, lastError: null, spoolBytes: 4711 },
  trap: { configured: true, up: false, lastError: 'timeout', lastPushMs: null },
};
