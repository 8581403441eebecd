import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import type { Vitals } from '../../src/vitals.ts';

/** One life of a collector: a process of the real program. */
export interface ChaosProcess {
  readonly pid: number;
  /** Resolves when it has printed its endpoints; rejects when it ends before. */
  readonly bound: Promise<{ udpPort: number; httpUrl: string }>;
  /** Resolves with an exit code, or the signal that has ended it. */
  readonly exited: Promise<number | NodeJS.Signals>;
  /** How much it has said. */
  readonly saidLength: number;
  /** What it has said from a place on, or what of it is still known. */
  said(from?: number): string;
  signal(signal: NodeJS.Signals): void;
  /** Asks for the vitals; rejects when there is no answer within 20 s. */
  vitals(): Promise<Vitals>;
}

/** The program as it was built here. */
export const PROGRAM: string = fileURLToPath(new URL('../../bin/statcol.js', import.meta.url));

/** Ends one of its ingest threads. */
export const THREAD_DEATH = 'SIGUSR2';
/** Its clock jumps. */
export const CLOCK_JUMP = 'SIGPWR';
/** So far from the true time the clock is at most: two jumps apart is less than 6 days. */
const CLOCK_MS_MAX = 2.5 * 24 * 3_600_000;

/**
 * Loaded before the program: on one signal a thread ends, on another the wall clock jumps, by up to
 * five days. `performance.now()` goes on as it was.
 */
const PRELOAD = `
import { isMainThread } from 'node:worker_threads';
if (isMainThread) {
  const workers = new Set();
  process.on('worker', (worker) => {
    workers.add(worker);
    worker.once('exit', () => workers.delete(worker));
  });
  process.on('${THREAD_DEATH}', () => {
    const all = [...workers];
    all[Math.floor(Math.random() * all.length)]?.terminate();
  });
  const now = Date.now;
  let offset = 0;
  const jump = () => { offset = Math.round((2 * Math.random() - 1) * ${CLOCK_MS_MAX}); };
  if (Math.random() < 0.5) jump();
  Date.now = () => now() + offset;
  process.on('${CLOCK_JUMP}', jump);
}`;
const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(PRELOAD)}`;

const SAID_MAX = 20_000;
const ANSWER_MS = 20_000;
const running = new Set<number>();
// What was begun here does not outlive us.
process.once('exit', () => {
  for (const pid of running) process.kill(pid, 'SIGKILL');
});

/** Starts a collector on free ports. Returns at once. */
export function startProcess(program: string, args: readonly string[]): ChaosProcess {
  const all = ['listen', '--port', '0', '--http', '0', ...args];
  const child = spawn(process.execPath, [program, ...all], {
    env: { ...process.env, NODE_OPTIONS },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const pid = child.pid!;
  running.add(pid);
  let said = '';
  let saidLength = 0;
  let printed = '';
  let url = '';
  child.stderr.on('data', (data: Buffer) => {
    said = (said + data.toString('latin1')).slice(-SAID_MAX);
    saidLength += data.length;
  });
  const exited = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('exit', () => running.delete(pid));
    child.once('close', (code, signal) => resolve(code ?? signal ?? -1));
  });
  const bound = new Promise<{ udpPort: number; httpUrl: string }>((resolve, reject) => {
    child.stdout.on('data', (data: Buffer) => {
      printed += data.toString();
      const found = /^udp:\/\/[^\n]*:(\d+)\n(http:[^\n]*)\n/.exec(printed);
      if (found === null) return;
      url = found[2]!;
      resolve({ udpPort: Number(found[1]), httpUrl: url });
    });
    void exited.then((how) => reject(new Error(`ended with ${how} while it started: ${said}`)));
  });
  bound.catch(() => {}); // where it is killed on purpose nobody waits for it
  return {
    pid,
    bound,
    exited,
    get saidLength() {
      return saidLength;
    },
    said: (from = 0) => said.slice(Math.max(0, said.length - (saidLength - from))),
    signal: (signal) => void child.kill(signal),
    async vitals() {
      const signal = AbortSignal.timeout(ANSWER_MS);
      const response = await fetch(new URL('api/vitals', url), { signal });
      return (await response.json()) as Vitals;
    },
  };
}
