import { type BigIntStats, lstatSync } from 'node:fs';

import type { Log } from '../flush/health.ts';
import { createTicker, systemTime, type Ticker } from '../flush/time.ts';

/** Looks whether the file of a unix socket still is there: without it nobody can reach us. */
export interface UnixWatch {
  /** Looks now and then, and does not keep the process alive. */
  readonly ticker: Ticker;
  /** Looks, which costs one call of the system. Never throws. */
  look(): Promise<void>;
  /** What is wrong, for `/healthz`; undefined while nothing is. */
  fault(): string | undefined;
}

/** So often it is looked. */
const LOOK_MS = 10_000;

/** Watches a file where a socket was bound just now. Says once when it has gone or is back. */
export function createUnixWatch(path: string, log: Log): UnixWatch {
  const bound = statsOf(path);
  let isGone = false;
  return {
    ticker: createTicker(LOOK_MS, systemTime(true), look),
    look,
    fault: () => (isGone ? whatIsWrong(path) : undefined),
  };

  function look(): Promise<void> {
    const found = statsOf(path);
    const isThere = found !== undefined && found.dev === bound?.dev && found.ino === bound.ino;
    if (!isThere && !isGone) {
      isGone = true;
      log('warn', whatIsWrong(path));
    } else if (isThere && isGone) {
      isGone = false;
      log('info', `unix ${path}: the socket is there again`);
    }
    return Promise.resolve();
  }
}

function whatIsWrong(path: string): string {
  return `unix ${path}: the socket's file was removed or replaced, so no sender finds it: restart the collector`;
}

/** Returns undefined where there is nothing to be seen, whatever the reason. */
function statsOf(path: string): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
