import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

import { type Endpoint, statcol } from './peers/peers.ts';
import { send, untilRead } from './measure.ts';

/** What came of a round in which the main thread had much to do. */
export interface BusyRound {
  readonly sent: number;
  readonly dropped: number;
  /** Samples of the largest body that the trap got. */
  readonly largestBody: number;
  /** HTTP requests answered meanwhile. */
  readonly requests: number;
}

const RATE = 300_000;
/** So often a body of 500,000 samples is due. */
const TIMING_INTERVAL_MS = Math.round(500_000 / (RATE / 1000));
const ROUTES = ['', 'healthz', 'api/vitals', 'api/counters', 'api/timings'];

/** Sends 300,000 timings a second, each in a datagram, while bodies are built and routes asked. */
export async function measureBusy(seconds: number): Promise<BusyRound> {
  let largestBody = 0;
  let delivered = 0;
  const trap = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (data: Buffer) => pieces.push(data));
    request.on('end', () => {
      const samples = samplesOf(Buffer.concat(pieces).toString());
      largestBody = Math.max(largestBody, samples);
      delivered += samples;
      response.end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(trap, 'listening');
  const url = `http://127.0.0.1:${(trap.address() as AddressInfo).port}/`;
  const flags = ['--trap', url, '--timing-interval', String(TIMING_INTERVAL_MS)];
  const running = await statcol('busy', flags).start();
  let isDone = false;
  let requests = 0;
  const asking = (async (endpoint: Endpoint): Promise<void> => {
    while (!isDone) {
      for (const route of ROUTES) {
        await (await fetch(new URL(route, endpoint.http))).text();
        requests++;
      }
    }
  })(running);
  try {
    const { sent } = await send(running.port, {
      rate: RATE,
      seconds,
      names: 1000,
      lines: 1,
      type: 'ms',
    });
    const dropped = await untilRead(running.port);
    isDone = true;
    await asking;
    while (delivered < sent - dropped) await pause(20);
    if (delivered !== sent - dropped) throw new Error(`${delivered} of ${sent - dropped} came`);
    return { sent, dropped, largestBody, requests };
  } finally {
    isDone = true;
    await running.stop();
    trap.close();
  }
}

function samplesOf(body: string): number {
  const lists = Object.values(JSON.parse(body) as Record<string, { _value: unknown[] }>);
  return lists.reduce((sum, { _value: list }) => sum + list.length, 0);
}
