import type { Health } from '../flush/health.ts';
import type { Tally } from '../flush/tally.ts';

/** What has become of the samples of one kind; `samples = delivered + pending + dropped`. */
export interface Account {
  /** Increments, or timings, that were taken. */
  samples: number;
  delivered: number;
  pending: number;
  /** Per reason; see METRICS.md. */
  dropped: Record<string, number>;
  /** Whether the store or the trap took what it was sent last. */
  up: boolean;
  /** What went wrong last, or null. */
  lastError: string | null;
}

/** Returns an account of this moment. */
export function readAccount(
  samples: number,
  pending: number,
  { tally, health }: { tally: Tally; health: Health },
): Account {
  const { up, lastError } = health;
  const dropped = Object.fromEntries(tally.dropped);
  return { samples, delivered: tally.delivered, pending, dropped, up, lastError };
}

/** Returns `1 increment`, `2 increments`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
