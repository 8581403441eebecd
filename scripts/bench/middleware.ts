// `npm run bench:middleware [-- pairs]`: what the middleware costs, in requests per second and in
// processor time per request, of a bare Express application. Both run all the while and are put
// under load in turns; a pair is two turns side by side, so that what else the machine does hits
// both. `npm run bench:middleware -- memory`: its memory over a million requests of 1,000 URIs.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import autocannon from 'autocannon';

import { startTrap } from '../../test/support/recording-trap.ts';
import { startRedis } from '../../test/support/redis-server.ts';

const APP = fileURLToPath(new URL('middleware-app.ts', import.meta.url));
const TURN_SECONDS = 2;

interface App {
  port: number;
  /** Processor time so far, and the heap after a collection. */
  usage(): Promise<{ cpuMs: number; heapBytes: number }>;
  end(): void;
}

const redis = await startRedis();
const trap = await startTrap();
try {
  if (process.argv[2] === 'memory') await measureMemory();
  else for (const way of ['route', 'client']) await compare(way, Number(process.argv[2] ?? 15));
} finally {
  await trap.close();
  await redis.stop();
}

async function compare(way: string, pairs: number): Promise<void> {
  const apps = [await start('bare'), await start(way)] as const;
  const turns: { perSecond: number; cpuMs: number }[][] = [[], []];
  for (let pair = -1; pair < pairs; pair++) {
    const order = pair % 2 === 0 ? [0, 1] : [1, 0];
    for (const which of order) {
      const turn = await load(apps[which]!);
      if (pair >= 0) turns[which]!.push(turn); // the first warms up
    }
  }
  for (const app of apps) app.end();
  const lost = turns[0]!.map((bare, at) => 1 - turns[1]![at]!.perSecond / bare.perSecond);
  const cost = turns[0]!.map((bare, at) => turns[1]![at]!.cpuMs / bare.cpuMs - 1);
  const micros = turns[0]!.map((bare, at) => (turns[1]![at]!.cpuMs - bare.cpuMs) * 1000);
  console.log(`${way}: ${pairs} pairs of ${TURN_SECONDS} s; medians, and quartiles in brackets`);
  console.log(`  bare: ${median(turns[0]!.map((one) => one.perSecond)).toFixed(0)} requests/s`);
  console.log(`  requests per second lost: ${percent(lost)}`);
  console.log(`  processor time added:     ${percent(cost)}, ${median(micros).toFixed(1)} µs each`);
}

async function start(way: string): Promise<App> {
  const args = [way, redis.url, String(trap.port), '8125'];
  const child: ChildProcess = fork(APP, args, { execArgv: ['--import', 'tsx', '--expose-gc'] });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return {
    port,
    async usage() {
      child.send('usage');
      return ((await once(child, 'message')) as [{ cpuMs: number; heapBytes: number }])[0];
    },
    end: () => child.disconnect(),
  };
}

async function load(app: App): Promise<{ perSecond: number; cpuMs: number }> {
  const before = await app.usage();
  const url = `http://127.0.0.1:${app.port}/users/7`;
  const result = await autocannon({ url, connections: 20, duration: TURN_SECONDS });
  const after = await app.usage();
  const requests = result.requests.total;
  return {
    perSecond: requests / result.duration,
    cpuMs: (after.cpuMs - before.cpuMs) / requests,
  };
}

async function measureMemory(): Promise<void> {
  const app = await start('path');
  const urls = Array.from({ length: 1000 }, (_, at) => ({ path: `/users/${at}` }));
  for (let done = 0; done <= 1_000_000; done += 100_000) {
    if (done > 0) {
      const url = `http://127.0.0.1:${app.port}`;
      await autocannon({ url, connections: 20, amount: 100_000, requests: urls });
    }
    const { heapBytes } = await app.usage();
    console.log(`after ${done} requests: heap of ${(heapBytes / 2 ** 20).toFixed(2)} MiB`);
  }
  app.end();
}

function percent(values: number[]): string {
  const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => quantile(values, share));
  const text = [middle!, low!, high!].map((one) => `${(one * 100).toFixed(1)} %`);
  return `${text[0]} (${text[1]} to ${text[2]})`;
}

function median(values: number[]): number {
  return quantile(values, 0.5);
}

function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.round(share * (sorted.length - 1))]!;
}
