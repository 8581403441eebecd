import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import type { NameRule } from '../../src/protocol/names.ts';
import { canonicalName, sanitise } from '../../src/protocol/names.ts';
import { reasonOf } from '../../src/protocol/reasons.ts';
import { bytesOf, createWire, shown, utf8 } from './wire.ts';

const NONE = '(bad_name)';
const BAD = '(bad_tags)';
/** U+FF5E comes before U+1F600 by its bytes, but behind it by UTF-16 units. */
const BMP = '\uff5e';
const ASTRAL = '\u{1f600}';

/** A name as a text, or the reason in brackets why there is none. */
function named(name: string, tags: string, rule: NameRule): string {
  const result = canonicalName(bytesOf(name), bytesOf(tags), rule);
  return 'name' in result ? result.name : `(${reasonOf(result.refused)})`;
}

/** Name · under `statsd` · under `keep`. */
const NAMES: [name: string, statsd: string, keep: string][] = [
  ['a', 'a', 'a'],
  ['checkout.time_9-B', 'checkout.time_9-B', 'checkout.time_9-B'],
  ['a b', 'a_b', 'a b'],
  ['a   b', 'a_b', 'a   b'],
  ['a \t \tb', 'a_b', 'a _ _b'],
  ['\ta', '_a', '_a'],
  [' a ', '_a_', ' a '],
  [' ', '_', ' '],
  ['a _b', 'a__b', 'a _b'],
  ['a/b/c', 'a-b-c', 'a/b/c'],
  ['/', '-', '/'],
  ['a / b', 'a_-_b', 'a / b'],
  ['a?b', 'ab', 'a?b'],
  ['a ? b', 'a__b', 'a ? b'],
  ['a=b', 'a=b', 'a=b'],
  ['a,b#c[d]{e}', 'abcde', 'a,b#c[d]{e}'],
  ['???', NONE, '???'],
  ['', NONE, NONE],
  ['\0', NONE, '_'],
  ['a\0b', 'ab', 'a_b'],
  ['a\0\0b', 'ab', 'a__b'],
  ['a\rb\x1bc\x7f', 'abc', 'a_b_c_'],
  [utf8('a\u0085b'), 'ab', 'a_b'],
  [utf8('a\u00a0b'), 'ab', 'a\u00a0b'],
  [utf8('größe'), 'gre', 'größe'],
  [utf8('東京'), NONE, '東京'],
  [utf8(`a${ASTRAL}`), 'a', `a${ASTRAL}`],
  [utf8('\ufeffa'), 'a', '\ufeffa'],
  ['caf\xc3', 'caf', 'caf\ufffd'],
  ['\xe2\x82:', NONE, '\ufffd:'],
  ['\xff\xfe', NONE, '\ufffd\ufffd'],
  ['a\xc0\x80b', 'ab', 'a\ufffd\ufffdb'],
  ['a\xed\xa0\x80b', 'ab', 'a\ufffd\ufffd\ufffdb'],
  ['\xc3a', 'a', '\ufffda'],
  ['__proto__', '__proto__', '__proto__'],
  ['constructor', 'constructor', 'constructor'],
  ['.', '.', '.'],
];

/** Name · tags behind `#` · what they make, under both rules. */
const TAGS: [name: string, tags: string, canonical: string][] = [
  ['a', 'k:v', 'a;k=v'],
  ['a', 'k', 'a;k='],
  ['a', 'k:', 'a;k='],
  ['a', 'k:v,k2', 'a;k=v;k2='],
  ['a;k=v', '', 'a;k=v'],
  ['a;k', '', 'a;k='],
  ['a;k=', '', 'a;k='],
  ['a;k=v;k2', '', 'a;k=v;k2='],
  ['a;', '', 'a'],
  ['a;', 'k:v', 'a;k=v'],
  ['a;zone=eu', 'host:a,canary', 'a;canary=;host=a;zone=eu'],
  // Sorted, each once.
  ['a', 'b:1,a:1', 'a;a=1;b=1'],
  ['a', 'a:2,a:10,a:1', 'a;a=1;a=10;a=2'],
  ['a', 'a:b,a', 'a;a=;a=b'],
  ['a', 'B:1,a:1,A:1,_:1,0:1', 'a;0=1;A=1;B=1;_=1;a=1'],
  ['a', 'ab:1,a:1,a-:1', 'a;a=1;a-=1;ab=1'],
  ['a', 'k-:1,k:2', 'a;k=2;k-=1'],
  ['a', 'k:v,k:v', 'a;k=v'],
  ['a', 'k,k:', 'a;k='],
  ['a;k=v', 'k:v', 'a;k=v'],
  ['a;k=v', 'k:w', 'a;k=v;k=w'],
  ['a', 'k:v,k:w,k:v', 'a;k=v;k=w'],
  // Marks inside.
  ['a', 'k:v:w', 'a;k=v:w'],
  ['a', 'k:v=w', 'a;k=v=w'],
  ['a;k=v=w', '', 'a;k=v=w'],
  ['a', 'k;l:v', 'a;k_l=v'],
  ['a', 'k=l:v', 'a;k_l=v'],
  ['a', 'k=l', 'a;k_l='],
  ['a', 'k:v;w', 'a;k=v_w'],
  ['a', ';:;', 'a;_=_'],
  ['a', '=:=', 'a;_=='],
  ['a', 'k:v;w,k:v_w', 'a;k=v_w'],
  // Keys that are missing.
  ['a', ',', BAD],
  ['a', ':', BAD],
  ['a', ':v', BAD],
  ['a', 'k:v,', BAD],
  ['a', ',k:v', BAD],
  ['a', 'k,,l', BAD],
  ['a;;', '', BAD],
  ['a;=', '', BAD],
  ['a;=v', '', BAD],
  ['a;k=v;', '', BAD],
  ['a;;k=v', '', BAD],
  ['a;k=v', ',', BAD],
  [';k=v', '', NONE],
  [';', 'k:v', NONE],
  ['', ',', NONE],
  // Limits, in tags and in bytes as they came.
  ['a', many(64).join(','), `a;${many(64).join('=;')}=`],
  [`a;${many(64).join(';')}`, '', `a;${many(64).join('=;')}=`],
  [`a;${many(32).join(';')}`, many(64).slice(32).join(','), `a;${many(64).join('=;')}=`],
  ['a', many(65).join(','), BAD],
  [`a;${many(65).join(';')}`, '', BAD],
  ['a;k=v', many(64).join(','), BAD],
  ['a', Array(65).fill('k').join(','), BAD],
  ['a', many(30_000).join(','), BAD],
  ['a', 'k'.repeat(200), `a;${'k'.repeat(200)}=`],
  ['a', 'k'.repeat(201), BAD],
  ['a', `k:${'v'.repeat(198)}`, `a;k=${'v'.repeat(198)}`],
  ['a', `k:${'v'.repeat(199)}`, BAD],
  [`a;k=${'v'.repeat(198)}`, '', `a;k=${'v'.repeat(198)}`],
  [`a;k=${'v'.repeat(199)}`, '', BAD],
  ['a', `k:${'\xff'.repeat(199)}`, BAD],
];

/** Name · tags · under `statsd` · under `keep`. */
const SPELLED: [name: string, tags: string, statsd: string, keep: string][] = [
  ['a', 'k 1:v 1', 'a;k_1=v_1', 'a;k 1=v 1'],
  ['a', 'k/:/v', 'a;k-=-v', 'a;k/=/v'],
  ['a', '?:v', BAD, 'a;?=v'],
  ['a', 'k:?', 'a;k=', 'a;k=?'],
  ['a', '\0:v', BAD, 'a;_=v'],
  ['a', 'k\r:\tv', 'a;k=_v', 'a;k_=_v'],
  ['a', 'k?:1,k:1', 'a;k=1', 'a;k=1;k?=1'],
  ['a', 'z?:1,b:1,?a:1', 'a;a=1;b=1;z=1', 'a;?a=1;b=1;z?=1'],
  ['a', 'k:\xc3', 'a;k=', 'a;k=\ufffd'],
  ['a;k=\xff', 'k:\xfe', 'a;k=', 'a;k=\ufffd'],
  ['a', utf8(`${ASTRAL}:1,${BMP}:1`), BAD, `a;${BMP}=1;${ASTRAL}=1`],
  ['a', utf8(`k:${ASTRAL},k:${BMP}`), 'a;k=', `a;k=${BMP};k=${ASTRAL}`],
  ['a', utf8('é:1,z:1'), BAD, 'a;z=1;é=1'],
  ['a', utf8(`k:${'ü'.repeat(99)}`), 'a;k=', `a;k=${'ü'.repeat(99)}`],
  ['a', utf8(`k:${'ü'.repeat(99)}v`), BAD, BAD],
  ['?', 'k:v', NONE, '?;k=v'],
  ['?', ',', NONE, BAD],
];

function many(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `t${String(at).padStart(5, '0')}`);
}

describe('Names', () => {
  for (const [name, statsd, keep] of NAMES) {
    it(`${shown(name)} is ${shown(statsd)}, kept ${shown(utf8(keep))}`, () => {
      expect(named(name, '', 'statsd')).to.equal(statsd);
      expect(named(name, '', 'keep')).to.equal(keep);
    });
  }
  for (const [name, tags, canonical] of TAGS) {
    it(`${shown(name)} with tags ${shown(tags)} is ${shown(canonical)}`, () => {
      expect(named(name, tags, 'keep')).to.equal(canonical);
      // Under this rule the one character of the table that it drops is the second `:`.
      expect(named(name, tags, 'statsd')).to.equal(canonical.replace('v:w', 'vw'));
    });
  }
  for (const [name, tags, statsd, keep] of SPELLED) {
    it(`${shown(name)} with tags ${shown(tags)} is ${shown(statsd)}`, () => {
      expect(named(name, tags, 'statsd')).to.equal(statsd);
      expect(named(name, tags, 'keep')).to.equal(keep);
    });
  }
});

describe('Spellings of one name', () => {
  const facts: [name: string, ...lines: string[]][] = [
    ['a_b', 'a b:1|c', 'a\tb:1|c', 'a_b:1|c', 'a \t b:1|c', '(a b):1|c', 'a b\xc3:1|c', 'a_b;:1|c'],
    ['a;k=v', 'a:1|c|#k:v', 'a;k=v:1|c', 'a;k=v:1|c|#k:v', 'a:1|c|#k:v,k:v', 'a;:1|c|#k:v|@1'],
    ['a;k=;z=1', 'a:1|c|#z:1,k', 'a:1|c|#k,z:1', 'a;z=1:1|c|#k:', 'a;k;z=1:1|c', 'a;z=1;k=:1|c|#'],
  ];
  for (const [name, ...lines] of facts) {
    it(`share the count of ${name}, first seen or known`, () => {
      const wire = createWire();
      for (let round = 0; round < 2; round++) {
        wire.send(lines.join('\n'));
        const { counters } = wire.drain();
        expect([...counters]).to.deep.equal([[name, [lines.length, lines.length]]]);
      }
    });
  }

  it('of different names stay apart', () => {
    const wire = createWire();
    const lines = ['a;k=v:1|c', 'a;k=v:1|ms', 'a:1|c', 'a;k=w:1|c', 'a;k=:1|c', 'a;kv:1|c'];
    wire.send(lines.join('\n'));
    wire.send('ak:1|c|#v\nak:1|c\na:1|c|#kv\na:1|c|#k\nakv:1|c');
    const { counters, timings } = wire.drain();
    const names = ['a', 'a;k=', 'a;k=v', 'a;k=w', 'a;kv=', 'ak', 'ak;v=', 'akv'];
    expect([...counters.keys()].toSorted(compare)).to.deep.equal(names);
    expect(counters.get('a;kv=')).to.deep.equal([2, 2]);
    expect([...timings.keys()]).to.deep.equal(['a;k=v']);
  });
});

describe('A canonical name, for all names and tags', () => {
  // Few characters, so that keys meet; of all lengths in bytes, and all that are special.
  const unit = fc.oneof(
    fc.constantFrom(...'ab =/_\t.\0é\u0085\ufeff'.split(''), BMP, ASTRAL).map(utf8),
    fc.constantFrom('\xc3', '\xff', '\xe2\x82', '?'),
  );
  const base = fc.string({ unit, maxLength: 8 });
  const tag = fc.tuple(
    fc.string({ unit: fc.oneof(unit, fc.constant(';')), minLength: 1, maxLength: 3 }),
    fc.string({ unit: fc.oneof(unit, fc.constantFrom(';', ':')), maxLength: 3 }),
  );
  const tags = fc.array(tag, { maxLength: 8 });
  const rule = fc.constantFrom<NameRule>('statsd', 'keep');
  const spell = (pairs: [string, string][]): string => pairs.map((pair) => pair.join(':')).join();
  const many5 = { numRuns: 3000 };

  it('is its own canonical name', () => {
    const property = fc.property(base, tags, rule, (name, pairs, under) => {
      const once = named(name, spell(pairs), under);
      if (once !== NONE && once !== BAD) expect(named(utf8(once), '', under)).to.equal(once);
    });
    fc.assert(property, many5);
  });

  it('does not depend on the order of the tags, nor on how often each is there', () => {
    const shuffled = tags.chain((pairs) =>
      fc.tuple(
        fc.constant(pairs),
        fc.shuffledSubarray(pairs, { minLength: pairs.length }),
        fc.subarray(pairs),
      ),
    );
    const property = fc.property(base, shuffled, rule, (name, [pairs, other, more], under) => {
      const twice = spell([...other, ...more]);
      expect(named(name, twice, under)).to.equal(named(name, spell(pairs), under));
    });
    fc.assert(property, many5);
  });

  it('is the same for Graphite tags and DogStatsD tags', () => {
    const property = fc.property(base, tags, rule, (name, pairs, under) => {
      // A Graphite key holds neither mark, a Graphite value no `;`.
      const plain = pairs.map(([key, value]): [string, string] => [
        key.replaceAll(/[;=]/g, 'x'),
        value.replaceAll(';', 'x'),
      ]);
      const graphite = [name, ...plain.map(([key, value]) => `${key}=${value}`)].join(';');
      expect(named(graphite, '', under)).to.equal(named(name, spell(plain), under));
    });
    fc.assert(property, many5);
  });

  it('holds its tags sorted by bytes, each once, with nothing in it that the rule forbids', () => {
    const forbidden = { statsd: /[^A-Za-z0-9_.;=-]/, keep: /\p{Cc}/u };
    const property = fc.property(base, tags, rule, (name, pairs, under) => {
      const canonical = named(name, spell(pairs), under);
      if (canonical === NONE || canonical === BAD) return;
      expect(canonical).not.to.match(forbidden[under]);
      const [, ...found] = canonical.split(';');
      const keyed = found.map((text) => /^([^=]+)=(.*)$/s.exec(text)!.slice(1).map(utf8));
      const sorted = keyed.toSorted((a, b) => compare(a[0]!, b[0]!) || compare(a[1]!, b[1]!));
      expect(keyed).to.deep.equal(sorted);
      expect(new Set(found).size).to.equal(found.length);
    });
    fc.assert(property, many5);
  });

  it('comes from a sanitising that is done when done once', () => {
    const any = fc.string({ unit: 'binary', maxLength: 20 });
    const property = fc.property(any, rule, (text, under) => {
      const once = sanitise(text, under);
      expect(sanitise(once, under)).to.equal(once);
    });
    fc.assert(property, many5);
  });

  it('is refused only for bad_name or bad_tags', () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    const property = fc.property(bytes, bytes, rule, (name, section, under) => {
      const result = canonicalName(name, section, under);
      if ('name' in result) return;
      expect(['bad_name', 'bad_tags']).to.include(reasonOf(result.refused));
    });
    fc.assert(property, many5);
  });
});

/** By UTF-16 units, which is by bytes for texts of one character per byte. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
