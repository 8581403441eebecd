import { expect } from 'chai';
import { describe, it } from 'mocha';

import { growthOf, runPage } from '../support/page-run.ts';

/** `npm run prove:page` shows an hour. */
const MINUTES = 12;

describe('The page, open for long', () => {
  it('holds no more memory and no more of a document than after ten minutes', async function () {
    this.timeout(180_000); // the machine may have other work
    const run = await runPage(60 * MINUTES);
    expect(growthOf(run), JSON.stringify(run)).to.deep.equal([]);
    expect(run.complaints).to.deep.equal([]);
  });

  it('is said to have grown when it has', () => {
    const settled = { heap: 4_000_000, nodes: 1300, listeners: 120 };
    const grown = { heap: 5_000_000, nodes: 1500, listeners: 130 };
    const run = { settled, end: grown, complaints: [] };
    expect(growthOf(run)).to.deep.equal(['heap', 'nodes', 'listeners']);
    expect(growthOf({ ...run, end: settled })).to.deep.equal([]);
  });
});
