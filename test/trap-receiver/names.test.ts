import { expect } from 'chai';
import { describe, it } from 'mocha';

import { read, recordingSink } from './rig.ts';

const METRIC = '{"_type":"n","_value":1}';
const TOO_LONG = 'at least one metric exceeded max name length';

/** The names under which samples are kept. */
function names(body: string | Uint8Array): string[] {
  const sink = recordingSink();
  expect(read(body, sink).status).to.equal(200);
  return sink.samples.map(([name]) => name);
}

/** As {@link names}, of one metric whose name is given as it stands in JSON. */
function nameOf(key: string): string | undefined {
  return names(`{"${key}":${METRIC}}`)[0];
}

describe('A name is kept', () => {
  for (const [key, name] of [
    ['a', 'a'],
    ['/a/b?x=1&y=2', '/a/b?x=1&y=2'],
    ['tab\\tname', 'tab name'],
    ['in\\nner', 'in ner'],
    ['\\u0001 lead', 'lead'],
    ['trail \\u007f', 'trail'],
    ['/café', '/caf'],
    ['/café/x', '/caf  /x'],
    ['/caf\\u00e9/x', '/caf  /x'],
    ['a\\u20acb', 'a   b'],
    ['a\\ud83d\\ude00b', 'a    b'],
    ['a\\ud800b', 'a?b'],
    ['a\\ud800', 'a?'],
    ['a\\udc00b', 'a   b'],
    ['a\\"\\\\\\/b', 'a"\\/b'],
    ['a\\u0000b', 'a'],
    ['\\u0041\\u004A\\u004a', 'AJJ'],
    ['a`b', 'a`b'],
    ['_type ', '_type'],
    ['x|ST[a:b]', 'x|ST[a:b]'],
    ['', undefined],
    ['   ', undefined],
    ['\\u00e9', undefined],
    ['\\u0000a', undefined],
  ] as const) {
    it(`${JSON.stringify(key)} as ${JSON.stringify(name)}`, () => {
      expect(nameOf(key)).to.equal(name);
    });
  }

  for (const [body, ...wanted] of [
    [`{"a":{"b":{"c":${METRIC}}},"x":{"y":${METRIC}}}`, 'a`b`c', 'x`y'],
    [`[${METRIC},[${METRIC}],{"a":${METRIC}}]`, '0', '1`0', '2`a'],
    [`{"a":[1,2,${METRIC}]}`, 'a`2'],
    [`{"":{"":${METRIC}}}`, '`'],
    [`{"a":{"_value":${METRIC}}}`, 'a'],
    ['{"a":{"_type":"n","_value":[1,{"x":5},2]}}', 'a`1'],
    ['{"a":{"_type":"n","b":{"_value":5}}}', 'a`b'],
    [`{"a":[${METRIC},5,${METRIC}]}`, 'a`0', 'a`2', 'a`2'],
  ]) {
    it(`${wanted.join(', ')} of ${body}`, () => expect(names(body!)).to.deep.equal(wanted));
  }

  it('byte by byte where it is no UTF-8', () => {
    const bytes = Buffer.from(`{"a#b#":${METRIC}}`);
    bytes[bytes.indexOf('#')] = 0xff;
    bytes[bytes.indexOf('#')] = 0xfe;
    expect(names(bytes)).to.deep.equal(['a b']);
  });
});

describe('A long name', () => {
  for (const [bytes, isKept, error] of [
    [4095, true, undefined],
    [4096, false, undefined],
    [4097, false, TOO_LONG],
    [100_000, false, TOO_LONG],
  ] as const) {
    it(`of ${bytes} bytes is ${isKept ? 'kept' : 'counted only'}`, () => {
      const name = 'n'.repeat(bytes);
      const sink = recordingSink();
      const { stats, error: said } = read(`{"${name}":${METRIC}}`, sink);
      expect([stats, said]).to.deep.equal([1, error]);
      expect(sink.samples.map(([kept]) => kept)).to.deep.equal(isKept ? [name] : []);
    });

    it(`of ${bytes} bytes with all its parts is ${isKept ? 'kept' : 'counted only'}`, () => {
      const outer = 'n'.repeat(bytes - 3);
      const sink = recordingSink();
      const { stats, error: said } = read(`{"${outer}":{"xy":${METRIC}}}`, sink);
      expect([stats, said]).to.deep.equal([1, error]);
      expect(sink.samples.map(([kept]) => kept)).to.deep.equal(isKept ? [`${outer}\`xy`] : []);
    });
  }

  it('is measured in bytes, not in characters', () => {
    expect(read(`{"${'é'.repeat(2049)}":1}`).error).to.equal(TOO_LONG);
    expect(read(`{"${'\\u00e9'.repeat(2048)}":1}`).error).to.equal(undefined);
  });

  it('may become too long by an index', () => {
    expect(read(`{"${'n'.repeat(4094)}":[1,2,3]}`).error).to.equal(undefined);
    expect(read(`{"${'n'.repeat(4095)}":[1]}`).error).to.equal(TOO_LONG);
  });
});

describe('Where the original would crash', () => {
  for (const body of [
    '{"_type":"n","_value":3}',
    `{"_value":${METRIC}}`,
    `{"_ts":${METRIC}}`,
    '{"a":{"_tags":{"x":"y"}}}',
    '{"a":{"_fl":["+"]}}',
    '{"a":{"_ts":[1]}}',
    '{"a":{"_ts":[{}]}}',
    '{"a":{"_type":"h","_ts":1,"_value":null}}',
    '['.repeat(33),
    '[{"a":'.repeat(17),
  ]) {
    it(`a 406 is given: ${body.slice(0, 50)}`, () => {
      const { status, error } = read(body);
      expect(status).to.equal(406);
      expect(error).to.match(/^parse error: client cancelled .* At byte \d+\.$/);
    });
  }
});
