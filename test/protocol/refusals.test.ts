import { expect } from 'chai';
import { describe, it } from 'mocha';
import { createParser } from '../../src/protocol/parse.ts';
import type { RejectReason } from '../../src/protocol/reasons.ts';
import { REJECT_REASONS, reasonOf, Verdict } from '../../src/protocol/reasons.ts';
import { bytesOf, createWire, shown, SMALL, utf8 } from './wire.ts';

const LONG = 'n'.repeat(513);
const LIMIT_TAG = `k:${'v'.repeat(198)}`;

/** By the parser, from the line alone. */
const LINES: Partial<Record<RejectReason, string[]>> = {
  no_separator: [
    ...['a', 'a:1', 'a:', 'a|c', '|c', '|', ':', 'a:1:2', ' ', '\r', '\0', '\0\0\0', LONG],
    ...['a;k=v:1', '@0.5', '#t:v', '_e', '_sc', '_e{', 'GET / HTTP/1.1', '\xff', `${LONG}:1`],
    ...[':1', 'a:1#c', '_sc:1'],
  ],
  bad_name: [
    ...[':1|c', ':|c', '|:', '|c:1', 'a|c:1', 'a|b:1|c', ';k=v:1|c', ';:1|c', '::1|c', ':|'],
    ...[':x|zzz', ':1|c|@0'],
  ],
  name_too_long: [`${LONG}:1|c`, `${LONG}|:`, `${LONG};k=v:1|c`, `${LONG}:x|zzz|@0`],
  bad_value: [
    ...['a:|c', 'a::|c', 'a:::|ms', 'a:x|c', 'a: 1|c', 'a:1 |c', 'a:+|c', 'a:-|c', 'a:.|c'],
    ...['a:+.|c', 'a:e5|c', 'a:.e5|c', 'a:1e|c', 'a:1e+|c', 'a:1e1.5|c', 'a:1.2.3|c', 'a:--1|c'],
    ...['a:0x10|c', 'a:0b1|c', 'a:1_000|c', 'a:1,5|c', 'a:NaN|c', 'a:Infinity|c', 'a:-inf|c'],
    ...['a:1e400|c', 'a:-1e400|c', 'a:1e309|ms', 'a:true|c', 'a:\0|c', 'a:1\0|c', 'a:\xd9\xa1|c'],
    ...['a:-1|ms', 'a:-1e-9|ms', 'a:1:x|c', 'a:x:1|c', 'a:1:-2|ms', 'a:1:2:3:0x4|d', 'a:\r|c'],
    ...['a:1|c|T', 'a:1|c|T-1', 'a:1|c|T1.5', 'a:1|c|T1e3', 'a:1|c|T+1', 'a:1|m|Tx', 'a:1|g|Tx'],
    ...['a:1|c|T1:2|c', 'a:1e308|c|@0.1', 'a:1|c|@1e-310', 'a:0|ms|@1e-310', 'a:|s', 'x:|g'],
    ...['a:x|g', 'a:+|g', 'a:1e400|g', 'a:1|c:', 'a:1|c:|ms', 'a:1|c:x|ms', 'a:1|c|@0.5:'],
    ...['a:1|c:-2|ms', 'a:1|g:', 'a:1|c:|s'],
  ],
  bad_type: [
    ...['a:1|', 'a:1||c', 'a:5|zzz', 'a:1|C', 'a:1|MS', 'a:1|mss', 'a:1|m s', 'a:1| c', 'a:1|c '],
    ...['a:1|cc', 'a:1|sm', 'a:1|ct', 'a:1|gauge', 'a:1|\0', 'a:1|c\r', 'a:1|ms\r', 'a:1|:2|c'],
    ...['a:1||', 'a:1|@0.5', 'a:1|#t:v', 'a:1|c:2', 'a:1|c:2:3', 'a:1|c|@0.5:2', 'a:1|g:2'],
    ...['a:1|c:2|', 'a:1|c:2|x', 'a:x|zzz', 'a:|', 'a:1|\xc3', 'a:1|msms', 'a:1|e'],
  ],
  bad_rate: [
    ...['a:1|c|@', 'a:1|c|@0', 'a:1|c|@-0', 'a:1|c|@0.0', 'a:1|c|@-0.5', 'a:1|c|@1.1', 'a:1|c|@2'],
    ...['a:1|c|@Infinity', 'a:1|c|@NaN', 'a:1|c|@ 1', 'a:1|c|@1 ', 'a:1|c|@x', 'a:1|c|@0x1'],
    ...['a:1|c|@1e-400', 'a:1|c|@1e400', 'a:1|c|@@1', 'a:1|c|@1\r', 'a:1|c|@50%', 'a:1|c|@.'],
    ...['a:1|c|@1|@1', 'a:1|c|@0.5|#t:v|@0.5', 'a:1|ms|@0', 'a:1|h|@0', 'a:1|d|@2', 'a:1|m|@0'],
    ...['a:1|g|@0', 'a:x|s|@0', 'a:1|c|@:2|c', 'a:1|c:2|ms|@0', 'a:1|c|@1.0000000000000003'],
    ...['a:1|c|@0.5\0', 'a:1|c|@1#t:v'],
  ],
  bad_tags: ['a:1|c|#t:v|#u:w', 'a:1|c|#|#', 'a:1|c|#t:v|@1|#t:v', 'a:1|c|#t|@1:2|c|#u'],
  unsupported: [
    ...['_e{5,4}:title|text', '_e{2,2}:a|b|d:1|#t:v', '_e{0,0}:|', '_e{x', '_sc|name|0', '_sc|'],
    ...['_sc|redis.up|0|#t:v|m:fine'],
  ],
};

/** By the ledger, once, when a spelling is first seen. */
const SPELLINGS: Partial<Record<RejectReason, string[]>> = {
  bad_name: [
    '\0:1|c',
    '???:1|c',
    '\xff:1|ms',
    '\xc3:1|c',
    utf8('€;k=v:1|c'),
    '(),:1|d',
    '?:1|c|#,',
  ],
  bad_tags: [
    ...['a:1|c|#,', 'a:1|c|#t:v,', 'a:1|c|#,t:v', 'a:1|c|#t:v,,u:w', 'a:1|c|#:v', 'a:1|c|#:'],
    ...['a:1|c|#?:v', 'a:1|c|#\0', 'a;=v:1|c', 'a;;k=v:1|c', 'a;k=v;:1|c', 'a;=:1|c', 'a;;:1|c'],
    ...[`a:1|c|#${LIMIT_TAG}v`, `a:1|c|#t:v,${LIMIT_TAG}v`, `a;${'k'.repeat(201)}:1|c`],
    ...[`a:1|c|#${tags(65)}`, `a;k=v:1|ms|#${tags(64)}`, `a:1|c|#${'t,'.repeat(64)}t`],
    ...['a:1|c:2|ms|#,', 'a;k=v:1|c|#,'],
  ],
};

function tags(count: number): string {
  return Array.from({ length: count }, (_, at) => `t${at}:v`).join(',');
}

describe('Lines that are refused', () => {
  const parser = createParser();
  for (const [reason, lines] of Object.entries(LINES)) {
    describe(`for ${reason}`, () => {
      for (const text of lines) {
        it(shown(text), () => {
          // Bytes behind the line that would mend it: none of them may be looked at.
          const bytes = bytesOf(`${text}1:1|c|@0.5`);
          expect(reasonOf(parser.parse(bytes, 0, text.length))).to.equal(reason);
        });
      }
    });
  }

  it('leave the reader as good as new', () => {
    const good = bytesOf('b:2:3|c|@0.5|#t:v');
    for (const text of Object.values(LINES).flat()) {
      parser.parse(bytesOf(text), 0, text.length);
      expect(parser.parse(good, 0, good.length)).to.equal(Verdict.accepted);
      const { count, values, weights, tagsStart, tagsEnd } = parser.line;
      expect([count, values[0], values[1], weights[0]]).to.deep.equal([2, 4, 6, 2]);
      expect(tagsEnd - tagsStart).to.equal(3);
      expect(parser.parse(bytesOf('b:1|c'), 0, 5)).to.equal(Verdict.accepted);
      expect([parser.line.count, values[0], weights[0]]).to.deep.equal([1, 1, 1]);
      expect(parser.line.tagsStart).to.equal(parser.line.tagsEnd);
    }
  });
});

describe('Lines refused in the ledger', () => {
  for (const table of [LINES, SPELLINGS]) {
    for (const [reason, lines] of Object.entries(table)) {
      it(`for ${reason} add nothing, are counted and kept, each time`, () => {
        const wire = createWire();
        // A CR at the end would be taken off with the LF.
        const whole = lines.filter((text) => !text.endsWith('\r'));
        for (const text of [...whole, ...whole]) {
          wire.send(`ok:1|c\n${text}\nok:1|c`);
          const { counters, timings, rejected, refused } = wire.drain();
          expect([...counters], shown(text)).to.deep.equal([['ok', [2, 2]]]);
          expect(timings.size).to.equal(0);
          expect(rejected, shown(text)).to.deep.equal({ [reason]: 1 });
          const kept = refused.get(reason as RejectReason)!.toString('latin1');
          expect(kept).to.equal(text.slice(0, 200));
        }
      });
    }
  }

  it('for all reasons there are: the tables leave none out but key_limit', () => {
    const told = new Set([...Object.keys(LINES), ...Object.keys(SPELLINGS), 'key_limit']);
    expect(REJECT_REASONS.filter((reason) => !told.has(reason))).to.deep.equal([]);
  });

  it('do not include those that are just within the limits', () => {
    const wire = createWire();
    const within = [tags(64), LIMIT_TAG, 'k'.repeat(200), `t:v,${LIMIT_TAG}`];
    for (const text of within) wire.send(`ok:1|c|#${text}`);
    wire.send(`ok;${'l'.repeat(200)}:1|c\nok;k=v:1|c|#${tags(63)}`);
    const { counters, rejected } = wire.drain();
    expect([counters.size, rejected]).to.deep.equal([6, {}]);
  });
});

describe('The key limit', () => {
  it('refuses new names, counts known ones, and says key_limit', () => {
    const wire = createWire({ ...SMALL, entriesMax: 3 });
    wire.send('a:1|c\na:1|ms\nb:1|c\nc:1|c\nb:1|ms\na:2|c\na:2|ms\nc:1|c');
    const { counters, timings, rejected } = wire.drain();
    const expected = [
      ['a', [3, 2]],
      ['b', [1, 1]],
    ];
    expect([...counters]).to.deep.equal(expected);
    expect(timings.get('a')).to.deep.equal([
      [1, 1],
      [2, 1],
    ]);
    expect(rejected).to.deep.equal({ key_limit: 3 });
    expect(wire.entries()).to.equal(3);
  });

  it('counts a known name in a spelling for which there is no room', () => {
    const wire = createWire({ ...SMALL, entriesMax: 2 });
    wire.send('a_b:1|c\na b:1|c\na  b:1|c\na\tb:1|c\na b:1|c\nx y:1|c');
    const { counters, rejected } = wire.drain();
    expect([...counters]).to.deep.equal([['a_b', [5, 5]]]);
    expect(rejected).to.deep.equal({ key_limit: 1 });
  });

  it('is also one of bytes', () => {
    const wire = createWire({ ...SMALL, nameBytesMax: 10 });
    wire.send('12345678:1|c\nabc:1|c\nab:1|c\nz:1|c\nab:1|c');
    const { counters, rejected } = wire.drain();
    expect([...counters.keys()]).to.deep.equal(['12345678', 'ab']);
    expect(rejected).to.deep.equal({ key_limit: 2 });
  });

  it('refuses a whole line when one of its two kinds finds no room', () => {
    const wire = createWire({ ...SMALL, entriesMax: 1 });
    wire.send('a:1|c\na:1|c:2|ms\na:2|ms:1|c');
    const { counters, timings, rejected } = wire.drain();
    expect([[...counters], timings.size]).to.deep.equal([[['a', [1, 1]]], 0]);
    expect(rejected).to.deep.equal({ key_limit: 2 });
  });

  it('takes no room for names that are refused', () => {
    const wire = createWire();
    wire.send('???:1|c\na:1|c|#,\na:1|g|#,\nb:x|c');
    expect(wire.entries()).to.equal(0);
  });
});
