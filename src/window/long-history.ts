import { type Busiest, createBusiest, SPAN_SECONDS } from './busiest.ts';
import type { WindowClock } from './clock.ts';
import { appendColumn, type Column, type ColumnLog, emptyColumn, emptyLog } from './column.ts';
import type { CounterTrace } from './counter-trace.ts';
import { columnsOf, dropBefore, oldestEnd } from './series.ts';
import type { LiveWindow } from './window.ts';

/**
 * What is kept for 2 hours in spans of 30 s: of the 200 busiest timings and the 200 busiest
 * counters. How busy one is is the number of its samples, or the sum of its increments, each 30 s
 * counting a tenth less than the next ones; so one stays for a while when it falls silent. One that
 * comes in brings what the window and the trace still have of it; one that falls out is forgotten.
 *
 * Memory: timings take 32 MiB at most, beyond which the oldest spans go before their time (20
 * samples a second of 200 names take about 10); counters less than 1 MB.
 */
export interface LongHistory {
  /** Goes on to what is over by now, where a span is; yields often. Not twice at a time. */
  advance(): Iterable<void>;
  /**
   * Returns the columns of a timing that begin after `since`, oldest first, all of 30 s; the last
   * one may be of a span that is not over yet. None for one that is not among the busiest.
   */
  timing(name: string, since: number): Column[];
  /** Returns what was added to a counter in each span, likewise; spans of 0 are left out. */
  counter(name: string, since: number): [second: number, span: number, sum: number][];
  /** Whether a name is among the busiest. */
  has(kind: 'counter' | 'timing', name: string): boolean;
  /** Forgets a name and what is kept of it. */
  forget(kind: 'counter' | 'timing', name: string): void;
  /** What the columns of timings take. */
  readonly bytes: number;
}

/** What a history is made with. */
export interface LongHistoryOptions {
  clock: WindowClock;
  window: LiveWindow;
  trace: CounterTrace;
  /** How many names of each kind. */
  limit?: number;
  /** What columns may take. */
  budgetBytes?: number;
}

const LIMIT = 200;
const BUDGET_BYTES = 32 << 20;

/** Creates a history of nothing, which begins with what the window and the trace have. */
export function createLongHistory(options: LongHistoryOptions): LongHistory {
  const { clock, limit = LIMIT } = options;
  const timings = createTimings(options, limit);
  const counters = createCounters(options, limit);

  return {
    *advance() {
      const complete = clock.complete();
      yield* timings.busiest.advance(complete);
      yield* counters.busiest.advance(complete);
    },
    timing: timings.read,
    counter: counters.read,
    has: (kind, name) => (kind === 'timing' ? timings : counters).busiest.members.has(name),
    forget: (kind, name) => (kind === 'timing' ? timings : counters).busiest.forget(name),
    get bytes() {
      return timings.bytes();
    },
  };
}

interface Timings {
  readonly busiest: Busiest<ColumnLog>;
  read: LongHistory['timing'];
  bytes(): number;
}

function createTimings(
  { clock, window, budgetBytes = BUDGET_BYTES }: LongHistoryOptions,
  limit: number,
): Timings {
  let bytes = 0;
  const busiest = createBusiest<ColumnLog>(
    {
      all: window.timings,
      amount: window.recentWeight,
      oldestSecond: window.oldestSecond,
      create: emptyLog,
      append(name, log, second) {
        const column = spanOf(name, second);
        if (column === undefined) return;
        changing(log, () => appendColumn(log, column));
        while (bytes > budgetBytes && dropOldest());
      },
      dropBefore(log, second) {
        changing(log, () => dropBefore(log, second));
        return log.start < log.end;
      },
      release: (log) => void (bytes -= log.bytes.length),
    },
    limit,
  );

  return {
    busiest,
    read(name, since) {
      const member = busiest.members.get(name);
      if (member === undefined) return [];
      const columns = columnsOf(member.kept, (second) => second > since);
      const last = clock.complete();
      for (let second = busiest.firstSpan(member.builtTo); second <= last; second += SPAN_SECONDS) {
        const column = second > since ? spanOf(name, second) : undefined;
        if (column !== undefined) columns.push(column);
      }
      return columns;
    },
    bytes: () => bytes,
  };

  function spanOf(name: string, second: number): Column | undefined {
    const column = emptyColumn(second, SPAN_SECONDS);
    window.mergeInto(column, name, second, second + SPAN_SECONDS - 1);
    return column.bins.used > 0 || column.weight > 0 ? column : undefined;
  }

  /** False if nothing is left. */
  function dropOldest(): boolean {
    const logs = [...busiest.members.values()].map(({ kept }) => kept);
    const end = Math.min(...logs.map((log) => oldestEnd(log) ?? Infinity));
    if (end === Infinity) return false;
    for (const log of logs) changing(log, () => dropBefore(log, end, true));
    return true;
  }

  function changing(log: ColumnLog, change: () => void): void {
    const before = log.bytes.length;
    change();
    bytes += log.bytes.length - before;
  }
}

interface Counters {
  readonly busiest: Busiest<number[]>;
  read: LongHistory['counter'];
}

/** Of each is kept: second and sum by turns. */
function createCounters({ clock, trace }: LongHistoryOptions, limit: number): Counters {
  const busiest = createBusiest<number[]>(
    {
      all: trace.counters,
      amount: trace.recentAmount,
      oldestSecond: trace.oldestSecond,
      create: () => [],
      append(name, pairs, second) {
        const sum = sumOf(name, second);
        if (sum !== 0) pairs.push(second, sum);
      },
      dropBefore(pairs, second) {
        let old = 0;
        while (old < pairs.length && pairs[old]! < second) old += 2;
        pairs.splice(0, old);
        return pairs.length > 0;
      },
      release: () => {},
    },
    limit,
  );

  return {
    busiest,
    read(name, since) {
      const member = busiest.members.get(name);
      if (member === undefined) return [];
      const points: [number, number, number][] = [];
      const { kept: pairs, builtTo } = member;
      for (let at = 0; at < pairs.length; at += 2) {
        if (pairs[at]! > since) points.push([pairs[at]!, SPAN_SECONDS, pairs[at + 1]!]);
      }
      const last = clock.complete();
      for (let second = busiest.firstSpan(builtTo); second <= last; second += SPAN_SECONDS) {
        const sum = second > since ? sumOf(name, second) : 0;
        if (sum !== 0) points.push([second, SPAN_SECONDS, sum]);
      }
      return points;
    },
  };

  function sumOf(name: string, second: number): number {
    return trace.recentSum(name, second, second + SPAN_SECONDS - 1);
  }
}
