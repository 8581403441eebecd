import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { createBackoff } from '../../src/flush/backoff.ts';

describe('A back-off', () => {
  it('doubles from the first pause to the longest, and stays there', () => {
    const backoff = createBackoff(100, 5000, () => 1);
    const pauses = Array.from({ length: 9 }, () => backoff.nextMs());
    expect(pauses).to.deep.equal([100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
  });

  it('begins again after a success', () => {
    const backoff = createBackoff(200, 10_000, () => 0);
    for (let turn = 0; turn < 3; turn++) backoff.nextMs();
    backoff.reset();
    expect([backoff.nextMs(), backoff.nextMs()]).to.deep.equal([100, 200]);
  });

  it('draws each pause from the upper half of its step', () => {
    const randoms = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }));
    fc.assert(
      fc.property(randoms, (drawn) => {
        const left = [...drawn];
        const backoff = createBackoff(100, 5000, () => left.shift()!);
        for (const turn of drawn.keys()) {
          const step = Math.min(5000, 100 * 2 ** turn);
          expect(backoff.nextMs()).to.be.within(step / 2, step);
        }
        expect(left).to.deep.equal([]);
      }),
    );
  });
});
