import { expect } from 'chai';
import { describe, it } from 'mocha';

import { runWithTrapAway } from '../support/away.ts';

describe('while the trap is away', () => {
  // The whole hour is `npm run prove:away`.
  it('30 s at 100,000 timings a second: what waits stays small, and all of it arrives', async () => {
    const { samples, delivered, arrived, bodies, bytesMax } = await runWithTrapAway({
      seconds: 30,
      timingsPerSecond: 100_000,
      names: 1000,
      onSecond: () => {},
    });
    expect(samples).to.equal(3_000_000);
    expect([delivered, arrived]).to.deep.equal([samples, samples]);
    // As histograms: value by value it would be over 12 MB, in three bodies and more.
    expect(bodies).to.be.at.most(3);
    expect(bytesMax).to.be.below(2 << 20);
  });
});
