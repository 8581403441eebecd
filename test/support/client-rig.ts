import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Vitals } from '../../src/vitals.ts';
import { startCollector } from './collector-process.ts';
import { startTrap } from './recording-trap.ts';
import { startRedis } from './redis-server.ts';

/** How many samples of each kind. */
export interface SampleCounts {
  counters: number;
  timings: number;
  gauges: number;
  sets: number;
}

/** What has come of names that begin alike: as Redis has it, and the trap. */
export interface Received {
  counters: Record<string, string>;
  gauges: Record<string, string>;
  /** How many members. */
  sets: Record<string, number>;
  /** Ascending. */
  timings: Record<string, number[]>;
}

/** One collector for many clients, each with a prefix of its own; over UDP, TCP and a unix socket. */
export interface ClientRig {
  readonly udpPort: number;
  readonly tcpPort: number;
  readonly unixPath: string;
  /**
   * Waits until so many samples more than at the last call are delivered, and no more; rejects if
   * a line was refused.
   */
  received(prefix: string, samples: SampleCounts): Promise<Received>;
  stop(): Promise<void>;
}

/** Starts a collector with a Redis and a trap. */
export async function startClientRig(): Promise<ClientRig> {
  const folder = mkdtempSync(join(tmpdir(), 'statcol-clients-'));
  const unixPath = join(folder, 'statcol.sock');
  const [redis, trap] = await Promise.all([startRedis(), startTrap()]);
  const collector = await startCollector([
    ...['--redis', redis.url, '--trap', trap.url, '--tcp', '127.0.0.1:0', '--unix', unixPath],
    ...['--counter-interval', '50', '--timing-interval', '50'],
  ]);
  const soFar: SampleCounts = { counters: 0, timings: 0, gauges: 0, sets: 0 };
  const kinds = ['counters', 'timings', 'gauges', 'sets'] as const;

  return {
    udpPort: collector.udpPort,
    tcpPort: collector.tcpPort,
    unixPath,
    async received(prefix, samples) {
      for (const kind of kinds) soFar[kind] += samples[kind];
      const isDelivered = (vitals: Vitals): boolean =>
        kinds.every((kind) => vitals[kind].delivered === soFar[kind]);
      const { lines } = await collector.until(isDelivered).catch(async (error: unknown) => {
        // One client's failure is not that of all behind it.
        Object.assign(soFar, (await collector.vitals()).samples);
        throw error;
      });
      if (Object.keys(lines.rejected).length > 0) throw new Error(JSON.stringify(lines.rejected));
      const ofPrefix = <Value>(all: Map<string, Value>): Record<string, Value> =>
        Object.fromEntries([...all].filter(([name]) => name.startsWith(prefix)));
      return {
        counters: ofPrefix(await redis.hash('statcol:stats')),
        gauges: ofPrefix(await redis.hash('statcol:stats:gauges')),
        sets: ofPrefix(await sets()),
        timings: ofPrefix(
          new Map([...trap.values()].map(([name, values]) => [name, values.toSorted(ascending)])),
        ),
      };
    },
    async stop() {
      await collector.stop();
      await trap.close();
      await redis.stop();
      rmSync(folder, { recursive: true });
    },
  };

  /** The number of members of each set; a day's end does not matter. */
  async function sets(): Promise<Map<string, number>> {
    const start = 'statcol:stats:set:';
    const keys = (await redis.command('KEYS', `${start}*`)) as string[];
    const counts = new Map<string, number>();
    for (const name of new Set(keys.map((key) => key.slice(start.length, -DAY.length)))) {
      const its = keys.filter((key) => key.slice(0, -DAY.length) === start + name);
      counts.set(name, (await redis.command('PFCOUNT', ...its)) as number);
    }
    return counts;
  }
}

const DAY = ':2026-01-31';

/** `1, 2, …, count`. */
export function oneTo(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at + 1);
}

function ascending(a: number, b: number): number {
  return a - b;
}
