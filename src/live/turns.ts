/** Keeps long work on this one thread from being one long task. */
export interface Turns {
  /** Whether others should have a turn by now. Cheap enough to be asked for each of many. */
  isOver(): boolean;
  /**
   * Lets others have theirs; then the next one begins. Rejects with the signal's reason where the
   * work is not wanted any more.
   */
  next(): Promise<void>;
}

/** Long enough to get somewhere, and shorter than anybody notices. */
const TURN_MS = 4;

// All long work of this thread stands in one line: of many who work at once, only one has a turn
// before what comes in from outside has had its own.
const line: (() => void)[] = [];
let isMoving = false;

/** Creates turns of 4 ms each, the first of which begins now. */
export function createTurns(signal?: AbortSignal): Turns {
  let untilMs = performance.now() + TURN_MS;
  return {
    isOver: () => performance.now() >= untilMs,
    async next() {
      await new Promise<void>(standInLine);
      signal?.throwIfAborted();
      untilMs = performance.now() + TURN_MS;
    },
  };
}

function standInLine(call: () => void): void {
  line.push(call);
  if (!isMoving) setImmediate(move);
  isMoving = true;
}

function move(): void {
  line.shift()?.();
  isMoving = line.length > 0;
  if (isMoving) setImmediate(move);
}
