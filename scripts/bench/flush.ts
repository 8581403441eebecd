// `npm run bench:flush [-- --json]`: a flush of 100,000 counters to a real Redis, beside a bare
// loop of node-redis that sends the same calls, in turns in one process; and the longest time for
// which the event loop had no turn meanwhile. Medians of 7 rounds; sums are read back.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';

import { createClient } from 'redis';

import { createCollector } from '../../dist/index.js';
import { APPLY_CHUNK } from '../../dist/sinks/redis-script.js';
import { startRedis } from '../../test/support/redis-server.ts';
import { openSender } from '../../test/support/udp.ts';
import { median, show } from './statistics.ts';

const NAMES = 100_000;
/** Two of them where the bench is to be quick. */
const ROUNDS = process.argv.includes('--quick') ? 2 : 7;
const PER_CALL = 1000;
const INTERVAL_MS = 2000;
const LINES = 40;

const redis = await startRedis();
const client = createClient({ url: redis.url });
await client.connect();
const collector = createCollector({
  port: 0,
  http: 'off',
  redis: redis.url,
  counterInterval: INTERVAL_MS,
});
const { udp } = await collector.start();
const sender = openSender(Number(new URL(udp.replace('udp:', 'http:')).port));
const datagrams = Array.from({ length: NAMES / LINES }, (_, datagram) => {
  const lines = Array.from(
    { length: LINES },
    (_line, at) => `${nameOf(datagram * LINES + at)}:1|c`,
  );
  return lines.join('\n');
});

const bareMs: number[] = [];
const ourMs: number[] = [];
const longestMs: number[] = [];
let firstMs = 0;
// Round 0 makes the names known, and warms both up.
for (let round = 0; round <= ROUNDS; round++) {
  const bare = await bareLoop(round + 1);
  const [flushMs, taskMs] = await ourFlush();
  if (round === 0) firstMs = taskMs;
  if (round === 0) continue;
  bareMs.push(bare);
  ourMs.push(flushMs);
  longestMs.push(taskMs);
}
const wanted = String(ROUNDS + 1);
for (const hash of ['statcol:stats', 'bare']) {
  const fields = await redis.hash(hash);
  const wrong = [...fields.values()].filter((value) => value !== wanted).length;
  if (fields.size !== NAMES || wrong > 0)
    throw new Error(`${hash}: ${wrong} of ${fields.size} wrong`);
}
const ratio = median(ourMs.map((ms, at) => ms / bareMs[at]!));
if (process.argv.includes('--json')) {
  console.log(JSON.stringify({ names: NAMES, bareMs, ourMs, ratio, longestMs, firstMs }));
} else {
  console.log(`a flush of ${NAMES} counters, ms, each of ${ROUNDS} rounds; sums are right`);
  console.log(`  node-redis loop   ${show(bareMs)}`);
  console.log(`  statcol           ${show(ourMs)}`);
  console.log(`  ratio             ${ratio.toFixed(2)}`);
  console.log(
    `  longest task      ${show(longestMs)}; while all names were new ${show([firstMs])}`,
  );
}
sender.close();
await collector.stop();
await client.close();
await redis.stop();

/** The same calls: as many fields each, their marker, one after the other. */
async function bareLoop(seq: number): Promise<number> {
  const calls: string[][] = [];
  for (let from = 0; from < NAMES; from += PER_CALL) {
    const fields = Array.from({ length: PER_CALL }, (_, at) => [`+${nameOf(from + at)}`, '1']);
    const number = String((seq * NAMES + from) / PER_CALL);
    calls.push([number, '604800', '', ...fields.flat()]);
  }
  const startMs = performance.now();
  for (const args of calls) {
    await client.eval(APPLY_CHUNK, { keys: ['bare', '{bare}:applied:bench'], arguments: args });
  }
  return performance.now() - startMs;
}

/** Counts each name once, and waits for the flush in which all of it goes. */
async function ourFlush(): Promise<[flushMs: number, taskMs: number]> {
  const { counters: before } = await collector.vitals();
  const deliveredBefore = before.delivered;
  await nextFlush();
  await sender.send(...datagrams);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  for (;;) {
    await pause(200);
    const { counters, store } = await collector.vitals();
    if (counters.delivered - deliveredBefore <= NAMES) continue;
    delay.disable();
    return [store.lastFlushMs!, delay.max / 1e6 - 1];
  }
}

/** Waits until a flush has just begun, so that the next one is a whole interval away. */
async function nextFlush(): Promise<void> {
  const { counters } = await collector.vitals();
  await sender.send(`${nameOf(0)}:0|c`);
  while ((await collector.vitals()).counters.delivered === counters.delivered) await pause(5);
}

function nameOf(at: number): string {
  return `bench.requests.${at}`;
}
