/** The clock and the timers, as arguments: tests put their own in their place. */
export interface Time {
  /** Milliseconds on a clock that never goes back; its zero has no meaning. */
  nowMs(): number;
  /** Calls back once after `delayMs`; returns what cancels it. */
  after(delayMs: number, callback: () => void): Cancel;
}

/** Cancels a timer; does nothing once it has fired. */
export type Cancel = () => void;

/** Resolves when `work` has ended, with true, or after a time, with false. */
export function within(time: Time, limitMs: number, work: Promise<unknown>): Promise<boolean> {
  const done = work.then(() => true);
  return race(time, limitMs, done, () => false);
}

/** Rejects with `late()` unless `work` has settled before; what it does later is passed over. */
export function inTime<Result>(
  time: Time,
  { limitMs, late }: { limitMs: number; late: () => Error },
  work: Promise<Result>,
): Promise<Result> {
  return race(time, limitMs, work, () => Promise.reject(late()));
}

/** Returns what `work` gives, or what `onLate` does if its time is up before. */
async function race<Result>(
  time: Time,
  limitMs: number,
  work: Promise<Result>,
  onLate: () => Result | Promise<Result>,
): Promise<Result> {
  let cancel: Cancel = () => {};
  const late = new Promise<Result>((resolve) => {
    cancel = time.after(limitMs, () => resolve(onLate()));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    cancel();
  }
}

/** The system's clock and timers; in the background, they do not keep the process alive. */
export function systemTime(isBackground = false): Time {
  return {
    nowMs: () => performance.now(),
    after(delayMs, callback) {
      const timer = setTimeout(callback, delayMs);
      if (isBackground) timer.unref();
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
 *
 * @param from `end`: counted from the end of one call instead.
 */
export function createTicker(
  intervalMs: number,
  time: Time,
  tick: () => Promise<void>,
  from: 'start' | 'end' = 'start',
): Ticker {
  let cancel: Cancel = () => {};
  let stopped = false;
  const schedule = (delayMs: number): void => {
    cancel = time.after(delayMs, () => void run());
  };
  const run = async (): Promise<void> => {
    const startMs = time.nowMs();
    await tick();
    const tookMs = from === 'end' ? 0 : time.nowMs() - startMs;
    if (!stopped) schedule(Math.max(1, intervalMs - tookMs));
  };
  return {
    start: () => schedule(intervalMs),
    stop() {
      stopped = true;
      cancel();
    },
  };
}
