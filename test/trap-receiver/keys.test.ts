import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';

import { createKeyMemory } from '../../src/trap-receiver/keys.ts';
import type { SubmissionResult } from '../../src/trap-receiver/submission.ts';

const LIMITS = { instances: 3, runs: 4, answers: 2, keys: 5 };

function answer(stats: number): SubmissionResult {
  return { status: 200, stats, filtered: 0 };
}

describe('The memory of keys', () => {
  it('knows what was added, with its answer, and nothing else', () => {
    const memory = createKeyMemory(LIMITS);
    memory.add('odd', answer(7));
    memory.add('a/b/8', answer(8));
    expect(memory.find('odd')).to.deep.equal(answer(7));
    expect(memory.find('a/b/8')).to.deep.equal(answer(8));
    for (const key of ['Odd', 'a/b/7', 'a/b/9', 'a/8', 'a/b/08', 'a/b/', '8']) {
      expect(memory.find(key), key).to.equal(undefined);
    }
  });

  it('knows all numbers of a sender, however many, and the answers to the last', () => {
    const memory = createKeyMemory(LIMITS);
    for (let seq = 0; seq < 100_000; seq++) memory.add(`a/${seq}`, answer(seq + 1));
    expect(memory.find('a/99999')).to.deep.equal(answer(100_000));
    expect(memory.find('a/99997')).to.deep.equal(answer(0));
    expect(memory.find('a/0')).to.deep.equal(answer(0));
    expect(memory.find('a/100000')).to.equal(undefined);
  });

  it('forgets the lowest run of numbers first, where there are too many gaps', () => {
    const memory = createKeyMemory(LIMITS);
    for (let seq = 0; seq < 10; seq += 2) memory.add(`a/${seq}`, answer(1));
    expect(memory.find('a/0')).to.equal(undefined);
    for (let seq = 2; seq < 10; seq += 2) expect(memory.find(`a/${seq}`)).not.to.equal(undefined);
  });

  it('forgets first the sender that was silent longest', () => {
    const memory = createKeyMemory(LIMITS);
    for (const sender of ['a', 'b', 'c']) memory.add(`${sender}/1`, answer(1));
    memory.find('a/1');
    memory.add('d/1', answer(1));
    expect(memory.find('b/1')).to.equal(undefined);
    for (const sender of ['a', 'c', 'd'])
      expect(memory.find(`${sender}/1`)).to.deep.equal(answer(1));
  });

  it('forgets first the odd key that was used longest ago', () => {
    const memory = createKeyMemory(LIMITS);
    for (let at = 0; at < 5; at++) memory.add(`odd${at}`, answer(at));
    memory.find('odd0');
    memory.add('odd5', answer(5));
    expect(memory.find('odd1')).to.equal(undefined);
    expect(memory.find('odd0')).to.deep.equal(answer(0));
  });

  it('never takes a number for known that was not added', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(30)), (numbers) => {
        const memory = createKeyMemory({ ...LIMITS, runs: 100 });
        for (const seq of numbers) memory.add(`a/${seq}`, answer(1));
        for (let seq = 0; seq <= 31; seq++) {
          expect(memory.find(`a/${seq}`) !== undefined).to.equal(numbers.includes(seq));
        }
      }),
    );
  });
});
