import { expect } from 'chai';
import { describe, it } from 'mocha';
import { TAG_DIALECTS, type TagDialect } from '../../src/protocol/dialects.ts';
import { countedAs, type Pairs, WIDE, WRITTEN } from './tagged.ts';
import { createWire, shown } from './wire.ts';

const BAD = '(bad_tags)';
const NONE = '(bad_name)';
const LONG = '(name_too_long)';
describe('Tags in all five dialects', () => {
  const facts: [canonical: string, ...tags: Pairs[]][] = [
    ['checkout.time', []],
    ['checkout.time;zone=eu', [['zone', 'eu']], [['zone', 'eu'], ['zone', 'eu']]],
    [
      'checkout.time;canary=;host=a;zone=eu',
      [['zone', 'eu'], ['host', 'a'], ['canary', '']],
      [['canary', ''], ['zone', 'eu'], ['host', 'a']],
      [['host', 'a'], ['canary', ''], ['zone', 'eu'], ['host', 'a'], ['canary', '']],
    ],
    ['checkout.time;zone=eu;zone=us', [['zone', 'us'], ['zone', 'eu']]],
    ['checkout.time;a=b=c', [['a', 'b=c']]],
    ['checkout.time;__proto__=constructor', [['__proto__', 'constructor']]],
    ['checkout.time;a_b=-c', [['a b', '/c?']]],
  ]; // prettier-ignore
  for (const [canonical, ...writings] of facts) {
    it(`are the same ${canonical}, in any order, however often`, () => {
      for (const dialect of TAG_DIALECTS) {
        const wire = createWire(WIDE, 'statsd', { dialect });
        const lines = writings.flatMap((tags) => [
          WRITTEN.dogstatsd('checkout.time', tags),
          WRITTEN.graphite('checkout.time', tags),
          WRITTEN[dialect]('checkout.time', tags),
        ]);
        // First seen, and known.
        for (let round = 0; round < 2; round++) {
          for (const line of lines) wire.send(line);
          const { counters } = wire.drain();
          expect([...counters], dialect).to.deep.equal([[canonical, [lines.length, lines.length]]]);
        }
      }
    });
  }
});

/** Name as it comes · what it is counted as · under `keep`, where that differs. */
const TABLES: Record<TagDialect, [name: string, statsd: string, keep?: string][]> = {
  influx: [
    ['a', 'a'],
    ['a,k=v', 'a;k=v'],
    ['a,k', 'a;k='],
    ['a,', 'a'],
    ['a,k=v,k2=v2,k', 'a;k=;k=v;k2=v2'],
    // The mark that comes first decides what the other one means.
    ['a,k=v;w', 'a;k=v_w'],
    ['a,k;l=v', 'a;k_l=v'],
    ['a;k=v,w', 'a;k=vw', 'a;k=v,w'],
    ['a;k,l=v', 'a;kl=v', 'a;k,l=v'],
    // Other dialects' marks are what they are without a dialect.
    ['a#k=v', 'ak=v', 'a#k=v'],
    ['a[k=v]', 'ak=v', 'a[k=v]'],
    ['a,k=[v]#', 'a;k=v', 'a;k=[v]#'],
    ['a,,', BAD],
    ['a,k=v,', BAD],
    ['a,=v', BAD],
    ['a,k=v,=', BAD],
    [',k=v', NONE],
    [',', NONE],
    ['?,k=v', NONE, '?;k=v'],
    ['a,?=v', BAD, 'a;?=v'],
  ],
  librato: [
    ['a', 'a'],
    ['a#k=v', 'a;k=v'],
    ['a#k', 'a;k='],
    ['a#', 'a'],
    ['a#k=v,k2=v2', 'a;k=v;k2=v2'],
    ['a#k=v#w', 'a;k=vw', 'a;k=v#w'],
    ['a#k=v;w', 'a;k=v_w'],
    ['a;k=v#w', 'a;k=vw', 'a;k=v#w'],
    ['a,k=v', 'ak=v', 'a,k=v'],
    ['a##', BAD, 'a;#='],
    ['a#,', BAD],
    ['a#=v', BAD],
    ['#k=v', NONE],
  ],
  signalfx: [
    ['a', 'a'],
    ['a[k=v]', 'a;k=v'],
    ['a[k]', 'a;k='],
    ['a[]', 'a'],
    // Anywhere in the name.
    ['na[k=v]me', 'name;k=v'],
    ['[k=v]name', 'name;k=v'],
    ['a[k=v,k2=v2].b', 'a.b;k=v;k2=v2'],
    ['a[k=v];g=w', 'a;g=w;k=v'],
    ['na[k=v]me;g=w', 'name;g=w;k=v'],
    ['a[k=v;w]', 'a;k=v_w'],
    ['a[k=[v]', 'a;k=v', 'a;k=[v'],
    ['a;g=[x]', 'a;g=x', 'a;g=[x]'],
    ['a;g[=]x', 'a;g=x', 'a;g[=]x'],
    ['a,k=v', 'ak=v', 'a,k=v'],
    ['a#k=v', 'ak=v', 'a#k=v'],
    // Half a list is no list, and two are one too many.
    ['a[k=v', BAD],
    ['a[', BAD],
    ['a]', BAD],
    ['k=v]a', BAD],
    ['a]k=v[', BAD],
    ['a[k=v]]', BAD],
    ['a[k=v]b[l=w]', BAD],
    ['a[k=v;]g', 'ag;k=v_'],
    ['a[k=v;g=w', BAD],
    ['a[,]', BAD],
    ['a[=v]', BAD],
    ['[k=v]', NONE],
    ['[]', NONE],
    ['[k=v];g=w', NONE],
  ],
};

for (const dialect of TAG_DIALECTS) {
  describe(`A name under --tags ${dialect}`, () => {
    for (const [name, statsd, keep = statsd] of TABLES[dialect]) {
      it(`${shown(name)} is counted as ${shown(statsd)}, kept ${shown(keep)}`, () => {
        expect(countedAs(`${name}:1|c`, dialect)).to.equal(statsd);
        expect(countedAs(`${name}:1|c`, dialect, 'keep')).to.equal(keep);
      });
    }

    it('merges its tags with those behind a #', () => {
      const line = WRITTEN[dialect]('a', [['k', 'v'], ['z', '']]); // prettier-ignore
      expect(countedAs(`${line}|#b:1,k:v,k:w`, dialect)).to.equal('a;b=1;k=v;k=w;z=');
      expect(countedAs(`${line}|#`, dialect)).to.equal('a;k=v;z=');
      expect(countedAs(`${line}|@0.5|#b`, dialect)).to.equal('a;b=;k=v;z=');
      expect(countedAs(`${line}|#,`, dialect)).to.equal(BAD);
    });

    it('has at most 64 tags wherever they stand, of 200 bytes each', () => {
      const many = (count: number): Pairs =>
        Array.from({ length: count }, (_, at) => [`t${String(at).padStart(2, '0')}`, '']);
      const all = `a;${many(64).map(([key]) => `${key}=`).join(';')}`; // prettier-ignore
      expect(countedAs(WRITTEN[dialect]('a', many(64)), dialect)).to.equal(all);
      expect(countedAs(WRITTEN[dialect]('a', many(65)), dialect)).to.equal(BAD);
      const half = WRITTEN[dialect]('a', many(32));
      const rest = many(64).slice(32).map(([key]) => key).join(','); // prettier-ignore
      expect(countedAs(`${half}|#${rest}`, dialect)).to.equal(all);
      expect(countedAs(`${half}|#${rest},t00`, dialect)).to.equal(BAD);
      const value = 'v'.repeat(198);
      expect(countedAs(WRITTEN[dialect]('a', [['k', value]]), dialect)).to.equal(`a;k=${value}`);
      expect(countedAs(WRITTEN[dialect]('a', [['k', `${value}v`]]), dialect)).to.equal(BAD);
      const flood = Array.from({ length: 10_000 }, () => ['k', 'v'] as const);
      expect(countedAs(WRITTEN[dialect]('a', flood), dialect)).to.equal(BAD);
    });

    it('is at most 512 bytes long, its tags not counted', () => {
      const value = 'v'.repeat(190);
      const tags: Pairs = ['a', 'b', 'c', 'd'].map((key) => [key, value]);
      const canonical = tags.map(([key]) => `;${key}=${value}`).join('');
      const most = 'n'.repeat(512);
      expect(countedAs(WRITTEN[dialect](most, tags), dialect)).to.equal(most + canonical);
      expect(countedAs(WRITTEN[dialect](`${most}n`, tags), dialect)).to.equal(LONG);
      expect(countedAs(WRITTEN[dialect](`${most}n`, []), dialect)).to.equal(LONG);
      const both = `${WRITTEN[dialect](most, tags).slice(0, -4)};e=${value}:1|c`;
      if (dialect === 'signalfx') {
        expect(countedAs(both, dialect)).to.equal(`${most}${canonical};e=${value}`);
        expect(countedAs(both.replace(']', ']n'), dialect)).to.equal(LONG);
        expect(countedAs(both.replace('n', ''), dialect)).to.have.lengthOf(511 + 5 * 193);
      }
    });

    it('may be in a line of any form, also one that is refused without harm to others', () => {
      const written = WRITTEN[dialect]('a', [['k', 'v']]);
      const name = written.slice(0, -':1|c'.length);
      const wire = createWire(WIDE, 'statsd', { dialect });
      for (let round = 0; round < 2; round++) {
        wire.send(`${name}:1:2|c|@0.5\n${name}:x|c\n${name}:3|ms\n${name}:1|c:2|ms\n${name}`);
        const { counters, timings, rejected } = wire.drain();
        expect([...counters]).to.deep.equal([['a;k=v', [7, 3]]]);
        expect([...timings]).to.deep.equal([['a;k=v', [[3, 1], [2, 1]]]]); // prettier-ignore
        expect(rejected).to.deep.equal({ bad_value: 1, no_separator: 1 });
      }
    });
  });
}

describe('Tags of bytes that are no UTF-8', () => {
  it('are refused where they would make a name longer than 16,383 bytes', () => {
    const section = (tags: number, bytes: number): string =>
      Array.from({ length: tags }, (_, at) => `${at + 10}:${'\xff'.repeat(bytes)}`).join(',');
    // "a", and 64 times `;10=` and three bytes for each.
    expect(countedAs(`a:1|c|#${section(64, 83)}`, undefined, 'keep')).to.have.lengthOf(5569);
    expect(1 + 64 * (4 + 3 * 83)).to.be.below(16_384);
    for (const bytes of [85, 190]) {
      expect(countedAs(`a:1|c|#${section(64, bytes)}`, undefined, 'keep')).to.equal(BAD);
      expect(countedAs(`a:1|c|#${section(64, bytes)}`, undefined, 'statsd')).to.match(/^a;10=;11=/);
    }
  });
});

describe('Without --tags', () => {
  it('the marks of dialects are characters like others', () => {
    for (const rows of Object.values(TABLES)) {
      for (const [name] of rows) {
        if (name.includes(';') || !/^[ak]/.test(name)) continue;
        expect(countedAs(`${name}:1|c`, undefined, 'keep')).to.equal(name);
        const dropped = name.replaceAll(/[^A-Za-z0-9_.=-]/g, '');
        expect(countedAs(`${name}:1|c`)).to.equal(dropped);
      }
    }
  });
});
