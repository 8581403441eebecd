import { expect } from 'chai';
import { describe, it } from 'mocha';
import { createParser, DATAGRAM_BYTES_MAX, forEachLine } from '../../src/protocol/parse.ts';
import { reasonOf } from '../../src/protocol/reasons.ts';
import { bytesOf, samplesOf, shown, utf8 } from './wire.ts';

/** What is sent · the name with its Graphite tags · the tags behind `#` · the samples. */
type Fact = [line: string, name: string, tags: string, ...samples: string[]];

const LONG = 'n'.repeat(512);
const THIRD = `×${1 / 0.3}`;
const BILLION = `×${1 / 1e-9}`;

/** What is behind the type makes no difference to any of these. */
const TYPES: Fact[] = [
  ['a:1|c', 'a', '', 'c 1'],
  ['a:1|m', 'a', '', 'c 1'],
  ['a:1|ms', 'a', '', 't 1'],
  ['a:1|h', 'a', '', 't 1'],
  ['a:1|d', 'a', '', 't 1'],
  ['a:-1|c', 'a', '', 'c -1'],
  ['a:-1|m', 'a', '', 'c -1'],
  ['a:-1|h', 'a', '', 't -1'],
  ['a:-1|d', 'a', '', 't -1'],
  ['a:0|ms', 'a', '', 't 0'],
  ['a:-0|ms', 'a', '', 't 0'],
  ['a:0.5|c', 'a', '', 'c 0.5'],
  ['a:+3|c', 'a', '', 'c 3'],
  ['a:3.|c', 'a', '', 'c 3'],
  ['a:.5|c', 'a', '', 'c 0.5'],
  ['a:-.5|c', 'a', '', 'c -0.5'],
  ['a:1e3|c', 'a', '', 'c 1000'],
  ['a:1E+3|c', 'a', '', 'c 1000'],
  ['a:2.5e-1|ms', 'a', '', 't 0.25'],
  ['a:007|c', 'a', '', 'c 7'],
  ['a:9007199254740993|c', 'a', '', 'c 9007199254740992'],
  ['a:1e308|c', 'a', '', 'c 1e+308'],
  ['a:1e-400|c', 'a', '', 'c 0'],
];

const NAMES: Fact[] = [
  ['checkout.time:320|ms', 'checkout.time', '', 't 320'],
  [`${LONG}:1|c`, LONG, '', 'c 1'],
  [`${LONG};k=v:1|c`, `${LONG};k=v`, '', 'c 1'],
  ['a b\tc/d:1|c', 'a b\tc/d', '', 'c 1'],
  ['a,b=c:1|c', 'a,b=c', '', 'c 1'],
  ['a#b=c:1|c', 'a#b=c', '', 'c 1'],
  ['a[b=c]:1|c', 'a[b=c]', '', 'c 1'],
  ['@:1|c', '@', '', 'c 1'],
  ['constructor:1|ms', 'constructor', '', 't 1'],
  ['__proto__:1|c', '__proto__', '', 'c 1'],
  ['\0:1|c', '\0', '', 'c 1'],
  ['a\0b:1|c', 'a\0b', '', 'c 1'],
  ['a\rb:1|c', 'a\rb', '', 'c 1'],
  [utf8('größe:1|c'), utf8('größe'), '', 'c 1'],
  ['gr\xc3:1|c', 'gr\xc3', '', 'c 1'],
  ['\xff\xfe:1|c', '\xff\xfe', '', 'c 1'],
  ['_e:1|c', '_e', '', 'c 1'],
  ['_sc:1|c', '_sc', '', 'c 1'],
  ['_scx:1|c', '_scx', '', 'c 1'],
  ['_ex{1}:1|c', '_ex{1}', '', 'c 1'],
  ['a;k=v:1|c', 'a;k=v', '', 'c 1'],
  ['a;k=v;l=:1|c', 'a;k=v;l=', '', 'c 1'],
  ['a;:1|c', 'a;', '', 'c 1'],
];

const PACKED: Fact[] = [
  ['a:1:2:3|c', 'a', '', 'c 1', 'c 2', 'c 3'],
  ['a:1:2|ms|@0.1', 'a', '', 't 1 ×10', 't 2 ×10'],
  ['a:1:-2|d', 'a', '', 't 1', 't -2'],
  ['a::1|c', 'a', '', 'c 1'],
  ['a:1:|c', 'a', '', 'c 1'],
  ['a:1::2|c', 'a', '', 'c 1', 'c 2'],
  ['a::::1:::|c', 'a', '', 'c 1'],
  ['a:1:1|c|@0.5|#t:v', 'a', 't:v', 'c 2 ×2', 'c 2 ×2'],
];

const RATES: Fact[] = [
  ['a:1|c|@0.1', 'a', '', 'c 10 ×10'],
  ['a:1|c|@0.3', 'a', '', `c ${1 / 0.3} ${THIRD}`],
  ['a:1|c|@.5', 'a', '', 'c 2 ×2'],
  ['a:1|c|@1', 'a', '', 'c 1'],
  ['a:1|c|@+1', 'a', '', 'c 1'],
  ['a:1|c|@1.0', 'a', '', 'c 1'],
  ['a:1|c|@1.', 'a', '', 'c 1'],
  ['a:1|c|@+.5e0', 'a', '', 'c 2 ×2'],
  ['a:1|c|@25E-2', 'a', '', 'c 4 ×4'],
  ['a:-3|c|@0.5', 'a', '', 'c -6 ×2'],
  ['a:1|ms|@1e-9', 'a', '', `t 1 ${BILLION}`],
  ['a:320|ms|@0.1', 'a', '', 't 320 ×10'],
  ['a:3|h|@0.5', 'a', '', 't 3 ×2'],
  ['a:3|d|@0.5', 'a', '', 't 3 ×2'],
  ['a:3|m|@0.5', 'a', '', 'c 6 ×2'],
  ['a:1e300|ms|@1e-300', 'a', '', `t 1e+300 ×${1 / 1e-300}`],
  ['a:0|c|@1e-310', 'a', '', 'c 0 ×Infinity'],
  ['a:1e-300|c|@1e-310', 'a', '', `c ${1e-300 / 1e-310} ×Infinity`],
];

const FIELDS: Fact[] = [
  ['a:1|c|#t:v', 'a', 't:v', 'c 1'],
  ['a:1|c|#t:v,bare', 'a', 't:v,bare', 'c 1'],
  ['a:1|c|#', 'a', '', 'c 1'],
  ['a:1|c|#t:v:w', 'a', 't:v:w', 'c 1'],
  ['a:1|c|#u:http://h#1@2', 'a', 'u:http://h#1@2', 'c 1'],
  ['a:1|c|#t\0:\xc3', 'a', 't\0:\xc3', 'c 1'],
  ['a;k=v:1|c|#t:v', 'a;k=v', 't:v', 'c 1'],
  ['a:1|c|@0.5|#t:v', 'a', 't:v', 'c 2 ×2'],
  ['a:1|c|#t:v|@0.5', 'a', 't:v', 'c 2 ×2'],
  ['a:1|c|#t:v|c:cid', 'a', 't:v', 'c 1'],
  ['a:1|c|c:cid|#t:v', 'a', 't:v', 'c 1'],
  ['a:1|c|c:ci-83|@0.5|T7|#t:v', 'a', 't:v', 'c 2 ×2'],
  ['a:1|c|T1700000000', 'a', '', 'c 1'],
  ['a:1|m|T0', 'a', '', 'c 1'],
  ['a:1|c|#t:v|T1700000000', 'a', 't:v', 'c 1'],
  ['a:1|ms|T1700000000', 'a', '', 't 1'],
  ['a:1|h|Tomorrow', 'a', '', 't 1'],
  ['a:1|c|e:it-false,cn-web,pu-1', 'a', '', 'c 1'],
  ['a:1|c|card:high', 'a', '', 'c 1'],
  ['a:1|c|card:high|#t:v|e:x|c:y|@1', 'a', 't:v', 'c 1'],
  ['a:1|c|zzz', 'a', '', 'c 1'],
  ['a:1|c|0.5', 'a', '', 'c 1'],
  ['a:1|c|x@0', 'a', '', 'c 1'],
  ['a:1|c|x#,', 'a', '', 'c 1'],
  ['a:1|c| @0', 'a', '', 'c 1'],
  ['a:1|c|x:2|c', 'a', '', 'c 1'],
  ['a:1|c|\0', 'a', '', 'c 1'],
  ['a:1|c|', 'a', '', 'c 1'],
  ['a:1|c|||@0.5||#t:v|', 'a', 't:v', 'c 2 ×2'],
];

const BIT_LISTS: Fact[] = [
  ['a:1|c:2|ms|@0.5:3|d', 'a', '', 'c 1', 't 2 ×2', 't 3'],
  ['a:1|c:2|c', 'a', '', 'c 1', 'c 2'],
  ['a:1|ms:2|ms:3|ms', 'a', '', 't 1', 't 2', 't 3'],
  ['a:1|m:2|h', 'a', '', 'c 1', 't 2'],
  ['a:1:2|c:3:4|ms', 'a', '', 'c 1', 'c 2', 't 3', 't 4'],
  ['a:1|c|@0.5:2|c', 'a', '', 'c 2 ×2', 'c 2'],
  ['a:1|c|@0.5:2|c|@0.25', 'a', '', 'c 2 ×2', 'c 8 ×4'],
  ['a:1|c:2|ms|#t:v', 'a', 't:v', 'c 1', 't 2'],
  ['a:1|c|#t:v|@0.5:2|ms', 'a', 't:v', 'c 2 ×2', 't 2'],
  ['a:1|c::2|ms', 'a', '', 'c 1', 't 2'],
  ['a:1|c|T5|@1:2|c|T6', 'a', '', 'c 1', 'c 2'],
];

/** A sign changes a gauge, none sets it; a rate is checked, and makes no difference. */
const GAUGES: Fact[] = [
  ['a:1|g', 'a', '', 'g 1'],
  ['a:0|g', 'a', '', 'g 0'],
  ['a:2.5e-1|g', 'a', '', 'g 0.25'],
  ['a:+3|g', 'a', '', 'g by +3'],
  ['a:-3|g', 'a', '', 'g by -3'],
  ['a:+0|g', 'a', '', 'g by +0'],
  ['a:+.5e1|g', 'a', '', 'g by +5'],
  ['a:1:2:-3|g', 'a', '', 'g 1', 'g 2', 'g by -3'],
  ['a:+1:5:-3:|g', 'a', '', 'g by +1', 'g 5', 'g by -3'],
  ['a:3|g|@0.1', 'a', '', 'g 3'],
  ['a:-3|g|@1e-300', 'a', '', 'g by -3'],
  ['a:1e308|g|@0.1', 'a', '', 'g 1e+308'],
  ['a:3|g|T1700000000|#t:v', 'a', 't:v', 'g 3'],
  ['a:3|g|', 'a', '', 'g 3'],
  ['a:1|c:2|g', 'a', '', 'c 1', 'g 2'],
  ['a:-1|g:2|c', 'a', '', 'g by -1', 'c 2'],
  ['a:1|c:2|ms|@0.5:3|g', 'a', '', 'c 1', 't 2 ×2', 'g 3'],
];

/** One member, whatever its bytes; a rate is checked, and makes no difference. */
const SETS: Fact[] = [
  ['a:x|s', 'a', '', 's x'],
  ['a:abc:def|s', 'a', '', 's abc:def'],
  ['a: |s', 'a', '', 's  '],
  ['a::|s', 'a', '', 's :'],
  ['a:\0|s', 'a', '', 's \0'],
  ['a:\xc3|s', 'a', '', 's \xc3'],
  ['a:-1|s', 'a', '', 's -1'],
  ['a:x|s|@0.5', 'a', '', 's x'],
  ['a:x|s|Tx|#t:v', 'a', 't:v', 's x'],
  ['a:x|s:y|s', 'a', '', 's x', 's y'],
  ['a:1|c:x:y|s|@0.1:2|g', 'a', '', 'c 1', 's x:y', 'g 2'],
];

describe('Lines that are accepted', () => {
  const parser = createParser();
  const tables = { TYPES, NAMES, PACKED, RATES, FIELDS, BIT_LISTS, GAUGES, SETS };
  for (const [title, facts] of Object.entries(tables)) {
    describe(title.toLowerCase().replace('_', ' '), () => {
      for (const [text, name, tags, ...samples] of facts) {
        it(`${shown(text)} is ${samples.map(shown).join(', ')}`, () => {
          // Other bytes around the line: none of them may be looked at.
          const bytes = bytesOf(`7|c:${text}:8|ms|#x`);
          const verdict = parser.parse(bytes, 4, 4 + text.length);
          expect(reasonOf(verdict)).to.equal(undefined);
          const { line } = parser;
          expect(bytes.toString('latin1', line.nameStart, line.nameEnd)).to.equal(name);
          expect(bytes.toString('latin1', line.tagsStart, line.tagsEnd)).to.equal(tags);
          expect(samplesOf(line)).to.deep.equal(samples);
        });
      }
    });
  }

  it('hold as many packed values as a datagram has room for', () => {
    const text = `a:${'1:'.repeat((DATAGRAM_BYTES_MAX - 4) / 2)}1|c`;
    const values = Math.floor((DATAGRAM_BYTES_MAX - 4) / 2) + 1;
    expect(text.length).to.be.at.most(DATAGRAM_BYTES_MAX);
    expect(reasonOf(parser.parse(bytesOf(text), 0, text.length))).to.equal(undefined);
    expect(parser.line.count).to.equal(values);
    expect(parser.line.values.subarray(0, values).every((value) => value === 1)).to.equal(true);
  });
});

describe('Datagrams', () => {
  const facts: [datagram: string, ...lines: string[]][] = [
    [''],
    ['\n'],
    ['\n\n\n'],
    ['\r\n'],
    ['\r'],
    ['\n\r\n\r'],
    ['a:1|c', 'a:1|c'],
    ['a:1|c\n', 'a:1|c'],
    ['a:1|c\r\n', 'a:1|c'],
    ['a:1|c\r', 'a:1|c'],
    ['a:1|c\r\r\n', 'a:1|c\r'],
    ['\r\r\n', '\r'],
    ['\ra:1|c', '\ra:1|c'],
    ['a\rb\n', 'a\rb'],
    ['a:1|c\nb:2|c', 'a:1|c', 'b:2|c'],
    ['a:1|c\n\nb:2|c\n', 'a:1|c', 'b:2|c'],
    ['\na:1|c\r\n\r\nb:2|c', 'a:1|c', 'b:2|c'],
    ['a\0b\nc', 'a\0b', 'c'],
    [' \n', ' '],
  ];
  for (const [datagram, ...lines] of facts) {
    it(`${shown(datagram)} holds ${lines.map(shown).join(' and ') || 'no lines'}`, () => {
      const bytes = bytesOf(`${datagram}\nstale:1|c\n`);
      const found: string[] = [];
      forEachLine(bytes, datagram.length, (of, start, end) => {
        found.push(Buffer.from(of).toString('latin1', start, end));
      });
      expect(found).to.deep.equal(lines);
    });
  }
});
