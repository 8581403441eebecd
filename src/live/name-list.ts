import type { NameList, NameRow } from './frame.ts';
import { type KindSource, kindsOf, SPARK_SECONDS } from './kinds.ts';
import { createNameOrders } from './name-orders.ts';
import type { NameSources, RateSpan } from './name-sources.ts';
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

/** Creates the list. It does nothing while no part of it is open. */
export function createNameLists(sources: NameSources, nowMs: () => number): NameLists {
  const kinds = kindsOf(sources);
  const orders = createNameOrders(kinds, sources, nowMs);
  // Rows of one second: many look at the same ones.
  let rows = new Map<string, NameRow>();
  let rowsSecond = NaN;

  return {
    open({ from, rows: count, ...order }) {
      const open = orders.open(order);
      return {
        async read(second) {
          const { total, names, kindAt } = await open.read();
          const turns = createTurns();
          const seen: NameRow[] = [];
          const end = Math.min(from + count, names.length);
          for (let at = from; at < end; at++) {
            seen.push(row(kinds[kindAt[at]!]!, names[at]!, second));
            if (turns.isOver()) await turns.next();
          }
          return { total, matching: names.length, from, rows: seen };
        },
        close: () => open.close(),
      };
    },
  };

  function row(source: KindSource, name: string, second: number): NameRow {
    if (rowsSecond !== second) rows = new Map();
    rowsSecond = second;
    const key = `${source.kind} ${name}`;
    const found = rows.get(key) ?? rowOf(source, name, sources.rateSpan(second));
    rows.set(key, found);
    return found;
  }
}

/** Makes a row as of the last second of `span`, over which its rate is. */
function rowOf(source: KindSource, name: string, span: RateSpan): NameRow {
  return {
    kind: source.kind,
    name,
    rate: source.rate(name, span),
    p99: source.p99(name),
    value: source.value(name),
    spark: source.spark(name, span.to - SPARK_SECONDS),
  };
}
