import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** How a program has ended, and what it printed. */
export interface Ended {
  pid: number;
  /** The exit code; -1 after a signal, and if it had to be killed because it did not end. */
  code: number;
  stdout: string;
  stderr: string;
  /** From its start to its end, in milliseconds. */
  tookMs: number;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LIMIT_MS = 30_000;

/**
 * Runs the source of a module as a Node process of its own, to its end. What it imports is looked
 * for from the repository: `statcol` is the package as it was built.
 */
export async function runProgram(source: string): Promise<Ended> {
  const startMs = performance.now();
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  const ended = { pid: child.pid!, code: -1, stdout: '', stderr: '', tookMs: 0 };
  child.stdout.on('data', (data: Buffer) => (ended.stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (ended.stderr += data.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { ...ended, code: code ?? -1, tookMs: performance.now() - startMs };
}
