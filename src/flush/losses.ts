import type { Log } from './health.ts';
import { countDropped, type Tally } from './tally.ts';

/** Samples that are lost before they come into a book: counted at once, said now and then. */
export interface Losses {
  /** Counts samples as dropped, and keeps in mind to say so. */
  drop(tally: Tally, reason: string, samples: number): void;
  /** Says what no line of the log tells yet: at most one line per second and reason. */
  say(): void;
}

/**
 * Creates a list of no losses.
 *
 * @param whatOf what the samples of a tally are called in the log.
 */
export function createLosses(
  whatOf: (tally: Tally) => string,
  mayBeSaid: (kind: string) => boolean,
  log: Log,
): Losses {
  // Samples that no line of the log tells yet, by what it will tell.
  const unsaid = new Map<string, number>();
  return {
    drop(tally, reason, samples) {
      if (samples === 0) return;
      countDropped(tally, reason, samples);
      const what = `${whatOf(tally)} dropped: ${reason}`;
      unsaid.set(what, (unsaid.get(what) ?? 0) + samples);
    },
    say() {
      for (const [what, samples] of unsaid) {
        if (!mayBeSaid(what)) continue;
        log('warn', `${samples} ${what}`);
        unsaid.delete(what);
      }
    },
  };
}
