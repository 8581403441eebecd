import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { createGrowth } from '../../src/flush/growth.ts';

const MINUTE_MS = 60_000;

function grown(...names: string[]): [string, number][] {
  const growth = createGrowth(() => 0);
  for (const name of names) growth.add(name);
  return growth.top().map(({ name, keys }) => [name, keys]);
}

function many(count: number, name: (at: number) => string): string[] {
  return Array.from({ length: count }, (_, at) => name(at));
}

describe('What grows', () => {
  const facts: [what: string, names: string[], told: [string, number][]][] = [
    ['nothing', [], []],
    ['a name', ['a'], [['a', 1]]],
    ['a name, as counter and as timing', ['a', 'a'], [['a', 2]]],
    ['names that begin alike', ['api.hits', 'api.time'], [['api.', 2]]],
    ['a name alone', ['api.hits'], [['api.', 1]]],
    ['sets of tags', many(5, (id) => `checkout.time;id=${id}`), [['checkout.time', 5]]],
    [
      'sets of tags among others',
      [...many(5, (id) => `checkout.time;id=${id}`), 'checkout.a', 'x.y'],
      [['checkout.time', 5], ['x.', 1]],
    ],
    ['ids within names', many(50, (id) => `user.${id}.hits`), [['user.', 50]]],
    ['ids further within', many(50, (id) => `api.user.${id}.hits`), [['api.user.', 50]]],
    [
      'ids at two places',
      [...many(50, (id) => `api.user.${id}`), ...many(40, (id) => `api.order.${id}`)],
      [['api.user.', 50], ['api.order.', 40]],
    ],
    [
      'many places',
      many(50, (id) => `api.${'abcde'[id % 5]!}.${id}`),
      [['api.', 50]],
    ],
    ['hostile names', ['__proto__', '.', '..', ';', 'constructor;a=b'], [
      ['.', 2], ['', 1], ['__proto__', 1], ['constructor', 1],
    ]],
  ]; // prettier-ignore
  for (const [what, names, told] of facts) {
    it(`by ${what} is told by its name`, () => {
      expect(grown(...names)).to.deep.equal(told);
    });
  }

  it('is told of ten at most, the most first', () => {
    const names = Array.from({ length: 20 }, (_, at) =>
      many(at + 1, (id) => `n${at};id=${id}`),
    ).flat();
    const told = grown(...names);
    const most = Array.from({ length: 10 }, (_, at) => [`n${19 - at}`, 20 - at]);
    expect(told).to.deep.equal(most);
  });

  it('is forgotten after ten minutes', () => {
    let nowMs = 59_000;
    const growth = createGrowth(() => nowMs);
    const keys = (): number | undefined => growth.top()[0]?.keys;
    for (let minute = 0; minute < 10; minute++) {
      growth.add('a');
      expect(keys()).to.equal(minute + 1);
      nowMs += MINUTE_MS;
    }
    const left: (number | undefined)[] = [];
    for (let minute = 0; minute < 11; minute++) {
      left.push(keys());
      nowMs += MINUTE_MS;
    }
    expect(left).to.deep.equal([9, 8, 7, 6, 5, 4, 3, 2, 1, undefined, undefined]);
    growth.add('b');
    nowMs += 30 * MINUTE_MS;
    expect(growth.top()).to.deep.equal([]);
    growth.add('c');
    nowMs -= 60 * MINUTE_MS; // set back
    growth.add('d');
    expect(growth.top()).to.deep.equal([{ name: 'd', keys: 1 }]);
  });

  it('has the counts of a naive model', () => {
    const unit = fc.constantFrom('a', 'b', '.', ';');
    const event = fc.tuple(fc.string({ unit, minLength: 1, maxLength: 6 }), fc.nat(3));
    const property = fc.property(fc.array(event, { maxLength: 80 }), (events) => {
      let minute = 100;
      const growth = createGrowth(() => minute * MINUTE_MS);
      const all: [minute: number, name: string][] = [];
      for (const [name, passed] of events) {
        minute += passed;
        growth.add(name);
        all.push([minute, name]);
      }
      const recent = all.filter(([at]) => at > minute - 10).map(([, name]) => name);
      const told = growth.top();
      for (const { name, keys } of told) {
        const within = recent.filter((one) => {
          const [bare = ''] = one.split(';');
          if (name.endsWith('.')) return bare.startsWith(name);
          // One with a dot and no tags is of its prefixes alone.
          return bare === name && (one.includes(';') || !name.includes('.'));
        });
        expect(keys, name).to.equal(within.length);
      }
      const counts = told.map(({ keys }) => keys);
      expect(counts).to.deep.equal(counts.toSorted((one, other) => other - one));
      expect(told.length > 0).to.equal(recent.length > 0);
    });
    fc.assert(property, { numRuns: 1000 });
  });

  it('is found in a flood of other names, a thousandth too low at most, in bounded memory', () => {
    const growth = createGrowth(() => 0);
    const counted = 200_000;
    for (let at = 0; at < counted; at++) {
      growth.add(at % 10 === 0 ? `checkout.time;id=${at}` : `n${at};a=b`);
    }
    const [first] = growth.top();
    expect(first!.name).to.equal('checkout.time');
    const real = counted / 10;
    expect(first!.keys).to.be.within(real - (1.1 * counted) / 1000, real);
    expect(growth.top()).to.have.lengthOf.at.most(10);
  });
});
