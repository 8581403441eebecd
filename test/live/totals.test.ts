import { expect } from 'chai';
import { describe, it } from 'mocha';

import { createTotals, type Totals } from '../../src/live/totals.ts';
import { createFakeTime, type FakeTime, settle } from '../support/fake-time.ts';

interface Asked {
  totals: Totals;
  time: FakeTime;
  /** The fields read so far. */
  fields: string[];
  /** What the next reads give. */
  answer: { give: (field: string) => Promise<string | null> };
}

function create(): Asked {
  const time = createFakeTime();
  const fields: string[] = [];
  const answer: Asked['answer'] = { give: (field) => Promise.resolve(`${field}!`) };
  const read = (field: string): Promise<string | null> => {
    fields.push(field);
    return answer.give(field);
  };
  const totals = createTotals(read, time);
  return { totals, time, fields, answer };
}

const NAMES = Array.from({ length: 100 }, (_, at) => `n${at}`);

describe('What the store holds', () => {
  it('are read once a second, whoever asks', async () => {
    const { totals, fields } = create();
    await totals.read(['a', 'b', 'a'], 1, 1);
    await totals.read(['b', 'c'], 1, 1);
    expect(fields).to.deep.equal(['a', 'b', 'c']);
    expect([totals.last('a'), totals.last('c'), totals.last('d')]).to.deep.equal([
      'a!',
      'c!',
      null,
    ]);
    await totals.read(['a'], 2, 1);
    expect(fields).to.deep.equal(['a', 'b', 'c', 'a']);
  });

  it('are 64 a second at most, those first that waited longest', async () => {
    const { totals, fields } = create();
    await totals.read(NAMES, 1, 1);
    expect(fields).to.deep.equal(NAMES.slice(0, 64));
    await totals.read(NAMES, 1, 1);
    expect(fields).to.have.length(64);
    await totals.read(NAMES, 2, 1);
    expect(fields.slice(64)).to.deep.equal([...NAMES.slice(64), ...NAMES.slice(0, 28)]);
  });

  it('are shared out among those who ask', async () => {
    const { totals, fields } = create();
    await totals.read(NAMES, 1, 16);
    expect(fields).to.have.length(4);
    await totals.read(['other'], 1, 16);
    expect(fields.at(-1)).to.equal('other');
  });

  it('are waited for half a second, and then told as they were', async () => {
    const { totals, time, fields, answer } = create();
    await totals.read(['a'], 1, 1);
    let reply = (_text: string): void => {};
    answer.give = () => new Promise((resolve) => (reply = resolve));
    let isOver = false;
    const reading = totals.read(['a'], 2, 1).then(() => (isOver = true));
    await time.pass(499);
    expect(isOver).to.equal(false);
    await time.pass(1);
    await reading;
    expect(totals.last('a')).to.equal('a!');
    // It is not asked again for what it has not answered.
    const next = totals.read(['a'], 3, 1);
    expect(fields).to.have.length(2);
    reply('new');
    await next;
    expect(totals.last('a')).to.equal('new');
    expect(time.waiting).to.equal(0);
  });

  it('stay as they were while the store fails, and are none where it holds nonsense', async () => {
    const { totals, answer } = create();
    await totals.read(['a'], 1, 1);
    answer.give = () => Promise.reject(new Error('away'));
    await totals.read(['a', 'b'], 2, 1);
    expect([totals.last('a'), totals.last('b')]).to.deep.equal(['a!', null]);
    answer.give = () => Promise.resolve('x'.repeat(1000));
    await totals.read(['a'], 3, 1);
    expect(totals.last('a')).to.equal(null);
  });

  it('are not asked for without end of a store that hangs', async () => {
    const { totals, time, fields, answer } = create();
    answer.give = () => new Promise(() => {});
    for (let second = 1; second <= 5; second++) {
      const reading = totals.read(NAMES, second, 1);
      await time.pass(500);
      await reading;
    }
    expect(fields).to.have.length(64);
  });

  it('are forgotten a minute after they were asked for last', async () => {
    const { totals } = create();
    await totals.read(['a'], 1, 1);
    await totals.read(['b'], 61, 1);
    expect(totals.last('a')).to.equal('a!');
    await totals.read(['b'], 62, 1);
    expect(totals.last('a')).to.equal(null);
    totals.clear();
    expect(totals.last('b')).to.equal(null);
    await settle();
  });
});
