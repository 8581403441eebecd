import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createClient } from 'redis';

/** A redis-server of a test's own, on a free port, with its data in a folder of its own. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** Runs a command over a connection of its own. */
  command(...args: string[]): Promise<unknown>;
  /** Returns a hash as a map; a Map, because names may be `__proto__`. */
  hash(name: string): Promise<Map<string, string>>;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  /**
   * Starts it again, on the same port and data, with further arguments. Resolves as soon as it
   * listens, be it still loading.
   */
  restart(...more: string[]): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** Starts a server; resolves when it accepts connections. `args` are redis-server's own. */
export async function startRedis(...args: string[]): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'statcol-redis-'));
  const port = await freePort();
  let child: ChildProcess | undefined;
  await launch();

  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    command,
    async hash(name) {
      const flat = (await command('HGETALL', name)) as string[];
      const pairs = Array.from({ length: flat.length / 2 }, (_, at): [string, string] => [
        flat[2 * at]!,
        flat[2 * at + 1]!,
      ]);
      return new Map(pairs);
    },
    kill: () => end('SIGKILL'),
    restart: (...more) => launch(...more),
    async stop() {
      await end('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };

  async function launch(...more: string[]): Promise<void> {
    const base = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
    child = spawn('redis-server', [...base, ...args, ...more], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await sees(child, more.length > 0 ? /Server initialized/ : /Ready to accept connections/);
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  async function command(...words: string[]): Promise<unknown> {
    const client = createClient({ socket: { port, reconnectStrategy: false }, RESP: 2 });
    client.on('error', () => {}); // the command's own rejection says it
    await client.connect();
    try {
      return await client.sendCommand<unknown>(words);
    } finally {
      client.destroy();
    }
  }
}

/** Returns a TCP port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Resolves when a process has printed something; rejects if it ends before. */
function sees(child: ChildProcess, pattern: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let printed = '';
    child.stdout?.on('data', (data: Buffer) => {
      if (printed.length < 100_000) printed += data.toString();
      if (pattern.test(printed)) resolve();
    });
    child.once('exit', (code) => reject(new Error(`redis-server ended with ${code}: ${printed}`)));
    child.once('error', reject);
  });
}
