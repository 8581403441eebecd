/** What has become of samples, counted where it happens. All start at 0 with the process. */
export interface Tally {
  delivered: number;
  /** Per reason; see METRICS.md. */
  readonly dropped: Map<string, number>;
}

/** Creates a tally of nothing. */
export function createTally(): Tally {
  return { delivered: 0, dropped: new Map() };
}

/** Counts samples as dropped. */
export function countDropped(tally: Tally, reason: string, samples: number): void {
  if (samples > 0) tally.dropped.set(reason, (tally.dropped.get(reason) ?? 0) + samples);
}
