import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';

import {
  ago,
  bytes,
  count,
  duration,
  number,
  perSecond,
  rough,
  share,
  short,
  total,
  visible,
} from '../../src/page/format.ts';

const TABLE: [text: string, wanted: string][] = [
  [short(0), '0'],
  [short(0.5), '0.5'],
  [short(3.24159), '3.24'],
  [short(999.4), '999'],
  [short(12_345.6), '12,346'],
  [short(12_345_678), '12.3 M'],
  [short(5e11), '500 G'],
  [short(0.0000123), '1.2e-5'],
  [short(-3.5), '-3.5'],
  [short(NaN), '–'],
  [short(Infinity), '–'],
  [short(1e300), '1e300'],
  [short(-1.2345e20), '-1.23e20'],
  [number(0), '0'],
  [number(-0.5), '-0.5'],
  [number(1e-7), '1e-7'],
  [number(1e300), '1e300'],
  [number(-1.5e21), '-1.5e21'],
  [number(1_234_567.25), '1,234,567.25'],
  [number(0.1 + 0.2), '0.30000000000000004'],
  [number(999_999_999_999), '999,999,999,999'],
  [number(1_234_567_903_123), '1,234,567,903,123'],
  [number(1_234_567_890.12345), '1,234,567,890.12345'],
  [number(2 ** 53), '9,007,199,254,740,992'],
  [number(-(2 ** 53) - 2), '-9.007199254740994e15'],
  [number(1e20), '1e20'],
  [number(2 ** 53, '9007199254740993'), '9,007,199,254,740,993'],
  [number(1234.12345678901, '1234.12345678901234'), '1,234.12345678901234'],
  [number(1e300, `1${'0'.repeat(300)}`), '1e300'],
  [number(1e-7, '0.0000001'), '1e-7'],
  [number(-0), '0'],
  [number(NaN), '–'],
  [rough(49.53), '49.53'],
  [rough(12_345.6), '12,345.6'],
  [rough(12_345_678), '12,345,678'],
  [rough(123_456_789), '≈ 123 M'],
  [rough(-999_999_999_999), '≈ -1,000 G'],
  [rough(5e11), '500 G'],
  [rough(1 / 3), '≈ 0.333'],
  [rough(1e300), '1e300'],
  [rough(-0.000123456789), '≈ -1.2e-4'],
  [rough(NaN), '–'],
  [number(NaN, 'others wrote this'), 'others wrote this'],
  [number(0, ''), '–'],
  [duration(0), '0 ms'],
  [duration(0.042), '42 µs'],
  [duration(0.42), '0.42 ms'],
  [duration(320.25), '320 ms'],
  [duration(1240), '1.24 s'],
  [duration(240_000), '4 min'],
  [duration(NaN), '–'],
  [perSecond(58.5), '58.5/s'],
  [count(1_234_567.4), '1,234,567'],
  [share(14, 120), '11.7%'],
  [share(0, 0), '–'],
  [bytes(500), '500 B'],
  [bytes(4711), '4.6 KiB'],
  [bytes(33_554_432), '32 MiB'],
  [bytes(2 ** 31), '2 GiB'],
  [total('9223372036854775807'), '9,223,372,036,854,775,807'],
  [total('-5'), '-5'],
  [total('not a number'), 'not a number'],
  [visible('x\u202egnp.exe'), 'x\\u202Egnp.exe'],
  [visible('\u061c\u2066a\u2069'), '\\u061C\\u2066a\\u2069'],
  [visible('été שלום'), 'été שלום'],
  [ago(34_000), '34 s'],
  [ago(200_000), '3 min'],
  [ago(8_000_000), '2 h'],
];

describe('Numbers on the page', () => {
  for (const [text, wanted] of TABLE) {
    it(`are shown as ${wanted}`, () => expect(text).to.equal(wanted));
  }

  it('read back as the same number where they are told in full', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Number(number(value).replaceAll(',', ''))).to.equal(value + 0);
        const row = rough(value);
        const isAll = row === number(value) || Number(value.toPrecision(3)) === value;
        expect(row.startsWith('≈ ')).to.equal(!isAll);
      }),
    );
  });
});
