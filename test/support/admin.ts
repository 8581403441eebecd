import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { freePort } from './redis-server.ts';

/** Sends lines to a console, ends, and returns all that comes until the other side ends too. */
export async function askAdmin(port: number, ...lines: string[]): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await once(socket, 'connect');
  let answer = '';
  socket.setEncoding('utf8').on('data', (piece: string) => (answer += piece));
  socket.end(lines.map((line) => `${line}\n`).join(''));
  await once(socket, 'end');
  return answer;
}

/** statsd (npm), as others have it. */
export interface ReferenceConsole {
  readonly udpPort: number;
  readonly adminPort: number;
  stop(): Promise<void>;
}

/** `util.log`, which it needs, is gone from Node 23. */
const SHIM = 'data:text/javascript,import util from "node:util"; util.log ??= () => {};';

/** Starts it on free ports, without backends; resolves when its console answers. */
export async function startReferenceConsole(): Promise<ReferenceConsole> {
  const [udpPort, adminPort] = [await freePort(), await freePort()];
  const folder = mkdtempSync(join(tmpdir(), 'statcol-reference-'));
  const file = join(folder, 'config.js');
  const address = '127.0.0.1';
  const listening = { port: udpPort, address, mgmt_port: adminPort, mgmt_address: address };
  writeFileSync(file, JSON.stringify({ ...listening, backends: [], flushInterval: 600_000 }));
  const program = fileURLToPath(new URL('../../node_modules/statsd/stats.js', import.meta.url));
  const child = spawn(process.execPath, ['--import', SHIM, program, file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  const closed = once(child, 'close');
  for (const deadlineMs = Date.now() + 20_000; ; await pause(20)) {
    const answer = await askAdmin(adminPort, 'health').catch(() => '');
    if (answer !== '') break;
    if (child.exitCode !== null || Date.now() > deadlineMs) throw new Error(`no statsd: ${stderr}`);
  }
  return {
    udpPort,
    adminPort,
    async stop() {
      child.kill('SIGKILL');
      await closed;
      rmSync(folder, { recursive: true });
    },
  };
}
