import { binQuantiles } from '../histogram-quantiles.ts';
import type { NameList, NameRow } from './frame.ts';
import { createNameOrders } from './name-orders.ts';
import { type NameSources, rateOf, type RateSpan } from './name-sources.ts';
import { createTurns } from './turns.ts';
import type { ListView } from './view.ts';

/** The list of all names that are known, as parts of it are looked at. */
export interface NameLists {
  open(view: ListView): OpenList;
}

/** A part of the list that somebody looks at. */
export interface OpenList {
  /**
   * Returns it as of a second of the clock, the last that is over. Rejects if closed meanwhile.
   */
  read(second: number): Promise<NameList>;
  close(): void;
}

/** How many values a row's small curve has. */
export const SPARK_SECONDS = 60;

/** Creates the list. It does nothing while no part of it is open. */
export function createNameLists(sources: NameSources, nowMs: () => number): NameLists {
  const orders = createNameOrders(sources, nowMs);
  // Rows of one second: many look at the same ones.
  let rows = new Map<string, NameRow>();
  let rowsSecond = NaN;

  return {
    open({ from, rows: count, ...order }) {
      const open = orders.open(order);
      return {
        async read(second) {
          const { total, names, isTiming } = await open.read();
          const turns = createTurns();
          const seen: NameRow[] = [];
          const end = Math.min(from + count, names.length);
          for (let at = from; at < end; at++) {
            seen.push(row(names[at]!, isTiming[at] === 1, second));
            if (turns.isOver()) await turns.next();
          }
          return { total, matching: names.length, from, rows: seen };
        },
        close: () => open.close(),
      };
    },
  };

  function row(name: string, isTiming: boolean, second: number): NameRow {
    if (rowsSecond !== second) rows = new Map();
    rowsSecond = second;
    const key = `${isTiming ? 't' : 'c'}${name}`;
    const found = rows.get(key) ?? rowOf(sources, { name, isTiming }, sources.rateSpan(second));
    rows.set(key, found);
    return found;
  }
}

/** Makes a row as of the last second of `span`, over which its rate is. */
function rowOf(
  sources: NameSources,
  one: { name: string; isTiming: boolean },
  span: RateSpan,
): NameRow {
  const { name, isTiming } = one;
  const before = span.to - SPARK_SECONDS;
  return {
    kind: isTiming ? 'timing' : 'counter',
    name,
    rate: rateOf(sources, one, span),
    p99: isTiming ? (sources.window.summary(name)?.p99 ?? null) : null,
    spark: isTiming ? timingSpark(sources, name, before) : counterSpark(sources, name, before),
  };
}

function counterSpark({ trace }: NameSources, name: string, before: number): number[] {
  const spark = Array<number>(SPARK_SECONDS).fill(0);
  for (const [second, sum] of trace.points(name, before)) {
    const at = second - before - 1;
    if (at < SPARK_SECONDS) spark[at] = threeDigits(sum);
  }
  return spark;
}

function timingSpark({ window }: NameSources, name: string, before: number): (number | null)[] {
  const spark = Array<number | null>(SPARK_SECONDS).fill(null);
  for (const { second, span, bins } of window.columnsSince(name, before)) {
    const [p99 = NaN] = binQuantiles(bins, [0.99]);
    if (Number.isNaN(p99)) continue;
    const at = second - before - 1;
    // One that was merged for want of room spans many seconds.
    spark.fill(threeDigits(p99), at, Math.min(at + span, SPARK_SECONDS));
  }
  return spark;
}

/** Each digit more is sent to each page for each of sixty values of each row, each second. */
function threeDigits(value: number): number {
  return Number.isInteger(value) && Math.abs(value) < 1000 ? value : Number(value.toPrecision(3));
}
