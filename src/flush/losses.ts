import { reasonText } from './drop-log.ts';
import type { Log } from './health.ts';
import { countDropped, type Tally } from './tally.ts';

/** Samples that are lost before they come into a book: counted at once, said now and then. */
export interface Losses {
  /** Counts samples as dropped, and keeps in mind to say so. */
  drop(tally: Tally, reason: string, samples: number): void;
  /**
   * Says what no line of the log tells yet: at most one line per second and reason.
   *
   * @param isLast nothing will be said any more: what is left is told at once.
   */
  say(isLast?: boolean): void;
}

/** Who counts what becomes of samples. */
export interface Tallies {
  readonly counterTally: Tally;
  readonly gaugeTally: Tally;
  readonly setTally: Tally;
  readonly timingTally: Tally;
}

/** Creates a list of no losses. */
export function createLosses(
  tallies: Tallies,
  mayBeSaid: (kind: string) => boolean,
  log: Log,
): Losses {
  // Samples that no line of the log tells yet, by what it will tell.
  const unsaid = new Map<string, number>();
  return {
    drop(tally, reason, samples) {
      if (samples === 0) return;
      countDropped(tally, reason, samples);
      const what = `${whatOf(tallies, tally)} dropped: ${reasonText(reason)}`;
      unsaid.set(what, (unsaid.get(what) ?? 0) + samples);
    },
    say(isLast = false) {
      for (const [what, samples] of unsaid) {
        if (!isLast && !mayBeSaid(what)) continue;
        log('warn', `${samples} ${what}`);
        unsaid.delete(what);
      }
    },
  };
}

/** Returns what the samples of a tally are called in the log. */
function whatOf({ counterTally, setTally, timingTally }: Tallies, tally: Tally): string {
  if (tally === timingTally) return 'timings';
  if (tally === setTally) return 'set samples';
  return tally === counterTally ? 'counter samples' : 'gauge samples';
}
