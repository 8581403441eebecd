import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

import { readUdpSocket } from '../../../dist/ingest/proc-net-udp.js';

/** A collector that is measured, as a process of its own on the core for collectors. */
export interface Running {
  readonly pid: number;
  readonly port: number;
  /** Returns how many counted lines it tells, once it has read all; undefined if it tells nobody. */
  counted(): Promise<number | undefined>;
  stop(): Promise<void>;
}

/** A collector to be measured. */
export interface Peer {
  readonly name: string;
  /** Program that has to be on PATH; undefined for those that npm has installed. */
  readonly program?: string;
  start(): Promise<Running>;
}

/** Collectors run on this core, senders on the other. */
const COLLECTOR_CORE = '0';

/** Runs a program on the core for collectors. */
export function onCollectorCore(command: string, args: string[]): ChildProcess {
  return spawn('taskset', ['-c', COLLECTOR_CORE, command, ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

/** Returns a started program as what is measured. */
export function running(
  child: ChildProcess,
  port: number,
  counted: Running['counted'] = () => Promise.resolve(undefined),
  stop: Running['stop'] = () => end(child),
): Running {
  return { pid: child.pid!, port, counted, stop };
}

/** Ends a program at once. */
export async function end(child: ChildProcess): Promise<void> {
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
}

/** Resolves with the first lines that a program prints. */
export async function lines(child: ChildProcess, count: number): Promise<string[]> {
  let text = '';
  while (text.split('\n').length <= count) {
    const [data] = (await once(child.stdout!, 'data')) as [Buffer];
    text += data.toString();
  }
  return text.split('\n').slice(0, count);
}

/** A port that nobody holds in this moment. */
export async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

/** Resolves when somebody has bound the port. */
export async function untilBound(port: number, child: ChildProcess): Promise<void> {
  const deadlineMs = Date.now() + 20_000;
  while (readUdpSocket('127.0.0.1', port) === undefined) {
    if (child.exitCode !== null || Date.now() > deadlineMs) {
      throw new Error(`${child.spawnargs.join(' ')} does not listen on ${port}`);
    }
    await pause(20);
  }
}
