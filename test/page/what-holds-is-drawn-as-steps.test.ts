import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';

import type { Frame, WireHeld } from '../../src/live/frame.ts';
import { heldCells, heldEnds, heldLine, heldRange, heldTable } from '../../src/page/held-cells.ts';
import { createLineScale, markOf, markTexts, placeIn } from '../../src/page/line-scale.ts';
import { createDataStore } from '../../src/page/store.ts';
import { createSyntheticFrames } from '../support/synthetic-frames.ts';

/** Half past a day's beginning, UTC. */
const FIRST = 20_000 * 86_400 + 1800;
const DEPTH = { kind: 'gauge', name: 'depth' } as const;
const NO_GAPS = { span: 1, knownTo: FIRST + 300, gaps: [] };

function point(second: number, value: number | null): WireHeld {
  return [second, 1, value, value, value];
}

describe('What holds until it is written again', () => {
  it('is in each second what was written last, in spans of any width', () => {
    const writes = fc.uniqueArray(
      fc.tuple(fc.integer({ min: -500, max: 330 }), fc.option(fc.integer({ min: -9, max: 99 }))),
      { selector: ([at]) => at, maxLength: 30 },
    );
    const gaps = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 280 }), fc.integer({ min: 1, max: 50 })),
      {
        maxLength: 2,
      },
    );
    fc.assert(
      fc.property(writes, gaps, fc.constantFrom(1, 30), (found, away, span) => {
        const points = found
          .toSorted(([a], [b]) => a - b)
          .map(([at, value]) => point(FIRST + at, value));
        const known = {
          span,
          knownTo: FIRST + 290,
          gaps: away.map(([at, wide]) => ({ from: FIRST + at, to: FIRST + at + wide })),
        };
        const cells = heldCells(points, { from: FIRST, to: FIRST + 300 }, known, false);
        expect(cells).to.have.length(300 / span);
        for (const cell of cells) {
          const end = cell.second + span;
          const last = points.findLast(([second]) => second < end);
          const isOver = known.gaps.some(({ from }) => {
            return last !== undefined && last[0] < from && cell.second >= from;
          });
          const isKnown = last !== undefined && !isOver && cell.second < known.knownTo;
          expect(cell.value, `at ${cell.second - FIRST}`).to.equal(isKnown ? last[2] : null);
          if (cell.value === null) continue;
          expect(cell.low).to.be.at.most(cell.value);
          expect(cell.high).to.be.at.least(cell.value);
        }
        // Drawn as steps it has these values and no others, and ends where it is not known.
        const [times, values] = heldLine(cells);
        expect(times).to.deep.equal(times.toSorted((a, b) => a - b));
        for (const cell of cells) {
          const at = times.findLastIndex((time) => time <= cell.second + span / 2);
          expect(values[at]).to.equal(cell.value);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('has the lowest and the highest of a half minute, what held when it began among them', () => {
    const points: WireHeld[] = [
      [FIRST - 900, 30, 50, 20, 60],
      [FIRST + 30, 30, 5, -1, 90],
      [FIRST + 90, 30, null, 7, 8],
    ];
    const known = { ...NO_GAPS, span: 30 };
    const cells = heldCells(points, { from: FIRST, to: FIRST + 150 }, known, false);
    expect(cells.map(({ value, low, high }) => [value, low, high])).to.deep.equal([
      [50, 50, 50],
      [5, -1, 90],
      [5, 5, 5],
      [null, null, null],
      [null, null, null],
    ]);
    expect(heldEnds(cells)).to.deep.equal({ low: -1, high: 90 });
    expect(heldEnds([])).to.deep.equal({ low: null, high: null });
    expect(heldTable('a', cells).slice(1, 3)).to.deep.equal([
      [new Date(FIRST * 1000).toISOString(), 30, 'a', 50, 50, 50],
      [new Date((FIRST + 30) * 1000).toISOString(), 30, 'a', 5, -1, 90],
    ]);
    expect(heldTable('a', cells).at(-1)!.slice(2)).to.deep.equal(['a', '', '', '']);
  });

  it('is 0 when a day begins, if it is of a day', () => {
    const midnight = FIRST - 1800;
    const range = { from: midnight - 2, to: midnight + 4 };
    const points = [point(midnight - 100, 7), point(midnight + 2, 1)];
    const values = (isDaily: boolean): (number | null)[] =>
      heldCells(points, range, { ...NO_GAPS, knownTo: range.to }, isDaily).map(
        (cell) => cell.value,
      );
    expect(values(true)).to.deep.equal([7, 7, 0, 0, 1, 1]);
    expect(values(false)).to.deep.equal([7, 7, 7, 7, 1, 1]);
  });

  it('is kept by the page as long as it holds in the time shown', () => {
    const store = createDataStore();
    const frame = (second: number, points: WireHeld[]): Frame => {
      const list = { q: '', kind: 'all', sort: 'name', from: 0, rows: 0 } as const;
      const made = createSyntheticFrames(FIRST).frame(second, {
        watched: [{ ...DEPTH, since: 0 }],
        span: 300,
        list,
      });
      const [one] = made.watched;
      return { ...made, watched: one?.kind === 'gauge' ? [{ ...one, points }] : [] };
    };
    store.take(frame(FIRST, [point(FIRST - 50, 1), point(FIRST, 2)]));
    store.take(frame(FIRST + 1, [point(FIRST + 1, 3)]));
    store.keep([DEPTH], 300, undefined);
    expect(store.held('gauge', 'depth').points.map(([, , value]) => value)).to.deep.equal([
      1, 2, 3,
    ]);
    store.take(frame(FIRST + 310, []));
    store.keep([DEPTH], 300, { from: FIRST - 60, to: FIRST - 40 });
    expect(store.held('gauge', 'depth').points.map(([, , value]) => value)).to.deep.equal([1, 3]);
    store.keep([DEPTH], 300, undefined);
    expect(store.held('gauge', 'depth').points.map(([, , value]) => value)).to.deep.equal([3]);
    expect(store.knownTo(DEPTH)).to.equal(FIRST + 310);
    store.keep([{ kind: 'set', name: 'depth' }], 300, undefined);
    expect(store.held('gauge', 'depth')).to.deep.equal({ latest: undefined, points: [] });
  });
});

describe('The scale of what may be of any size', () => {
  const anything = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.double({ min: -100, max: 100, noNaN: true }),
    fc.constantFrom(0, 1e300, -1e300, 5e-324, 1e-7, Number.MAX_VALUE, -Number.MAX_VALUE),
  );

  const notation = (text: string): string => /e| [A-Z]$/.exec(text)?.[0] ?? '';

  it('has all values on it, and marks that ascend and end', () => {
    fc.assert(
      fc.property(anything, anything, (one, other) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        const [from, to] = heldRange(low, high);
        expect(from).to.be.at.most(low);
        expect(to).to.be.at.least(high);
        for (const isWhole of [false, true]) {
          const { marks, texts, place } = createLineScale(from, to, 6, isWhole);
          expect(marks.length).to.be.within(isWhole ? 0 : 1, 6);
          expect(marks).to.deep.equal([...new Set(marks)].toSorted((a, b) => a - b));
          if (isWhole) expect(marks.every(Number.isInteger)).to.equal(true);
          for (const value of [low, high, ...marks]) expect(place(value)).to.be.within(0, 1);
          expect([place(from), place(to), place(null)]).to.deep.equal([0, 1, null]);
          // What marks are called is different, and what they are.
          expect(new Set(texts).size).to.equal(marks.length);
          for (const [at, mark] of marks.entries()) {
            const next = marks[at + 1] ?? marks[at - 1] ?? 2 * mark;
            const far = Math.abs(markOf(texts[at]!) / 2 - mark / 2);
            expect(far, `${texts[at]}`).to.be.at.most(Math.abs(next / 2 - mark / 2) / 50);
          }
          expect(new Set(texts.filter((text) => text !== '0').map(notation)).size).to.be.at.most(1);
        }
      }),
    );
  });

  it('has 0 on it where that is not far off, and tells near values from each other', () => {
    expect(heldRange(null, null)).to.deep.equal([0, 1]);
    expect(heldRange(12, 12)).to.deep.equal([0, 12.6]);
    expect(heldRange(-4, -4)).to.deep.equal([-4.2, 0]);
    expect(heldRange(40, 100)).to.deep.equal([0, 105]);
    expect(heldRange(90, 100)).to.deep.equal([89.5, 100.5]);
    expect(heldRange(0, 0)).to.deep.equal([0, 0.05]);
    expect(markTexts([20.1, 20.15, 20.2])).to.deep.equal(['20.1', '20.15', '20.2']);
    expect(markTexts([0, 5e299, 1e300])).to.deep.equal(['0', '5e299', '1e300']);
  });

  it('says what is marked in one notation, in full', () => {
    const texts = (low: number, high: number, isWhole = false): readonly string[] =>
      createLineScale(...heldRange(low, high), 6, isWhole).texts;
    expect(texts(8_012_347_000, 8_012_348_000)).to.deep.equal(
      ['7,000', '7,200', '7,400', '7,600', '7,800', '8,000'].map((text) => `8,012,34${text}`),
    );
    expect(texts(-1e15, 1e15)).to.deep.equal(['-1e15', '-5e14', '0', '5e14', '1e15']);
    expect(texts(1_000_000.001, 1_000_000.002)).to.include('1,000,000.0012');
    expect(texts(0, 3e10)).to.deep.equal(['0', '10 G', '20 G', '30 G']);
    expect(texts(795, 795, true)).to.deep.equal(['0', '200', '400', '600', '800']);
    expect(texts(795, 796, true)).to.deep.equal(['795', '796']);
    expect(texts(-1e308, 1e308)).to.deep.equal(['-1e308', '-5e307', '0', '5e307', '1e308']);
    expect(texts(1e-300, 1e-300)).to.include('1e-300');
    expect(placeIn(5, 5)(5)).to.equal(0);
  });
});
