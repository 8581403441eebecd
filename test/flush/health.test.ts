import { expect } from 'chai';
import { describe, it } from 'mocha';

import { createHealth } from '../../src/flush/health.ts';

describe('The health of a sink', () => {
  it('tells how long ago it did well last, and failed last', () => {
    let now = 0;
    const health = createHealth('sink', { isUp: true, nowMs: () => now, log: () => {} });
    const ages = (): unknown[] => [health.sinceSuccessMs(), health.sinceFailureMs()];
    expect(ages()).to.deep.equal([undefined, undefined]);
    health.succeeded();
    now = 10;
    expect(ages()).to.deep.equal([10, undefined]);
    health.failed('away');
    now = 30;
    expect(ages()).to.deep.equal([30, 20]);
    health.refused('answered 400');
    health.succeeded(1);
    now = 31;
    expect(ages()).to.deep.equal([1, 1]);
  });
});
