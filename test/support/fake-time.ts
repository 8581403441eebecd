import type { Time } from '../../src/flush/time.ts';

/** A clock and timers that only the test moves. */
export interface FakeTime extends Time {
  /** Every delay that was asked for, in order. */
  readonly delays: number[];
  /** How many timers wait. */
  readonly waiting: number;
  /** Moves the clock and fires what falls due, in order; promises settle after each timer. */
  pass(ms: number): Promise<void>;
  /** Moves the clock to the next timer and fires it. Fails where there is none. */
  passToNext(): Promise<void>;
}

interface Timer {
  atMs: number;
  callback: () => void;
}

/** Creates a clock that stands at `startMs`. */
export function createFakeTime(startMs = 1000): FakeTime {
  const timers = new Set<Timer>();
  const delays: number[] = [];
  let now = startMs;

  return {
    delays,
    get waiting() {
      return timers.size;
    },
    nowMs: () => now,
    after(delayMs, callback) {
      delays.push(delayMs);
      const timer = { atMs: now + delayMs, callback };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    async pass(ms) {
      const until = now + ms;
      for (let next = first(); next !== undefined && next.atMs <= until; next = first()) {
        await fire(next);
      }
      now = until;
      await settle();
    },
    async passToNext() {
      const next = first();
      if (next === undefined) throw new Error('no timer waits');
      await fire(next);
    },
  };

  function first(): Timer | undefined {
    return [...timers].reduce<Timer | undefined>((least, one) => {
      return least === undefined || one.atMs < least.atMs ? one : least;
    }, undefined);
  }

  async function fire(timer: Timer): Promise<void> {
    timers.delete(timer);
    now = Math.max(now, timer.atMs);
    timer.callback();
    await settle();
  }
}

/** Resolves when every promise that could settle by itself has. */
export function settle(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
