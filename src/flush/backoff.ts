/** The pause after a failure, growing with each. */
export interface Backoff {
  /** Returns the next pause, in milliseconds. */
  nextMs(): number;
  /** Begins again with the first pause. After a success. */
  reset(): void;
}

/**
 * Creates a back-off that doubles from `firstMs` to `maxMs`. Each pause is drawn from the upper
 * half of its step, so that many collectors do not come back in the same instant.
 *
 * @param random returns a number in [0, 1).
 */
export function createBackoff(firstMs: number, maxMs: number, random: () => number): Backoff {
  let stepMs = firstMs;
  return {
    nextMs() {
      const pauseMs = stepMs * (0.5 + random() / 2);
      stepMs = Math.min(maxMs, stepMs * 2);
      return pauseMs;
    },
    reset() {
      stepMs = firstMs;
    },
  };
}
