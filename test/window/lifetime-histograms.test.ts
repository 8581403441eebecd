import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';

import { Histogram } from '../../src/histogram.ts';
import {
  BOUNDS,
  createLifetimeHistograms,
  type LifetimeHistograms,
} from '../../src/window/lifetime-histograms.ts';

const NAMES_MAX = 131_072;

/** Adds samples; without weights each stands for itself. */
function add(to: LifetimeHistograms, name: string, values: number[], weights?: number[]): void {
  const all = weights ?? values.map(() => 1);
  to.add(name, Float64Array.from(values), Float64Array.from(all));
}

/** What a name has: its cumulative counts and its sum. */
function shown(from: LifetimeHistograms, name: string): { counts: number[]; sum: number } {
  for (const one of from.read()) {
    if (one.name === name) return { counts: [...one.cumulative], sum: one.sum };
  }
  throw new Error(`there is no ${name}`);
}

/** How many samples are within each bound, and how many there are. */
function within(values: readonly number[], times: (index: number) => number): number[] {
  return [...BOUNDS, Infinity].map((bound) =>
    values.reduce((sum, value, at) => {
      return value <= bound || bound === Infinity ? sum + times(at) : sum;
    }, 0),
  );
}

describe('Histograms over a lifetime', () => {
  it('have 1, 2 and 5 of each decade from 0.1 to 50,000 as bounds', () => {
    const wanted = [-1, 0, 1, 2, 3, 4].flatMap((power) =>
      [1, 2, 5].map((digit) => Number(`${digit}e${power}`)),
    );
    expect(BOUNDS).to.deep.equal(wanted);
  });

  it('hold a value within the bound that it equals, and not within the one below', () => {
    const histograms = createLifetimeHistograms();
    for (const bound of BOUNDS) {
      const above = bound * (1 + Number.EPSILON);
      add(histograms, `${bound}`, [bound, above]);
      const { counts } = shown(histograms, `${bound}`);
      const at = BOUNDS.indexOf(bound);
      const wanted = counts.map((_, index) => (index < at ? 0 : index === at ? 1 : 2));
      expect(counts, `${bound}`).to.deep.equal(wanted);
    }
  });

  it('are what counting one by one gives, whatever the values, weights and names', () => {
    const value = fc.oneof(
      fc.constantFrom(...BOUNDS),
      fc.integer({ min: -5, max: 100_000 }),
      fc.double({ min: -1e9, max: 1e9, noNaN: true }),
    );
    // Eighths, of which sums are exact: then whole samples are whatever the sum has passed.
    const weight = fc.integer({ min: 8, max: 200 }).map((eighths) => eighths / 8);
    const name = fc.constantFrom('a', 'b', '__proto__', '', 'x;k=v', '\ud800');
    const batch = fc.tuple(name, fc.array(fc.tuple(value, weight), { maxLength: 20 }));
    fc.assert(
      fc.property(fc.array(batch, { maxLength: 12 }), (batches) => {
        const histograms = createLifetimeHistograms();
        const all = new Map<string, [value: number, weight: number][]>();
        for (const [to, samples] of batches) {
          const [values, weights] = [0, 1].map((at) => samples.map((one) => one[at]!));
          add(histograms, to, values!, weights);
          all.set(to, [...(all.get(to) ?? []), ...samples]);
        }
        expect(histograms.size).to.equal(all.size);
        for (const [one, samples] of all) {
          const passed = [0];
          // A sample that stands for itself takes nothing of the fraction that is carried.
          for (const [, times] of samples) passed.push(passed.at(-1)! + times);
          const whole = (at: number): number =>
            Math.floor(passed[at + 1]!) - Math.floor(passed[at]!);
          const values = samples.map(([number]) => number);
          const { counts, sum } = shown(histograms, one);
          expect(counts).to.deep.equal(within(values, whole));
          const exact = samples.reduce((total, [number, times]) => total + number * times, 0);
          expect(sum).to.be.closeTo(exact, 1e-6 * (1 + Math.abs(exact)));
        }
      }),
    );
  });

  it('count a sampled value 1/rate times, the fraction carried over calls', () => {
    const histograms = createLifetimeHistograms();
    for (let n = 0; n < 3; n++) add(histograms, 's', [5], [1 / 0.3]);
    const { counts, sum } = shown(histograms, 's');
    expect(counts.at(-1)).to.equal(10);
    expect(sum).to.be.closeTo(50, 1e-9);
  });

  it('stay integers that only grow, and a finite sum, whatever the weights', () => {
    const histograms = createLifetimeHistograms();
    let before = 0;
    for (let n = 0; n < 300; n++) {
      add(histograms, 'a', [7, -7e300, 7e300], [1e300, 1e10, 2 ** 45]);
      const { counts, sum } = shown(histograms, 'a');
      expect(Number.isSafeInteger(counts.at(-1))).to.equal(true);
      expect(counts.at(-1)).to.be.at.least(before);
      expect(Number.isFinite(sum)).to.equal(true);
      before = counts.at(-1)!;
    }
    for (const value of [...BOUNDS, 1e9]) {
      for (let n = 0; n < 2; n++) histograms.addCounted('full', value, Number.MAX_SAFE_INTEGER);
    }
    const { counts } = shown(histograms, 'full');
    for (const count of counts) expect(Number.isSafeInteger(count)).to.equal(true);
    expect(counts.at(-1)).to.equal(counts.length * counts[0]!);
    add(histograms, 'b', [7], [1e300]);
    expect(shown(histograms, 'b').sum).to.equal(7 * 2 ** 40);
  });

  it('count negative values in the first bucket, and what is no number in the last alone', () => {
    const histograms = createLifetimeHistograms();
    const other = new Histogram();
    for (const value of [-3, NaN, NaN, 4]) other.add(value);
    histograms.addHistogram('a', other);
    const { counts, sum } = shown(histograms, 'a');
    expect([counts[0], counts[5], counts.at(-2), counts.at(-1)]).to.deep.equal([1, 2, 2, 4]);
    expect(sum).to.be.closeTo(-3.05 + 4.05, 1e-9);
  });

  it('count bins by their upper edge: one that ends at a bound is within it', () => {
    const value = fc.oneof(
      fc.constantFrom(...BOUNDS),
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    );
    const counted = fc.tuple(value, fc.integer({ min: 1, max: 1000 }));
    fc.assert(
      fc.property(fc.array(counted, { maxLength: 30 }), (samples) => {
        const histograms = createLifetimeHistograms();
        const other = new Histogram();
        for (const [number, times] of samples) other.add(number, times);
        histograms.addHistogram('a', other);
        const bins = [...other.bins()];
        const edges = bins.map(({ to }) => to);
        expect(shown(histograms, 'a').counts).to.deep.equal(within(edges, (at) => bins[at]!.count));
        // The middles, which arrive one by one where a trap sends few, say the same.
        for (const { from, to, count } of bins) histograms.addCounted('b', (from + to) / 2, count);
        if (bins.length > 0) expect(shown(histograms, 'b')).to.deep.equal(shown(histograms, 'a'));
      }),
    );
  });

  it('have room for 131,072 names, and tell how many samples had none', () => {
    const histograms = createLifetimeHistograms();
    for (let n = 0; n < NAMES_MAX; n++) add(histograms, `name.${n}`, [n]);
    expect([histograms.size, histograms.samplesLeftOut]).to.deep.equal([NAMES_MAX, 0]);
    const other = new Histogram();
    other.add(1, 5);
    add(histograms, 'late', [1, 2]);
    histograms.addCounted('late', 1, 3);
    histograms.addHistogram('late', other);
    add(histograms, 'name.5', [1]);
    expect([histograms.size, histograms.samplesLeftOut]).to.deep.equal([NAMES_MAX, 10]);
    let at = 0;
    for (const { name, sum, cumulative } of histograms.read()) {
      expect([name, sum]).to.deep.equal([`name.${at}`, at === 5 ? 6 : at]);
      expect(cumulative[BOUNDS.length]).to.equal(at === 5 ? 2 : 1);
      at++;
    }
    expect(at).to.equal(NAMES_MAX);
  });

  it('take no more than 16 Mi characters of names', () => {
    const histograms = createLifetimeHistograms();
    for (let n = 0; n < 5000; n++) histograms.addCounted(`${n}`.padEnd(4096), 1, 1);
    expect(histograms.size).to.equal(4096);
    expect(histograms.samplesLeftOut).to.equal(5000 - 4096);
  });

  it('may be added to while they are read', () => {
    const histograms = createLifetimeHistograms();
    add(histograms, 'a', [1]);
    add(histograms, 'b', [1]);
    const seen: [string, number][] = [];
    for (const { name, cumulative } of histograms.read()) {
      seen.push([name, cumulative[BOUNDS.length]!]);
      if (seen.length === 1) for (const one of ['a', 'b', 'c']) add(histograms, one, [1]);
    }
    expect(seen).to.deep.equal([
      ['a', 1],
      ['b', 2],
      ['c', 1],
    ]);
  });
});
