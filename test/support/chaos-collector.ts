import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import type { Vitals } from '../../src/vitals.ts';
import type { ChaosBook, Choice, Gate } from './chaos-book.ts';
import { openGate } from './chaos-book.ts';
import { linesInLedgers } from './chaos-ledger.ts';
import { createLife, type Life } from './chaos-life.ts';
import { CLOCK_JUMP, startProcess, THREAD_DEATH } from './chaos-process.ts';
import type { ChaosTraffic } from './chaos-traffic.ts';

/** What a collector is run with. */
export interface ChaosCollectorParts {
  /** Its number, from 0. */
  collector: number;
  program: string;
  args: readonly string[];
  book: ChaosBook;
  traffic: ChaosTraffic;
  /** Takes the store away while `work` is done. Undefined where that cannot be done. */
  withoutStore: ((work: () => Promise<void>) => Promise<void>) | undefined;
}

/** A collector that lives again and again, in one state directory. */
export interface ChaosCollector {
  /** Starts it, and traffic to it. */
  start(): Promise<void>;
  /** What can be done to it. */
  choices: readonly Choice[];
  /** Asks for its vitals now and then, until the book ends and beyond. */
  watch(): Promise<void>;
  /** Makes its sums whole, and waits until nothing is pending; returns what it says then. */
  settle(withinMs: number): Promise<Vitals>;
  /** Ends it for good, and removes its state directory. */
  remove(): Promise<void>;
}

/** A thread's death more often than this in a minute is meant to end the collector. */
const DEATHS_PER_LIFE_MAX = 4;
const EXIT_WITHIN_MS = 30_000;

/** Creates a collector; nothing runs before `start`. */
export function createChaosCollector(parts: ChaosCollectorParts): ChaosCollector {
  const { collector, book, traffic } = parts;
  const folder = mkdtempSync(join(tmpdir(), 'statcol-chaos-'));
  const args = [...parts.args, '--state-dir', folder];
  const name = `collector ${collector}`;
  const chance = book.chance(name);
  const vitalsGate: Gate = openGate();
  let life: Life | undefined;
  let deaths = 0;
  let isRemoved = false;
  const choices: Choice[] = [
    { kind: 'collector: kill -9', weight: 4, strike: kill },
    { kind: IN_LEDGER, weight: 4, strike: killInLedger },
    { kind: 'collector: stop signal', weight: 2, strike: stop },
    { kind: 'collector: killed while it stops', weight: 1, strike: killWhileStopping },
    { kind: 'collector: SIGSTOP, SIGCONT', weight: 3, strike: sleep },
    { kind: 'collector: an ingest thread dies', weight: 2, strike: loseThread },
    { kind: 'collector: the clock jumps', weight: 3, strike: jump },
  ];
  if (parts.withoutStore !== undefined) {
    choices.push({ kind: 'collector: stop with a dead store', weight: 1, strike: stopWithout });
  }

  return { start, choices, watch, settle, remove };

  async function start(): Promise<void> {
    while (book.isOn && book.wants(DIES_EARLY) && chance.yes(0.2)) {
      const early = startProcess(parts.program, args);
      await chance.pause(0, 500);
      book.fault(DIES_EARLY, name);
      early.signal('SIGKILL');
      await early.exited;
    }
    const process = startProcess(parts.program, args);
    const { udpPort } = await process.bound;
    book.event(`${name} lives as pid ${process.pid}`);
    life = createLife(process, { book, traffic, collector, udpPort });
    deaths = 0;
    void seeUnexpected(life);
    if (book.isOn) life.begin();
  }

  async function seeUnexpected(one: Life): Promise<void> {
    const how = await one.process.exited;
    if (life === one) book.wrong(`${name} has ended by itself (${how}): ${one.process.said()}`);
  }

  /** Nothing is asked while `work` is done, and the traffic is quiet. */
  function inQuiet(work: (now: Life) => Promise<void>): Promise<void> {
    return vitalsGate.alone(async () => {
      const now = life;
      if (now === undefined) return;
      await now.quiet();
      await work(now);
    });
  }

  async function end(now: Life, signal: NodeJS.Signals): Promise<void> {
    life = undefined;
    now.process.signal(signal);
    await now.process.exited;
    await now.close();
    await start();
  }

  function kill(): Promise<void> {
    return inQuiet(async (now) => {
      await chance.pause(0, 120);
      book.fault('collector: kill -9', name);
      await end(now, 'SIGKILL');
    });
  }

  function killInLedger(): Promise<void> {
    return inQuiet(async (now) => {
      await now.gasp(folder, chance.whole(1, 8));
      await chance.pause(0, chance.yes(0.7) ? 3 : 60);
      const isInLedger = linesInLedgers(folder) > 0;
      book.fault(isInLedger ? IN_LEDGER : 'collector: kill -9', name);
      await end(now, 'SIGKILL');
    });
  }

  function stop(): Promise<void> {
    const signal = chance.of(['SIGTERM', 'SIGINT', 'SIGHUP'] as const);
    return inQuiet(async (now) => {
      book.fault(`collector: ${signal}`, name);
      await stopBy(now, signal);
      await start();
    });
  }

  /** What lies in the socket is to be read before it ends. */
  async function stopBy(now: Life, signal: NodeJS.Signals): Promise<void> {
    for (let n = chance.whole(0, 4); n > 0; n--) await now.send(traffic.datagram(collector));
    life = undefined;
    now.process.signal(signal);
    const how = await Promise.race([now.process.exited, pause(EXIT_WITHIN_MS, 'not at all')]);
    await now.close();
    if (how !== 0) {
      book.wrong(`${name} after ${signal}: ended ${how}, not with 0: ${now.process.said()}`);
      now.process.signal('SIGKILL');
    }
  }

  function stopWithout(): Promise<void> {
    const { withoutStore } = parts;
    return inQuiet(async (now) => {
      await withoutStore!(async () => {
        book.fault('collector: stop with a dead store', name);
        await stopBy(now, 'SIGTERM');
      });
      await start();
    });
  }

  function killWhileStopping(): Promise<void> {
    return inQuiet(async (now) => {
      life = undefined;
      book.fault('collector: killed while it stops', name);
      now.process.signal('SIGTERM');
      await chance.pause(0, 60);
      now.process.signal(chance.of(['SIGKILL', 'SIGTERM', 'SIGINT'] as const));
      await now.process.exited;
      await now.close();
      await start();
    });
  }

  async function sleep(): Promise<void> {
    const now = life;
    if (now === undefined) return;
    book.fault('collector: SIGSTOP, SIGCONT', name);
    now.process.signal('SIGSTOP');
    await chance.pause(20, 300);
    now.process.signal('SIGCONT');
  }

  /** A datagram that the thread is about to read dies with it, so it is quiet before. */
  function loseThread(): Promise<void> {
    return inQuiet(async (now) => {
      if (deaths++ >= DEATHS_PER_LIFE_MAX) return now.begin();
      book.fault('collector: an ingest thread dies', name);
      const before = now.process.saidLength;
      now.process.signal(THREAD_DEATH);
      const deadlineMs = performance.now() + EXIT_WITHIN_MS;
      while (!REPLACED.test(now.process.said(before))) {
        if (performance.now() > deadlineMs) return book.wrong(`${name}: no thread has died`);
        await pause(2);
      }
      now.begin();
    });
  }

  function jump(): Promise<void> {
    book.fault('collector: the clock jumps', name);
    life?.process.signal(CLOCK_JUMP);
    return Promise.resolve();
  }

  async function watch(): Promise<void> {
    while (!isRemoved) {
      await vitalsGate.alone(async () => {
        const now = life;
        // It may be ended by another while it is asked.
        await now?.check().catch((error: unknown) => {
          if (life === now) book.event(`${name} has not answered: ${String(error)}`);
        });
      });
      await chance.pause(20, 150);
    }
  }

  async function settle(withinMs: number): Promise<Vitals> {
    const deadlineMs = performance.now() + withinMs;
    const now = life;
    if (now === undefined) throw new Error(`${name} is not there`);
    await now.hush();
    for (let rest = traffic.rest(collector); rest !== undefined; rest = traffic.rest(collector)) {
      await now.send(rest);
    }
    await now.quiet();
    for (;;) {
      const vitals = await now.check();
      const { counters, gauges, sets, timings } = vitals;
      const kinds = [counters, gauges, sets, timings];
      if (kinds.every(({ pending }) => pending === 0)) return vitals;
      if (performance.now() > deadlineMs) {
        book.wrong(`${name} still has pending: ${JSON.stringify(vitals)}\n${now.process.said()}`);
        return vitals;
      }
      await pause(50);
    }
  }

  async function remove(): Promise<void> {
    isRemoved = true;
    const now = life;
    life = undefined;
    now?.process.signal('SIGKILL');
    await now?.process.exited;
    await now?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const IN_LEDGER = 'collector: kill -9 with samples in the ledger';
const DIES_EARLY = 'collector: kill -9 while it starts';
const REPLACED = /another takes its place/;
