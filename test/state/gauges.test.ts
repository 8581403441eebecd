import { expect } from 'chai';
import { describe, it } from 'mocha';
import { createCounterBook } from '../../src/flush/counter-book.ts';
import { createCounterFlusher } from '../../src/flush/counter-flusher.ts';
import { createGaugeBook } from '../../src/flush/gauge-book.ts';
import { createLayout } from '../../src/flush/layout.ts';
import { createTimingBook } from '../../src/flush/timing-book.ts';
import { createRestorer } from '../../src/state/restore.ts';
import { createFakeStore } from '../support/fake-store.ts';
import { createFakeTime } from '../support/fake-time.ts';

describe('Gauges that were remembered', () => {
  const [a, b, c] = [
    { value: 1, absolute: false },
    { value: 5, absolute: true },
    { value: 2, absolute: false },
  ];
  const table: [what: string, cut: number, left: [number, boolean, number] | undefined][] = [
    ['nothing was cut of', 0, [7, true, 6]],
    ['the first was cut of', 1, [7, true, 5]],
    ['all but the last was cut of', 3, [2, false, 3]],
    ['all was cut of', 6, undefined],
  ];
  for (const [what, cut, left] of table) {
    // A drain is remembered as a whole before it comes into the book, name by name.
    it(`before they were in the book stay when ${what} them`, () => {
      const { visitor, gauges } = restorer();
      visitor.gauge('g', a, 1);
      visitor.gauge('g', b, 2);
      visitor.gauge('g', c, 3);
      visitor.gaugeCut('g', cut);
      const waiting = Array.from(gauges.waiting(), ({ value, absolute, samples }) => {
        return [value, absolute, samples];
      });
      expect(waiting).to.deep.equal(left === undefined ? [] : [left]);
      expect(gauges.pendingSamples).to.equal(6 - cut);
      expect(gauges.cut(9)).to.have.length(left === undefined ? 0 : 1);
    });
  }

  function restorer() {
    const [book, gauges] = [createCounterBook(10), createGaugeBook()];
    const { batch } = createCounterFlusher({
      ...{ book, gauges, store: createFakeStore(), layout: createLayout('flat', ['h']) },
      ...{ time: createFakeTime(), random: () => 0.5, log: () => {}, lanesMax: 10 },
    });
    const timings = createTimingBook('n', 1000);
    return { gauges, ...createRestorer({ counters: book, gauges, batch, timings }) };
  }
});
