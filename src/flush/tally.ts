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

/** What becomes of the samples of one kind on their way out of a book. */
export interface Account {
  /** What they are called in the log. */
  readonly what: string;
  readonly tally: Tally;
  /** Taken out of the book and not accounted for yet. */
  pending: number;
}

/** Creates an account of nothing. */
export function createAccount(what: string): Account {
  return { what, tally: createTally(), pending: 0 };
}
