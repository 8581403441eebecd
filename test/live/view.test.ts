import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';

import { matcherOf, readView, type StreamView } from '../../src/live/view.ts';

const NOTHING: StreamView = {
  watched: [],
  span: 300,
  list: { q: '', kind: 'all', sort: 'name', from: 0, rows: 50 },
};

function read(query: string): StreamView | string[] {
  return readView(new URLSearchParams(query));
}

describe('What a stream is asked for', () => {
  for (const [query, expected] of [
    ['', {}],
    ['span=7200', { span: 7200 }],
    ['token=x&unknown=1', {}],
    ['t=0:a', { watched: [{ kind: 'timing', since: 0, name: 'a' }] }],
    ['c=1800000000:a', { watched: [{ kind: 'counter', since: 1_800_000_000, name: 'a' }] }],
    ['g=0:a', { watched: [{ kind: 'gauge', since: 0, name: 'a' }] }],
    ['s=0:a', { watched: [{ kind: 'set', since: 0, name: 'a' }] }],
    ['p=0:', { watched: [{ kind: 'prefix', since: 0, name: '' }] }],
    ['t=5:a:b:c', { watched: [{ kind: 'timing', since: 5, name: 'a:b:c' }] }],
    ['t=0:a%26b%3D%2B%20%C3%A9', { watched: [{ kind: 'timing', since: 0, name: 'a&b=+ é' }] }],
    ['t=0:__proto__', { watched: [{ kind: 'timing', since: 0, name: '__proto__' }] }],
    ['t=007:a', { watched: [{ kind: 'timing', since: 7, name: 'a' }] }],
    [
      'p=3:x&t=1:x&c=2:x&t=1:x',
      {
        watched: [
          { kind: 'prefix', since: 3, name: 'x' },
          { kind: 'timing', since: 1, name: 'x' },
          { kind: 'counter', since: 2, name: 'x' },
          { kind: 'timing', since: 1, name: 'x' },
        ],
      },
    ],
  ] as [string, Partial<StreamView>][]) {
    it(`is read from ${query === '' ? 'nothing' : query}`, () => {
      expect(read(query)).to.deep.equal({ ...NOTHING, ...expected });
    });
  }

  for (const [query, expected] of [
    ['q=api', { q: 'api' }],
    ['q=a*%20b', { q: 'a* b' }],
    ['kind=all', {}],
    ['kind=gauge', { kind: 'gauge' }],
    ['kind=set', { kind: 'set' }],
    ['kind=counter', { kind: 'counter' }],
    ['kind=timing&sort=p99', { kind: 'timing', sort: 'p99' }],
    ['sort=name', {}],
    ['sort=rate', { sort: 'rate' }],
    ['from=7&rows=0', { from: 7, rows: 0 }],
    ['from=1000000000&rows=200', { from: 1_000_000_000, rows: 200 }],
  ] as [string, Partial<StreamView['list']>][]) {
    it(`is read from ${query} for the list`, () => {
      const list = { ...NOTHING.list, ...expected };
      expect(read(query)).to.deep.equal({ ...NOTHING, list });
    });
  }

  for (const [query, ...faults] of [
    ['t=a', 't: expected <second>:<name>, the second a whole number, got "a"'],
    ['t=', 't: expected <second>:<name>, the second a whole number, got nothing'],
    ['c=:a', 'c: expected <second>:<name>, the second a whole number, got ":a"'],
    ['p=-1:a', 'p: expected <second>:<name>, the second a whole number, got "-1:a"'],
    ['t=1.5:a', 't: expected <second>:<name>, the second a whole number, got "1.5:a"'],
    ['t=1e9:a', 't: expected <second>:<name>, the second a whole number, got "1e9:a"'],
    ['t=99999999999999999:a', /^t: expected <second>/],
    ['span=60', 'span: expected one of 300, 7200, got "60"'],
    ['span=', 'span: expected one of 300, 7200, got nothing'],
    ['kind=toString', 'kind: expected one of all, counter, gauge, set, timing, got "toString"'],
    ['sort=count', 'sort: expected one of name, rate, p99, got "count"'],
    ['from=-1', /^from: expected a whole number from 0 to \d+, got "-1"$/],
    ['rows=201', 'rows: expected a whole number from 0 to 200, got "201"'],
    ['rows=', 'rows: expected a whole number from 0 to 200, got nothing'],
    ['rows=1&rows=2', 'rows: expected it once, got "1, 2"'],
    [`q=${'x'.repeat(1001)}`, `q: expected at most 1000 characters, got "${'x'.repeat(100)}…"`],
    ['t=0:a&'.repeat(17), 'expected at most 16 of t, c, g, s and p together, got 17'],
    ['t=x&span=1&rows=x', /^t: /, /^span: /, /^rows: /],
  ] as [string, ...(string | RegExp)[]][]) {
    it(`is refused of ${query.slice(0, 40)}, saying what was expected`, () => {
      const found = read(query) as string[];
      expect(found).to.be.an('array').with.length(faults.length);
      for (const [at, fault] of faults.entries()) {
        if (typeof fault === 'string') expect(found[at]).to.equal(fault);
        else expect(found[at]).to.match(fault);
      }
    });
  }

  it('never throws, whatever the query holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const found = read(text);
        if (Array.isArray(found)) expect(found.every((one) => one.length < 500)).to.equal(true);
      }),
    );
  });
});

describe('A search', () => {
  for (const [q, matching, others] of [
    ['', ['', 'a', 'Ä*'], []],
    ['api', ['api', 'my.API.hits', 'apiapi'], ['ap', 'a.p.i']],
    ['A*', ['a', 'abc', 'A.b'], ['ba', '']],
    ['*a', ['a', 'bA'], ['ab']],
    ['a*a', ['aa', 'aba', 'a.x.A'], ['a', 'ab']],
    [
      'api.*.p99',
      ['api.x.p99', 'api.x.y.p99', 'api..p99'],
      ['api.p99', 'xapi.x.p99', 'api.x.p99.'],
    ],
    ['*b*', ['b', 'abc'], ['ac', '']],
    ['a*b*c', ['abc', 'a1b2c', 'abcbc'], ['acb', 'ac', 'abcd']],
    ['**', ['', 'a'], []],
    ['a.c', ['xa.cx'], ['abc']],
    ['(+[', ['x(+[y'], ['+']],
    ['zone:eu', ['a;zone=eu', 'a;b=c;Zone=EU-west', 'zone:eu'], ['a;zone=us', 'zone.eu', 'a;eu=']],
    ['zone=eu', ['a;zone=eu', 'a;zone=eu1'], ['a;zone=us', 'zone:eu']],
    ['zone:', ['a;zone=eu', 'a;zone='], ['zone', 'a;zo=ne']],
    ['checkout zone:eu', ['checkout.time;zone=eu'], ['checkout.time', 'x;zone=eu', 'checkout']],
    ['zone:eu  checkout host', ['checkout.time;host=a;zone=eu'], ['checkout.time;zone=eu']],
    ['a b', ['a b', 'ba', 'x;b=a'], ['a', 'b']],
    [' a ', ['a', 'b a c'], ['b']],
    ['   ', ['', 'a'], []],
    ['a b*', ['a b', 'a bc', 'A b;k=v', 'b.a'], ['ab', 'xa b']],
    ['api.*', ['api.x;zone=eu', 'api.;x='], ['x;zone=api.x', 'x;api.y=z']],
    ['*.time', ['checkout.time;zone=eu', 'a.time'], ['a.times;zone=eu', 'a;b=.time0']],
    ['zone:e*', ['a;zone=eu', 'a;b=c;zone=e', 'zone:eu'], ['a;zone=us', 'a;azone=eu', 'zone']],
    ['z*=*u', ['a;zone=eu', 'a;z=u'], ['a;zone=us', 'a;b=zu']],
    ['api.* zone:e*', ['api.x;zone=eu'], ['api.x;zone=us', 'x;zone=eu']],
    ['k:v:w', ['a;k=v:w', 'k:v:w'], ['a;k=v=w']],
    ['__proto__:', ['a;__proto__=b'], ['__proto__']],
  ] as [string, string[], string[]][]) {
    it(`for ${JSON.stringify(q)} finds what it should`, () => {
      const matches = matcherOf(q);
      for (const name of matching) expect(matches(name), name).to.equal(true);
      for (const name of others) expect(matches(name), name).to.equal(false);
    });
  }

  it('with stars finds what a regular expression finds', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'A', '*', '.'), maxLength: 8 });
    const names = fc.string({ unit: fc.constantFrom('a', 'b', 'B', '.'), maxLength: 12 });
    fc.assert(
      fc.property(letters, names, (q, name) => {
        const parts = q.split('*').map((part) => part.replaceAll('.', '\\.'));
        const pattern = q.includes('*') ? `^${parts.join('.*')}$` : parts.join('');
        expect(matcherOf(q)(name)).to.equal(new RegExp(pattern, 'is').test(name));
      }),
      { numRuns: 2000 },
    );
  });

  it('of many stars takes no time that grows with their number', () => {
    const matches = matcherOf('*a'.repeat(400) + '*b');
    const name = 'a'.repeat(5000);
    const startMs = performance.now();
    expect(matches(name)).to.equal(false);
    // It took 2 ms; each further star would take a thousand times as long, if it tried all places.
    expect(performance.now() - startMs).to.be.below(2000);
  });
});
