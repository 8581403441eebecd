import type { RejectReason } from '../protocol/reasons.ts';
import type { Rates } from './frame.ts';

/** What has come and what became of it, since the start and up to a moment. */
export interface Totals {
  /** On the collector's clock. */
  atMs: number;
  datagrams: number;
  linesAccepted: number;
  linesRejected: ReadonlyMap<RejectReason, number>;
  /** 0 where the system does not tell. */
  kernelDrops: number;
  counters: Flow;
  gauges: Flow;
  sets: Flow;
  timings: Flow;
}

/** Samples of one kind. */
export interface Flow {
  /** Accepted, or taken over from the process before. */
  taken: number;
  delivered: number;
  dropped: ReadonlyMap<string, number>;
}

/** The last minute, as totals of each second: what is told as a rate, or as recent. */
export interface Recent {
  /** Takes the totals of now; about once a second. */
  add(totals: Totals): void;
  /** Per second over the last 10 s, or fewer after the start; lines also count those rejected. */
  rates(): Rates;
  /** Those of now and of a minute ago, or of the start; undefined before the first. */
  lastMinute(): { before: Totals; now: Totals } | undefined;
  /**
   * For how long the oldest samples have waited that nothing has become of yet, to the second; 0
   * for none. Of a minute at most, as no more is remembered.
   */
  lagMs(kind: 'counters' | 'timings'): number;
}

const MINUTE_MS = 60_000;
const RATE_MS = 10_000;
/** Totals come about once a second: those of a moment ago may be a little older. */
const SLACK_MS = 500;

/** Creates a minute of nothing. Sixty-odd totals are kept. */
export function createRecent(): Recent {
  // Oldest first; the first one is at most a minute old, but for the slack.
  const seconds: Totals[] = [];

  return {
    add(totals) {
      seconds.push(totals);
      while (seconds[0]!.atMs < totals.atMs - MINUTE_MS - SLACK_MS) seconds.shift();
    },
    rates() {
      const now = seconds.at(-1);
      const before = seconds.find(({ atMs }) => atMs >= (now?.atMs ?? 0) - RATE_MS - SLACK_MS);
      const elapsed = ((now?.atMs ?? 0) - (before?.atMs ?? 0)) / 1000;
      if (now === undefined || before === undefined || elapsed <= 0) {
        return { datagrams: 0, lines: 0, rejected: 0, kernelDrops: 0 };
      }
      const rate = (of: (totals: Totals) => number): number => {
        return Math.round((10 * (of(now) - of(before))) / elapsed) / 10;
      };
      return {
        datagrams: rate(({ datagrams }) => datagrams),
        lines: rate((totals) => totals.linesAccepted + rejectedOf(totals)),
        rejected: rate(rejectedOf),
        kernelDrops: rate(({ kernelDrops }) => kernelDrops),
      };
    },
    lastMinute() {
      const [before, now] = [seconds[0], seconds.at(-1)];
      return before === undefined || now === undefined ? undefined : { before, now };
    },
    lagMs(kind) {
      const now = seconds.at(-1);
      if (now === undefined) return 0;
      const { delivered, dropped } = now[kind];
      const settled = delivered + sumOf(dropped);
      // What was taken by then has become something, as far as what comes first goes first.
      const done = seconds.findLast((totals) => totals[kind].taken <= settled);
      return now.atMs - (done ?? seconds[0]!).atMs;
    },
  };
}

/** Returns by how much the counts of each key have grown; those that have not are left out. */
export function growth<Key>(
  before: ReadonlyMap<Key, number>,
  now: ReadonlyMap<Key, number>,
): [key: Key, count: number][] {
  return Array.from(now, ([key, count]): [Key, number] => [key, count - (before.get(key) ?? 0)])
    .filter(([, count]) => count > 0)
    .toSorted(([, one], [, other]) => other - one);
}

function rejectedOf({ linesRejected }: Totals): number {
  return sumOf(linesRejected);
}

function sumOf(counts: ReadonlyMap<unknown, number>): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}
