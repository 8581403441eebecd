import { expect } from 'chai';
import { describe, it } from 'mocha';
import { type CounterBook, createCounterBook } from '../../src/flush/counter-book.ts';

describe('The counter book’s amounts', () => {
  it('are what waits, by name, in order of first sight', () => {
    const book = createCounterBook(100);
    add(book, 'b', 2);
    add(book, 'a', 0.5);
    add(book, 'b', -5);
    expect([...book.amounts()]).to.deep.equal([
      ['b', -3],
      ['a', 0.5],
    ]);
  });

  it('are the remainders behind a cut, and nothing of what is whole', () => {
    const book = createCounterBook(100);
    add(book, 'rest', 2.75);
    add(book, 'whole', 3);
    book.cut();
    expect([...book.amounts()]).to.deep.equal([['rest', 0.75]]);
    book.roundRemainders();
    book.cut();
    expect([...book.amounts()]).to.deep.equal([]);
  });

  it('name also what waits with 0, until it is cut', () => {
    const book = createCounterBook(100);
    add(book, 'zero', 0);
    add(book, 'none', 3);
    add(book, 'none', -3);
    expect([...book.amounts()]).to.deep.equal([
      ['zero', 0],
      ['none', 0],
    ]);
    book.cut();
    expect(book.amounts().size).to.equal(0);
  });

  it('leave out a name that was only asked for', () => {
    const book = createCounterBook(100);
    book.entry('a');
    expect(book.amounts().size).to.equal(0);
  });

  it('are a copy', () => {
    const book = createCounterBook(100);
    add(book, 'a', 1);
    const amounts = book.amounts();
    amounts.set('a', 9).set('b', 9);
    add(book, 'a', 1);
    expect(amounts.get('a')).to.equal(9);
    expect([...book.amounts()]).to.deep.equal([['a', 2]]);
  });

  it('know names such as __proto__ as ordinary ones', () => {
    const book = createCounterBook(100);
    for (const name of ['__proto__', 'constructor', '']) add(book, name, 1);
    expect([...book.amounts().keys()]).to.deep.equal(['__proto__', 'constructor', '']);
  });
});

describe('The counter book has', () => {
  it('a name from its entry on, and until it is forgotten', () => {
    const book = createCounterBook(100);
    expect(book.has('a')).to.equal(false);
    book.entry('a');
    expect(book.has('a')).to.equal(true);
    book.nextPeriod();
    expect(book.has('a')).to.equal(true);
    book.nextPeriod();
    expect(book.has('a')).to.equal(false);
  });

  it('no name for being asked, nor one that every object has', () => {
    const book = createCounterBook(100);
    for (const name of ['a', '__proto__', 'constructor', 'toString']) {
      expect(book.has(name), name).to.equal(false);
    }
    expect(book.size).to.equal(0);
  });
});

describe('A name registered with no samples', () => {
  it('is written once, with 0, and stands for no samples', () => {
    const book = createCounterBook(100);
    add(book, 'a', 0, 0);
    expect(book.pendingSamples).to.equal(0);
    expect(book.cut()).to.deep.equal([{ name: 'a', amount: 0, samples: 0, first: true }]);
    add(book, 'a', 0, 0);
    expect(book.cut()).to.deep.equal([]);
    book.roundRemainders();
    expect(book.cut()).to.deep.equal([]);
  });

  it('is written once however often it is registered before', () => {
    const book = createCounterBook(100);
    for (let turn = 0; turn < 3; turn++) add(book, 'a', 0, 0);
    expect(book.cut()).to.have.length(1);
  });

  it('is written with what was counted meanwhile, and those samples', () => {
    const book = createCounterBook(100);
    add(book, 'a', 0, 0);
    add(book, 'a', 3, 2);
    expect(book.cut()).to.deep.equal([{ name: 'a', amount: 3, samples: 2, first: true }]);
  });

  it('is not written again when it was counted before', () => {
    const book = createCounterBook(100);
    add(book, 'a', 2);
    book.cut();
    add(book, 'a', 0, 0);
    expect(book.cut()).to.deep.equal([]);
  });

  it('waits among the amounts, and is not forgotten before it is written', () => {
    const book = createCounterBook(100);
    add(book, 'a', 0, 0);
    for (let turn = 0; turn < 3; turn++) book.nextPeriod();
    expect([...book.amounts()]).to.deep.equal([['a', 0]]);
    expect(book.cut().map(({ name }) => name)).to.deep.equal(['a']);
  });
});

function add(book: CounterBook, name: string, sum: number, samples = 1): void {
  book.add(book.entry(name), sum, samples);
}
