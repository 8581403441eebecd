import { expect } from 'chai';
import { describe, it } from 'mocha';

import { csvText } from '../../src/page/csv-text.ts';

describe('A saved table', () => {
  for (const [cell, text] of [
    ['plain', 'plain'],
    ['a,b', '"a,b"'],
    ['say "no"', '"say ""no"""'],
    ['two\nlines', '"two\nlines"'],
    ["=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@x', "'@x"],
    [-1.5, '-1.5'],
    [0, '0'],
    [NaN, ''],
    [Infinity, ''],
    ['', ''],
  ] as const) {
    it(`holds ${JSON.stringify(cell)} as ${JSON.stringify(text)}`, () => {
      expect(csvText([[cell, 1]])).to.equal(`${text},1\r\n`);
    });
  }
});
