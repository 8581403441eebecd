import { expect } from 'chai';
import { describe, it } from 'mocha';

import { runWithCuts } from '../support/cut-run.ts';

describe('counts survive a cut connection', () => {
  // The whole proof, 200 cuts, is `npm run prove:cuts`.
  it('20 cuts at random bytes of requests and replies neither lose nor double', async () => {
    const { cuts, sent, counted, gauges } = await runWithCuts(20, 20);
    expect(cuts).to.equal(20);
    expect(Object.fromEntries(gauges)).to.deep.equal(Object.fromEntries(sent));
    expect(Object.fromEntries(counted)).to.deep.equal(Object.fromEntries(sent));
  });
});
