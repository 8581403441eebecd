import { expect } from 'chai';
import { describe, it } from 'mocha';

import { runRequests } from '../support/request-run.ts';

describe('every request is counted', () => {
  // The long form is `npm run prove:requests`.
  it('SC!1 10,000 of them, Redis killed and restarted and the trap at 500 for a while', async () => {
    const run = await runRequests(10_000);
    expect(run.requests).to.be.at.least(10_000);
    expect(run.refusals).to.be.greaterThan(0);
    expect(run.counted).to.deep.equal(run.expected);
    expect(run.times).to.deep.equal(run.expectedTimes);
  });
});
