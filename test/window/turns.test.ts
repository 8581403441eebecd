import { expect } from 'chai';
import { describe, it } from 'mocha';

import { createWindow } from '../../src/window/window.ts';
import { windowClockOf } from '../support/window-clock.ts';

describe('The live window, whose names come in turns', () => {
  it('keeps one column per name and second', () => {
    let nowMs = 5000;
    const clock = windowClockOf(() => nowMs);
    const window = createWindow({ windowSeconds: 60, budgetBytes: 1 << 20, clock });
    const add = (name: string, ...values: number[]): void => {
      window.add(name, Float64Array.from(values), new Float64Array(values.length).fill(1));
    };
    for (let second = 0; second < 3; second++) {
      for (let turn = 0; turn < 4; turn++) {
        add('a', turn);
        add('b', 10 + turn, 20 + turn);
        if (turn === 2) expect(window.columns('b').at(-1)!.weight).to.equal(6);
      }
      nowMs += 1000;
    }
    const weights = (name: string): number[] => window.columns(name).map(({ weight }) => weight);
    expect([weights('a'), weights('b')]).to.deep.equal([
      [4, 4, 4],
      [8, 8, 8],
    ]);
    for (const { min, max } of window.columns('b')) expect([min, max]).to.deep.equal([10, 23]);
  });
});
