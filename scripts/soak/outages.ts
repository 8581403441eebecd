import { setTimeout as pause } from 'node:timers/promises';

import type { Proxy } from '../../test/support/proxy.ts';
import type { RedisServer } from '../../test/support/redis-server.ts';
import type { CountingTrap } from './trap.ts';

/** A time in which something was away, in seconds since the start. */
export interface Outage {
  readonly of: 'redis' | 'trap';
  readonly fromS: number;
  readonly toS: number;
}

/** What is taken away. */
export interface Victims {
  redis: RedisServer;
  /** Stands between the collector and Redis. */
  proxy: Proxy;
  trap: CountingTrap;
}

/** Outages come in this order, and again after so many seconds. */
const CYCLE_SECONDS = 40;
const PLAN: readonly [atS: number, forS: number, what: keyof typeof WAYS][] = [
  [8, 3, 'kill'],
  [16, 4, 'refuse'],
  [28, 3, 'cut'],
  [35, 4, 'hang'],
];
/** Before the end everything is well for so long: a pause after a failure may be some seconds. */
const QUIET_SECONDS = 8;

/** How each begins, and what ends it. */
const WAYS = {
  /** A crash of Redis; the append-only file has everything that was answered. */
  kill: {
    of: 'redis',
    begin: async ({ redis }: Victims) => redis.kill(),
    end: async ({ redis }: Victims) => redis.restart(),
  },
  /** A network that cuts every connection, in the middle of a reply as well. */
  cut: {
    of: 'redis',
    begin: async ({ proxy }: Victims) => proxy.decide(() => ({ cutAfter: 3 })),
    end: async ({ proxy }: Victims) => proxy.decide(() => 'pass'),
  },
  refuse: {
    of: 'trap',
    begin: async ({ trap }: Victims) => trap.mode('refuses'),
    end: async ({ trap }: Victims) => trap.mode('takes'),
  },
  hang: {
    of: 'trap',
    begin: async ({ trap }: Victims) => trap.mode('hangs'),
    end: async ({ trap }: Victims) => trap.mode('takes'),
  },
} as const;

/** Takes things away and gives them back, until the end of the run; returns when that was. */
export async function runOutages(
  victims: Victims,
  seconds: number,
  signal: AbortSignal,
): Promise<Outage[]> {
  const startMs = performance.now();
  const now = (): number => (performance.now() - startMs) / 1000;
  const until = (atS: number): Promise<void> =>
    pause(Math.max(0, 1000 * (atS - now())), undefined, { signal });
  const outages: Outage[] = [];
  for (let cycle = 0; cycle * CYCLE_SECONDS < seconds; cycle++) {
    for (const [atS, forS, what] of PLAN) {
      const begin = cycle * CYCLE_SECONDS + atS;
      if (begin + forS + QUIET_SECONDS > seconds) continue;
      await until(begin);
      const fromS = now();
      const way = WAYS[what];
      await way.begin(victims);
      await until(begin + forS);
      await way.end(victims);
      outages.push({ of: way.of, fromS, toS: now() });
    }
  }
  await until(seconds);
  return outages;
}
