// `npm run bench:middleware [-- route | path | client]`: what the middleware costs, in requests per
// second and in processor time per request. A process serves a bare Express application, the same
// with a middleware that does nothing, and with ours. They are put under load in turns; a round is
// three turns side by side, short, so that what else the machine does hits all. What a process has
// by chance (its heap, its compiled code) is evened out over several of them.
// `npm run bench:middleware -- memory`: memory over a million requests of 1,000 URIs.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';

import { median, quantile } from './statistics.ts';
import { startTrap } from '../../test/support/recording-trap.ts';
import { startRedis } from '../../test/support/redis-server.ts';

const APP = fileURLToPath(new URL('middleware-app.ts', import.meta.url));
const TURN_REQUESTS = 1000;
const CONNECTIONS = 10;
/** Rounds that are run and not counted. */
const WARM_UP = 10;
const ROUNDS = 30;
const PROCESSES = 12;

/** What a turn has shown. */
interface Turn {
  perSecond: number;
  /** Per request. */
  cpuMs: number;
}

interface App {
  /** Of the bare application, that with nothing, and that with ours. */
  ports: number[];
  /** Processor time so far, and the heap, after a collection if that is asked for. */
  usage(how?: 'collect'): Promise<{ cpuMs: number; heapBytes: number }>;
  end(): void;
}

const redis = await startRedis();
const trap = await startTrap();
try {
  if (process.argv[2] === 'memory') await measureMemory();
  else await compare(process.argv[2] ?? 'route');
} finally {
  await trap.close();
  await redis.stop();
}

async function compare(way: string): Promise<void> {
  const turns: Turn[][] = [[], [], []];
  for (let process = 0; process < PROCESSES; process++) {
    const app = await start(way);
    for (let round = -WARM_UP; round < ROUNDS; round++) {
      for (let at = 0; at < turns.length; at++) {
        const which = (at + round + WARM_UP + process) % turns.length;
        const turn = await load(app, app.ports[which]!);
        if (round >= 0) turns[which]!.push(turn);
      }
    }
    app.end();
  }
  const [bare, nothing, ours] = turns as [Turn[], Turn[], Turn[]];
  const bareMicros = median(bare.map((one) => one.cpuMs)) * 1000;
  console.log(
    `${way}: ${PROCESSES} × ${ROUNDS} rounds of ${TURN_REQUESTS} requests; bare Express:`,
  );
  console.log(`  ${median(bare.map((one) => one.perSecond)).toFixed(0)} requests/s,`);
  console.log(`  ${bareMicros.toFixed(0)} µs of processor time each`);
  show('a middleware that does nothing, against bare', nothing, bare, bareMicros);
  show('ours, against bare', ours, bare, bareMicros);
  show('ours, against one that does nothing', ours, nothing, bareMicros);
}

function show(title: string, some: Turn[], others: Turn[], bareMicros: number): void {
  const lost = others.map((one, at) => 100 * (1 - some[at]!.perSecond / one.perSecond));
  const micros = median(others.map((one, at) => (some[at]!.cpuMs - one.cpuMs) * 1000));
  console.log(`  ${title}:`);
  console.log(
    `    ${median(lost).toFixed(1)} % (± ${errorOfMedian(lost).toFixed(1)}) fewer requests per second, ` +
      `${micros.toFixed(1)} µs or ${((100 * micros) / bareMicros).toFixed(1)} % more processor time`,
  );
}

async function start(way: string): Promise<App> {
  const args = [way, redis.url, String(trap.port)];
  const child: ChildProcess = fork(APP, args, { execArgv: ['--import', 'tsx', '--expose-gc'] });
  const [ports] = (await once(child, 'message')) as [number[]];
  return {
    ports,
    async usage(how) {
      child.send(how ?? 'look');
      return ((await once(child, 'message')) as [{ cpuMs: number; heapBytes: number }])[0];
    },
    end: () => child.disconnect(),
  };
}

/** Requests over connections that are kept, each sent when the one before it is answered. */
async function load(
  app: App,
  port: number,
  requests = TURN_REQUESTS,
  path = (_at: number): string => '/users/7',
): Promise<Turn> {
  const before = await app.usage();
  const startMs = performance.now();
  let asked = 0;
  const connections = Array.from({ length: CONNECTIONS }, async () => {
    const socket = connect(port, '127.0.0.1').setNoDelay();
    const ask = (): unknown => {
      if (asked >= requests) return socket.end();
      return socket.write(`GET ${path(asked++)} HTTP/1.1\r\nHost: x\r\n\r\n`);
    };
    socket.on('data', ask); // an answer as short as these comes in one piece
    ask();
    await once(socket, 'close');
  });
  await Promise.all(connections);
  const tookMs = performance.now() - startMs;
  const after = await app.usage();
  return {
    perSecond: (requests / tookMs) * 1000,
    cpuMs: (after.cpuMs - before.cpuMs) / requests,
  };
}

async function measureMemory(): Promise<void> {
  const app = await start('path');
  for (let done = 0; done <= 1_000_000; done += 100_000) {
    if (done > 0) await load(app, app.ports[2]!, 100_000, (at) => `/users/${at % 1000}`);
    const { heapBytes } = await app.usage('collect');
    console.log(`after ${done} requests: heap of ${(heapBytes / 2 ** 20).toFixed(2)} MiB`);
  }
  app.end();
}

/** The standard error of a median, by way of the quartiles. */
function errorOfMedian(values: number[]): number {
  const spread = quantile(values, 0.75) - quantile(values, 0.25);
  return (1.25 * spread) / 1.35 / Math.sqrt(values.length);
}
