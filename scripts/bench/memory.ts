import { setTimeout as pause } from 'node:timers/promises';

import { residentMiBOf, send, untilRead } from './measure.ts';
import type { Peer } from './peers/process.ts';

/** How much memory a collector has taken, and how large that was at most. */
export interface Memory {
  readonly residentMiB: number;
  readonly largestMiB: number;
}

const NAMES = 100_000;
/** Every name comes twice a second. */
const LOAD = { rate: (2 * NAMES) / 40, names: NAMES, lines: 40 };

/** Sends 100,000 names of a type for a while and looks at the process every 100 ms. */
export async function measureMemory(
  peer: Peer,
  type: 'c' | 'ms',
  seconds: number,
): Promise<Memory> {
  const running = await peer.start();
  let isDone = false;
  let largestMiB = 0;
  const watched = (async (): Promise<void> => {
    for (; !isDone; await pause(100)) {
      largestMiB = Math.max(largestMiB, residentMiBOf(running.pid));
    }
  })();
  try {
    await send(running.port, { ...LOAD, type, seconds });
    await untilRead(running.port);
    return { residentMiB: residentMiBOf(running.pid), largestMiB };
  } finally {
    isDone = true;
    await watched;
    await running.stop();
  }
}
