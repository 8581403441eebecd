/**
 * The seconds of the live page: seconds of Unix time as of the start, and from then on those of a
 * monotonic clock. So nothing that is kept by them jumps when the system's clock is set; what is
 * shown is corrected by {@link WindowClock.toWall}.
 */
export interface WindowClock {
  /** The second that what is added now belongs to. */
  second(): number;
  /** The second that it is. Never less than before. */
  present(): number;
  /** Milliseconds on the same clock. */
  nowMs(): number;
  /** How long it takes until the present second is over; more than 0. */
  untilNextMs(): number;
  /**
   * The last second that is over, all of which is in the memory. What is told of single seconds
   * ends with it.
   */
  complete(): number;
  /** Says that no more comes that belongs to this second or one before it. */
  completeTo(second: number): void;
  /** Does something that adds, at once, as if it were another moment of this clock. */
  at<Result>(ms: number, add: () => Result): Result;
  /** The second of Unix time as the system has it now. */
  toWall(second: number): number;
  /** How many seconds {@link toWall} adds; another number when the system's clock was set. */
  offsetSeconds(): number;
}

/** What a clock is made of. */
export interface WindowClockOptions {
  /** Milliseconds on a clock that never goes back. */
  nowMs: () => number;
  /** Unix time in milliseconds, as the system has it. */
  wallNowMs: () => number;
}

/** The clocks may differ by so much before they are thought to be another whole second apart. */
const APART_SECONDS = 0.75;

/** Creates a clock, which now shows the same as the system's. */
export function createWindowClock({ nowMs: steadyMs, wallNowMs }: WindowClockOptions): WindowClock {
  const epochMs = wallNowMs() - steadyMs();
  let completeSecond = present() - 1;
  let attributed: number | undefined;
  let offset = 0;

  return {
    second: () => attributed ?? present(),
    present,
    nowMs,
    untilNextMs: () => 1000 * (present() + 1) - nowMs(),
    complete: () => completeSecond,
    completeTo(second) {
      completeSecond = Math.max(completeSecond, second);
    },
    at(ms, add) {
      attributed = Math.floor(ms / 1000);
      try {
        return add();
      } finally {
        attributed = undefined;
      }
    },
    toWall: (second) => second + offsetSeconds(),
    offsetSeconds,
  };

  function nowMs(): number {
    return epochMs + steadyMs();
  }

  function present(): number {
    return Math.floor(nowMs() / 1000);
  }

  /** One that is half a second off must not be taken for this second and that by turns. */
  function offsetSeconds(): number {
    const apart = (wallNowMs() - nowMs()) / 1000;
    if (Math.abs(apart - offset) >= APART_SECONDS) offset = Math.round(apart);
    return offset;
  }
}
