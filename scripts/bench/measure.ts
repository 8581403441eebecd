import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { readUdpSocket } from '../../dist/ingest/proc-net-udp.js';
import type { Peer } from './peers/process.ts';

/** What is sent. */
export interface Load {
  /** Datagrams a second; 0: as many as can be sent. */
  readonly rate: number;
  readonly seconds: number;
  readonly names: number;
  /** Per datagram. */
  readonly lines: number;
  readonly type?: 'c' | 'ms';
}

/** What came of it. */
export interface Round {
  /** Datagrams. */
  readonly sent: number;
  /** By the kernel, because the receive buffer was full. */
  readonly dropped: number;
  readonly read: number;
  readonly readPerSecond: number;
  readonly linesPerSecond: number;
  /** Of the whole process, per datagram that was read. */
  readonly cpuMicros: number;
  readonly residentMiB: number;
  /** Whether the sums read back were those of the lines read; undefined if it tells nobody. */
  readonly isRight: boolean | undefined;
}

const WARM_UP_SECONDS = 1.2;
/** The sender has this core for itself. */
const SENDER_CORE = '1';
const SENDER = fileURLToPath(new URL('sender.ts', import.meta.url));

/** Starts a peer, sends, waits until all is read, and reads the sums back. */
export async function measure(peer: Peer, load: Load): Promise<Round> {
  const running = await peer.start();
  try {
    // Names become known and code is compiled before anything is measured.
    const warmUp = await send(running.port, { ...load, seconds: WARM_UP_SECONDS });
    const droppedBefore = await untilRead(running.port);
    const before = cpuMicrosOf(running.pid);
    const { sent, seconds } = await send(running.port, load);
    const droppedInAll = await untilRead(running.port);
    const cpu = cpuMicrosOf(running.pid) - before;
    const residentMiB = residentMiBOf(running.pid);
    const dropped = droppedInAll - droppedBefore;
    const read = sent - dropped;
    const readInAll = warmUp.sent + sent - droppedInAll;
    const counted = await running.counted();
    return {
      sent,
      dropped,
      read,
      readPerSecond: read / seconds,
      linesPerSecond: (read * load.lines) / seconds,
      cpuMicros: cpu / read,
      residentMiB,
      isRight: counted === undefined ? undefined : counted === readInAll * load.lines,
    };
  } finally {
    await running.stop();
  }
}

/**
 * Returns the most datagrams a second of which none is lost: tried downwards from what is read when
 * as many come as can be sent. 0 if that is less than a tenth of it.
 */
export async function losslessRate(peer: Peer, load: Load): Promise<number> {
  const running = await peer.start();
  try {
    await send(running.port, { ...load, rate: 0, seconds: WARM_UP_SECONDS });
    let drops = await untilRead(running.port);
    const full = await send(running.port, { ...load, rate: 0 });
    const dropped = (await untilRead(running.port)) - drops;
    const most = (full.sent - dropped) / full.seconds;
    if (dropped === 0) return most;
    for (const share of [1, 0.85, 0.7, 0.55, 0.4, 0.25, 0.1]) {
      drops = await untilRead(running.port);
      await send(running.port, { ...load, rate: most * share });
      if ((await untilRead(running.port)) === drops) return most * share;
    }
    return 0;
  } finally {
    await running.stop();
  }
}

/** Sends from the other core. */
export async function send(
  port: number,
  { rate, seconds, names, lines, type = 'c' }: Load,
): Promise<{ sent: number; seconds: number }> {
  const args = ['--import', 'tsx', SENDER, port, rate, seconds, names, lines, type].map(String);
  const child = spawn('taskset', ['-c', SENDER_CORE, process.execPath, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (data: Buffer) => (text += data.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`the sender ended with ${code}`);
  const [sent = 0, took = 1] = text.split(' ').map(Number);
  return { sent, seconds: took };
}

/** Resolves with what the kernel has dropped, once nothing is left in the socket. */
export async function untilRead(port: number): Promise<number> {
  for (;;) {
    const state = readUdpSocket('127.0.0.1', port);
    if (state === undefined) throw new Error(`nobody listens on ${port}`);
    if (state.rxQueueBytes === 0) return state.drops;
    await pause(5);
  }
}

/** Processor time of all threads. Source: Linux, Documentation/scheduler/sched-stats.rst. */
export function cpuMicrosOf(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    const [nanos = 0] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1')
      .split(' ')
      .map(Number);
    return sum + nanos / 1000;
  }, 0);
}

/** Source: proc(5), VmRSS. */
export function residentMiBOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024;
}
