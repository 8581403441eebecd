import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';

import type { NameList } from '../../src/live/frame.ts';
import { createNameLists } from '../../src/live/name-list.ts';
import type { HeldNames, NameSources } from '../../src/live/name-sources.ts';
import type { ListView } from '../../src/live/view.ts';
import type { CounterTrace } from '../../src/window/counter-trace.ts';
import { createHeldValues } from '../../src/window/held-values.ts';
import { createFakeTime } from '../support/fake-time.ts';
import { windowClockOf } from '../support/window-clock.ts';

const SECOND = 1000;
const FIRST: ListView = { q: '', kind: 'all', sort: 'name', from: 0, rows: 200 };

interface Known {
  counters: Map<string, number>;
  timings: Map<string, number>;
  gauges?: Map<string, number>;
  sets?: Map<string, number>;
  stored?: string[];
}

function traceOf(rates: Map<string, number>): CounterTrace {
  const known: Partial<CounterTrace> = {
    names: () => rates.keys(),
    has: (name) => rates.has(name),
    points: (name) => [[SECOND, rates.get(name) ?? 0]],
    recentSum: (name) => 10 * (rates.get(name) ?? 0),
    recentAmount: (name) => Math.abs(rates.get(name) ?? 0),
  };
  Object.defineProperty(known, 'size', { get: () => rates.size });
  return known as CounterTrace;
}

/** Half of the names have been written but are not in the store. */
function heldOf(rates: Map<string, number>, stored: Iterable<string>): HeldNames {
  const known = new Map([...rates].filter((_, at) => at % 2 === 0));
  const others = new Set(stored);
  return {
    memory: { writes: traceOf(rates), values: traceOf(known) },
    others: { names: () => others, version: 0 },
  };
}

/** Names with a rate, and for timings a p99 of ten times that. */
function sourcesOf(known: Known): NameSources {
  const { counters, timings, gauges = new Map(), sets = new Map(), stored = [] } = known;
  const storeNames = new Set(stored);
  return {
    trace: traceOf(counters),
    gauges: heldOf(gauges, stored),
    sets: heldOf(sets, []),
    window: {
      names: () => timings.keys(),
      usage: () => ({ names: timings.size, bytes: 0, columnsMerged: 0, columnsDropped: 0 }),
      summary(name) {
        const rate = timings.get(name);
        if (rate === undefined || rate === 0) return undefined;
        const p99 = 10 * rate;
        return { count: 1, min: 0, max: p99, mean: 1, p50: 1, p90: 1, p99 };
      },
      recentWeight: (name) => 10 * (timings.get(name) ?? 0),
      columnsSince: () => [],
    },
    storeNames: { names: () => storeNames, version: 0 },
    lastSecond: () => SECOND,
    offsetSeconds: () => 0,
    rateSpan: (to) => ({ from: to - 9, to }),
  };
}

async function listOf(sources: NameSources, view: Partial<ListView>): Promise<NameList> {
  const list = createNameLists(sources, () => 0).open({ ...FIRST, ...view });
  const found = await list.read(SECOND);
  list.close();
  return found;
}

/** The same, as plainly as it can be said. */
function naive(known: Known, view: ListView): string[] {
  const { counters, timings, gauges = new Map(), sets = new Map(), stored = [] } = known;
  const named = (kind: string, rates: Map<string, number>, others: string[]) => [
    ...Array.from(rates, ([name, rate]) => ({ kind, name, rate, p99: -Infinity })),
    ...others
      .filter((name) => !rates.has(name))
      .map((name) => ({ kind, name, rate: 0, p99: -Infinity })),
  ];
  const all = [
    ...named('counter', counters, stored),
    ...named('gauge', gauges, stored),
    ...named('set', sets, []),
    ...Array.from(timings, ([name, rate]) => {
      return { kind: 'timing', name, rate, p99: rate === 0 ? -Infinity : 10 * rate };
    }),
  ];
  const { q, kind, sort, from, rows } = view;
  return all
    .filter((one) => kind === 'all' || one.kind === kind)
    .filter(({ name }) => name.toLowerCase().includes(q.toLowerCase()))
    .toSorted((one, other) => {
      if (sort !== 'name' && one[sort] !== other[sort]) return one[sort] > other[sort] ? -1 : 1;
      if (one.name !== other.name) return one.name < other.name ? -1 : 1;
      return one.kind < other.kind ? -1 : 1;
    })
    .slice(from, from + rows)
    .map((one) => `${one.kind} ${one.name}`);
}

describe('The list of names', () => {
  it('is filtered, sorted and cut as a naive list would be', async () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'B', '.', '_'), maxLength: 5 });
    const rates = fc.uniqueArray(fc.tuple(name, fc.nat(3)), { selector: ([one]) => one });
    const view = fc.record({
      q: fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 2 }),
      kind: fc.constantFrom('all', 'counter', 'gauge', 'set', 'timing'),
      sort: fc.constantFrom('name', 'rate', 'p99'),
      from: fc.nat(8),
      rows: fc.nat(8),
    });
    const stored = fc.uniqueArray(name);
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(rates, rates, rates, rates),
        stored,
        view,
        async (all, others, wanted) => {
          const [counters, timings, gauges, sets] = all.map((one) => new Map(one));
          const known = {
            counters: counters!,
            timings: timings!,
            gauges: gauges!,
            sets: sets!,
            stored: others,
          };
          const { total, matching, from, rows } = await listOf(sourcesOf(known), wanted);
          const seen = rows.map((row) => `${row.kind} ${row.name}`);
          expect(seen).to.deep.equal(naive(known, wanted));
          const whole = { ...wanted, from: 0, rows: Infinity };
          expect(matching).to.equal(naive(known, whole).length);
          expect(total).to.equal(naive(known, { ...whole, q: '', kind: 'all' }).length);
          expect(from).to.equal(wanted.from);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('tells of a name that was counted and timed twice, once each', async () => {
    const known = { counters: new Map([['x', 1]]), timings: new Map([['x', 2]]) };
    const { rows } = await listOf(sourcesOf(known), {});
    expect(rows.map(({ kind, rate, p99 }) => [kind, rate, p99])).to.deep.equal([
      ['counter', 1, null],
      ['timing', 2, 20],
    ]);
  });

  it('has what gauges and sets stand at; at midnight a set has no members any more', async () => {
    const midnight = 20_000 * 86_400;
    let second = midnight - 30;
    const clock = windowClockOf(() => 1000 * second);
    const [gauges, sets] = [createHeldValues(clock), createHeldValues(clock)];
    const seen = async (passed: number): Promise<(number | null)[][]> => {
      second += passed;
      clock.completeTo(second - 1);
      const none = { names: () => [], version: 0 };
      const known = sourcesOf({ counters: new Map(), timings: new Map() });
      const list = createNameLists(
        {
          ...known,
          gauges: { memory: gauges, others: none },
          sets: { memory: sets, others: none },
          lastSecond: () => clock.complete(),
        },
        () => 0,
      ).open(FIRST);
      const { rows } = await list.read(clock.complete());
      list.close();
      return rows.map(({ value, spark }) => [value, spark[0]!, spark[29]!, spark[30]!, spark[59]!]);
    };
    for (const held of [gauges, sets]) held.hold('x', 12.3456);
    second += 10;
    for (const held of [gauges, sets]) held.hold('x', 1234);
    expect(await seen(20)).to.deep.equal([
      [1234, null, null, 12.3, 1230],
      [1234, null, null, 12.3, 1230],
    ]);
    expect(await seen(30)).to.deep.equal([
      [1234, 12.3, 1230, 1230, 1230],
      [0, 12.3, 1230, 0, 0],
    ]);
    for (const held of [gauges, sets]) held.hold('x', NaN);
    expect(await seen(1)).to.deep.equal([
      [null, 12.3, 1230, 1230, null],
      [null, 12.3, 0, 0, null],
    ]);
  });

  it('is the same for a while when sorted by rate, and knows new names at once by name', async () => {
    const names = Array.from({ length: 50 }, (_, at): [string, number] => [`n${at}`, at]);
    const known = { counters: new Map(names), timings: new Map() };
    const time = createFakeTime();
    const lists = createNameLists(sourcesOf(known), () => time.nowMs());
    const byRate = lists.open({ ...FIRST, sort: 'rate' });
    const byName = lists.open(FIRST);
    const both = async (): Promise<number[]> => {
      const found = [await byRate.read(SECOND), await byName.read(SECOND)];
      // What is due is made behind the one who looks.
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
      return found.map(({ matching }) => matching);
    };
    expect(await both()).to.deep.equal([50, 50]);
    known.counters.set('b', 2);
    await time.pass(1000);
    await both();
    expect(await both()).to.deep.equal([50, 51]);
    await time.pass(4000);
    await both();
    expect(await both()).to.deep.equal([51, 51]);
    byRate.close();
    byName.close();
  });

  it('of a few names knows new ones at once in any order: who looks waits for them', async () => {
    const known = { counters: new Map(), timings: new Map() };
    const time = createFakeTime();
    const list = createNameLists(sourcesOf(known), () => time.nowMs()).open({
      ...FIRST,
      sort: 'rate',
    });
    expect((await list.read(SECOND)).matching).to.equal(0);
    known.counters.set('first', 1);
    await time.pass(1000);
    await list.read(SECOND);
    await new Promise(setImmediate);
    expect((await list.read(SECOND)).matching).to.equal(1);
    list.close();
  });

  it('that was left is not shown as it was then', async () => {
    const known = { counters: new Map([['a', 1]]), timings: new Map() };
    const time = createFakeTime();
    const lists = createNameLists(sourcesOf(known), () => time.nowMs());
    const first = lists.open(FIRST);
    await first.read(SECOND);
    first.close();
    known.counters.set('b', 2);
    await time.pass(60_000);
    const second = lists.open(FIRST);
    expect((await second.read(SECOND)).matching).to.equal(2);
    second.close();
  });

  it('is given up when it is closed while it is made', async () => {
    const counters = new Map(Array.from({ length: 100_000 }, (_, at) => [`name${at}`, at]));
    const lists = createNameLists(sourcesOf({ counters, timings: new Map() }), () => 0);
    const list = lists.open({ ...FIRST, sort: 'rate' });
    const reading = list.read(SECOND).then(
      () => 'read',
      () => 'given up',
    );
    await new Promise(setImmediate);
    list.close();
    expect(await reading).to.equal('given up');
    // And can be had again.
    const again = lists.open({ ...FIRST, sort: 'rate', rows: 1 });
    expect((await again.read(SECOND)).rows[0]!.name).to.equal('name99999');
    again.close();
  });

  it('of 100,000 names, sorted and searched by many, holds nobody up', async () => {
    const name = (at: number): string => `service.of.some.length.${(at * 7919) % 100_000}.requests`;
    const counters = new Map(Array.from({ length: 80_000 }, (_, at) => [name(at), at % 977]));
    const timings = new Map(Array.from({ length: 20_000 }, (_, at) => [name(80_000 + at), at]));
    const sources = sourcesOf({ counters, timings });
    const lists = createNameLists(sources, () => performance.now());
    const read = async (view: Partial<ListView>): Promise<number> => {
      const list = lists.open({ ...FIRST, ...view });
      const { matching } = await list.read(SECOND);
      list.close();
      return matching;
    };
    await read({}); // the engine learns
    // Whatever else the machine does: others have had many turns before it is done.
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const found = await Promise.all([
      read({ sort: 'rate' }),
      read({ sort: 'p99' }),
      read({ sort: 'name', kind: 'timing' }),
      read({ q: '1*5*.requests' }),
      read({ q: 'SOME.LENGTH' }),
    ]);
    clearInterval(timer);
    expect(found).to.deep.equal([100_000, 100_000, 20_000, 0, 100_000]);
    expect(turns).to.be.above(20);
  });
});
