import { type Account, Stats } from '../../src/index.ts';
import { startProxy } from './proxy.ts';
import { seededRandom } from './random.ts';
import { startRedis } from './redis-server.ts';
import { createTeller } from './stats-count.ts';
import {
  connectClient,
  type PLACES,
  untilReady,
  type WatchedClient,
  watchClient,
} from './stats-place.ts';

/** What a run of cuts has shown. */
export interface StatsCutRun {
  cuts: number;
  /** What was counted, per name, and what Redis held at the end. */
  counted: Record<string, string>;
  written: Record<string, string>;
  unwritten: number;
  unbalanced: readonly Account[];
  /** How many statements the application's client had to answer at once, at most. */
  statementsMax: number;
}

/**
 * Counts into a stats buffer whose connection is cut, at a random byte of a request or of its
 * reply, until that was done so often; then lets it finish.
 */
export async function runStatsWithCuts(
  place: Exclude<(typeof PLACES)[number], 'memory'>,
  cutsWanted: number,
  seed: number,
): Promise<StatsCutRun> {
  const random = seededRandom(seed);
  const redis = await startRedis();
  const proxy = await startProxy(redis.port);
  let watched: WatchedClient | undefined;
  if (place === "the application's client") watched = watchClient(await connectClient(proxy.port));
  const stats = new Stats({
    redis: watched?.client ?? `redis://127.0.0.1:${proxy.port}`,
    keys: ['hash'],
    writeFrequency: 1,
    onLog: () => {},
  });
  const teller = createTeller(stats, seed);
  proxy.decide(({ direction, length }) => {
    if (proxy.cuts >= cutsWanted) return 'pass';
    // Replies more often: one that is lost after Redis has applied the chunk is the hard case.
    const share = direction === 'reply' ? 0.3 : 0.15;
    return random() < share ? { cutAfter: Math.floor(random() * (length + 1)) } : 'pass';
  });
  const deadlineMs = Date.now() + 500 * cutsWanted + 20_000;
  try {
    while (proxy.cuts < cutsWanted) {
      if (Date.now() > deadlineMs) throw new Error(`only ${proxy.cuts} cuts`);
      teller.count();
      // Also by itself; this does not wait for what is left of a pause after a failure.
      await stats.write().catch(() => {});
      await new Promise(setImmediate);
      teller.look();
    }
    await untilReady(watched?.client);
    const unwritten = await stats.stop();
    teller.look();
    return {
      cuts: proxy.cuts,
      counted: teller.counted,
      written: Object.fromEntries(await redis.hash('hash')),
      unwritten,
      unbalanced: teller.unbalanced,
      statementsMax: watched?.statementsMax ?? 0,
    };
  } finally {
    await stats.stop();
    watched?.client.destroy();
    await proxy.close();
    await redis.stop();
  }
}
