import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

import type { Fate, Vitals } from '../../src/vitals.ts';
import type { CollectorProcess } from '../../test/support/collector-process.ts';

/** How the collector was at one moment. Null where the system does not tell. */
export interface Sample {
  /** Seconds since the start. */
  readonly atS: number;
  readonly residentMiB: number | null;
  readonly handles: number | null;
  readonly threads: number | null;
  /** How long `/api/vitals` took to answer. */
  readonly answerMs: number;
  /** Samples of both kinds. */
  readonly pending: number;
  readonly spoolMiB: number;
  readonly stateFiles: number;
  readonly names: number;
  readonly windowMiB: number;
  /** Samples of both kinds. */
  readonly delivered: number;
  /** Terms that do not add up, in words; empty when all do. */
  readonly broken: string[];
}

/** Looks at a collector every second until a promise settles, and hands over each look. */
export async function watch(
  collector: CollectorProcess,
  stateFolder: string,
  until: Promise<unknown>,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  const startMs = performance.now();
  let isOver = false;
  const end = (): void => void (isOver = true);
  until.then(end, end);
  for (let second = 1; !isOver; second++) {
    await pause(Math.max(0, 1000 * second - (performance.now() - startMs)));
    samples.push(await look(collector, stateFolder, startMs));
  }
  return samples;
}

/** Looks once. */
export async function look(
  { pid, vitals: ask }: CollectorProcess,
  stateFolder: string,
  startMs: number,
): Promise<Sample> {
  const askedMs = performance.now();
  const vitals = await ask();
  const answerMs = performance.now() - askedMs;
  const { counters, timings, keys, state, window } = vitals;
  return {
    atS: (askedMs - startMs) / 1000,
    residentMiB: residentMiBOf(pid),
    handles: countIn(`/proc/${pid}/fd`),
    threads: countIn(`/proc/${pid}/task`),
    answerMs,
    pending: counters.pending + timings.pending,
    spoolMiB: state.spoolBytes / 2 ** 20,
    stateFiles: countIn(stateFolder) ?? 0,
    names: keys.counters + keys.timings,
    windowMiB: window.bytes / 2 ** 20,
    delivered: counters.delivered + timings.delivered,
    broken: brokenIn(vitals),
  };
}

/** Returns which identities do not hold. */
function brokenIn({ samples, counters, timings }: Vitals): string[] {
  const kinds: [string, number, Fate][] = [
    ['counters', samples.counters, counters],
    ['timings', samples.timings, timings],
  ];
  return kinds.flatMap(([kind, taken, { recovered, delivered, pending, dropped }]) => {
    const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0);
    if (taken + recovered === delivered + pending + lost) return [];
    return [`${kind}: ${taken} + ${recovered} is not ${delivered} + ${pending} + ${lost}`];
  });
}

/** Source: proc(5), VmRSS. */
function residentMiBOf(pid: number): number | null {
  try {
    const kB = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return kB === undefined ? null : Number(kB) / 1024;
  } catch {
    return null; // not Linux
  }
}

function countIn(folder: string): number | null {
  try {
    return readdirSync(folder).length;
  } catch {
    return null;
  }
}
