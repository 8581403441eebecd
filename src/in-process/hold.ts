/** Keeps the process alive while it is taken; whatever else there is does not. */
export interface Hold {
  /** Keeps the process alive until what is returned is called. May be taken many times. */
  take(): () => void;
  /** Does work, and keeps the process alive until it has ended. */
  during<Result>(work: () => Promise<Result>): Promise<Result>;
}

/** The longest that a timer can wait. */
const FOREVER_MS = 2 ** 31 - 1;

/** Creates a hold that nobody has taken. */
export function createHold(): Hold {
  let taken = 0;
  let timer: NodeJS.Timeout | undefined;
  return { take, during };

  function take(): () => void {
    taken++;
    timer ??= setInterval(() => {}, FOREVER_MS);
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      if (--taken > 0) return;
      clearInterval(timer);
      timer = undefined;
    };
  }

  async function during<Result>(work: () => Promise<Result>): Promise<Result> {
    const release = take();
    try {
      return await work();
    } finally {
      release();
    }
  }
}
