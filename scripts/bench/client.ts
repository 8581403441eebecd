// `npm run bench:client [-- --json]`: calls per second of the client, side by side with hot-shots
// (its buffer on, the same datagram size), in turns in one process, for the calls that applications
// make most.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';

import HotShots from 'hot-shots';

import { Client } from '../../dist/client.js';
import { median } from './statistics.ts';

/** Three of them where the bench is to be quick. */
const ROUNDS = process.argv.includes('--quick') ? 3 : 9;
const CALLS = 300_000;
/** After so many calls the event loop has a turn, in which datagrams leave. */
const BURST = 500;

const sink = createSocket('udp4').bind(0, '127.0.0.1'); // what it does not read, the kernel drops
await once(sink, 'listening');
const { port } = sink.address();
const ours = new Client({ port, prefix: 'api.' });
const theirs = new HotShots({
  ...{ host: '127.0.0.1', port, prefix: 'api.', maxBufferSize: 1432, bufferFlushInterval: 20 },
  errorHandler: () => {},
});
const names = Array.from({ length: 100 }, (_, at) => `service.${at}.requests`);

/** A call of each client; `at` counts them. */
const CASES: [name: string, ours: (at: number) => void, theirs: (at: number) => void][] = [
  ['incr(name)', (at) => ours.incr(names[at % 100]!), (at) => theirs.increment(names[at % 100]!)],
  [
    'incr(name, n)',
    (at) => ours.incr(names[at % 100]!, at % 1000),
    (at) => theirs.increment(names[at % 100]!, at % 1000),
  ],
  [
    'timing(name, ms), whole',
    (at) => ours.timing(names[at % 100]!, at % 1000),
    (at) => theirs.timing(names[at % 100]!, at % 1000),
  ],
  [
    'timing(name, ms), fractions',
    (at) => ours.timing(names[at % 100]!, (at % 1000) / 8),
    (at) => theirs.timing(names[at % 100]!, (at % 1000) / 8),
  ],
  [
    'incr with two tags',
    (at) => ours.incr(names[at % 100]!, 1, { tags: { zone: 'eu', host: 'a' } }),
    (at) => theirs.increment(names[at % 100]!, 1, { zone: 'eu', host: 'a' }),
  ],
];

const isJson = process.argv.includes('--json');
const results: { call: string; ours: number; theirs: number; ratio: number }[] = [];
if (!isJson) {
  console.log(`millions of calls per second, medians of ${ROUNDS} rounds; Node ${process.version}`);
}
for (const [name, callOurs, callTheirs] of CASES) {
  const perSecond: number[][] = [[], []];
  for (let round = -1; round < ROUNDS; round++) {
    const order = round % 2 === 0 ? [0, 1] : [1, 0];
    for (const which of order) {
      const rate = await measure(which === 0 ? callOurs : callTheirs);
      if (round >= 0) perSecond[which]!.push(rate);
    }
  }
  const [our, their] = perSecond.map(median);
  const ratio = perSecond[0]!.map((one, at) => one / perSecond[1]![at]!);
  const times = median(ratio);
  results.push({ call: name, ours: our!, theirs: their!, ratio: times });
  if (isJson) continue;
  console.log(
    `${name.padEnd(28)} statcol ${millions(our!)}   hot-shots ${millions(their!)}   ${times.toFixed(1)} ×`,
  );
}
if (isJson) console.log(JSON.stringify(results));
await ours.close();
theirs.close(() => sink.close());

async function measure(call: (at: number) => void): Promise<number> {
  const startMs = performance.now();
  for (let at = 0; at < CALLS; at += BURST) {
    for (let one = at; one < at + BURST; one++) call(one);
    await turn();
  }
  return CALLS / (performance.now() - startMs) / 1000;
}

function millions(perMicrosecond: number): string {
  return perMicrosecond.toFixed(2).padStart(6);
}
