import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { createClient } from 'redis';

import { freePort } from './redis-server.ts';

/** One server of several that belong together; it can be killed and started again by itself. */
export interface RedisNode {
  readonly port: number;
  /** Undefined while it is not running. */
  readonly pid: number | undefined;
  /** Runs a command over a connection of its own; rejects after 5 s. */
  command(...words: string[]): Promise<unknown>;
  /** Sends a signal, such as SIGSTOP. */
  signal(signal: NodeJS.Signals): void;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  /** Starts it, on the same port and data, with further arguments. Resolves when it answers. */
  start(...more: string[]): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** Starts a server on a free port. `args` are redis-server's own. */
export function startNode(...args: string[]): Promise<RedisNode> {
  return launched(() => [...DATA_ARGS, ...args]);
}

/** Starts a sentinel with a configuration, to which it adds what it learns. */
export function startSentinel(config: string): Promise<RedisNode> {
  let isWritten = false;
  return launched((folder) => {
    const file = join(folder, 'sentinel.conf');
    if (!isWritten) writeFileSync(file, config);
    isWritten = true;
    return [file, '--sentinel'];
  });
}

const DATA_ARGS = ['--save', ''];
const LIMIT_MS = 20_000;

async function launched(argsIn: (folder: string) => string[]): Promise<RedisNode> {
  const folder = mkdtempSync(join(tmpdir(), 'statcol-node-'));
  const port = await freePort();
  let child: ChildProcess | undefined;
  const node: RedisNode = {
    port,
    get pid() {
      return child?.exitCode === null && child.signalCode === null ? child.pid : undefined;
    },
    command,
    signal: (signal) => void child?.kill(signal),
    async kill() {
      if (child === undefined || node.pid === undefined) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
    async start(...more) {
      const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
      child = spawn('redis-server', [...argsIn(folder), ...own, ...more], { stdio: 'ignore' });
      await eventually(() => node.command('PING').then(() => true), `redis-server on ${port}`);
    },
    async stop() {
      await node.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await node.start();
  return node;

  async function command(...words: string[]): Promise<unknown> {
    const socket = { port, reconnectStrategy: false as const, connectTimeout: 4500 };
    const client = createClient({ socket, RESP: 2, disableClientInfo: true });
    client.on('error', () => {}); // the command's own rejection says it
    const cut = setTimeout(() => client.destroy(), 5000);
    try {
      await client.connect();
      return await client.sendCommand<unknown>(words);
    } finally {
      clearTimeout(cut);
      client.destroy();
    }
  }
}

/** Waits until something holds, asking for it again and again; a rejection is no yes. */
export async function eventually(holds: () => Promise<boolean>, what: string): Promise<void> {
  const deadlineMs = Date.now() + LIMIT_MS;
  let last: unknown;
  for (;;) {
    const yes = await holds().catch((error: unknown) => {
      last = error;
      return false;
    });
    if (yes) return;
    if (Date.now() > deadlineMs) throw new Error(`not in ${LIMIT_MS} ms: ${what}`, { cause: last });
    await pause(20);
  }
}

/** Returns fields and values in turns as a map; a Map, because names may be `__proto__`. */
export function pairs(flat: unknown): Map<string, string> {
  const texts = flat as string[];
  const found = new Map<string, string>();
  for (let at = 0; at < texts.length; at += 2) found.set(texts[at]!, texts[at + 1]!);
  return found;
}
