import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { isDigits, readNumber } from '../../src/protocol/number.ts';
import { bytesOf, shown } from './wire.ts';

const DECIMAL = /^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$/;

/** What `Number()` makes of a text that is a decimal; NaN for the rest. */
function numberOf(text: string): number {
  return DECIMAL.test(text) ? Number(text) : NaN;
}

/** Reads a text from between bytes that would change it, were they looked at. */
function read(text: string): number {
  return readNumber(bytesOf(`-9${text}9e9`), 2, 2 + text.length);
}

function expectSame(text: string): void {
  const [actual, expected] = [read(text), numberOf(text)];
  // `Object.is`: minus zero is not zero here.
  if (!Object.is(actual, expected)) expect.fail(`${shown(text)}: ${actual}, not ${expected}`);
}

const NUMBERS = [
  ...['0', '-0', '+0', '00', '007', '1', '-1', '+1', '42', '1.', '-1.', '.5', '-.5', '+.5', '0.5'],
  ...['1.0', '0.1', '0.3', '1.10', '3.14159', '100', '1e0', '1e1', '1E1', '1e+1', '1e-1', '1.e1'],
  ...['.5e1', '-.5e-1', '1e22', '1e23', '1e-22', '1e-23', '9e22', '1e05', '1e-05', '1e000'],
  ...['123456789012345', '1234567890123456', '9007199254740993', '999999999999999e22'],
  ...['999999999999999e-22', '999999999999999e23', '1.7976931348623157e308', '1e308', '1e309'],
  ...['1.7976931348623159e308', '-1e400', '1e99999999999', '5e-324', '2e-324', '1e-400'],
  ...['2.2250738585072011e-308', '2.2250738585072014e-308', '1e-99999999999', '0e99999', '-0e9'],
  ...['0.000000000000000000000001', '1000000000000000000000000', '0.1e-22', '10e-23'],
  ...['8.5e23', '123456.7e-18', '0.30000000000000004', '4503599627370496.5', '4503599627370497.5'],
  ...['000000000000000000000000000000.1', '0.100000000000000000000000000000000'],
  ...[
    '179769313486231580793728971405301e276',
    '7.3879e20',
    '9214843084008499',
    '0.500000000000001',
  ],
];

const OTHERS = [
  ...[
    '',
    ' ',
    '+',
    '-',
    '.',
    '+.',
    '-.',
    'e',
    'e1',
    '.e1',
    '+e1',
    '1e',
    '1E',
    '1e+',
    '1e-',
    '1e.5',
  ],
  ...['1e1.5', '1.2.3', '1..2', '--1', '+-1', '-+1', '1-', '1+', '1-1', ' 1', '1 ', '1 2', '\t1'],
  ...['0x10', '0X10', '0b1', '0o7', '1_000', '1,5', '1,000', 'NaN', 'nan', 'Infinity', 'inf'],
  ...['-Infinity', 'true', 'null', '1n', '1f', '1d', '1e5e5', '1ee5', '1e--5', '1\n', '\r1', '1\r'],
  ...['\0', '1\0', '\x001', '\xb2', '\xd9\xa1', '\xef\xbc\x91', '1/', '1:', '/', '"1"', '%31', 'E'],
];

describe('Numbers on the wire', () => {
  it('are those that the grammar says: the table agrees with it', () => {
    expect(NUMBERS.filter((text) => !DECIMAL.test(text))).to.deep.equal([]);
    expect(OTHERS.filter((text) => DECIMAL.test(text))).to.deep.equal([]);
  });

  for (const text of NUMBERS) it(`${text} is ${Number(text)}`, () => expectSame(text));
  for (const text of OTHERS) it(`${shown(text)} is none`, () => expectSame(text));

  describe('of thousands of digits', () => {
    const ZEROS = '0'.repeat(10_000);
    const facts: [title: string, text: string, value: number][] = [
      ['zeros behind the dot, undone by the exponent', `.${ZEROS}1e10001`, 1],
      ['zeros behind the dot, undone but for a bit', `.${ZEROS}1e10000`, 0.1],
      ['zeros behind the dot, more than undone', `.${ZEROS.slice(10)}1e19999`, Infinity],
      ['zeros before the dot, undone by the exponent', `1${ZEROS}e-10000`, 1],
      ['zeros before the dot, more than undone', `1${ZEROS}e-20000`, 0],
      ['zeros before the number', `${ZEROS}7`, 7],
      ['zeros behind the number', `7.${ZEROS}`, 7],
      ['zeros in the exponent', `7e${ZEROS}1`, 70],
      ['zeros in the negative exponent', `7e-${ZEROS}1`, 0.7],
      ['an endless exponent', `7e${'9'.repeat(5000)}`, Infinity],
      ['an endless negative exponent', `-7e-${'9'.repeat(5000)}`, -0],
      ['zero to an endless exponent', `0e${'9'.repeat(5000)}`, 0],
      ['nines', '9'.repeat(400), Infinity],
      ['nines behind the dot', `.${'9'.repeat(400)}`, 1],
    ];
    for (const [title, text, value] of facts) {
      it(`${title}: ${value}`, () => {
        expect(Object.is(numberOf(text), value)).to.equal(true);
        expectSame(text);
      });
    }
  });

  describe('are what Number() makes of them', () => {
    const digits = fc.string({ unit: fc.constantFrom(...'0123456789'.split('')), maxLength: 25 });
    const sign = fc.constantFrom('', '', '-', '+');
    const exponent = fc.oneof(
      fc.constant(''),
      fc.tuple(fc.constantFrom('e', 'E'), fc.integer({ min: -330, max: 330 })).map(join),
      fc.tuple(fc.constantFrom('e', 'e+', 'e-'), digits).map(join),
    );
    const decimal = fc.tuple(sign, digits, fc.constantFrom('', '.'), digits, exponent).map(join);
    const double = fc.double({ noNaN: true, noDefaultInfinity: true });
    const doubleText = fc.oneof(
      double.map(String),
      double.map((value) => value.toExponential()),
      fc.float({ noNaN: true, noDefaultInfinity: true }).map(String),
      fc.tuple(double, fc.integer({ min: 1, max: 100 })).map(([of, to]) => of.toPrecision(to)),
      fc.integer().map((value) => String(value / 100)),
      fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }).map(String),
    );
    const plain = fc.oneof(decimal, doubleText);
    const cut = fc.nat({ max: 30 });
    const byte = fc.oneof(
      fc.constantFrom(...'0123456789+-.eE xX_,:|'.split('')),
      fc.nat({ max: 255 }).map((code) => String.fromCharCode(code)),
    );
    const mutated = fc
      .tuple(plain, cut, cut, fc.array(byte, { maxLength: 2 }))
      .map(
        ([text, at, skip, put]) => text.slice(0, at) + put.join('') + text.slice(at + (skip % 3)),
      );
    const noise = fc.string({ unit: byte, maxLength: 8 });

    const texts = { doubles: doubleText, decimals: decimal, mutated, noise };
    for (const [title, arbitrary] of Object.entries(texts)) {
      it(`for ${title}, bit for bit`, () => {
        fc.assert(fc.property(arbitrary, expectSame), { numRuns: 10_000 });
      });
    }
  });
});

describe('isDigits', () => {
  const facts: [text: string, is: boolean][] = [
    ['', false],
    ['0', true],
    ['0123456789', true],
    ['+1', false],
    ['1.0', false],
    ['1 ', false],
    ['/', false],
    [':', false],
    ['\xb2', false],
  ];
  for (const [text, is] of facts) {
    it(`${shown(text)}: ${is}`, () => {
      expect(isDigits(bytesOf(`1${text}1`), 1, 1 + text.length)).to.equal(is);
    });
  }
});

function join(parts: (string | number)[]): string {
  return parts.join('');
}
