import { setTimeout as pause } from 'node:timers/promises';

import { type ChaosBook, keepStriking, openBook } from './chaos-book.ts';
import { type ChaosCollector, createChaosCollector } from './chaos-collector.ts';
import { checkKeys, compareCounters, compareTimings, type Difference } from './chaos-compare.ts';
import { compareGauges, compareSets } from './chaos-compare.ts';
import { startClusterStore, startSentinelStore } from './chaos-failover.ts';
import { openWay } from './chaos-network.ts';
import { PROGRAM } from './chaos-process.ts';
import { type ChaosStore, startSingle } from './chaos-single.ts';
import { type ChaosTraffic, createTraffic, THREADED } from './chaos-traffic.ts';
import { type ChaosTrap, startChaosTrap } from './chaos-trap.ts';

/** What a run of chaos is to be. */
export interface ChaosOptions {
  seed: number;
  /** How long faults strike; what follows takes until everything is delivered. */
  seconds: number;
  redis: 'single' | 'sentinel' | 'cluster';
  /** Whether a replica must have what counts as delivered, where there are replicas. */
  waits: boolean;
  /** How many names there are; 50 to 500 by chance, if absent. More than 1,000 take two chunks. */
  names?: number;
  /** The program, as `bin/statcol.js`; the one that was built here, if absent. */
  program?: string;
  /** The kinds of faults that are wanted; all, if absent. */
  only?: readonly string[];
  /** Pauses between two faults that a collector meets, in milliseconds. */
  collectorPauses?: readonly [number, number];
  /** How long everything may take to be delivered in the end. */
  settleSeconds?: number;
}

/** What has come of it. */
export interface ChaosReport {
  options: ChaosOptions;
  tookSeconds: number;
  faults: ReadonlyMap<string, number>;
  /** What was sent: samples of counters are in no number, their sums are. */
  sent: {
    counterNames: number;
    counterSum: number;
    gauges: number;
    sets: number;
    timings: number;
  };
  bodies: { taken: number; again: number };
  differences: readonly Difference[];
  wrongs: readonly string[];
  /** The last events. */
  events: readonly string[];
}

const COLLECTIONS = ['chaos:one', 'chaos:{two}'];
const COLLECTORS = 3;
const SETTLE_SECONDS = 60;

/** Everything that takes part. */
interface Stage {
  book: ChaosBook;
  traffic: ChaosTraffic;
  store: ChaosStore;
  trap: ChaosTrap;
  collectors: ChaosCollector[];
  /** Ends all of it; may be called at any time. */
  close(): Promise<void>;
}

/** Runs collectors in chaos, and compares what was sent with what has arrived. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const book = openBook(options.seed, options.only);
  const stage = await setUp(book, options);
  const startMs = performance.now();
  try {
    await strike(stage, options);
    const differences = await settle(stage, options);
    const { traffic, trap } = stage;
    const sums = [...traffic.counters.values()];
    return {
      options,
      tookSeconds: (performance.now() - startMs) / 1000,
      faults: book.faults,
      sent: {
        counterNames: sums.length,
        counterSum: sums.reduce((sum, one) => sum + one, 0) / 1000,
        gauges: traffic.gauges.size,
        sets: traffic.sets.size,
        timings: traffic.timings.size,
      },
      bodies: { taken: trap.taken, again: trap.again },
      differences,
      wrongs: book.wrongs,
      events: book.events,
    };
  } finally {
    await stage.close();
  }
}

async function setUp(book: ChaosBook, options: ChaosOptions): Promise<Stage> {
  const chance = book.chance('set-up');
  const traffic = createTraffic(book, options.names ?? chance.whole(50, 500));
  const closing: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    book.end();
    for (const one of closing.splice(0).toReversed()) await one();
  };
  try {
    const store = await startStore(book, options);
    closing.push(() => store.close());
    const trap = await startChaosTrap(book, 400);
    closing.push(() => trap.close());
    const way = await openWay(book, 'trap way', trap.port, 500);
    closing.push(() => way.close());
    const collectors = Array.from({ length: COLLECTORS }, (_, collector) => {
      const args = [
        ...store.args,
        ...COLLECTIONS.flatMap((hash) => ['--collection', hash]),
        ...['--trap', `http://127.0.0.1:${way.port}/module/httptrap/chaos/secret`],
        ...['--counter-interval', String(chance.whole(15, 100))],
        ...['--timing-interval', String(chance.whole(15, 100))],
        ...['--stop-timeout', String(chance.whole(100, 700))],
        ...['--threads', THREADED.has(collector) ? '2' : '1'],
      ];
      const program = options.program ?? PROGRAM;
      const { withoutStore } = store;
      return createChaosCollector({ collector, program, args, book, traffic, withoutStore });
    });
    for (const one of collectors) {
      closing.push(() => one.remove());
      await one.start();
    }
    return { book, traffic, store, trap, collectors, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function startStore(book: ChaosBook, { redis, waits }: ChaosOptions): Promise<ChaosStore> {
  if (redis === 'sentinel') return startSentinelStore(book, waits);
  return redis === 'cluster'
    ? startClusterStore(book, COLLECTIONS, waits)
    : startSingle(book, COLLECTIONS);
}

async function strike({ book, store, collectors }: Stage, options: ChaosOptions): Promise<void> {
  for (const one of collectors) void one.watch();
  const pauses = options.collectorPauses ?? [100, 1000];
  const lanes = collectors.map((one, at) => {
    return keepStriking(book, `faults of collector ${at}`, one.choices, pauses);
  });
  lanes.push(keepStriking(book, 'faults of the store', store.choices, store.pauses));
  const endMs = performance.now() + 1000 * options.seconds;
  while (book.isOn && performance.now() < endMs) await pause(50);
  book.event('faults end');
  book.end();
  await Promise.all(lanes);
}

async function settle(stage: Stage, options: ChaosOptions): Promise<Difference[]> {
  const { book, traffic, store, trap, collectors } = stage;
  await store.healed();
  const withinMs = 1000 * (options.settleSeconds ?? SETTLE_SECONDS);
  const settled = collectors.map((one) => one.settle(withinMs));
  for (const one of await Promise.allSettled(settled)) {
    if (one.status === 'rejected') book.wrong(String(one.reason));
  }
  await checkKeys(book, store, COLLECTIONS, collectors.length);
  const counters = await compareCounters(store, COLLECTIONS, traffic);
  const gauges = await compareGauges(store, COLLECTIONS, traffic);
  const sets = await compareSets(store, COLLECTIONS, traffic);
  return [...counters, ...gauges, ...sets, ...compareTimings(trap, traffic)];
}
