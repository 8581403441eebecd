import { expect } from 'chai';
import { describe, it } from 'mocha';

import { hasty, runPlanted } from '../support/chaos-plants.ts';
import { isExact, textOf } from '../support/chaos-print.ts';
import { type ChaosOptions, runChaos } from '../support/chaos-run.ts';

describe('nothing is lost in chaos, and nothing is counted twice', () => {
  /** What is not as it was sent is shown with the seed, and the last events. */
  async function expectExact(options: Omit<ChaosOptions, 'waits'>): Promise<void> {
    const report = await runChaos({ ...options, waits: true });
    const text = textOf(report);
    expect(isExact(report), text).to.equal(true);
    const faults = [...report.faults.values()].reduce((sum, count) => sum + count, 0);
    // How many there are depends on the machine: far fewer would prove little.
    expect(faults / options.seconds, text).to.be.above(0.5);
  }

  // The longer form is `npm run chaos`. All in all 48 s of faults, the last one among them.
  const shares = [
    { redis: 'single', seed: 1, seconds: 16 },
    { redis: 'sentinel', seed: 2, seconds: 9 },
    { redis: 'cluster', seed: 3, seconds: 9 },
  ] as const;
  for (const { redis, seed, seconds } of shares) {
    it(`${redis}, for ${seconds} s, with the seed ${seed}`, async function () {
      this.timeout(180_000);
      await expectExact({ redis, seed, seconds });
    });
  }

  it('single, for 8 s, with the seed 4, spools and ledgers made anew all the time', async function () {
    this.timeout(180_000);
    const { program, remove } = hasty();
    try {
      await expectExact({ redis: 'single', seed: 4, seconds: 8, program });
    } finally {
      remove();
    }
  });

  it('and were a side cleared before it is in the spool, that would be seen', async function () {
    this.timeout(180_000);
    const report = await runPlanted('zero-before-acknowledge', 1, 6);
    expect(isExact(report), textOf(report)).to.equal(false);
  });
});
