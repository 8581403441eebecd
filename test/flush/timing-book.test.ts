import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { createTimingBook, type TimingBook } from '../../src/flush/timing-book.ts';

const BODY_MAX = 4 << 20;

describe('The timing book', () => {
  it('cuts everything into one body, names and values in order of arrival', () => {
    const book = createTimingBook('n', BODY_MAX);
    add(book, 'b', 320, 12.5);
    add(book, 'a', 3);
    add(book, 'b', 0);
    expect(book.pendingSamples).to.equal(4);
    const body = book.cut()!;
    expect(body.samples).to.equal(4);
    expect(body.text).to.equal(
      '{"b":{"_type":"n","_value":[320,12.5,0]},"a":{"_type":"n","_value":[3]}}',
    );
    expect(book.pendingSamples).to.equal(0);
  });

  it('has no body where nothing waits', () => {
    const book = createTimingBook('n', BODY_MAX);
    expect(book.cut()).to.equal(undefined);
    book.touch(book.entry('a'));
    expect(book.cut()).to.equal(undefined);
    add(book, 'a', 1);
    book.cut();
    expect(book.cut()).to.equal(undefined);
  });

  it('does not keep the array it is given', () => {
    const book = createTimingBook('n', BODY_MAX);
    const lent = Float64Array.of(1, 2);
    book.add(book.entry('a'), lent, Float64Array.of(1, 1));
    lent.fill(9);
    expect(listsOf(book.cut()!.text)).to.deep.equal({ a: [1, 2] });
  });

  describe('folded', () => {
    it('waits as a histogram per name and goes out as h, with what came since', () => {
      const book = createTimingBook('n', BODY_MAX);
      add(book, 'a', 12.5, 12.7, 940);
      add(book, 'b', 1);
      expect([book.pendingSamples, book.listedSamples]).to.deep.equal([4, 4]);
      book.fold();
      expect([book.pendingSamples, book.listedSamples]).to.deep.equal([4, 0]);
      add(book, 'a', 13);
      add(book, 'c', 7);
      const body = book.cut()!;
      expect(body.samples).to.equal(6);
      expect(JSON.parse(body.text)).to.deep.equal({
        a: { _type: 'h', _value: ['H[1.2e+01]=2', 'H[1.3e+01]=1', 'H[9.4e+02]=1'] },
        b: { _type: 'h', _value: ['H[1.0e+00]=1'] },
        c: { _type: 'n', _value: [7] },
      });
      expect([book.pendingSamples, book.listedSamples, book.cut()]).to.deep.equal([
        0,
        0,
        undefined,
      ]);
      add(book, 'a', 5);
      expect(listsOf(book.cut()!.text)).to.deep.equal({ a: [5] });
    });

    it('counts a sample 1/rate times, the fraction carried to the name’s next one', () => {
      const book = createTimingBook('n', BODY_MAX);
      for (let n = 0; n < 3; n++) {
        book.add(book.entry('a'), Float64Array.of(5), Float64Array.of(1 / 0.3));
        book.fold();
      }
      add(book, 'a', 7);
      const body = book.cut()!;
      expect(body.samples).to.equal(4);
      expect(body.text).to.equal('{"a":{"_type":"h","_value":["H[5.0e+00]=10","H[7.0e+00]=1"]}}');
    });

    it('takes no more memory for more samples: bins, not values', () => {
      const book = createTimingBook('n', BODY_MAX);
      const many = Float64Array.from({ length: 100_000 }, (_, at) => 1 + (at % 100));
      for (let n = 0; n < 10; n++) {
        book.add(book.entry('a'), many, new Float64Array(many.length).fill(1));
        book.fold();
      }
      const body = book.cut()!;
      expect(body.samples).to.equal(1_000_000);
      expect(body.text.length).to.be.below(3000);
    });

    it('a weight beyond reason is cut, and nothing throws', () => {
      const book = createTimingBook('h', BODY_MAX);
      const values = Float64Array.of(1, 1, 2);
      book.add(book.entry('a'), values, Float64Array.of(1e300, 1e300, 1));
      const { samples, text } = book.cut()!;
      expect(samples).to.equal(3);
      expect(text, 'the others are there all the same').to.include('"H[2.0e+00]=1"');
    });
  });

  it('of type h, sends every name as a histogram', () => {
    const book = createTimingBook('h', BODY_MAX);
    add(book, 'a', 1, 2, 1);
    book.add(book.entry('b'), Float64Array.of(30), Float64Array.of(10));
    expect(JSON.parse(book.cut()!.text)).to.deep.equal({
      a: { _type: 'h', _value: ['H[1.0e+00]=2', 'H[2.0e+00]=1'] },
      b: { _type: 'h', _value: ['H[3.0e+01]=10'] },
    });
  });

  it('splits a single huge list over bodies, each within the limit, in order', () => {
    const book = createTimingBook('n', 1000);
    const values = Array.from({ length: 5000 }, (_, at) => at / 7);
    add(book, 'a', ...values);
    const found: number[] = [];
    let bodies = 0;
    for (let body = book.cut(); body !== undefined; body = book.cut()) {
      expect(Buffer.byteLength(body.text)).to.be.at.most(1000);
      const list = listsOf(body.text)['a']!;
      expect(body.samples).to.equal(list.length);
      found.push(...list);
      expect(book.pendingSamples).to.equal(values.length - found.length);
      bodies++;
    }
    expect(found).to.deep.equal(values);
    // Bodies are filled, not half empty.
    expect(bodies).to.be.at.most((values.join(',').length / 940) * 1.1);
  });

  it('takes what comes between two bodies of one list behind what waits', () => {
    const book = createTimingBook('n', 120);
    add(book, 'a', ...Array.from({ length: 20 }, () => 1.2345678901234567));
    const first = listsOf(book.cut()!.text)['a']!.length;
    add(book, 'a', 7);
    add(book, 'b', 8);
    const rest: number[] = [];
    for (let body = book.cut(); body !== undefined; body = book.cut()) {
      const lists = listsOf(body.text);
      rest.push(...(lists['a'] ?? []), ...(lists['b'] ?? []));
    }
    expect(rest).to.have.length(20 - first + 2);
    expect(rest.slice(-2)).to.deep.equal([7, 8]);
  });

  it('forgets a name after a whole period without it, but not while something waits', () => {
    const book = createTimingBook('n', BODY_MAX);
    add(book, 'waits', 1);
    add(book, 'sent', 2);
    book.touch(book.entry('touched'));
    expect(book.nextPeriod()).to.deep.equal(['waits', 'sent', 'touched']);
    expect(book.nextPeriod()).to.deep.equal([]);
    expect(book.size).to.equal(2);
    book.cut();
    book.nextPeriod();
    expect(book.size).to.equal(0);
  });

  it('gives back every value once, within the limit, for any additions and cuts', () => {
    const name = fc.constantFrom('a', 'b', '__proto__', '_type', 'é', 'a b', '"\\');
    const values = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 12 });
    const step = fc.oneof(fc.tuple(name, values), fc.constant('cut' as const));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.integer({ min: 80, max: 400 }), runOf),
    );
  });
});

function runOf(steps: ('cut' | [string, number[]])[], limit: number): void {
  const book = createTimingBook('n', limit);
  const added: string[] = [];
  const found: string[] = [];
  const cut = (): boolean => {
    const body = book.cut();
    if (body === undefined) return false;
    expect(Buffer.byteLength(body.text)).to.be.at.most(limit);
    let samples = 0;
    for (const [key, list] of Object.entries(listsOf(body.text))) {
      for (const value of list) found.push(`${decodeURIComponent(key)} ${value + 0}`);
      samples += list.length;
    }
    expect(body.samples).to.equal(samples);
    return true;
  };
  for (const one of steps) {
    if (one === 'cut') cut();
    else {
      add(book, one[0], ...one[1]);
      added.push(...one[1].map((value) => `${one[0]} ${value + 0}`));
    }
  }
  while (cut());
  expect(book.pendingSamples).to.equal(0);
  expect(found.toSorted()).to.deep.equal(added.toSorted());
}

function add(book: TimingBook, name: string, ...values: number[]): void {
  book.add(book.entry(name), Float64Array.from(values), new Float64Array(values.length).fill(1));
}

/** Returns the lists of a body by name, `__proto__` too. */
function listsOf(text: string): Record<string, number[]> {
  const members = JSON.parse(text) as Record<string, { _type: string; _value: number[] }>;
  return Object.fromEntries(
    Object.entries(members).map(([name, { _type: type, _value: list }]) => {
      expect(type).to.equal('n');
      return [name, list];
    }),
  );
}
