import { expect } from 'chai';
import { before, describe, it } from 'mocha';

import { endFaults } from '../support/fuzz-compare.ts';
import { type FuzzRun, runFuzz } from '../support/fuzz-run.ts';

/** `npm run prove:fuzz` sends a million. */
const DATAGRAMS = 20_000;
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_260_101);

describe(`fuzzed datagrams keep the identities (seed ${SEED})`, () => {
  let run: FuzzRun;

  it(`${DATAGRAMS} over UDP, TCP and a unix socket become what an oracle says`, async () => {
    run = await runFuzz({
      datagrams: DATAGRAMS,
      seed: SEED,
      stateDir: true,
      rule: 'keep',
      dialect: 'influx',
    });
    expect(run.faults).to.deep.equal([]);
  });

  describe('and the oracle', () => {
    before(() => expect(run.faults).to.deep.equal([]));

    it('has seen everything that there is', () => {
      const { sent, expected, resets, ends } = run;
      expect(Math.min(...Object.values(sent))).to.be.above(DATAGRAMS / 6);
      expect(Math.min(resets, ends)).to.be.above(5);
      const reasons = 'no_separator bad_name name_too_long bad_value bad_type bad_rate bad_tags';
      expect(expected.refused).to.include.keys(...reasons.split(' '), 'unsupported');
      expect(expected.accepted).to.be.above(DATAGRAMS);
      expect(Math.min(...Object.values(expected.samples))).to.be.above(1000);
      expect(expected.overflows).to.be.above(0);
      expect([...expected.counters.values()].filter(({ isExact }) => isExact)).to.have.length.above(
        expected.counters.size / 2,
      );
    });

    // One thing is told otherwise than it was, and has to be found: each kind of thing once.
    const plants: [what: string, mistake: (run: FuzzRun) => void][] = [
      ['a count', ({ expected }) => void first(expected.counters, 'name.').whole++],
      ['a gauge', ({ expected }) => void (first(expected.gauges, 'u1.gauge.').value += 1)],
      ['a timing', ({ expected }) => void first(expected.timings, 'name.').count++],
      ['the value of a timing', ({ expected }) => void (first(expected.timings, '').max *= 2)],
      ['a set', ({ seen }) => void seen.sets.delete('users.1')],
      ['a line', ({ expected }) => void expected.accepted++],
      ['a sample', ({ expected }) => void expected.samples.sets++],
      ['a reason', ({ expected }) => void expected.refused.set('bad_tags', 1)],
      ['a name', ({ seen }) => void seen.counters.set('more', 1)],
      ['a sample on its way', ({ seen }) => void seen.vitals.timings.delivered--],
      ['a drop', ({ seen }) => void (seen.vitals.counters.dropped = {})],
    ];
    for (const [what, mistake] of plants) {
      it(`finds ${what} that is wrong`, () => {
        const { expected, seen } = structuredClone({ expected: run.expected, seen: run.seen });
        mistake({ ...run, expected, seen });
        expect(endFaults(expected, seen)).to.not.deep.equal([]);
      });
    }
  });
});

function first<Value>(of: Map<string, Value>, prefix: string): Value {
  return [...of].find(([name]) => name.startsWith(prefix))![1];
}
