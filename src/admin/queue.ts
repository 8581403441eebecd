/** Work of which only so much is done at once; the rest waits, in order. */
export interface Queue {
  /** Does some when it has its turn; resolves with what came of it. */
  run<Result>(work: () => Promise<Result>): Promise<Result>;
}

/** Creates a queue that does `max` things at once. */
export function createQueue(max: number): Queue {
  const waiting: (() => void)[] = [];
  let running = 0;
  return {
    async run(work) {
      if (running === max) await new Promise<void>((resolve) => waiting.push(resolve));
      else running++;
      try {
        return await work();
      } finally {
        // Who waits takes the place over; nobody can come in between.
        const next = waiting.shift();
        if (next === undefined) running--;
        else next();
      }
    },
  };
}
