import { setTimeout as pause } from 'node:timers/promises';

import type { ChaosBook, Chance } from './chaos-book.ts';
import { type Piece, type Proxy, startProxy, type Verdict } from './proxy.ts';

/** A way to a server on which things go wrong. */
export interface ChaosWay {
  readonly port: number;
  /** Resolves when nothing is held back on it any more. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** Longer than a reply of Redis is awaited: what comes then was sent again before. */
const LATE_MS = 5300;

/** What is to be done with the next piece, the more often the greater its number. */
const WEIGHTS = {
  'reply cut': 6,
  'request cut': 4,
  delayed: 4,
  stalled: 2,
  late: 0.5,
  'black hole': 0.5,
} as const;
type Kind = keyof typeof WEIGHTS;

/**
 * Starts a proxy to a port on which a fault is due every so many milliseconds, at random: the next
 * piece that fits meets it.
 */
export async function openWay(
  book: ChaosBook,
  what: string,
  targetPort: number,
  everyMs: number,
): Promise<ChaosWay> {
  const proxy: Proxy = await startProxy(targetPort);
  const chance = book.chance(`way to ${what}`);
  const kinds = (Object.keys(WEIGHTS) as Kind[]).filter((kind) => book.wants(`${what}: ${kind}`));
  // Connections on which a piece was held back or swallowed: what is behind it must not overtake.
  const passing = new Set<string>();
  const swallowing = new Set<number>();
  const held = new Set<Promise<unknown>>();
  let due = next();
  let dueMs = performance.now() + everyMs;
  let stalledUntilMs = 0;
  proxy.decide((piece) => decide(piece));

  return {
    port: proxy.port,
    async clear() {
      while (held.size > 0) await Promise.all(held);
    },
    close: () => proxy.close(),
  };

  function next(): Kind | undefined {
    const sum = kinds.reduce((total, kind) => total + WEIGHTS[kind], 0);
    let at = chance.next() * sum;
    return kinds.find((kind) => (at -= WEIGHTS[kind]) < 0);
  }

  function decide(piece: Piece): Verdict {
    const { connection, direction } = piece;
    if (swallowing.has(connection)) return 'swallow';
    if (passing.has(`${connection} ${direction}`)) return 'pass';
    const nowMs = performance.now();
    if (nowMs < stalledUntilMs) return hold(piece, stalledUntilMs - nowMs);
    if (due === undefined || nowMs < dueMs || !book.isOn || !fits(due, piece)) return 'pass';
    const kind = due;
    due = next();
    dueMs = nowMs + chance.between(0.3, 1.7) * everyMs;
    book.fault(`${what}: ${kind}`, `connection ${connection}, ${direction}`);
    return verdictOf(kind, piece, nowMs);
  }

  function verdictOf(kind: Kind, piece: Piece, nowMs: number): Verdict {
    if (kind === 'delayed') return hold(piece, chance.between(2, 150));
    if (kind === 'late') return hold(piece, LATE_MS);
    if (kind === 'stalled') {
      stalledUntilMs = nowMs + chance.between(50, 400);
      return hold(piece, stalledUntilMs - nowMs);
    }
    if (kind !== 'black hole') return cut(chance, piece);
    swallowing.add(piece.connection);
    return 'swallow';
  }

  function hold({ connection, direction }: Piece, ms: number): Verdict {
    passing.add(`${connection} ${direction}`);
    // At the end nobody waits for long: what is late comes at once.
    const until = Promise.race([pause(ms), over(ms)]).finally(() => held.delete(until));
    held.add(until);
    return { holdUntil: until };
  }

  async function over(withinMs: number): Promise<void> {
    const deadlineMs = performance.now() + withinMs;
    while (book.isOn && performance.now() < deadlineMs) await pause(100);
  }
}

function fits(kind: Kind, { direction }: Piece): boolean {
  if (kind === 'reply cut') return direction === 'reply';
  return kind === 'delayed' || kind === 'stalled' || direction === 'request';
}

/** At any byte, the last one too: then all has arrived, and nothing else will. */
function cut(chance: Chance, { length }: Piece): Verdict {
  return { cutAfter: chance.yes(0.3) ? length : chance.whole(0, length) };
}
