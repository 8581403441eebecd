import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';

import { codeOf, highEdge, lowEdge } from '../../src/histogram-bin.ts';
import { figuresOf, merge, readBin, readZero } from '../../src/page/bins.ts';
import { heatGrid, paintGrid } from '../../src/page/heat-grid.ts';
import { heatColours } from '../../src/page/palette.ts';
import { isZeroAt, valueMarks, valueRange } from '../../src/page/scale.ts';
import { columnOf } from '../support/synthetic-frames.ts';

const FROM = 1_790_000_000;
const values = fc.array(fc.double({ min: 0.01, max: 100_000, noNaN: true }), { minLength: 1 });
const columns = fc.array(
  fc.tuple(fc.integer({ min: 0, max: 59 }), values).map(([at, samples]) => {
    return columnOf(FROM + at, samples);
  }),
  { minLength: 1, maxLength: 20 },
);

describe('A heatmap', () => {
  it('has as many samples in its cells as in its columns, in whatever rows they lie', () => {
    fc.assert(
      fc.property(columns, fc.integer({ min: 1, max: 200 }), (data, rows) => {
        const range = valueRange(data);
        const grid = heatGrid(data, { from: FROM, to: FROM + 60, span: 1, rows, ...range });
        const inCells = grid.cells.reduce((sum, one) => sum + one, 0);
        expect(inCells).to.be.closeTo(merge(data).samples, 1e-3 * merge(data).samples);
      }),
    );
  });

  it('has each sample in its column, and within half a row of where its value is', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 59 }),
        fc.double({ min: 1, max: 999, noNaN: true }),
        (at, value) => {
          const shape = { from: FROM, to: FROM + 60, span: 1, low: 1, high: 1000, rows: 30 };
          const { cells, columns: wide } = heatGrid([columnOf(FROM + at, [value])], shape);
          for (const [index, samples] of cells.entries()) {
            if (samples === 0) continue;
            const row = 29 - Math.floor(index / wide);
            const [low, high] = [1000 ** ((row - 0.5) / 30), 1000 ** ((row + 1.5) / 30)];
            expect(index % wide).to.equal(at);
            expect(high).to.be.above(lowEdge(codeOf(value)) * 0.999_999);
            expect(low).to.be.below(highEdge(codeOf(value)) * 1.000_001);
          }
        },
      ),
    );
  });

  it('spreads a column of half a minute over its time, and adds the seconds of one', () => {
    const long = { ...columnOf(FROM, [5, 5, 5]), span: 30 };
    const shape = { from: FROM, to: FROM + 60, span: 1, low: 1, high: 10, rows: 1 };
    const fine = heatGrid([long], shape);
    expect([...fine.cells.slice(0, 31)].map((one) => Math.round(one * 100) / 100)).to.deep.equal([
      ...Array.from({ length: 30 }, () => 0.1),
      0,
    ]);
    const seconds = Array.from({ length: 60 }, (_, at) => columnOf(FROM + at, [5]));
    const coarse = heatGrid(seconds, { ...shape, span: 30 });
    expect([...coarse.cells]).to.deep.equal([30, 30]);
  });

  it('leaves clear what is empty, and shows a single sample beside a thousand', () => {
    const data = [columnOf(FROM, [...Array.from({ length: 1000 }, () => 5), 500])];
    const shape = { from: FROM, to: FROM + 2, span: 1, low: 1, high: 1000, rows: 3 };
    const grid = heatGrid(data, shape);
    const pixels = new Uint32Array(grid.cells.length);
    for (const isDark of [true, false]) {
      const colours = heatColours(isDark);
      paintGrid(grid, colours, pixels);
      const [tail, , , , hump, beside] = pixels;
      expect(beside).to.equal(0);
      expect(hump).to.equal(colours[255]);
      expect(tail).to.be.oneOf([...colours.slice(20, 60)]);
    }
  });

  it('has colours whose lightness only ever goes one way', () => {
    const lightness = (pixel: number): number => {
      const [red, green, blue] = [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255];
      return (
        0.2126 * (red / 255) ** 2.2 + 0.7152 * (green / 255) ** 2.2 + 0.0722 * (blue / 255) ** 2.2
      );
    };
    const dark = [...heatColours(true)].map(lightness);
    const light = [...heatColours(false)].map(lightness).toReversed();
    for (const scale of [dark, light]) {
      for (const [at, one] of scale.entries()) {
        expect(one).to.be.at.least((scale[at - 1] ?? 0) - 0.002);
      }
    }
  });

  it('is read by its bins: range and count of the one under the cursor', () => {
    const column = columnOf(FROM, [320, 325, 329, 900]);
    expect(readBin(column, 324)).to.deep.equal({ from: 320, to: 330, count: 3 });
    expect(readBin(column, 905)).to.deep.equal({ from: 900, to: 910, count: 1 });
    expect(readBin(column, 600)).to.equal(undefined);
  });

  it('has curves whose percentiles are off by no more than a bin', () => {
    fc.assert(
      fc.property(values, (samples) => {
        const { average, p50, p99 } = figuresOf(merge([columnOf(FROM, samples)]));
        const sorted = samples.toSorted((a, b) => a - b);
        const rank = (q: number): number => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!;
        expect(p50 / rank(0.5)).to.be.within(0.9, 1.1);
        expect(p99 / rank(0.99)).to.be.within(0.9, 1.1);
        const mean = samples.reduce((sum, one) => sum + one, 0) / samples.length;
        expect(average).to.be.closeTo(mean, 1e-9 * mean);
      }),
    );
  });
});

describe('A value that is always the same', () => {
  it('is one even band, and in a histogram one bar', () => {
    const data = [columnOf(FROM, Array<number>(100).fill(100))];
    for (const rows of [8, 60, 71, 284]) {
      const shape = { from: FROM, to: FROM + 1, span: 1, ...valueRange(data), rows };
      const filled = [...heatGrid(data, shape).cells].filter((samples) => samples > 0);
      expect(new Set(filled).size, `${rows} rows`).to.equal(1);
      expect(filled.reduce((sum, one) => sum + one, 0)).to.be.closeTo(100, 1e-3);
    }
  });
});

describe('The scale of values', () => {
  it('has a place of its own for zero and below, which no other value has', () => {
    const data = [columnOf(FROM, [-5, 0, 0, 3, 40])];
    const range = valueRange(data);
    const shape = { from: FROM, to: FROM + 1, span: 1, ...range, rows: 70 };
    const { cells } = heatGrid(data, shape);
    expect(cells[69]).to.equal(3);
    expect(cells[68]).to.equal(0);
    const [zero, least] = valueMarks(range, 10);
    expect([isZeroAt(zero!, range), isZeroAt(least!, range)]).to.deep.equal([true, false]);
    expect(isZeroAt(0.001, valueRange([columnOf(FROM, [3, 40])]))).to.equal(false);
    expect(readZero(data[0]!)).to.deep.equal({ from: -5.1, to: 0, count: 3 });
    expect(readZero(columnOf(FROM, [1]))).to.equal(undefined);
  });

  it('holds all that is shown, and has marks within it', () => {
    fc.assert(
      fc.property(columns, (data) => {
        const { low, high } = valueRange(data);
        const { min, max } = merge(data);
        expect(low).to.be.above(0).and.at.most(min);
        expect(high)
          .to.be.at.least(max)
          .and.at.least(low * 4.9);
        const marks = valueMarks({ low, high }, 10);
        for (const mark of marks) expect(mark).to.be.within(low, high);
        expect(marks.length).to.be.within(1, 20);
      }),
    );
  });

  it('has something to show where there is nothing, and where all is zero', () => {
    const zeros = columnOf(FROM, [0, 0, -3]);
    expect(valueRange([])).to.deep.equal({ low: 1, high: 1000 });
    expect(valueRange([zeros])).to.include({ high: 1000, hasZero: true });
    const shape = { from: FROM, to: FROM + 1, span: 1, low: 1, high: 1000, rows: 4 };
    expect([...heatGrid([zeros], shape).cells]).to.deep.equal([0, 0, 0, 3]);
  });
});
