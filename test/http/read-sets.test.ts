import { expect } from 'chai';
import { describe, it } from 'mocha';
import { setImmediate } from 'node:timers/promises';
import { readSets } from '../../src/http/read-sets.ts';
import { createMemoryStore } from '../../src/sinks/memory.ts';
import { HashFault } from '../../src/sinks/store.ts';

const NAMES = Array.from({ length: 1000 }, (_, at) => `n${at}`);
const today = (): { day: string; names: string[] } => ({ day: '2026-01-31', names: NAMES });

/** A store that answers later; it sees how many questions are under way at once. */
function slowStore(answer: (key: string) => Promise<number>) {
  const hand = { asked: 0, underWay: 0, most: 0 };
  const store = {
    ...createMemoryStore(),
    async countMembers(key: string): Promise<number> {
      hand.asked++;
      hand.most = Math.max(hand.most, ++hand.underWay);
      await setImmediate();
      hand.underWay--;
      return answer(key);
    },
  };
  return { hand, store };
}

describe('The numbers of sets', () => {
  it('are asked for side by side, so many at a time, and told in their order', async () => {
    const { hand, store } = slowStore((key) => Promise.resolve(key.length));
    const found = await readSets({ collections: ['a', 'bb'], store, today });
    const wanted = (collection: string): [string, string][] =>
      NAMES.map((name) => [name, String(`${collection}:set:${name}:2026-01-31`.length)]);
    expect(found).to.deep.equal([
      ['a', wanted('a')],
      ['bb', wanted('bb')],
    ]);
    expect([hand.asked, hand.most]).to.deep.equal([2000, 100]);
  });

  it('are those of all but keys of another type', async () => {
    const { store } = slowStore((key) =>
      key.includes('n7') ? Promise.reject(new HashFault('WRONGTYPE')) : Promise.resolve(1),
    );
    const [[, counts] = []] = await readSets({ collections: ['a'], store, today });
    expect(counts).to.have.length(NAMES.filter((name) => !name.startsWith('n7')).length);
  });

  it('are not to be had where the store is away; nobody goes on asking then', async () => {
    const { hand, store } = slowStore(() => Promise.reject(new Error('away')));
    const failure: unknown = await readSets({ collections: ['a', 'b'], store, today }).catch(
      (error: unknown) => error,
    );
    expect(failure).to.have.property('message', 'away');
    await setImmediate();
    expect(hand.asked).to.equal(100);
  });

  it('are no longer asked for when nobody wants them', async () => {
    const { hand, store } = slowStore(() => Promise.resolve(1));
    await readSets({ collections: ['a'], store, today }, () => hand.asked < 300);
    expect(hand.asked).to.equal(300);
  });
});
