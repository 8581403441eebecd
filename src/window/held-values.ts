import { createBusiest, SPAN_SECONDS } from './busiest.ts';
import type { WindowClock } from './clock.ts';
import { type CounterTrace, createCounterTrace } from './counter-trace.ts';

/**
 * What holds until it is written again: what gauges stand at, or how many unique members sets have.
 * As the store had it after what this collector wrote; who else writes is not known here.
 *
 * Memory: both traces take 8 MiB at most each, beside 130 bytes a name; the history less than 2 MB.
 */
export interface HeldValues {
  /** How often each was written, by seconds, as it came. */
  readonly writes: CounterTrace;
  /** What each stood at, by seconds, as the store answered; NaN where it has not told. */
  readonly values: CounterTrace;
  readonly history: HeldHistory;
  /** Takes in what the store holds by now; NaN where that is not known. */
  hold(name: string, value: number): void;
  /** Forgets a name and what is kept of it. */
  forget(name: string): void;
}

/** What is kept for 2 hours in spans of 30 s, of the 200 that are written most often. */
export interface HeldHistory {
  /** Goes on to what is over by now, where a span is; yields often. Not twice at a time. */
  advance(): Iterable<void>;
  has(name: string): boolean;
  forget(name: string): void;
  /**
   * Returns the spans that begin after `since` and in which one was written, oldest first; the
   * first one may be what held before. None for one that is not among the busiest.
   */
  points(name: string, since: number): HeldPoint[];
}

/** A span of time in which something was written: NaN for what is not known. */
export type HeldPoint = [second: number, span: number, last: number, low: number, high: number];

const BYTES_MAX = 8 << 20;
const LIMIT = 200;
const POINT_LENGTH = 4;

/** Creates a memory of nothing. `limit` is for tests. */
export function createHeldValues(clock: WindowClock, limit: number = LIMIT): HeldValues {
  const writes = createCounterTrace({ clock, bytesMax: BYTES_MAX });
  const values = createCounterTrace({ clock, bytesMax: BYTES_MAX, holds: true });
  const history = createHeldHistory(clock, { writes, values }, limit);
  return {
    writes,
    values,
    history,
    hold: (name, value) => values.add(values.of(name), value),
    forget(name) {
      for (const trace of [writes, values]) trace.remove(name);
      history.forget(name);
    },
  };
}

/** Of each is kept, by turns: where a span begins, the last value in it, the lowest, the highest. */
function createHeldHistory(
  clock: WindowClock,
  { writes, values }: Pick<HeldValues, 'writes' | 'values'>,
  limit: number,
): HeldHistory {
  const busiest = createBusiest<number[]>(
    {
      all: values.counters,
      amount: writes.recentSum,
      oldestSecond: values.oldestSecond,
      create: () => [],
      append(name, kept, second) {
        for (const [at, , ...point] of spanOf(name, second, kept.length === 0)) {
          kept.push(at, ...point);
        }
      },
      dropBefore(kept, second) {
        // What holds at that second stays.
        let old = 0;
        while (old + POINT_LENGTH < kept.length && kept[old + POINT_LENGTH]! <= second) {
          old += POINT_LENGTH;
        }
        kept.splice(0, old);
        return kept.length > 0;
      },
      release: () => {},
    },
    limit,
  );

  return {
    advance: () => busiest.advance(clock.complete()),
    has: (name) => busiest.members.has(name),
    forget: (name) => busiest.forget(name),
    points(name, since) {
      const member = busiest.members.get(name);
      if (member === undefined) return [];
      const { kept, builtTo } = member;
      const points: HeldPoint[] = [];
      for (let at = 0; at < kept.length; at += POINT_LENGTH) {
        const [second, last, low, high] = kept.slice(at, at + POINT_LENGTH);
        points.push([second!, SPAN_SECONDS, last!, low!, high!]);
      }
      const last = clock.complete();
      for (let second = busiest.firstSpan(builtTo); second <= last; second += SPAN_SECONDS) {
        points.push(...spanOf(name, second, false));
      }
      return points.filter(([second]) => second > since);
    },
  };

  /** Returns what was written in a span, if anything; in front of it what held before, if wanted. */
  function spanOf(name: string, from: number, withBefore: boolean): HeldPoint[] {
    const points = values.points(name, -Infinity).filter(([at]) => at < from + SPAN_SECONDS);
    const inSpan = points.filter(([at]) => at >= from);
    const before = points[points.length - inSpan.length - 1];
    const found: HeldPoint[] = [];
    if (withBefore && before !== undefined) {
      found.push(heldIn(before[0] - (before[0] % SPAN_SECONDS), [before[1]]));
    }
    if (inSpan.length > 0) {
      found.push(
        heldIn(
          from,
          inSpan.map(([, value]) => value),
        ),
      );
    }
    return found;
  }
}

function heldIn(second: number, values: readonly number[]): HeldPoint {
  const known = values.filter((value) => !Number.isNaN(value));
  if (known.length === 0) return [second, SPAN_SECONDS, NaN, NaN, NaN];
  return [second, SPAN_SECONDS, values.at(-1)!, Math.min(...known), Math.max(...known)];
}
