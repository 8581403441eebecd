import { expect } from 'chai';
import { describe, it } from 'mocha';
import { Histogram } from '../src/histogram.ts';
import { expectCode, expectNear, histogramOf, TRUNCATED, WITHIN } from './support/circllhist.ts';

describe('Histogram', () => {
  describe('OH2: the reference histogram', () => {
    for (const vector of WITHIN) {
      it(`"${vector.name}" has its bins, base64 and estimates`, () => {
        const histogram = new Histogram();
        for (const [value, count] of vector.samples) histogram.add(Number(value), Number(count));
        expect(histogram.count).to.equal(Number(vector.count));
        expect(histogram.binCount).to.equal(vector.bins.length);
        expect(pairsOf(histogram)).to.deep.equal(vector.bins);
        if (vector.name !== TRUNCATED) expect(histogram.toBase64()).to.equal(vector.b64);
        // Where values of both signs cancel, the error is relative to what they are without sign.
        const scale = spread(histogram);
        expectNear(histogram.mean(), Number(vector.mean), 1e-12, scale);
        expectNear(histogram.sum(), Number(vector.sum), 1e-12, scale * histogram.count);
        expectNear(histogram.stddev(), Number(vector.stddev), 1e-12);
        for (const type of [1, 7] as const) {
          const quantiles = histogram.quantiles(vector.q, type);
          for (const [index, expected] of vector[`quantile_type${type}`].entries()) {
            expectNear(quantiles[index]!, Number(expected), 1e-12);
            expectNear(histogram.quantile(vector.q[index]!, type), Number(expected), 1e-12);
          }
        }
      });
    }
  });

  it('OH4: a merge of parts is the whole', () => {
    const values = [3, -2, 0, 1e-9, 940, 940, NaN, 12.5, -1e100];
    const whole = histogramOf(values);
    for (let cut = 0; cut <= values.length; cut++) {
      const merged = histogramOf(values.slice(0, cut));
      merged.merge(histogramOf(values.slice(cut)));
      expect(merged.toStrings()).to.deep.equal(whole.toStrings());
      expect([merged.count, merged.min, merged.max]).to.deep.equal([9, -1e100, 940]);
    }
  });

  describe('OH5: quantiles', () => {
    const s1 = [0.123, 0, 0.43, 0.41, 0.415, 0.2201, 0.3201, 0.125, 0.13];
    const table: [number[], 1 | 7, number[], number[]][] = [
      [[1], 1, [0, 0.25, 0.5, 1], [1.05, 1.05, 1.05, 1.05]],
      [[1], 7, [0, 0.25, 0.5, 1], [1.05, 1.05, 1.05, 1.05]],
      [[1, 1], 1, [0, 0.5, 0.75, 1], [1 + 0.1 / 3, 1 + 0.1 / 3, 1 + 0.2 / 3, 1 + 0.2 / 3]],
      [[1, 1], 7, [0, 0.5, 0.75, 1], [1 + 0.1 / 3, 1 + 0.1 / 3, 1 + 0.1 / 3, 1 + 0.2 / 3]],
      [[0], 1, [0, 0.5, 1], [0, 0, 0]],
      [[10, 100], 1, [0.5, 0.75], [10.5, 105]],
      [[10, 100], 7, [0.5, 0.75, 1], [10.5, 10.5, 105]],
      [s1, 1, [0, 0.95, 1], [0, 0.435, 0.435]],
      [s1, 7, [0, 0.5, 1], [0, 0.225, 0.435]],
      [[1, 1e200], 1, [0, 1], [1.05, 1.05]],
    ];
    for (const [values, type, qs, expected] of table) {
      it(`of ${values.join(' ')} (type ${type}) are ${expected.join(' ')}`, () => {
        const quantiles = histogramOf(values).quantiles(qs, type);
        for (const [index, value] of expected.entries())
          expectNear(quantiles[index]!, value, 1e-14);
      });
    }

    it('can be asked for in any order', () => {
      const histogram = histogramOf(Array.from({ length: 1000 }, (_, index) => index + 1));
      const qs = [0.99, 0.5, 0.5, 0, 1, 0.9];
      const expected = qs.map((q) => histogram.quantile(q));
      expect(histogram.quantiles(qs)).to.deep.equal(expected);
    });

    it('outside 0 to 1, or of another type, are refused', () => {
      for (const q of [-0.1, 1.1, NaN]) {
        expect(() => histogramOf([1]).quantile(q)).to.throw(RangeError, 'from 0 to 1');
        expect(() => new Histogram().quantile(q)).to.throw(RangeError);
      }
      // @ts-expect-error: there is no type 2
      expect(() => histogramOf([1]).quantile(0.5, 2)).to.throw(RangeError, 'to be 1 or 7');
    });
  });

  describe('OH6: subtraction', () => {
    it('that would underrun throws and changes nothing', () => {
      const histogram = histogramOf([1, 2, 2, 3]);
      const before = histogram.toStrings();
      for (const values of [[1, 1], [4], [-1], [2, 2, 2], [1, 2, 2, 3, 5], [NaN]]) {
        expectCode(() => histogram.subtract(histogramOf(values)), 'ERR_HISTOGRAM_UNDERRUN');
        expect(histogram.toStrings()).to.deep.equal(before);
        expect([histogram.count, histogram.min, histogram.max]).to.deep.equal([4, 1, 3]);
      }
      expectCode(() => new Histogram().subtract(histogram), 'ERR_HISTOGRAM_UNDERRUN', /1\.0e\+00/);
    });

    it('takes out bins that become empty', () => {
      const histogram = histogramOf([NaN, -1, 1, 2, 2, 3]);
      histogram.subtract(histogramOf([2, NaN, 3]));
      expect(histogram.toStrings()).to.deep.equal([
        'H[-1.0e+00]=1',
        'H[1.0e+00]=1',
        'H[2.0e+00]=1',
      ]);
      histogram.add(2.5);
      expect(histogram.binCount).to.equal(4);
    });

    it('of itself leaves an empty histogram', () => {
      const histogram = histogramOf([NaN, -1, 0, 1]);
      histogram.subtract(histogram);
      expect([histogram.count, histogram.binCount]).to.deep.equal([0, 0]);
      expect(histogram.min).to.deep.equal(NaN);
      histogram.add(7);
      expect([histogram.min, histogram.max]).to.deep.equal([7, 7]);
    });

    it('keeps min and max while their bin holds anything, else takes the next bin’s edge', () => {
      const histogram = histogramOf([1.02, 1.07, 5, 9.12]);
      histogram.subtract(histogramOf([1.02, 9.12]));
      expect([histogram.min, histogram.max]).to.deep.equal([1.02, 5.1]);
      histogram.subtract(histogramOf([1.07]));
      expect([histogram.min, histogram.max]).to.deep.equal([5, 5.1]);
    });
  });

  describe('OH7: the estimates for 1 to 1000', () => {
    const histogram = histogramOf(Array.from({ length: 1000 }, (_, index) => index + 1));

    it('are within 10 % for each quantile and within 1/21 for the mean', () => {
      for (let rank = 1; rank <= 1000; rank++) {
        const estimate = histogram.quantile((rank - 0.5) / 1000);
        expect(Math.abs(estimate - rank) / rank).to.be.at.most(0.1);
      }
      expect(Math.abs(histogram.mean() - 500.5) / 500.5).to.be.at.most(1 / 21);
    });

    it('can lie above the greatest value, which max keeps', () => {
      expect(histogram.quantile(1)).to.be.closeTo(1050, 1e-9);
      expect([histogram.min, histogram.max]).to.deep.equal([1, 1000]);
    });
  });

  describe('empty', () => {
    it('has count and sum 0, and NaN for the rest', () => {
      const histogram = new Histogram();
      expect([histogram.count, histogram.binCount, histogram.sum()]).to.deep.equal([0, 0, 0]);
      const rest = [histogram.min, histogram.max, histogram.mean(), histogram.stddev()];
      for (const value of [...rest, ...histogram.quantiles([0, 1], 7)])
        expect(value).to.deep.equal(NaN);
      expect([...histogram.bins()]).to.deep.equal([]);
      expect(histogram.toStrings()).to.deep.equal([]);
      expect(histogram.toBase64()).to.equal('AAA=');
    });

    it('merges and subtracts as nothing', () => {
      const histogram = histogramOf([2]);
      histogram.merge(new Histogram());
      histogram.subtract(new Histogram());
      expect([histogram.count, histogram.min, histogram.max]).to.deep.equal([1, 2, 2]);
    });
  });

  describe('what is not a number', () => {
    it('is counted, written and listed first, with NaN for edges', () => {
      const histogram = histogramOf([1, NaN, Infinity, -Infinity, 1e128, -1e200]);
      expect(histogram.count).to.equal(6);
      expect([...histogram.bins()]).to.deep.equal([
        { from: NaN, to: NaN, count: 5 },
        { from: 1, to: 1.1, count: 1 },
      ]);
      expect(Histogram.fromBase64(histogram.toBase64()).count).to.equal(6);
    });

    it('has no part in min, max and the estimates', () => {
      const histogram = histogramOf([1, Infinity, -1e200]);
      const same = histogramOf([1]);
      expect([histogram.min, histogram.max]).to.deep.equal([1, 1]);
      expect(histogram.mean()).to.equal(same.mean());
      expect(histogram.stddev()).to.equal(0);
      const nothing = histogramOf([NaN]);
      expect(nothing.sum()).to.equal(0);
      const all = [nothing.min, nothing.max, nothing.mean(), nothing.stddev()];
      for (const value of [...all, nothing.quantile(0.5)]) expect(value).to.deep.equal(NaN);
      expect(Histogram.fromBase64(nothing.toBase64()).max).to.deep.equal(NaN);
    });
  });

  describe('bins()', () => {
    it('ascends through negatives, zero and positives, from below to', () => {
      const histogram = histogramOf([12.5, -0.5, 0, 0.00059, -5, 99.5, 1e-200]);
      expect([...histogram.bins()]).to.deep.equal([
        { from: -5.1, to: -5, count: 1 },
        { from: -0.51, to: -0.5, count: 1 },
        { from: 0, to: 0, count: 2 },
        { from: 0.00059, to: 0.0006, count: 1 },
        { from: 12, to: 13, count: 1 },
        { from: 99, to: 100, count: 1 },
      ]);
    });
  });

  describe('min and max', () => {
    it('are exact for what was added and merged', () => {
      const histogram = histogramOf([12.345, 6.789]);
      histogram.merge(histogramOf([-3.21, 7]));
      expect([histogram.min, histogram.max]).to.deep.equal([-3.21, 12.345]);
    });

    it('are the outer edges of the outer bins after decoding', () => {
      const histogram = Histogram.fromBase64(histogramOf([NaN, -3.21, 12.345]).toBase64());
      expect([histogram.min, histogram.max]).to.deep.equal([-3.3, 13]);
      const zero = Histogram.fromBase64(histogramOf([0]).toBase64());
      expect([zero.min, zero.max]).to.deep.equal([0, 0]);
    });

    it('know no minus zero', () => {
      expect(Object.is(histogramOf([-0]).min, 0)).to.equal(true);
      expect(Object.is(histogramOf([-0]).max, 0)).to.equal(true);
    });
  });

  describe('counts', () => {
    it('are integers from 0 up, and 0 does nothing', () => {
      const histogram = new Histogram();
      histogram.add(5, 0);
      expect([histogram.count, histogram.binCount]).to.deep.equal([0, 0]);
      expect(histogram.min).to.deep.equal(NaN);
      for (const count of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
        expect(() => histogram.add(1, count)).to.throw(RangeError, 'count');
      }
    });

    it('reach 2^53 and not further, and then nothing changes', () => {
      const full = new Histogram();
      full.add(1, 2 ** 53 - 1);
      full.add(2);
      const one = histogramOf([0.5]);
      for (const add of [() => full.add(0.5), () => full.merge(one), () => full.merge(full)]) {
        expectCode(add, 'ERR_HISTOGRAM_FULL', /2\^53/);
        expect(full.count).to.equal(2 ** 53);
        expect(full.toStrings()).to.deep.equal(['H[1.0e+00]=9007199254740991', 'H[2.0e+00]=1']);
        expect([full.min, full.max]).to.deep.equal([1, 2]);
      }
    });
  });

  it('merges into itself', () => {
    const histogram = histogramOf([NaN, -1, 0, 1, 1]);
    histogram.merge(histogram);
    expect(histogram.toStrings()).to.deep.equal([
      'H[NaN]=2',
      'H[-1.0e+00]=2',
      'H[0.0e+00]=2',
      'H[1.0e+00]=4',
    ]);
    expect(histogram.count).to.equal(10);
  });

  it('never gives a standard deviation of NaN for close values', () => {
    const histogram = new Histogram();
    histogram.add(9.95e9, 1_000_003);
    expect(histogram.stddev()).to.equal(0);
    histogram.add(9.85e9, 1);
    expect(histogram.stddev()).to.be.closeTo(1e5, 1e3);
  });
});

/** The mean size of the values, without their signs. */
function spread(histogram: Histogram): number {
  let sum = 0;
  for (const { from, to, count } of histogram.bins()) {
    if (!Number.isNaN(from)) sum += Math.max(Math.abs(from), Math.abs(to)) * count;
  }
  return sum / Math.max(1, histogram.count);
}

/** The bins as the file has them. */
function pairsOf(histogram: Histogram): [number, number, string][] {
  return [...histogram.bins()].map(({ from, to, count }) => {
    const { value, exponent } = Histogram.binOf((from + to) / 2);
    return [value, exponent, String(count)];
  });
}
