import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import type { Vitals } from '../../src/vitals.ts';
import { type CollectorProcess, startCollector } from './collector-process.ts';
import { seededRandom } from './random.ts';
import { type RecordingTrap, startTrap } from './recording-trap.ts';
import { type RedisServer, startRedis } from './redis-server.ts';
import { openSender } from './udp.ts';

/** What a run of kills has shown. */
export interface KillRun {
  kills: number;
  /** Samples of all lives, counters, gauges and timings. */
  samples: number;
  /** How many of them a later life has taken over. */
  recovered: number;
  /** What was wrong; empty when nothing was. */
  faults: string[];
}

interface Place {
  redis: RedisServer;
  trap: RecordingTrap;
  folder: string;
  random: () => number;
}

const NAMES = 30;

/**
 * Kills a real collector with `kill -9` so many times, each time with its traffic stopped and all
 * of it accepted, at a random moment of its flushes; the next one takes its state directory over.
 * At the end Redis and the trap must hold exactly what was sent, per name.
 */
export async function killAtRest(kills: number, seed: number): Promise<KillRun> {
  return within(seed, async (place) => {
    const { redis, trap, random } = place;
    const run: KillRun = { kills: 0, samples: 0, recovered: 0, faults: [] };
    const counts = new Map<string, number>();
    const timings = new Map<string, number[]>();
    for (; run.kills < kills; run.kills++) {
      const collector = await start(place, ['--counter-interval', '30', '--timing-interval', '20']);
      run.recovered += await recoveredBy(collector);
      const sent = await sendSome(collector, { random, counts, timings });
      run.samples += sent;
      const all = ({ samples }: Vitals): boolean =>
        samples.counters + samples.gauges + samples.timings === sent;
      await collector.until(all);
      await pause(random() * 40);
      await kill(collector);
    }
    const last = await start(place, []);
    run.recovered += await recoveredBy(last);
    await last.until(({ counters: c, gauges: g, timings: t }) => {
      return c.pending + g.pending + t.pending === 0;
    });
    const stood = numbers(await redis.hash('statcol:stats:gauges'));
    // Each stands at half of what its counter has counted.
    const halves = new Map(Array.from(counts, ([name, count]) => [name, count / 2]));
    compare(run, 'the gauges', halves, stood);
    compare(run, 'statcol:stats', counts, numbers(await redis.hash('statcol:stats')));
    const kept = (lists: Map<string, number[]>): Map<string, string> =>
      new Map(Array.from(lists, ([name, list]) => [name, list.toSorted((a, b) => a - b).join()]));
    compare(run, 'the trap', kept(timings), kept(trap.values()));
    await last.stop();
    return run;
  });
}

/**
 * Kills it under traffic. Nothing is written before, so all that a life has accepted is in its
 * ledger and its spool: as much as the next life says to have taken over must come into Redis, no
 * less than what the last vitals had shown, no more than what was sent.
 */
export async function killUnderTraffic(kills: number, seed: number): Promise<KillRun> {
  return within(seed, async (place) => {
    const { redis, random } = place;
    const run: KillRun = { kills: 0, samples: 0, recovered: 0, faults: [] };
    const never = ['--counter-interval', '600000', '--timing-interval', '600000'];
    let collector = await start(place, never);
    let before = 0;
    for (; run.kills < kills; run.kills++) {
      const { sent, shown } = await sendUntilKilled(collector, 20 + random() * 80);
      run.samples += sent;
      collector = await start(place, never);
      const recovered = await recoveredBy(collector);
      run.recovered += recovered;
      const isAll = ({ counters }: Vitals): boolean => counters.delivered === recovered;
      await collector.until(isAll);
      const total = sum(numbers(await redis.hash('statcol:stats')));
      const life = `life ${run.kills}: shown ${shown}, sent ${sent}, recovered ${recovered}`;
      if (recovered < shown || recovered > sent) run.faults.push(life);
      if (total - before !== recovered) run.faults.push(`${life}, in Redis ${total - before}`);
      before = total;
    }
    await collector.stop();
    return run;
  });
}

async function within(seed: number, work: (place: Place) => Promise<KillRun>): Promise<KillRun> {
  const redis = await startRedis();
  const trap = await startTrap();
  const folder = mkdtempSync(join(tmpdir(), 'statcol-kills-'));
  try {
    return await work({ redis, trap, folder, random: seededRandom(seed) });
  } finally {
    await trap.close();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function start({ redis, trap, folder }: Place, more: string[]): Promise<CollectorProcess> {
  const flags = ['--redis', redis.url, '--trap', trap.url, '--state-dir', folder];
  return startCollector([...flags, '--log-level', 'warn', ...more]);
}

async function kill(collector: CollectorProcess): Promise<void> {
  collector.signal('SIGKILL');
  await collector.exited();
}

async function recoveredBy(collector: CollectorProcess): Promise<number> {
  const { counters, gauges, timings } = await collector.vitals();
  return counters.recovered + gauges.recovered + timings.recovered;
}

/** Sends counters and timings of some names; returns how many samples. */
async function sendSome(
  collector: CollectorProcess,
  {
    random,
    counts,
    timings,
  }: { random: () => number; counts: Map<string, number>; timings: Map<string, number[]> },
): Promise<number> {
  const sender = openSender(collector.udpPort);
  const datagrams = 1 + Math.floor(random() * 20);
  let samples = 0;
  for (let at = 0; at < datagrams; at++) {
    const name = `n${Math.floor(random() * NAMES)}`;
    const amount = 1 + Math.floor(random() * 1000);
    const value = Math.floor(random() * 1e6) / 1000;
    counts.set(name, (counts.get(name) ?? 0) + 2 * amount);
    timings.set(name, [...(timings.get(name) ?? []), value]);
    await sender.send(`${name}:${amount}:${amount}|c\n${name}:${value}|ms\n${name}:+${amount}|g`);
    samples += 4;
  }
  sender.close();
  return samples;
}

/** Sends ones as fast as they are taken, and kills in the midst of it. */
async function sendUntilKilled(
  collector: CollectorProcess,
  afterMs: number,
): Promise<{ sent: number; shown: number }> {
  const sender = openSender(collector.udpPort);
  let sent = 0;
  let shown = 0;
  let isOver = false;
  const sending = (async (): Promise<void> => {
    for (; !isOver; sent += 10) {
      const lines = Array.from({ length: 10 }, (_, at) => `n${(sent + at) % NAMES}:1|c`);
      await sender.send(lines.join('\n'));
      // No faster than it reads: what the kernel drops would be no sample at all.
      if (sent - shown > 20_000) await pause(1);
    }
  })();
  const watching = (async (): Promise<void> => {
    while (!isOver) shown = (await collector.vitals()).samples.counters;
  })().catch(() => {}); // the last question is cut off
  await pause(afterMs);
  await kill(collector);
  isOver = true;
  await Promise.all([sending, watching]);
  sender.close();
  return { sent, shown };
}

function numbers(hash: Map<string, string>): Map<string, number> {
  return new Map(Array.from(hash, ([name, value]) => [name, Number(value)]));
}

function sum(values: Map<string, number>): number {
  return [...values.values()].reduce((a, b) => a + b, 0);
}

function compare<Value>(
  run: KillRun,
  where: string,
  wanted: Map<string, Value>,
  found: Map<string, Value>,
): void {
  for (const name of new Set([...wanted.keys(), ...found.keys()])) {
    if (wanted.get(name) === found.get(name)) continue;
    const [sent, got] = [String(wanted.get(name)), String(found.get(name))];
    run.faults.push(`${where}, ${name}: sent ${sent}, found ${got}`);
  }
}
