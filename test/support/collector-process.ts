import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import type { Vitals } from '../../src/vitals.ts';

/** The real program, as `bin/statcol.js listen` with flags of a test's choice. */
export interface CollectorProcess {
  readonly pid: number;
  readonly udpPort: number;
  /** 0 where it is off. */
  readonly tcpPort: number;
  /** 0 where it is off. */
  readonly adminPort: number;
  readonly httpUrl: string;
  /** Everything printed so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  vitals(): Promise<Vitals>;
  /** GETs a path and returns its JSON. */
  json<Body>(path: string): Promise<Body>;
  /** Asks for the vitals again and again until they are as wanted; rejects after 20 s. */
  until(wanted: (vitals: Vitals) => boolean): Promise<Vitals>;
  signal(signal: NodeJS.Signals): void;
  /** Resolves with the exit code, or minus the number of nothing: a signal is -1. */
  exited(): Promise<number>;
  /** Sends SIGTERM and resolves with the exit code. */
  stop(): Promise<number>;
}

const PROGRAM = fileURLToPath(new URL('../../bin/statcol.js', import.meta.url));

/** Runs a command of the program to its end. */
export async function runStatcol(
  args: string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { child, printed } = launch(args, env);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? -1, stdout: printed.stdout, stderr: printed.stderr };
}

/** Starts a collector on free ports; resolves when it has printed its endpoints. */
export async function startCollector(
  args: string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<CollectorProcess> {
  const all = ['listen', '--port', '0', '--http', '0', ...args];
  const { child, printed } = launch(all, env);
  const exit = new Promise<number>((resolve) => {
    child.once('close', (code) => resolve(code ?? -1));
  });
  while (!/^udp:.*\n(?:.*\n)*http:.*\n/.test(printed.stdout)) {
    const event = await Promise.race([once(child.stdout!, 'data'), exit]);
    if (typeof event === 'number') {
      throw new Error(`statcol ended with ${event}: ${printed.stderr}`);
    }
  }
  const endpoint = (scheme: string): string => {
    return new RegExp(`^${scheme}:.*`, 'm').exec(printed.stdout)?.[0] ?? '';
  };
  const portOf = (url: string): number => Number(/:(\d+)$/.exec(url)?.[1] ?? 0);
  const http = endpoint('http');
  const collector: CollectorProcess = {
    pid: child.pid!,
    udpPort: portOf(endpoint('udp')),
    tcpPort: portOf(endpoint('tcp')),
    adminPort: portOf(endpoint('admin')),
    httpUrl: http,
    stdout: () => printed.stdout,
    stderr: () => printed.stderr,
    vitals: () => collector.json('api/vitals'),
    async json<Body>(path: string) {
      const response = await fetch(new URL(path, http));
      return (await response.json()) as Body;
    },
    async until(wanted) {
      const deadline = Date.now() + 20_000;
      for (;;) {
        const vitals = await collector.vitals();
        if (wanted(vitals)) return vitals;
        if (Date.now() > deadline) {
          throw new Error(`not in 20 s: ${JSON.stringify(vitals)}\n${printed.stderr}`);
        }
        await pause(10);
      }
    },
    signal: (signal) => void child.kill(signal),
    exited: () => exit,
    async stop() {
      child.kill('SIGTERM');
      return exit;
    },
  };
  return collector;
}

function launch(
  args: string[],
  env: NodeJS.ProcessEnv,
): { child: ChildProcess; printed: { stdout: string; stderr: string } } {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed = { stdout: '', stderr: '' };
  child.stdout.on('data', (data: Buffer) => (printed.stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (printed.stderr += data.toString()));
  return { child, printed };
}
