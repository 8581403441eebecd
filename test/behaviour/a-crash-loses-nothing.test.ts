import { expect } from 'chai';
import { describe, it } from 'mocha';

import { killAtRest, killUnderTraffic } from '../support/kill-run.ts';

// `npm run prove:kills` does the same 200 times.
describe('a crash loses nothing', () => {
  it('10 times kill -9 at any stage of a flush: every count and timing arrives once', async () => {
    const { kills, recovered, faults } = await killAtRest(10, 11);
    expect(faults).to.deep.equal([]);
    expect(kills).to.equal(10);
    expect(recovered).to.be.above(0);
  });

  it('10 times under traffic: what is taken over is what arrives, to the unit', async () => {
    const { kills, recovered, faults } = await killUnderTraffic(10, 12);
    expect(faults).to.deep.equal([]);
    expect(kills).to.equal(10);
    expect(recovered).to.be.above(1000);
  });
});
