import type { Backoff } from './backoff.ts';
import type { Cancel, Time } from './time.ts';

/** Does work when asked to, one turn at a time, and again after a pause when it failed. */
export interface Pump {
  /** A turn is under way, or a pause after one that failed. */
  readonly busy: boolean;
  /** True once {@link Pump.stop} was called: a turn under way should end. */
  readonly stopped: boolean;
  /** Begins a turn, unless one is under way or a pause after a failure is. Returns at once. */
  kick(): void;
  /**
   * Has a turn now, or the one that is under way, to its end; does not wait for what is left of a
   * pause. Rejects with what the turn failed of, or if the pump was stopped.
   */
  turn(): Promise<void>;
  /** Resolves when no turn is under way, whatever came of it. */
  settled(): Promise<void>;
  /**
   * Goes on until `next` returns undefined, or until `stop`. It is asked after each turn for how
   * many milliseconds the next one is to wait; failures have their own pauses.
   */
  finish(next: () => number | undefined): Promise<void>;
  /** Begins no further turn. */
  stop(): void;
}

/** What a pump is made with. */
export interface PumpOptions {
  /**
   * One turn; `again` where it has left something that wants another at once. Rejecting means:
   * again, after a pause. It resets the back-off when it gets on.
   */
  work: () => Promise<void | 'again'>;
  onFailure: (error: unknown) => void;
  backoff: Backoff;
  time: Time;
}

/** Creates a pump at rest. */
export function createPump({ work, onFailure, backoff, time }: PumpOptions): Pump {
  let busy = false;
  let stopped = false;
  let cancelPause: Cancel | undefined;
  let nextTurn: (() => number | undefined) | undefined;
  // Resolves with what the turn under way, or the last one, failed of.
  let current: Promise<Error | undefined> = Promise.resolve(undefined);
  let onDone = (): void => {};

  return {
    get busy() {
      return busy || cancelPause !== undefined;
    },
    get stopped() {
      return stopped;
    },
    kick,
    async turn() {
      endPause();
      kick();
      const failure = stopped && !busy ? new Error('it was stopped') : await current;
      if (failure !== undefined) throw failure;
    },
    settled: async () => void (await current),
    finish(next) {
      if (stopped) return Promise.resolve();
      backoff.reset(); // there may be little time
      nextTurn = next;
      endPause();
      return new Promise((resolve) => {
        const others = onDone;
        onDone = () => {
          others();
          resolve();
        };
        kick();
      });
    },
    stop() {
      stopped = true;
      endPause();
      onDone();
    },
  };

  function kick(): void {
    if (busy || stopped || cancelPause !== undefined) return;
    busy = true;
    current = oneTurn();
  }

  async function oneTurn(): Promise<Error | undefined> {
    let failure: Error | undefined;
    let wish: void | 'again' = undefined;
    try {
      wish = await work();
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
      if (!stopped) {
        onFailure(error);
        pause(backoff.nextMs());
      }
    }
    busy = false;
    if (nextTurn !== undefined && !stopped && cancelPause === undefined) goOn(nextTurn());
    else if (wish === 'again') kick();
    return failure;
  }

  function goOn(delayMs: number | undefined): void {
    if (delayMs === undefined) {
      nextTurn = undefined;
      const done = onDone;
      onDone = () => {};
      done();
    } else if (delayMs <= 0) kick();
    else pause(delayMs);
  }

  function pause(delayMs: number): void {
    cancelPause = time.after(delayMs, () => {
      cancelPause = undefined;
      kick();
    });
  }

  function endPause(): void {
    cancelPause?.();
    cancelPause = undefined;
  }
}
