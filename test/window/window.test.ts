import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { Histogram } from '../../src/histogram.ts';
import { createWindow, type LiveWindow, type TimingSummary } from '../../src/window/window.ts';
import { windowClockOf } from '../support/window-clock.ts';

const WINDOW_MS = 5 * 60_000;
const SLOT_MS = 1000;

describe('The live window', () => {
  it('tells count, min, max and mean exactly', () => {
    const { window } = createRig();
    add(window, 'a', [12.5, 3.25, 940, 0.125]);
    add(window, 'a', [7]);
    const { count, min, max, mean } = summaryOf(window, 'a');
    expect({ count, min, max, mean }).to.deep.equal({
      count: 5,
      min: 0.125,
      max: 940,
      mean: (12.5 + 3.25 + 940 + 0.125 + 7) / 5,
    });
  });

  it('lists names in order of first appearance, __proto__ too', () => {
    const { window } = createRig();
    for (const name of ['b', '__proto__', 'a', 'b']) add(window, name, [1]);
    expect([...window.summaries()].map(([name]) => name)).to.deep.equal(['b', '__proto__', 'a']);
  });

  it('does not keep the arrays it is given', () => {
    const { window } = createRig();
    const [values, weights] = [Float64Array.of(5), Float64Array.of(1)];
    window.add('a', values, weights);
    values.fill(9);
    expect(summaryOf(window, 'a').max).to.equal(5);
  });

  it('shows one value as every percentile of itself', () => {
    const { window } = createRig();
    add(
      window,
      'a',
      Array.from({ length: 50 }, () => 19.99),
    );
    const { p50, p90, p99, mean } = summaryOf(window, 'a');
    expect([p50, p90, p99]).to.deep.equal([19.99, 19.99, 19.99]);
    expect(mean).to.be.closeTo(19.99, 1e-9);
  });

  it('counts and weighs samples by their weights', () => {
    const { window } = createRig();
    add(window, 'a', [10, 20], [9, 1]);
    add(window, 'b', [5, 5, 5], [1 / 0.3, 1 / 0.3, 1 / 0.3]);
    const { count, mean, p50, p99 } = summaryOf(window, 'a');
    expect([count, mean]).to.deep.equal([10, 11]);
    expect(p50).to.be.within(10, 11);
    expect(p99).to.be.within(19, 20);
    expect(summaryOf(window, 'b').count).to.equal(10);
  });

  it('gives percentiles within one bin (10 %) of the sorted list, for any values', () => {
    const value = fc.double({ min: 0.01, max: 1e6, noNaN: true });
    const sample = fc.tuple(value, fc.integer({ min: 1, max: 20 }));
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1, maxLength: 60 }), (samples) => {
        const { window, clock } = createRig();
        for (const [one, weight] of samples) {
          add(window, 'a', [one], [weight]);
          clock.ms += 3000;
        }
        const summary = summaryOf(window, 'a');
        const list = samples.flatMap(([one, weight]) => Array.from({ length: weight }, () => one));
        list.sort((a, b) => a - b);
        expect(summary.count).to.equal(list.length);
        expect([summary.min, summary.max]).to.deep.equal([list[0], list.at(-1)]);
        for (const [q, shown] of Object.entries({ 0.5: summary.p50, 0.9: summary.p90 })) {
          const exact = list[Math.max(0, Math.ceil(Number(q) * list.length - 1e-9) - 1)]!;
          expect(Math.abs(shown - exact) / exact, `${q}: ${shown}, ${exact}`).to.be.below(0.1001);
        }
      }),
    );
  });

  it('gives percentiles within 5 % where one bin holds nearly all', () => {
    for (const value of [10, 10.99, 99]) {
      const { window } = createRig();
      add(window, 'a', [value / 100, value, value * 100], [1, 998, 1]);
      const { p50, p90, p99 } = summaryOf(window, 'a');
      for (const shown of [p50, p90, p99]) {
        expect(Math.abs(shown - value) / value, `${shown} for ${value}`).to.be.at.most(0.05);
      }
    }
  });

  describe('over time', () => {
    it('forgets a sample 5 minutes after its slot, and not before', () => {
      const { window, clock } = createRig();
      add(window, 'a', [1]);
      clock.ms += WINDOW_MS - 1;
      expect(summaryOf(window, 'a').count).to.equal(1);
      clock.ms += 1;
      expect([...window.summaries()]).to.deep.equal([]);
    });

    it('shows what of a name is left, min and max too', () => {
      const { window, clock } = createRig();
      add(window, 'a', [1, 1000]);
      clock.ms += WINDOW_MS / 2;
      add(window, 'a', [30, 50]);
      expect(summaryOf(window, 'a')).to.include({ count: 4, min: 1, max: 1000 });
      clock.ms += WINDOW_MS / 2;
      expect(summaryOf(window, 'a')).to.include({ count: 2, min: 30, max: 50, mean: 40 });
    });

    it('forgets whatever the silence was, and starts afresh', () => {
      const { window, clock } = createRig();
      add(window, 'a', [1]);
      clock.ms += 1e9;
      add(window, 'a', [7]);
      expect(summaryOf(window, 'a')).to.include({ count: 1, min: 7, max: 7 });
    });
  });

  describe('short of memory', () => {
    const SECONDS = 100;

    it('loses no sample: the oldest seconds merge by thirties, and that is counted', () => {
      const [small, large] = [createRig(9000), createRig()];
      for (let second = 0; second < SECONDS; second++) {
        for (const { window, clock } of [small, large]) {
          for (const name of ['a', 'b']) add(window, name, [second % 7, 100 + second], [2, 1.5]);
          clock.ms += SLOT_MS;
        }
      }
      tend(small.window);
      expect([...small.window.summaries()]).to.deep.equal([...large.window.summaries()]);
      const { bytes, columnsMerged, columnsDropped } = small.window.usage();
      expect(bytes).to.be.at.most(9000);
      expect(columnsMerged).to.be.above(0);
      expect(columnsDropped).to.equal(0);
      expect(large.window.usage().columnsMerged).to.equal(0);
    });

    it('merges the oldest only: spans of 30 seconds first, then of one', () => {
      const { window, clock } = createRig(4000);
      for (let second = 0; second < SECONDS; second++) {
        add(window, 'a', [1 + second]);
        clock.ms += SLOT_MS;
      }
      const columns = window.columns('a');
      const spans = columns.map(({ span }) => span);
      expect(spans).to.deep.equal(spans.toSorted((a, b) => b - a));
      expect(new Set(spans)).to.deep.equal(new Set([30, 1]));
      expect(columns.every(({ second, span }) => second % span === 0)).to.equal(true);
      expect(columns.reduce((sum, { weight }) => sum + weight, 0)).to.equal(SECONDS);
    });

    it('where merging is not enough the oldest go, and are counted', () => {
      const { window, clock } = createRig(120);
      for (let second = 0; second < SECONDS; second++) {
        add(window, 'a', [1 + second]);
        clock.ms += SLOT_MS;
      }
      const { count, max } = summaryOf(window, 'a');
      expect(max).to.equal(SECONDS);
      expect(count).to.be.below(SECONDS);
      expect(window.usage().columnsDropped).to.be.above(0);
    });

    it('keeps most of what the budget holds: it never drops more than it must', () => {
      const { window, clock } = createRig(400_000);
      const names = Array.from({ length: 500 }, (_, at) => `name.${at}`);
      for (let second = 0; second < 200; second++) {
        for (const [at, name] of names.entries()) {
          add(window, name, [1 + ((second * 37 + at * 11) % 400), 3 + ((second * 13) % 300)]);
        }
        clock.ms += SLOT_MS;
        if (second < 20 || second % 10 !== 0) continue;
        const { bytes } = window.usage();
        expect(bytes).to.be.within(50_000, 550_000);
        expect(summaryOf(window, 'name.7').count).to.be.above(second / 2);
      }
    });

    it('a burst of new names leaves the others their past, and their number is bounded', () => {
      const { window, clock } = createRig(1 << 20);
      for (let second = 0; second < 60; second++) {
        add(window, 'steady', [5]);
        clock.ms += SLOT_MS;
      }
      let taken = 0;
      for (let n = 0; n < 140_000; n++) {
        if (window.addCounted(`burst.${n}`, 1, 1)) taken++;
      }
      expect(taken).to.equal(131_072 - 1);
      clock.ms += 10 * SLOT_MS;
      add(window, 'steady', [5]);
      expect(window.columns('steady').reduce((sum, { weight }) => sum + weight, 0)).to.equal(61);
      clock.ms += WINDOW_MS;
      expect(window.addCounted('new', 1, 1)).to.equal(true);
      expect(window.usage().names).to.equal(1);
    });

    it('still forgets in time what it has merged', () => {
      const { window, clock } = createRig(4000);
      for (let second = 0; second < SECONDS; second++) {
        add(window, 'a', [1]);
        clock.ms += SLOT_MS;
      }
      clock.ms += WINDOW_MS;
      expect([...window.summaries()]).to.deep.equal([]);
    });
  });

  it('shows nothing of a name that holds no number', () => {
    const { window } = createRig();
    const histogram = new Histogram();
    histogram.add(NaN, 5);
    window.addHistogram('odd', histogram);
    expect([...window.summaries()]).to.deep.equal([]);
    add(window, 'odd', [7]);
    expect(summaryOf(window, 'odd')).to.include({ count: 1, min: 7, mean: 7, p50: 7 });
  });

  it('keeps what was counted elsewhere, to the bin', () => {
    const values = [5, 5, 120, 0.5, 0, -3.3, 1e-200, 99.99999, 0.29, 940];
    const [direct, histogram] = [createRig(), new Histogram()];
    add(direct.window, 'a', values);
    for (const value of values) histogram.add(value);
    const [wanted] = direct.window.columns('a');
    const counted = createRig();
    for (const value of values) counted.window.addCounted('a', value, 1);
    const merged = createRig();
    merged.window.addHistogram('a', histogram);
    for (const { window } of [counted, merged]) {
      const [column] = window.columns('a');
      expect(column!.weight).to.equal(values.length);
      expect(column!.bins).to.deep.equal(wanted!.bins);
    }
  });

  describe('values and weights beyond reason', () => {
    const table: [what: string, values: number[], weights: number[]][] = [
      ['a weight of 1e300', [5], [1e300]],
      ['several of 1e300', [5, 6, 7], [1e300, 1e300, 1e300]],
      ['weights whose sum is no double', [5, 6], [1.7e308, 1.7e308]],
      ['weights around 2^53', [5, 6], [2 ** 53, 2 ** 53 - 1]],
      ['a weight of 1e300 of a value of 1e300', [1e300], [1e300]],
      ['values beyond the histogram', [1e200, 2e200], [1, 1]],
      ['values of both signs beyond the doubles', [1e308, -1e308], [10, 10]],
      ['the least double', [5e-324], [1]],
      ['nothing but zero', [0, -0], [1, 1]],
      ['a value beyond the histogram among others', [10, 1e300, 1000], [1, 1, 1]],
    ];
    for (const [what, values, weights] of table) {
      it(`${what}: never throws, and all that is shown are numbers`, () => {
        const { window, clock } = createRig();
        for (let slot = 0; slot < 3; slot++) {
          add(window, 'a', values, weights);
          clock.ms += SLOT_MS;
        }
        const shown = JSON.parse(JSON.stringify(summaryOf(window, 'a'))) as TimingSummary;
        for (const [key, value] of Object.entries(shown)) expect(value, key).to.be.a('number');
        for (const key of ['mean', 'p50', 'p90', 'p99'] as const) {
          expect(shown[key], key).to.be.within(shown.min, shown.max);
        }
      });
    }
  });
});

function createRig(budgetBytes = 64 << 20): { window: LiveWindow; clock: { ms: number } } {
  const clock = { ms: 50 * SLOT_MS };
  const options = { windowSeconds: WINDOW_MS / 1000, budgetBytes };
  const windowClock = windowClockOf(() => clock.ms);
  return { window: createWindow({ ...options, clock: windowClock }), clock };
}

function add(
  window: LiveWindow,
  name: string,
  values: number[],
  weights: number[] = values.map(() => 1),
): void {
  window.add(name, Float64Array.from(values), Float64Array.from(weights));
}

/** What a collector does once a second. */
function tend(window: LiveWindow): void {
  for (const _ of window.tend());
}

function summaryOf(window: LiveWindow, name: string): TimingSummary {
  return new Map(window.summaries()).get(name)!;
}
