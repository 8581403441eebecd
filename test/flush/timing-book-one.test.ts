import { expect } from 'chai';
import { describe, it } from 'mocha';
import { createTimingBook } from '../../src/flush/timing-book.ts';
import { trapName, untaggedTrapName } from '../../src/flush/trap-name.ts';

const BODY_MAX = 4 << 20;

describe('A timing added by itself', () => {
  it('stands in the body as one of a list does, in order of arrival', () => {
    const book = createTimingBook('n', BODY_MAX);
    book.addOne(book.entry('a'), 12.5);
    book.add(book.entry('a'), Float64Array.of(3), Float64Array.of(1));
    book.addOne(book.entry('b'), 0);
    book.addOne(book.entry('a'), 7);
    expect([book.pendingSamples, book.listedSamples]).to.deep.equal([4, 4]);
    expect(book.cut()).to.deep.equal({
      text: '{"a":{"_type":"n","_value":[12.5,3,7]},"b":{"_type":"n","_value":[0]}}',
      samples: 4,
      taken: [
        { name: 'a', samples: 3, carry: 0 },
        { name: 'b', samples: 1, carry: 0 },
      ],
    });
  });

  it('counts once in a histogram, be it among others that count for more', () => {
    const book = createTimingBook('h', BODY_MAX);
    book.addOne(book.entry('a'), 1);
    book.add(book.entry('a'), Float64Array.of(1), Float64Array.of(10));
    book.addOne(book.entry('a'), 1);
    expect(book.cut()).to.deep.equal({
      text: '{"a":{"_type":"h","_value":["H[1.0e+00]=12"]}}',
      samples: 3,
      taken: [{ name: 'a', samples: 3, carry: 0 }],
    });
  });

  it('marks its name as in use', () => {
    const book = createTimingBook('n', BODY_MAX);
    const entry = book.entry('a');
    book.nextPeriod();
    book.addOne(entry, 1);
    book.cut();
    expect(book.nextPeriod()).to.deep.equal(['a']);
    expect(book.size).to.equal(1);
  });
});

describe('The timing book names at the trap', () => {
  const name = '/users;a=b';
  for (const type of ['n', 'h'] as const) {
    it(`of type ${type}: what it is told to, else with tags as stream tags`, () => {
      const named = [createTimingBook(type, BODY_MAX, untaggedTrapName)];
      named.push(
        createTimingBook(type, BODY_MAX),
        createTimingBook(type, BODY_MAX, () => 'x'),
      );
      const names = named.map((book) => {
        book.addOne(book.entry(name), 1);
        return Object.keys(JSON.parse(book.cut()!.text) as object);
      });
      expect(names).to.deep.equal([[name], [trapName(name)], ['x']]);
    });
  }

  it('what is folded too', () => {
    const book = createTimingBook('n', BODY_MAX, untaggedTrapName);
    book.addOne(book.entry(name), 1);
    book.fold();
    expect(Object.keys(JSON.parse(book.cut()!.text) as object)).to.deep.equal([name]);
  });
});
