/** The clock and the timers, as arguments: tests put their own in their place. */
export interface Time {
  /** Milliseconds on a clock that never goes back; its zero has no meaning. */
  nowMs(): number;
  /** Calls back once after `delayMs`; returns what cancels it. */
  after(delayMs: number, callback: () => void): Cancel;
}

/** Cancels a timer; does nothing once it has fired. */
export type Cancel = () => void;

/** Resolves when `work` has ended, or after a time, whichever comes first. */
export async function within(time: Time, limitMs: number, work: Promise<unknown>): Promise<void> {
  let cancel: Cancel = () => {};
  const late = new Promise<void>((resolve) => {
    cancel = time.after(limitMs, resolve);
  });
  await Promise.race([work, late]);
  cancel();
}

/** The system's clock and timers. */
export function systemTime(): Time {
  return {
    nowMs: () => performance.now(),
    after(delayMs, callback) {
      const timer = setTimeout(callback, delayMs);
      return () => clearTimeout(timer);
    },
  };
}

/** Does something again and again. */
export interface Ticker {
  start(): void;
  stop(): void;
}

/**
 * Creates a ticker that calls `tick` at an interval, counted from the start of one call to the
 * start of the next, never two at once. `tick` must not reject.
 */
export function createTicker(intervalMs: number, time: Time, tick: () => Promise<void>): Ticker {
  let cancel: Cancel = () => {};
  let stopped = false;
  const schedule = (delayMs: number): void => {
    cancel = time.after(delayMs, () => void run());
  };
  const run = async (): Promise<void> => {
    const startMs = time.nowMs();
    await tick();
    if (!stopped) schedule(Math.max(1, intervalMs - (time.nowMs() - startMs)));
  };
  return {
    start: () => schedule(intervalMs),
    stop() {
      stopped = true;
      cancel();
    },
  };
}
