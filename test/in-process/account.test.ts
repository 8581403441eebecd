import { expect } from 'chai';
import { describe, it } from 'mocha';
import { createHealth } from '../../src/flush/health.ts';
import { countDropped, createTally } from '../../src/flush/tally.ts';
import { readAccount } from '../../src/in-process/account.ts';

describe('An account', () => {
  it('says what has become of samples, and how the sink is doing', () => {
    const parts = createParts();
    parts.tally.delivered = 5;
    countDropped(parts.tally, 'key_limit', 2);
    countDropped(parts.tally, 'stopped', 1);
    parts.health.failed('away');
    expect(readAccount(11, 3, parts)).to.deep.equal({
      samples: 11,
      delivered: 5,
      pending: 3,
      dropped: { key_limit: 2, stopped: 1 },
      up: false,
      lastError: 'away',
    });
  });

  it('says that the sink is up again, and still what went wrong last', () => {
    const parts = createParts();
    parts.health.failed('away');
    parts.health.succeeded();
    expect(readAccount(0, 0, parts)).to.include({ up: true, lastError: 'away' });
    expect(readAccount(0, 0, createParts())).to.include({ up: true, lastError: null });
  });

  it('is of one moment: later counts do not change it, nor it them', () => {
    const parts = createParts();
    countDropped(parts.tally, 'stopped', 1);
    const account = readAccount(1, 0, parts);
    countDropped(parts.tally, 'stopped', 1);
    parts.tally.delivered = 9;
    expect(account).to.deep.include({ delivered: 0, dropped: { stopped: 1 } });
    account.dropped['stopped'] = 100;
    expect(parts.tally.dropped.get('stopped')).to.equal(2);
  });
});

function createParts(): Parameters<typeof readAccount>[2] {
  const health = createHealth('sink', { isUp: true, nowMs: () => 0, log: () => {} });
  return { tally: createTally(), health };
}
