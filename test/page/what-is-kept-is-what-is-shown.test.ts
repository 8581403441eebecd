import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';

import type { Frame, WatchedCounter, WirePoint } from '../../src/live/frame.ts';
import { addedIn, counterCells, rateUpTo } from '../../src/page/counter-cells.ts';
import { notKnown, wholeColumns } from '../../src/page/known.ts';
import { createDataStore, type DataStore } from '../../src/page/store.ts';
import { cellsOf, tableOf } from '../../src/page/timing-cells.ts';
import type { Range } from '../../src/page/view.ts';
import { columnOf, createSyntheticFrames } from '../support/synthetic-frames.ts';

const FIRST = 1_790_000_000;
const API = { kind: 'counter', name: 'api.hits' } as const;

describe('What the page keeps', () => {
  it('is the same with gaps that are filled as without', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 400 })), (missed) => {
        const frames = createSyntheticFrames(FIRST);
        const [steady, gappy] = [createDataStore(), createDataStore()];
        for (let at = 0; at <= 400; at++) {
          const second = FIRST + at;
          for (const store of [steady, gappy]) {
            if (store === gappy && missed.includes(at) && at < 400) continue;
            const watched = [{ ...API, since: store.knownTo(API) }];
            const list = { q: '', kind: 'all', sort: 'name', from: 0, rows: 0 } as const;
            store.take(frames.frame(second, { watched, span: 300, list }));
            store.keep([API], 300, undefined);
          }
        }
        expect(gappy.counter('api.hits').points).to.deep.equal(steady.counter('api.hits').points);
        expect(steady.counter('api.hits').points).to.have.length(300);
      }),
      { numRuns: 30 },
    );
  });

  it('has one of each second, the latest that was told', () => {
    const store = createDataStore();
    store.take(
      frameOf(FIRST + 2, [
        [FIRST, 1, 1],
        [FIRST + 1, 1, 2],
        [FIRST + 2, 1, 3],
      ]),
    );
    store.take(
      frameOf(FIRST + 3, [
        [FIRST + 2, 1, 30],
        [FIRST + 3, 1, 40],
      ]),
    );
    expect(store.counter('api.hits').points.map(([, , sum]) => sum)).to.deep.equal([1, 2, 30, 40]);
  });

  it('is nothing of what is not shown, and nothing after the clock was set', () => {
    const store = createDataStore();
    store.take(frameOf(FIRST, [[FIRST, 1, 1]]));
    expect(store.knownTo(API)).to.equal(FIRST);
    store.keep([], 300, undefined);
    expect([store.knownTo(API), store.counter('api.hits').points]).to.deep.equal([0, []]);
    store.take(frameOf(FIRST, [[FIRST, 1, 1]]));
    store.take({ ...frameOf(FIRST - 4000, [[FIRST - 4000, 1, 7]]), reset: true });
    expect(store.counter('api.hits').points).to.deep.equal([[FIRST - 4000, 1, 7]]);
  });

  it('reaches as far back as is shown, and to what is looked at while time stands still', () => {
    const store = createDataStore();
    const points = Array.from({ length: 900 }, (_, at): WirePoint => [FIRST + at, 1, at]);
    for (const point of points) {
      store.take(frameOf(point[0], [point]));
      store.keep([API], 300, { from: FIRST + 100, to: FIRST + 400 });
    }
    const kept = store.counter('api.hits').points.map(([second]) => second - FIRST);
    expect(kept).to.have.length(600);
    expect([kept[0], kept[299], kept[300], kept[599]]).to.deep.equal([100, 399, 600, 899]);
  });
});

describe('What the page has forgotten', () => {
  const LATENCY = { kind: 'timing', name: 'api.latency' } as const;

  /** A page that was told of each second up to one, and kept a range while time stood still. */
  function storeTo(last: number, kept?: Range): DataStore {
    const store = createDataStore();
    for (let at = 0; at <= last; at++) {
      const frame = frameOf(FIRST + at, []);
      const countersFrom = FIRST + Math.max(-50, at - 300);
      const columns = at % 10 === 0 ? [columnOf(FIRST + at, [40])] : [];
      const timing = { ...LATENCY, summary: null, isLong: true, columns };
      store.take({ ...frame, countersFrom, watched: [...frame.watched, timing] });
      store.keep([API, LATENCY], 300, at < 300 ? undefined : kept);
    }
    return store;
  }

  function knownOf(store: DataStore, range: Range): boolean[] {
    const completeFrom = store.completeFrom(LATENCY);
    const known = { span: 1, completeFrom, knownTo: FIRST + 900, gaps: store.gaps() };
    return cellsOf(store.timing(LATENCY.name).columns, range, known).map((cell) => cell.isKnown);
  }

  it('is not known, however it was looked at meanwhile', () => {
    const range = (from: number, to: number): Range => ({ from: FIRST + from, to: FIRST + to });
    const running = storeTo(899);
    expect(new Set(knownOf(running, range(600, 900)))).to.deep.equal(new Set([true]));
    expect(new Set(knownOf(running, range(300, 600)))).to.deep.equal(new Set([false]));
    const paused = storeTo(899, range(5, 301));
    expect(new Set(knownOf(paused, range(5, 301)))).to.deep.equal(new Set([true]));
    paused.keep([API, LATENCY], 300, range(450, 750));
    const known = knownOf(paused, range(450, 750));
    expect(known.indexOf(true)).to.equal(150);
    expect(known.lastIndexOf(false)).to.equal(149);
    paused.clear();
    expect([paused.completeFrom(API), paused.gaps()]).to.deep.equal([Infinity, []]);
  });

  it('is empty in the table of a timing; what is known to be nothing is 0', () => {
    const known = {
      span: 1,
      completeFrom: FIRST + 2,
      knownTo: FIRST + 6,
      gaps: [{ from: FIRST + 4, to: FIRST + 5 }],
    };
    const range = { from: FIRST, to: FIRST + 7 };
    const cells = cellsOf([columnOf(FIRST + 3, [40])], range, known);
    expect(cells.map(({ isKnown }) => isKnown)).to.deep.equal(
      [false, false, true, true, false, true, false], // by second
    );
    const table = tableOf(LATENCY.name, cells).slice(1);
    expect(table.map((row) => row[3])).to.deep.equal(['', '', 0, 1, '', 0, '']);
    expect(table.map((row) => row.at(-1))).to.deep.equal(['', '', 0, 1, '', 0, '']);
  });

  it('is told by when the present life of the collector began', () => {
    const store = storeTo(20);
    expect(store.lifeFrom()).to.equal(0);
    const frame = { ...frameOf(FIRST + 25, []), instance: 'another', countersFrom: FIRST + 21 };
    store.take(frame); // it was back at once: there is no gap
    expect([store.lifeFrom(), store.gaps()]).to.deep.equal([FIRST + 21, []]);
    expect(store.completeFrom(API)).to.equal(FIRST - 50);
    store.take({ ...frame, reset: true });
    expect(store.lifeFrom()).to.equal(0);
  });

  it('may be in the 2 h view, if it is not older than that', () => {
    const known = { span: 1, completeFrom: FIRST, knownTo: FIRST, gaps: [] };
    const said = (ago: number, span = 1): string =>
      notKnown({ ...known, span }, { from: FIRST - ago, to: FIRST });
    expect([said(600), said(7300), said(200), said(600, 30)]).to.deep.equal([
      'not known here: look at 2 h',
      ...Array.from({ length: 3 }, () => 'not known'),
    ]);
  });
});

describe("A counter's line", () => {
  it('adds up to what was counted, in cells of whatever width', () => {
    const points = fc.uniqueArray(
      fc.tuple(fc.integer({ min: 0, max: 299 }), fc.integer({ min: -50, max: 1000 })),
      { selector: ([at]) => at },
    );
    fc.assert(
      fc.property(points, fc.constantFrom(1, 30), (found, span) => {
        const wire = found
          .toSorted(([a], [b]) => a - b)
          .map(([at, sum]): WirePoint => [FIRST + at, 1, sum]);
        const range = { from: FIRST, to: FIRST + 300 };
        const cells = counterCells(wire, range, {
          span,
          completeFrom: FIRST,
          knownTo: range.to,
          gaps: [],
        });
        const inCells = cells.reduce((all, { perSecond }) => all + perSecond! * span, 0);
        expect(inCells).to.be.closeTo(
          found.reduce((all, [, sum]) => all + sum, 0),
          1e-6,
        );
      }),
    );
  });

  it('has a gap where the collector was away, and a rate of now without it', () => {
    const store = createDataStore();
    for (let at = 0; at < 20; at++) store.take(frameOf(FIRST + at, [[FIRST + at, 1, 50]]));
    // It comes back after five seconds, in another life.
    for (let at = 25; at < 30; at++) {
      const frame = frameOf(FIRST + at, [[FIRST + at, 1, 50]]);
      store.take({ ...frame, instance: 'another', countersFrom: FIRST + 25 });
    }
    expect(store.gaps()).to.deep.equal([{ from: FIRST + 20, to: FIRST + 25 }]);
    const { points } = store.counter('api.hits');
    const known = { span: 1, completeFrom: FIRST + 25, knownTo: FIRST + 30, gaps: store.gaps() };
    const cells = counterCells(points, { from: FIRST, to: FIRST + 30 }, known);
    const rates = cells.map(({ perSecond }) => perSecond);
    expect(rates.slice(18, 27)).to.deep.equal([50, 50, null, null, null, null, null, 50, 50]);
    expect(rateUpTo(cells, FIRST + 30)).to.equal(50);
    store.keep([API], 300, undefined);
    store.take({ ...frameOf(FIRST + 400, []), instance: 'another', countersFrom: FIRST + 100 });
    store.keep([API], 300, undefined);
    // The old gap is out of sight; the new one is what no longer can be told.
    expect(store.gaps()).to.deep.equal([]);
  });

  it('has the rate of what is over in a half minute that is not', () => {
    const range = { from: FIRST, to: FIRST + 60 };
    const points = Array.from({ length: 40 }, (_, at): WirePoint => [FIRST + at, 1, 5]);
    const known = { span: 30, completeFrom: FIRST, knownTo: FIRST + 40, gaps: [] };
    const cells = counterCells(points, range, known);
    expect(cells.map(({ perSecond }) => perSecond)).to.deep.equal([5, 5]);
    expect(rateUpTo(cells, FIRST + 40)).to.equal(5);
  });

  it('has the same rate of a part of time by seconds and by half minutes', () => {
    const points = Array.from({ length: 150 }, (_, at): WirePoint => [FIRST + at, 1, 30]);
    for (const span of [1, 30]) {
      const range = { from: Math.floor(FIRST / span) * span, to: FIRST + 180 };
      const known = { span, completeFrom: FIRST, knownTo: FIRST + 150, gaps: [] };
      const cells = counterCells(points, range, known);
      for (const from of [47, 113]) {
        const looked = wholeColumns({ from: FIRST + from, to: FIRST + from + 30 }, range, known);
        const part = cells.filter(({ second }) => second >= looked.from && second < looked.to);
        const added = 30 * (looked.to - looked.from);
        expect(addedIn(part)).to.deep.equal({ added, perSecond: 30 });
      }
      expect(addedIn(cells)).to.deep.equal({ added: 4500, perSecond: 30 });
    }
  });

  it('has the rate of what is known of a column, and none of what is not', () => {
    const points = Array.from({ length: 50 }, (_, at): WirePoint => [FIRST + 10 + at, 1, 5]);
    const gap = { from: FIRST + 40, to: FIRST + 50 };
    const told = points.filter(([second]) => second < gap.from || second >= gap.to);
    const known = { span: 30, completeFrom: FIRST + 10, knownTo: FIRST + 60, gaps: [gap] };
    const cells = counterCells(told, { from: FIRST - 30, to: FIRST + 90 }, known);
    expect(cells.map(({ perSecond }) => perSecond)).to.deep.equal([null, 5, 5, null]);
    expect(cells.map((cell) => cell.known)).to.deep.equal([0, 20, 20, 0]);
    expect(addedIn(cells.slice(0, 1))).to.equal(undefined);
    expect(addedIn(cells)).to.deep.equal({ added: 200, perSecond: 5 });
  });

  it('has the rate before where time stands still, and none where that is not known', () => {
    const points = Array.from({ length: 50 }, (_, at): WirePoint => [FIRST + at, 1, 30]);
    const known = { span: 1, completeFrom: FIRST, knownTo: FIRST + 50, gaps: [] };
    const at = (to: number): number | null => {
      return rateUpTo(counterCells(points, { from: to - 300, to }, known), to);
    };
    expect([at(FIRST + 50), at(FIRST + 30), at(FIRST + 5)]).to.deep.equal([30, 30, 30]);
    expect([at(FIRST), at(FIRST + 70)]).to.deep.equal([null, null]);
  });

  it('is 0 where nothing was counted, and a gap where that is not known', () => {
    const range = { from: FIRST, to: FIRST + 6 };
    const cells = counterCells([[FIRST + 4, 1, 9]], range, {
      span: 1,
      completeFrom: FIRST + 2,
      knownTo: FIRST + 5,
      gaps: [],
    });
    const rates = cells.map(({ perSecond }) => perSecond);
    expect(rates).to.deep.equal([null, null, 0, 0, 9, null]);
    expect(rateUpTo(cells, FIRST + 5)).to.equal(3);
  });
});

function frameOf(second: number, points: WirePoint[]): Frame {
  const list = { q: '', kind: 'all', sort: 'name', from: 0, rows: 0 } as const;
  const frame = createSyntheticFrames(FIRST).frame(second, { watched: [], span: 300, list });
  const place = { hash: 'statcol:stats', field: 'api.hits', otherHashes: 0 };
  const counter: WatchedCounter = { ...API, ...place, total: '1', isLong: true, points };
  return { ...frame, watched: [counter] };
}
