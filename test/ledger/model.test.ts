import { expect } from 'chai';
import * as fc from 'fast-check';
import { describe, it } from 'mocha';
import type { LedgerLimits } from '../../src/ledger/ledger.ts';
import { Stat } from '../../src/ledger/stat.ts';
import { Kind } from '../../src/protocol/parse.ts';
import { rejected } from '../support/ledger-bench.ts';
import { BAD, createPair, NAMES, RATES } from '../support/ledger-model.ts';
import type { Step } from '../support/ledger-model.ts';

const kind = fc.constantFrom<Kind>(Kind.counter, Kind.timing);
const name = fc.nat({ max: NAMES.length - 1 });
// Multiples of 1/1024, and rates that are powers of two: all sums are exact in any order.
const bit = fc.record({
  kind,
  values: fc.array(fc.integer({ min: -4096, max: 4096 }), { minLength: 1, maxLength: 3 }),
  rate: fc.constantFrom(...RATES),
});
const line = fc.record({
  name,
  spelling: fc.nat({ max: 9 }),
  bits: fc.array(bit, { minLength: 1, maxLength: 3 }),
});
const step = fc.oneof<fc.WeightedArbitrary<Step>[]>(
  { weight: 12, arbitrary: line.map((made): Step => ({ do: 'line', line: made })) },
  {
    weight: 1,
    arbitrary: fc.nat({ max: BAD.length - 1 }).map((which): Step => ({ do: 'bad', which })),
  },
  {
    weight: 6,
    arbitrary: fc
      .constantFrom<'request' | 'poll' | 'drain'>('request', 'poll', 'drain')
      .map((what): Step => ({ do: what })),
  },
  {
    weight: 1,
    arbitrary: fc
      .array(fc.record({ kind, name }), { maxLength: 4 })
      .map((seeds): Step => ({ do: 'renew', seeds })),
  },
);
const limits = fc.record({
  entriesMax: fc.integer({ min: 1, max: 40 }),
  nameBytesMax: fc.integer({ min: 20, max: 200 }),
  timingsMax: fc.integer({ min: 1, max: 40 }),
});

describe('the ledger, beside a model made of maps', () => {
  it('reports the same at each drain, and the same totals', () => {
    fc.assert(
      fc.property(limits, fc.integer(), fc.array(step, { maxLength: 200 }), (some, seed, steps) => {
        const pair = createPair(some, seed);
        for (const next of steps) pair.run(next);
        pair.finish();
      }),
      { numRuns: 1000 },
    );
  });

  it('agrees with it also where nothing is short', () => {
    const ample: LedgerLimits = { entriesMax: 1000, nameBytesMax: 1 << 16, timingsMax: 1 << 16 };
    fc.assert(
      fc.property(
        fc.integer(),
        fc.array(step, { minLength: 500, maxLength: 2000 }),
        (seed, steps) => {
          const pair = createPair(ample, seed);
          for (const next of steps) pair.run(next);
          const { stats } = pair.finish();
          expect(stats[Stat.timingsDropped]).to.equal(0);
          expect(rejected(stats)).not.to.have.property('key_limit');
        },
      ),
      { numRuns: 40 },
    );
  });
});
