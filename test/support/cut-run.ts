import { startCollector } from './collector-process.ts';
import { startProxy } from './proxy.ts';
import { seededRandom } from './random.ts';
import { startRedis } from './redis-server.ts';
import { openSender } from './udp.ts';

/** What a run of cuts has shown. */
export interface CutRun {
  cuts: number;
  /** What was sent, per name, and what Redis held at the end. */
  sent: Map<string, number>;
  counted: Map<string, number>;
  /** The gauges likewise, which were changed by the same amounts: as Redis held them. */
  gauges: Map<string, number>;
}

/**
 * Runs a real collector against a real Redis through a proxy that cuts the connection, at a random
 * byte of a request or of its reply, until it has done so `cutsWanted` times; then lets it finish.
 * Counters, and gauges that change with them, flow all the while.
 */
export async function runWithCuts(cutsWanted: number, seed: number): Promise<CutRun> {
  const random = seededRandom(seed);
  const redis = await startRedis();
  const proxy = await startProxy(redis.port);
  const collector = await startCollector([
    ...['--redis', `redis://127.0.0.1:${proxy.port}`],
    ...['--counter-interval', '10', '--log-level', 'error'],
  ]);
  const sender = openSender(collector.udpPort);
  const sent = new Map<string, number>();
  proxy.decide(({ direction, length }) => {
    if (proxy.cuts >= cutsWanted) return 'pass';
    // Replies more often: one that is lost after Redis has applied the chunk is the hard case.
    const share = direction === 'reply' ? 0.3 : 0.15;
    return random() < share ? { cutAfter: Math.floor(random() * (length + 1)) } : 'pass';
  });
  let lines = 0;
  const deadlineMs = Date.now() + 1000 * cutsWanted + 20_000;
  try {
    while (proxy.cuts < cutsWanted) {
      if (Date.now() > deadlineMs) throw new Error(`only ${proxy.cuts} cuts`);
      const name = `name.${Math.floor(random() * 20)}`;
      const amount = 1 + Math.floor(random() * 9);
      sent.set(name, (sent.get(name) ?? 0) + amount);
      await sender.send(`${name}:${amount}|c\n${name}:+${amount}|g`);
      lines++;
      // Paced by the collector: a datagram that the kernel drops would be missed in Redis too.
      if (lines % 20 === 0) await collector.until(({ samples }) => samples.counters === lines);
    }
    const total = [...sent.keys()].length;
    await collector.until(
      ({ counters, gauges, keys }) =>
        counters.pending + gauges.pending === 0 && keys.counters === total,
    );
    const hash = await redis.hash('statcol:stats');
    const counted = new Map([...hash].map(([name, value]) => [name, Number(value)]));
    const gauges = await redis.hash('statcol:stats:gauges');
    const stood = new Map([...gauges].map(([name, value]) => [name, Number(value)]));
    return { cuts: proxy.cuts, sent, counted, gauges: stood };
  } finally {
    sender.close();
    await collector.stop();
    await proxy.close();
    await redis.stop();
  }
}
