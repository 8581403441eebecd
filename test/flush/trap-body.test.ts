import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { createBodyWriter } from '../../src/flush/trap-body.ts';
import { trapName } from '../../src/flush/trap-name.ts';

describe('The body of a trap', () => {
  it('is byte for byte what the grammar says', () => {
    const body = createBodyWriter(1000);
    expect(body.append('api.latency', [320, 12.5], 0)).to.equal(2);
    expect(body.append('db', [9, 3], 1)).to.equal(2);
    expect(body.end()).to.deep.equal({
      text: '{"api.latency":{"_type":"n","_value":[320,12.5]},"db":{"_type":"n","_value":[3]}}',
      samples: 3,
    });
  });

  it('of nothing is none', () => {
    const body = createBodyWriter(1000);
    expect(body.end()).to.equal(undefined);
    expect(body.append('a', [], 0)).to.equal(0);
    expect(body.end()).to.equal(undefined);
  });

  it('takes as many values as fit, and says where to go on', () => {
    const values = Array.from({ length: 100 }, (_, at) => at);
    const body = createBodyWriter(100);
    const next = body.append('a', values, 0);
    const { text, samples } = body.end()!;
    expect(samples).to.equal(next);
    expect(JSON.parse(text)).to.deep.equal({ a: { _type: 'n', _value: values.slice(0, next) } });
    expect(text.length).to.be.within(100 - 25, 100);
  });

  it('takes no name for which no value fits, and stays whole', () => {
    const body = createBodyWriter(80);
    expect(body.append('a', [1], 0)).to.equal(1);
    expect(body.append('b'.repeat(60), [2], 0)).to.equal(0);
    expect(body.end()!.text).to.equal('{"a":{"_type":"n","_value":[1]}}');
  });

  it('carries every double as it is, the longest too', () => {
    const values = [-1.2345678901234567e-308, 5e-324, 1.7976931348623157e308, 1e21, 0.1, 1e-7];
    const body = createBodyWriter(1000);
    body.append('a', values, 0);
    expect(JSON.parse(body.end()!.text)).to.deep.equal({ a: { _type: 'n', _value: values } });
  });

  it('is never over its limit and parses back, for any names and lists', () => {
    const value = fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => one + 0);
    const lists = fc.dictionary(fc.string({ maxLength: 40 }), fc.array(value, { maxLength: 30 }));
    fc.assert(
      fc.property(lists, fc.integer({ min: 2, max: 2000 }), (given, limit) => {
        const writer = createBodyWriter(limit);
        const taken: [string, unknown][] = [];
        let samples = 0;
        for (const [name, values] of Object.entries(given)) {
          const safe = `${taken.length}${trapName(name)}`;
          const next = writer.append(safe, values, 0);
          samples += next;
          if (next > 0) taken.push([safe, { _type: 'n', _value: values.slice(0, next) }]);
        }
        const body = writer.end();
        if (samples === 0) {
          expect(body).to.equal(undefined);
          return;
        }
        expect(body!.samples).to.equal(samples);
        expect(Buffer.byteLength(body!.text)).to.be.at.most(limit);
        expect(JSON.parse(body!.text)).to.deep.equal(Object.fromEntries(taken));
      }),
    );
  });
});

describe('A name for a trap', () => {
  const table: [name: string, safe: string][] = [
    ['api.latency', 'api.latency'],
    ['a b', 'a b'],
    ['a"b\\c', 'a"b\\c'],
    ['/users/{id}?x=1&y=~', '/users/{id}?x=1&y=~'],
    ['_type', '%5Ftype'],
    ['_value', '%5Fvalue'],
    ['_ts', '%5Fts'],
    ['_tags', '%5Ftags'],
    ['_fl', '%5Ffl'],
    ['_types', '_types'],
    ['a._type', 'a._type'],
    ['__proto__', '__proto__'],
    ['a`b', 'a%60b'],
    ['a%60b', 'a%2560b'],
    ['%5Ftype', '%255Ftype'],
    ['50% of it', '50% of it'],
    ['t;k=é', 't|ST[k:b"w6k="]'],
    ['t;k=b"w6k="', 't|ST[k:b"YiJ3Nms9Ig=="]'],
    ['t;a=;b=x:y', 't|ST[a:,b:x:y]'],
    ['é;k=v', '%C3%A9|ST[k:v]'],
    ['_type;k=v', '%5Ftype|ST[k:v]'],
    ['`', '%60'],
    ['é', '%C3%A9'],
    ['日', '%E6%97%A5'],
    ['😀', '%F0%9F%98%80'],
    ['a\nb', 'a%0Ab'],
    ['\0', '%00'],
    ['a\x7f', 'a%7F'],
    ['a\x1bb', 'a%1Bb'],
    [' a', '%20a'],
    ['a ', 'a%20'],
    ['  a  b  ', '%20 a  b %20'],
    [' ', '%20'],
    ['   ', '%20 %20'],
    ['\u00a0a', '%C2%A0a'],
  ];
  for (const [name, safe] of table) {
    it(`${JSON.stringify(name)} is ${safe}`, () => expect(trapName(name)).to.equal(safe));
  }

  it('of 4,095 bytes is kept; one byte more is cut and marked', () => {
    const fits = 'a'.repeat(4095);
    expect(trapName(fits)).to.equal(fits);
    const cut = trapName(`${fits}a`);
    expect(cut).to.match(/^a{4086}%[0-9a-f]{8}$/);
    expect(cut).to.have.length(4095);
  });

  it('of which the end is cut keeps apart from others that begin alike', () => {
    const start = 'a'.repeat(5000);
    const names = ['1', '2', '3', '22', ''].map((end) => trapName(start + end));
    expect(new Set(names).size).to.equal(names.length);
    expect(trapName(`${start}1`)).to.equal(names[0]);
  });

  it('is never cut within an escape', () => {
    for (let at = 0; at < 12; at++) {
      const safe = trapName('a'.repeat(4080 + at) + 'é'.repeat(20));
      expect(safe.length).to.be.at.most(4095);
      expect(safe).to.match(/^(?:[a-z]|%[0-9A-F]{2})+%[0-9a-f]{8}$/);
    }
  });

  it('is ASCII that every trap takes, for any name', () => {
    const name = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 3 }).map((unit) => unit.repeat(2000)),
    );
    fc.assert(
      fc.property(name, (given) => {
        const safe = trapName(given);
        expect(safe).to.match(/^[!-~](?:[ -~]*[!-~])?$/);
        expect(safe).to.not.include('`');
        expect(safe.length).to.be.within(1, 4095);
        expect(['_type', '_value', '_ts', '_tags', '_fl']).to.not.include(safe);
      }),
    );
  });
});
