import { expect } from 'chai';
import * as fc from 'fast-check';
import { describe, it } from 'mocha';
import { StatcolError } from '../src/errors.ts';
import { Histogram } from '../src/histogram.ts';
import { codeOf, highEdge, lowEdge, NOT_A_NUMBER } from '../src/histogram-bin.ts';

/** The format lets a value pass for the next bin's edge when it is this close under it. */
const ROUNDING = 2e-14;

const anyNumber = fc.oneof(
  fc.double(),
  fc.double({ min: -1000, max: 1000 }),
  fc.integer({ min: -128, max: 128 }).map((power) => Number(`1e${power}`)),
  fc.constantFrom(0, -0, NaN, Infinity, -Infinity),
);
const finite = anyNumber.filter((value) => Math.abs(value) < 9.99e127);
const positive = fc.oneof(
  fc.double({ min: 1e-9, max: 1e9, noNaN: true }),
  fc.integer({ min: 1, max: 100_000 }),
  fc.double({ min: -100, max: 100, noNaN: true }).map((power) => 10 ** power),
);
/** Values with counts, which [value, 0] is also allowed to be. */
const samples = fc.array(fc.tuple(anyNumber, fc.nat({ max: 1e12 })), { maxLength: 60 });

describe('Histogram, for all values', () => {
  it('a merge of any split is the whole, in either order (OH4)', () => {
    fc.assert(
      fc.property(samples, fc.nat(), (all, seed) => {
        const cut = all.length === 0 ? 0 : seed % all.length;
        const [one, two] = [build(all.slice(0, cut)), build(all.slice(cut))];
        const oneTwo = mergeOf(one, two);
        const twoOne = mergeOf(two, one);
        expect(stateOf(oneTwo)).to.deep.equal(stateOf(build(all)));
        expect(stateOf(twoOne)).to.deep.equal(stateOf(oneTwo));
      }),
    );
  });

  it('merging is associative', () => {
    fc.assert(
      fc.property(samples, samples, samples, (a, b, c) => {
        const left = mergeOf(mergeOf(build(a), build(b)), build(c));
        const right = mergeOf(build(a), mergeOf(build(b), build(c)));
        expect(stateOf(left)).to.deep.equal(stateOf(right));
      }),
    );
  });

  it('merging leaves the other as it was', () => {
    fc.assert(
      fc.property(samples, samples, (a, b) => {
        const [target, other] = [build(a), build(b)];
        const before = stateOf(other);
        target.merge(other);
        target.add(1);
        expect(stateOf(other)).to.deep.equal(before);
      }),
    );
  });

  it('subtracting undoes merging, and min and max stay bounds', () => {
    fc.assert(
      fc.property(samples, samples, (a, b) => {
        const histogram = build(a);
        histogram.merge(build(b));
        histogram.subtract(build(b));
        const original = build(a);
        expect(histogram.toBase64()).to.equal(original.toBase64());
        expect(histogram.count).to.equal(original.count);
        expectBounds(histogram, original);
      }),
    );
  });

  it('base64 to bins to base64 is the same text (OH3)', () => {
    fc.assert(
      fc.property(samples, (all) => {
        const histogram = build(all);
        const copy = Histogram.fromBase64(histogram.toBase64());
        expect(copy.toBase64()).to.equal(histogram.toBase64());
        expect([...copy.bins()]).to.deep.equal([...histogram.bins()]);
        expect(copy.count).to.equal(histogram.count);
        expectBounds(copy, histogram);
      }),
    );
  });

  it('bins are distinct, ascend, hold all samples and hold what binOf says', () => {
    fc.assert(
      fc.property(samples, (all) => {
        const expected = new Map<number, number>();
        for (const [value, count] of all) {
          const code = codeOf(value);
          if (count > 0) expected.set(code, (expected.get(code) ?? 0) + count);
        }
        const codes = [...expected.keys()].toSorted((a, b) => a - b);
        expect([...build(all).bins()]).to.deep.equal(
          codes.map((code) => ({
            from: lowEdge(code),
            to: highEdge(code),
            count: expected.get(code),
          })),
        );
      }),
    );
  });

  it('quantiles are within 10 % and the mean within 1/21 of the truth (OH7)', () => {
    const qs = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 });
    fc.assert(
      fc.property(fc.array(positive, { minLength: 1, maxLength: 200 }), qs, (values, some) => {
        const histogram = build(values.map((value) => [value, 1]));
        const ascending = Float64Array.from(values).toSorted();
        const n = values.length;
        for (const q of [0, ...some, 1]) {
          const first = ascending[Math.max(1, Math.ceil(q * n)) - 1]!;
          expectWithin(histogram.quantile(q), first, 0.1);
          const seventh = ascending[Math.floor((n - 1) * q + 1) - 1]!;
          expectWithin(histogram.quantile(q, 7), seventh, 0.1);
        }
        const mean = values.reduce((sum, value) => sum + value / n, 0);
        expectWithin(histogram.mean(), mean, 1 / 21);
      }),
    );
  });

  it('quantiles ascend with q', () => {
    const qs = fc.array(fc.double({ min: 0, max: 1, noNaN: true }));
    fc.assert(
      fc.property(samples, qs, fc.constantFrom(1 as const, 7 as const), (all, some, type) => {
        const histogram = build([...all, [1, 1]]);
        const quantiles = histogram.quantiles(
          some.toSorted((a, b) => a - b),
          type,
        );
        for (let index = 1; index < quantiles.length; index++) {
          expect(quantiles[index]).to.be.at.least(quantiles[index - 1]!);
        }
      }),
    );
  });
});

describe('Histogram bins, for all values', () => {
  it('ascend with the value', () => {
    fc.assert(
      fc.property(finite, finite, (a, b) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        expect(codeOf(low)).to.be.at.most(codeOf(high));
      }),
      { numRuns: 2000 },
    );
  });

  it('hold the value between their edges, and its opposite in the mirrored bin', () => {
    fc.assert(
      fc.property(finite, (value) => {
        const code = codeOf(value);
        if (code !== 0) {
          const slack = Math.abs(value) * ROUNDING;
          expect(value).to.be.within(lowEdge(code) - slack, highEdge(code) + slack);
        }
        expect(codeOf(-value)).to.equal(code === 0 ? 0 : -code);
      }),
      { numRuns: 2000 },
    );
  });

  it('are those of the rule with log10, near every power of ten and everywhere else', () => {
    const nearPower = fc
      .tuple(fc.integer({ min: -128, max: 128 }), fc.integer({ min: -400, max: 400 }))
      .map(([power, steps]) => Number(`1e${power}`) * (1 + steps * Number.EPSILON));
    fc.assert(
      fc.property(fc.oneof(finite, nearPower), (value) => {
        const rule = binByLogarithm(value);
        // A few values just under a power far from 1 are no number to the rule; here they are.
        if (rule.value === -1 && codeOf(value) !== NOT_A_NUMBER) return;
        expect(Histogram.binOf(value)).to.deep.equal(rule);
      }),
      { numRuns: 20_000 },
    );
  });
});

describe('Histogram.fromBase64, for all texts', () => {
  it('throws nothing but StatcolError, and what it takes is sound', () => {
    const bin = fc.tuple(
      fc.integer({ min: -100, max: 100 }),
      fc.integer({ min: -128, max: 127 }),
      fc.uint8Array({ minLength: 1, maxLength: 9 }),
    );
    const likely = fc
      .tuple(fc.array(bin, { maxLength: 20 }), fc.constantFrom(0, 0, 0, -1, 1))
      .map(([bins, lie]) => {
        const body = bins.flatMap(([val, exp, count]) => [val, exp, count.length - 1, ...count]);
        return Buffer.from([0, Math.max(0, bins.length + lie), ...body]).toString('base64');
      });
    const bytes = fc.uint8Array().map((raw) => Buffer.from(raw).toString('base64'));
    let taken = 0;
    fc.assert(
      fc.property(fc.oneof(likely, bytes, fc.string(), fc.base64String()), (text) => {
        let histogram;
        try {
          histogram = Histogram.fromBase64(text);
        } catch (error) {
          expect(error).to.be.instanceOf(StatcolError);
          return;
        }
        taken++;
        const bins = [...histogram.bins()];
        expect(bins.reduce((sum, { count }) => sum + count, 0)).to.equal(histogram.count);
        expect(bins.every(({ count }) => count > 0)).to.equal(true);
        const copy = Histogram.fromBase64(histogram.toBase64());
        expect([...copy.bins()]).to.deep.equal(bins);
      }),
      { numRuns: 2000 },
    );
    expect(taken).to.be.greaterThan(50);
  });
});

function build(all: readonly (readonly [number, number])[]): Histogram {
  const histogram = new Histogram();
  for (const [value, count] of all) histogram.add(value, count);
  return histogram;
}

/** A third histogram: neither of the two is changed. */
function mergeOf(one: Histogram, two: Histogram): Histogram {
  const result = new Histogram();
  result.merge(one);
  result.merge(two);
  return result;
}

function stateOf(histogram: Histogram): unknown {
  const { count, min, max, binCount } = histogram;
  return { count, min, max, binCount, bins: [...histogram.bins()] };
}

/** The min and max of `loose` are those of `exact`, or further out; by no more than a bin. */
function expectBounds(loose: Histogram, exact: Histogram): void {
  if (Number.isNaN(exact.min)) {
    expect([loose.min, loose.max]).to.deep.equal([NaN, NaN]);
    return;
  }
  const bins = [...exact.bins()].filter(({ from }) => !Number.isNaN(from));
  const [lowest, highest] = [bins.at(0)!, bins.at(-1)!];
  const slack = (value: number): number => 1e-128 + Math.abs(value) * ROUNDING;
  expect(loose.min).to.be.at.most(exact.min + slack(exact.min));
  expect(loose.max).to.be.at.least(exact.max - slack(exact.max));
  expect(loose.min).to.be.at.least(Math.min(lowest.from - slack(lowest.from), exact.min));
  expect(loose.max).to.be.at.most(Math.max(highest.to + slack(highest.to), exact.max));
}

function expectWithin(estimate: number, truth: number, error: number): void {
  expect(Math.abs(estimate - truth) / truth).to.be.at.most(error + 1e-12);
}

/** The bin as the original finds it. */
function binByLogarithm(number: number): { value: number; exponent: number } {
  const nan = { value: -1, exponent: 0 };
  if (Number.isNaN(number)) return nan;
  const size = Math.abs(number);
  const exponent = Math.floor(Math.log10(size));
  if (number === 0 || exponent < -128) return { value: 0, exponent: 0 };
  if (exponent > 127) return nan;
  const digits = Math.floor((size / Number(`1e${exponent}`)) * 10 + 1e-13);
  const sign = Math.sign(number);
  if (digits === 100) return exponent === 127 ? nan : { value: sign * 10, exponent: exponent + 1 };
  return digits < 10 ? nan : { value: sign * digits, exponent };
}
