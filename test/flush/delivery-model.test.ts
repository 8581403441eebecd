import { expect } from 'chai';
import { describe, it } from 'mocha';
import { search } from '../support/delivery-search.ts';
import type { Change } from '../support/delivery-states.ts';
import { MISTAKES, VARIATIONS } from '../support/delivery-states.ts';

const LOSES = 'killed now, it would lose something';
const DOUBLES = 'killed now, it would count something twice';

/** What each mistake leads to first. */
const FOUND: Record<keyof typeof MISTAKES, string> = {
  clearedFirst: LOSES,
  newNumber: 'Redis holds too much of a',
  appliedWhenSent: LOSES,
  askedTooEarly: DOUBLES,
  clippedReplay: DOUBLES,
  sentUnspooled: DOUBLES,
  sentOnce: 'a dead end',
  anyReply: DOUBLES,
  refusedMerged: DOUBLES,
  refusedSpent: DOUBLES,
  markerExpires: DOUBLES,
  rotatedMidDrain: LOSES,
  rotatedMidCut: LOSES,
  rotatedSlowly: LOSES,
  flipsIgnored: DOUBLES,
  flipsUnmarked: DOUBLES,
  removedFirst: LOSES,
  flipsFromOne: LOSES,
  numbersFromOne: LOSES,
  chunkRecut: DOUBLES,
};

// A longer form is `npm run prove:model`, which also prints the shortest way to each fault.
describe('the way from the ledger to Redis, in every order of its steps', () => {
  // The numbers are those of the model as it is: who changes it on purpose changes them.
  it('loses nothing and doubles nothing, whenever it is killed', () => {
    expect(search({ samples: 3, kills: 1, refusals: 0 })).to.deep.equal({
      states: 124_884,
      transitions: 703_731,
      ends: 68,
      chunksAnswered: 3,
    });
  });

  it('does so when it is killed twice, and when Redis refuses', () => {
    expect(search({ samples: 2, kills: 2, refusals: 1 })).to.deep.equal({
      states: 165_486,
      transitions: 953_513,
      ends: 78,
      chunksAnswered: 3,
    });
  });

  for (const [variation, says] of Object.entries(VARIATIONS)) {
    it(`is as good when ${says}`, () => {
      const bounds = { samples: 2, kills: 2, refusals: 0 };
      const { fault, chunksAnswered } = search(bounds, variation as Change);
      expect([fault, chunksAnswered]).to.deep.equal([undefined, 2]);
    });
  }
});

describe('a mistake in the way from the ledger to Redis is found out:', () => {
  for (const [mistake, says] of Object.entries(MISTAKES)) {
    it(says, () => {
      const { fault } = search({ samples: 3, kills: 2, refusals: 1 }, mistake as Change);
      const shown = [...(fault?.steps ?? ['no fault']), fault?.state].join('\n  ');
      expect(fault?.what, shown).to.equal(FOUND[mistake as keyof typeof MISTAKES]);
    });
  }
});
