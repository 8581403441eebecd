// `npm run soak [-- minutes]`: a collector under steady load for ten minutes, or as many as are
// given, while names come and go and Redis and the trap are taken away and given back. Nothing may
// grow, and at the end every sample must have arrived, once. Prints a table; from two minutes on
// draws docs/soak.svg, before that a picture in the temporary folder.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { type CollectorProcess, startCollector } from '../test/support/collector-process.ts';
import { startProxy } from '../test/support/proxy.ts';
import { startRedis } from '../test/support/redis-server.ts';
import { LINES_PER_KIND, LOAD_IN_WORDS, type Load, MAX_KEYS, startLoad } from './soak/load.ts';
import { type Outage, runOutages, type Victims } from './soak/outages.ts';
import { picture } from './soak/picture.ts';
import { startCountingTrap } from './soak/trap.ts';
import { judge, tableOf } from './soak/verdicts.ts';
import { look, type Sample, watch } from './soak/watch.ts';

const MINUTES_MAX = 120;
/** Of the datagrams; the kernel throws them away when the machine gives the collector no turn. */
const DROPPED_SHARE_MAX = 0.001;

/** What a run has found. */
interface Run {
  samples: Sample[];
  last: Sample;
  outages: Outage[];
  /** What must be so, and whether it is. */
  facts: [text: string, isSo: boolean][];
}

const minutes = Number(process.argv[2] ?? 10);
if (!(minutes >= 0.1 && minutes <= MINUTES_MAX)) {
  throw new Error(`Expected minutes from 0.1 to ${MINUTES_MAX}, got ${process.argv[2]}`);
}
// Whoever ends us gets everything put away first.
const aborting = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => aborting.abort(new Error(`ended by ${signal}`)));
}
console.log(`${minutes} minutes of ${LOAD_IN_WORDS}`);
const run = await soak(60 * minutes);
const rows = judge(run.samples, run.last);
console.log(tableOf(rows));
for (const [text, isSo] of run.facts) console.log(`${isSo ? 'ok ' : 'NOT'}  ${text}`);
const docs = fileURLToPath(new URL('../docs/', import.meta.url));
const file = join(minutes >= 2 ? docs : tmpdir(), 'soak.svg');
writeFileSync(file, picture(run.samples, run.outages));
const isGood = rows.every((row) => row.isGood !== false) && run.facts.every(([, isSo]) => isSo);
console.log(`${isGood ? 'flat, and nothing lost' : 'NOT as it should be'}; drawn in ${file}`);
process.exitCode = isGood ? 0 : 1;

async function soak(seconds: number): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'statcol-soak-'));
  // What was begun is ended in the other order, whatever happens.
  const endings: (() => Promise<unknown>)[] = [
    async () => rmSync(folder, { recursive: true, force: true }),
  ];
  try {
    const redis = await startRedis('--appendonly', 'yes');
    endings.push(() => redis.stop());
    const proxy = await startProxy(redis.port);
    endings.push(() => proxy.close());
    const trap = await startCountingTrap();
    endings.push(() => trap.close());
    const collector = await startCollector([
      ...['--redis', `redis://127.0.0.1:${proxy.port}`, '--trap', trap.url],
      ...['--counter-interval', '250', '--timing-interval', '250'],
      ...['--max-keys', String(MAX_KEYS), '--log-level', 'warn'],
      // Elsewhere files cannot be mapped, and the collector says so.
      ...(process.platform === 'linux' ? ['--state-dir', folder] : []),
    ]);
    endings.push(() => collector.stop());
    const load = startLoad(collector.udpPort);
    endings.push(() => load.stop());
    const victims = { redis, proxy, trap };
    const ending = runOutages(victims, seconds, aborting.signal);
    endings.push(async () => {
      aborting.abort();
      await ending.catch(() => {}); // it is told below, if it is the first to fail
    });
    const [outages, samples] = await Promise.all([ending, watch(collector, folder, ending)]);
    await load.stop();
    await untilDelivered(collector, load);
    const last = await look(collector, folder, performance.now() - 1000 * seconds);
    const facts = await count(collector, load, victims);
    facts.push(identities([...samples, last]));
    const code = await collector.stop();
    facts.push([`the collector ended with ${code}`, code === 0]);
    return { samples, last, outages, facts };
  } finally {
    // One that fails keeps none of the others from being ended.
    for (const end of endings.toReversed()) {
      await end().catch((error: unknown) => console.error(error));
    }
  }
}

function identities(answers: readonly Sample[]): Run['facts'][number] {
  const broken = answers.flatMap((one) => one.broken);
  const but = broken[0] === undefined ? '' : `, but for ${broken.length}, such as ${broken[0]}`;
  const what = 'samples + recovered = delivered + pending + dropped';
  return [`${what} in ${answers.length} answers${but}`, broken.length === 0];
}

/** All that was sent is read, or was thrown away by the kernel, and nothing waits. */
async function untilDelivered(collector: CollectorProcess, load: Load): Promise<void> {
  await collector.until(({ udp, counters, timings }) => {
    const isRead = udp.datagrams + (udp.kernelDrops ?? 0) === load.datagrams;
    return isRead && counters.pending + timings.pending === 0;
  });
}

/** Compares what was sent with what Redis and the trap have. */
async function count(
  collector: CollectorProcess,
  { datagrams, sentBy }: Load,
  { redis, trap }: Victims,
): Promise<Run['facts']> {
  const { udp, lines, counters, timings } = await collector.vitals();
  const drops = udp.kernelDrops ?? 0;
  const expected = LINES_PER_KIND * (datagrams - drops);
  const hash = await redis.hash('statcol:stats');
  const sum = [...hash.values()].reduce((total, value) => total + Number(value), 0);
  const wrong = [...sentBy].filter(([name, sent]) => hash.get(name) !== String(sent)).length;
  const rejected = JSON.stringify(lines.rejected);
  const dropped = JSON.stringify({ ...counters.dropped, ...timings.dropped });
  return [
    [
      `${datagrams} datagrams sent, ${drops} thrown away by the kernel, at most 0.1 %`,
      drops <= DROPPED_SHARE_MAX * datagrams,
    ],
    [`lines refused: ${rejected}, samples dropped: ${dropped}`, rejected + dropped === '{}{}'],
    [`counters: ${expected} came in, Redis holds ${sum}`, sum === expected],
    // A datagram that the kernel threw away held names that we do not know.
    ...(drops > 0
      ? []
      : [
          [
            `${wrong} of ${sentBy.size} names differ in Redis, which has ${hash.size}`,
            wrong === 0 && hash.size === sentBy.size,
          ] satisfies [string, boolean],
        ]),
    [
      `timings: ${expected} came in, the trap has ${trap.samples}; ` +
        `${trap.repeated} bodies came twice`,
      trap.samples === expected,
    ],
  ];
}
