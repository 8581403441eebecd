import { expect } from 'chai';
import { describe, it } from 'mocha';

import { read } from './rig.ts';

describe('The grammar', () => {
  for (const [body, stats] of [
    ['', 0],
    [' \t\n\v\f\r', 0],
    ['5', 0],
    ['-', 0],
    ['{"a":tru', 0],
    ['{"a":true', 1],
    ['{"a":"cut', 0],
    ['{"a":1}/* cut', 1],
    ['{"a":1}// cut', 1],
    ['/**/{"a":1}/***/[1]//\n[2]', 3],
    ['[]{}[1][2,3]', 3],
    ['{"a":-0.5e+10,"b":0,"c":1E5,"d":-0}', 4],
    ['{"a":"\\u00e9\\"\\\\\\/\\b\\f\\n\\r\\t"}', 1],
    ['{"a":"\x7f\u00e9"}', 1],
    ['{"a":{},"b":[],"c":[[],{}]}', 0],
    ['{"a":1,"b":', 1],
  ] as const) {
    it(`takes ${JSON.stringify(body)}`, () => {
      expect(read(body)).to.deep.equal({ status: 200, stats, filtered: 0 });
    });
  }

  for (const [body, error, stats] of [
    ['5 ', 'a value outside of any object or array) At byte 1.', 0],
    ['"x"', 'a value outside of any object or array) At byte 2.', 0],
    ['true', 'a value outside of any object or array) At byte 3.', 0],
    ['{"a":1} garbage', 'lexical error: invalid char in json text. At byte 8.', 1],
    ['\ufeff{}', 'lexical error: invalid char in json text. At byte 0.', 0],
    ['{"a":nope}', 'lexical error: invalid string in json text. At byte 6.', 0],
    ['{"a":1,}', 'parse error: invalid object key (must be a string) At byte 7.', 1],
    ['{,}', 'parse error: invalid object key (must be a string) At byte 1.', 0],
    ['{"a" 1}', "must be separated by a colon (':') At byte 6.", 0],
    ['{"a":1 "b"', "after key and value, inside map, I expect ',' or '}' At byte 9.", 1],
    ['{"a":01}', "after key and value, inside map, I expect ',' or '}' At byte 7.", 1],
    ['[1 2]', "after array element, I expect ',' or ']' At byte 4.", 1],
    ['[1,]', 'unallowed token at this point in JSON text At byte 3.', 1],
    ['[}', 'unallowed token at this point in JSON text At byte 1.', 0],
    [']', 'unallowed token at this point in JSON text At byte 0.', 0],
    ['[-]', 'malformed number, a digit is required after the minus sign. At byte 2.', 0],
    ['[1.]', 'malformed number, a digit is required after the decimal point. At byte 3.', 0],
    ['[1e+]', 'malformed number, a digit is required after the exponent. At byte 4.', 0],
    ['["\\x"]', 'occurs before a character which it may not. At byte 3.', 0],
    ['["\\u00g0"]', "occurs after '\\u' inside string. At byte 6.", 0],
    ['["\n"]', 'lexical error: invalid character inside string. At byte 2.', 0],
    ['[1]/x', 'lexical error: invalid char in json text. At byte 4.', 1],
    ['{"a":{"_type":"x"}}', '(no known _type) At byte 16.', 0],
    ['{"a":{"_ts":null}}', '(null as _ts) At byte 15.', 0],
    ['{"a":{"_fl":true}}', '(boolean as _fl) At byte 15.', 0],
    ['{"a":{"_tags":1}}', '(number as _tags) At byte 15.', 0],
  ] as const) {
    it(`refuses ${JSON.stringify(body)} and says where`, () => {
      const result = read(body);
      expect([result.status, result.stats]).to.deep.equal([406, stats]);
      expect(result.error).to.satisfy((said: string) => said.endsWith(error), result.error);
    });
  }

  it('takes 32 levels and no more, of objects and arrays alike', () => {
    expect(read(`${'{"a":'.repeat(32)}1`).status).to.equal(200);
    expect(read(`${'{"a":'.repeat(33)}1`).status).to.equal(406);
    expect(read(`${'[{"a":'.repeat(16)}1`).status).to.equal(200);
    expect(read(`${'[{"a":'.repeat(16)}[`).status).to.equal(406);
  });
});
