import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import type { CounterBook } from '../../src/flush/counter-book.ts';
import { createCounterBook, integerPart } from '../../src/flush/counter-book.ts';

const NAMES_MAX = 100;

describe('The counter book', () => {
  it('hands on integer parts and carries what is left, exactly', () => {
    const book = createCounterBook(NAMES_MAX);
    const amounts = [2.75, 0.5, 0.5, 10.125, 0.125].map((sum) => {
      add(book, 'a', sum);
      return amountOf(book, 'a');
    });
    expect(amounts).to.deep.equal([2, 1, 0, 10, 1]);
    expect(book.entry('a').sum).to.equal(0);
  });

  it('makes 1 of ten times 0.1, in one cut or in ten', () => {
    const one = createCounterBook(NAMES_MAX);
    for (let turn = 0; turn < 10; turn++) add(one, 'a', 0.1);
    expect(amountOf(one, 'a')).to.equal(1);

    const ten = createCounterBook(NAMES_MAX);
    let total = 0;
    for (let turn = 0; turn < 10; turn++) {
      add(ten, 'a', 0.1);
      total += amountOf(ten, 'a');
    }
    expect(total).to.equal(1);
  });

  it('never loses a tiny fraction: ten million times 1e-7, cut each time, are 1', () => {
    const book = createCounterBook(NAMES_MAX);
    const entry = book.entry('a');
    let total = 0;
    for (let turn = 0; turn < 10_000_010; turn++) {
      book.add(entry, 1e-7, 1);
      for (const { amount } of book.cut()) total += amount;
    }
    expect(total).to.equal(1);
    expect(entry.sum).to.be.closeTo(1e-6, 2e-7);
  });

  it('cuts negative sums towards zero', () => {
    const book = createCounterBook(NAMES_MAX);
    const amounts = [-1.75, -0.5, 0.25, 3].map((sum) => {
      add(book, 'a', sum);
      return amountOf(book, 'a') + 0;
    });
    expect(amounts).to.deep.equal([-1, -1, 0, 3]);
    expect(book.entry('a').sum).to.equal(0);
  });

  it('hands on a name first seen with 0, and says so once', () => {
    const book = createCounterBook(NAMES_MAX);
    add(book, 'a', 0);
    expect(book.cut()).to.deep.equal([{ name: 'a', amount: 0, samples: 1, first: true }]);
    add(book, 'a', 0, 3);
    expect(book.cut()).to.deep.equal([{ name: 'a', amount: 0, samples: 3, first: false }]);
    expect(book.cut()).to.deep.equal([]);
  });

  it('hands on a name anew that was deleted in another process, and nothing that was before', () => {
    const book = createCounterBook(10);
    const hits = book.entry('hits');
    book.add(hits, 2.75, 1);
    book.takeOut(hits, 2, 1); // what was delivered
    book.takeOut(hits, 0.75, 0); // what a deletion took
    expect(book.cut(), 'it does not come back').to.deep.equal([]);
    book.add(hits, 0.5, 1);
    expect(book.cut()).to.deep.equal([{ name: 'hits', amount: 0, samples: 1, first: true }]);
    expect(book.pendingSamples).to.equal(0);
  });

  it('merges what comes between two cuts, in the order of first addition', () => {
    const book = createCounterBook(NAMES_MAX);
    add(book, 'b', 1, 2);
    add(book, 'a', 5);
    add(book, 'b', 2, 3);
    expect(book.pendingSamples).to.equal(6);
    expect(book.cut()).to.deep.equal([
      { name: 'b', amount: 3, samples: 5, first: true },
      { name: 'a', amount: 5, samples: 1, first: true },
    ]);
    expect(book.pendingSamples).to.equal(0);
  });

  it('knows names such as __proto__ as ordinary ones', () => {
    const book = createCounterBook(NAMES_MAX);
    for (const name of ['__proto__', 'constructor', '']) add(book, name, 1);
    expect(book.cut().map(({ name }) => name)).to.deep.equal(['__proto__', 'constructor', '']);
  });

  describe('at the last cut', () => {
    const table: [sum: number, amount: number][] = [
      [2.4, 2],
      [2.6, 3],
      [0.4, 0],
      [-0.6, -1],
      [-2.4, -2],
    ];
    for (const [sum, amount] of table) {
      it(`rounds ${sum} to ${amount} and keeps nothing`, () => {
        const book = createCounterBook(NAMES_MAX);
        add(book, 'a', sum);
        book.roundRemainders();
        const [item] = book.cut();
        expect(item!.amount + 0).to.equal(amount);
        expect(book.entry('a').sum).to.equal(0);
      });
    }

    it('takes remainders that wait since earlier cuts, without samples', () => {
      const book = createCounterBook(NAMES_MAX);
      add(book, 'a', 1.75);
      add(book, 'b', 0.25);
      book.cut();
      book.roundRemainders();
      expect(book.cut()).to.deep.equal([{ name: 'a', amount: 1, samples: 0, first: false }]);
    });
  });

  it('hands on a sum that is no number any more once, and starts again from 0', () => {
    for (const broken of [Infinity, -Infinity, NaN]) {
      const book = createCounterBook(NAMES_MAX);
      add(book, 'a', broken);
      expect(amountOf(book, 'a')).to.deep.equal(broken);
      expect(book.cut()).to.deep.equal([]);
      add(book, 'a', 2);
      expect(amountOf(book, 'a')).to.equal(2);
    }
    const book = createCounterBook(NAMES_MAX);
    add(book, 'a', 1e308);
    add(book, 'a', 1e308);
    expect(amountOf(book, 'a')).to.equal(Infinity);
  });

  describe('nextPeriod', () => {
    it('forgets a name only after a whole period without it', () => {
      const book = createCounterBook(NAMES_MAX);
      add(book, 'a', 1);
      book.cut();
      expect(book.nextPeriod()).to.deep.equal(['a']);
      expect(book.size).to.equal(1);
      expect(book.nextPeriod()).to.deep.equal([]);
      expect(book.size).to.equal(0);
    });

    it('keeps what waits and what is left over, however long it is idle', () => {
      const book = createCounterBook(NAMES_MAX);
      add(book, 'rest', 1.25);
      add(book, 'whole', 3);
      book.cut();
      add(book, 'waits', 7);
      for (let turn = 0; turn < 5; turn++) book.nextPeriod();
      expect(book.size).to.equal(2);
      expect(amountOf(book, 'waits')).to.equal(7);
      add(book, 'rest', 0.75);
      expect(amountOf(book, 'rest')).to.equal(1);
    });

    it('rounds remainders when more names than the limit are idle, and then lets go', () => {
      const book = createCounterBook(2);
      for (const name of ['a', 'b', 'c', 'd']) add(book, name, name < 'c' ? 0.75 : 0.25);
      book.cut();
      book.nextPeriod();
      book.nextPeriod();
      const items = book.cut();
      expect(items.map(({ name, amount }) => [name, amount])).to.deep.equal([
        ['a', 1],
        ['b', 1],
      ]);
      book.nextPeriod();
      expect(book.size).to.equal(2);
    });

    it('rounds those first that have been idle longest', () => {
      const book = createCounterBook(1);
      add(book, 'fresh', 0.75);
      add(book, 'stale', 0.75);
      book.cut();
      book.nextPeriod();
      add(book, 'fresh', 0.75);
      book.cut();
      book.nextPeriod();
      book.nextPeriod();
      expect(book.cut().map(({ name }) => name)).to.deep.equal(['stale']);
    });
  });

  it('agrees with a naive model, for any order of additions and cuts', () => {
    const name = fc.constantFrom('a', 'b', '__proto__');
    // Eighths: the model's own sums are exact.
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.tuple(name, fc.integer({ min: -400, max: 400 })) },
      { weight: 1, arbitrary: fc.constantFrom('cut', 'period') },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const book = createCounterBook(NAMES_MAX);
        const added = new Map<string, number>();
        const handed = new Map<string, number>();
        let samples = 0;
        const cut = (last: boolean): void => {
          if (last) book.roundRemainders();
          for (const item of book.cut()) {
            expect(Number.isInteger(item.amount)).to.equal(true);
            handed.set(item.name, (handed.get(item.name) ?? 0) + item.amount);
            samples -= item.samples;
          }
          expect(samples).to.equal(0);
        };
        for (const one of steps) {
          if (one === 'cut') cut(false);
          else if (one === 'period') book.nextPeriod();
          else {
            const [key, eighths] = one as [string, number];
            add(book, key, eighths / 8);
            added.set(key, (added.get(key) ?? 0) + eighths / 8);
            samples++;
          }
        }
        cut(false);
        for (const [key, sum] of added) {
          expect(Math.abs(sum - (handed.get(key) ?? 0))).to.be.below(1);
        }
        cut(true);
        for (const [key, sum] of added) {
          expect((handed.get(key) ?? 0) + 0).to.equal(Math.round(sum) + 0);
        }
      }),
    );
  });
});

describe('integerPart', () => {
  it('is the nearest integer within a millionth, else the one towards zero', () => {
    const table: [number, number][] = [
      [2.9999999, 3],
      [2.9999, 2],
      [3.0000001, 3],
      [-2.9999999, -3],
      [-2.5, -2],
      [2 ** 53, 2 ** 53],
      [1e300, 1e300],
    ];
    for (const [sum, part] of table) expect(integerPart(sum)).to.equal(part);
  });
});

function add(book: CounterBook, name: string, sum: number, samples = 1): void {
  book.add(book.entry(name), sum, samples);
}

function amountOf(book: CounterBook, name: string): number {
  const items = book.cut();
  expect(items.map((item) => item.name)).to.deep.equal([name]);
  return items[0]!.amount;
}
