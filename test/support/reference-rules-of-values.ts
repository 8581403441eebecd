import type { Bit } from './reference-reading.ts';
import { type Rule, someTaken } from './reference-rule.ts';

/** Rules about values, rates and types. */
export const RULES_OF_VALUES: readonly Rule[] = [
  {
    name: 'a rate that its pattern misses',
    applies: someTaken(({ rate }) => rate !== undefined && !/^[\d.]/.test(rate)),
    reference: 'ends: the match is null',
    statcol: 'bad_rate; @+1 is 1',
    source: String.raw`stats.js: fields[2].match(/^@([\d\.]+)/)[1]`,
    deadly: true,
    examples: [
      ['plus:1|c|@+1', '', 'plus:1|c'],
      ['endless:1|c|@Infinity', '', ''],
      ['blank:1|c|@ 1', '', ''],
      ['nothing:1|c|@\r', '', ''],
    ],
  },
  {
    name: 'a timing with the name of what every object has',
    applies: (line) => line.key in {} && someTaken(({ type }) => type === 'ms')(line),
    reference: 'ends: what it finds has no push',
    statcol: 'a name as any other',
    source: 'stats.js: if (! timers[key]) timers[key] = []',
    deadly: true,
    examples: [
      ['constructor:1|ms', '', 'constructor:1|ms'],
      ['__proto__:1|ms', '', '__proto__:1|ms'],
    ],
  },
  {
    name: 'a set with the name of what every object has',
    applies: (line) => line.key in {} && someTaken(({ type }) => type === 's')(line),
    reference: 'ends: what it finds has no insert',
    statcol: 'a name as any other',
    source: 'stats.js: if (! sets[key]) sets[key] = new set.Set()',
    deadly: true,
    examples: [['constructor:x|s', '', 'constructor:1|s']],
  },
  {
    name: 'a counter or gauge with the name of what every object has',
    applies: (line) => line.key in {} && someTaken(({ type }) => !/^(ms|s)$/.test(type!))(line),
    reference: 'adds a number to a function, or loses it',
    statcol: 'a name as any other',
    source: 'stats.js: if (! counters[key]) counters[key] = 0; gauges[key] +=',
    examples: [
      ['valueOf:1|c', 'valueOf:NaN|c', 'valueOf:1|c'],
      ['toString:+1|g', 'toString:NaN|g', 'toString:1|g'],
      ['__proto__:1|c\n__proto__:5|g', '', '__proto__:1|c __proto__:5|g'],
    ],
  },
  {
    name: 'a rate of 0',
    applies: someTaken(({ rate }) => rate !== undefined && Number(rate) === 0),
    reference: 'an infinite count',
    statcol: 'bad_rate',
    source: 'stats.js: 1 / sampleRate',
    examples: [['rate.zero:1|c|@0', 'rate.zero:Infinity|c', '']],
  },
  {
    name: 'a rate above 1',
    applies: someTaken(({ rate }) => rate !== undefined && Number(rate) > 1),
    reference: 'less than one each',
    statcol: 'bad_rate',
    source: 'lib/helpers.js: isValidSampleRate',
    examples: [['rate.two:1|c|@2', 'rate.two:0.5|c', '']],
  },
  {
    name: 'a rate that is not of digits and a dot alone',
    applies: someTaken(({ rate = '' }) => /^[\d.]/.test(rate) && !/^(\d+\.?\d*|\.\d+)$/.test(rate)),
    reference: 'reads the digits that it begins with: 1e-1 is 1, 0x1 is 0',
    statcol: 'a number as everywhere: 1e-1 is 0.1; with blanks or in hex bad_rate',
    source: String.raw`stats.js: /^@([\d\.]+)/ after helpers.js: isNumber`,
    examples: [
      ['rate.exponent:1|c|@1e-1', 'rate.exponent:1|c', 'rate.exponent:10|c'],
      ['rate.blank:1|c|@0.5 ', 'rate.blank:2|c', ''],
      ['rate.hex:1|c|@0x1', 'rate.hex:Infinity|c', ''],
    ],
  },
  {
    name: 'two rates',
    applies: someTaken(({ fields }) => fields.slice(3).some((field) => field.startsWith('@'))),
    reference: 'takes the first',
    statcol: 'bad_rate',
    source: 'stats.js: fields[2]',
    examples: [['rate.twice:1|c|@0.5|@0.1', 'rate.twice:2|c', '']],
  },
  {
    name: 'a value in hex, octal or binary',
    applies: someNumeric(({ value }) => /^\s*0[xob]/i.test(value)),
    reference: 'reads it',
    statcol: 'bad_value',
    source: 'lib/helpers.js: isNaN; stats.js: Number',
    examples: [['hex:0x10|c', 'hex:16|c', '']],
  },
  {
    name: 'blanks around a value',
    applies: someNumeric(({ value }) => value.trim() !== value),
    reference: 'passes over them; blanks alone are 0',
    statcol: 'bad_value',
    source: 'lib/helpers.js: isNaN; stats.js: Number',
    examples: [
      ['blanks: 5|c', 'blanks:5|c', ''],
      ['blank: |g', 'blank:0|g', ''],
    ],
  },
  {
    name: 'a value beyond all numbers',
    applies: someNumeric((bit) => !Number.isFinite(quotient(bit))),
    reference: 'counts Infinity, and that for ever',
    statcol: 'bad_value',
    source: 'lib/helpers.js: isNaN; stats.js: Number',
    examples: [
      ['infinite:1e400|c', 'infinite:Infinity|c', ''],
      ['quotient:1e308|c|@0.1', 'quotient:Infinity|c', ''],
    ],
  },
  {
    name: 'a count beyond 64 bits',
    applies: someNumeric((bit) => {
      const size = Math.abs(quotient(bit));
      return !/^(ms|g)$/.test(bit.type!.trim()) && size >= 2 ** 63 && size < Infinity;
    }),
    reference: 'a sum like any',
    statcol: 'dropped under overflow: Redis holds 64 bits',
    source: 'stats.js: counters[key] +=',
    examples: [['beyond:1e300|c', 'beyond:1e+300|c', '']],
  },
  {
    name: 'a type that there is not',
    applies: someTaken(({ type }) => !/^(c|g|s|ms|m|h|d)$/.test(type!.trim())),
    reference: 'a counter',
    statcol: 'bad_type; m, which is a counter to both, is taken',
    source: 'stats.js: the else of if (metric_type === …)',
    examples: [['type:5|zzz', 'type:5|c', '']],
  },
  {
    name: 'blanks around a type',
    applies: someTaken(({ type }) => type!.trim() !== type),
    reference: 'passes over them, but then takes negative times too',
    statcol: 'bad_type',
    source: 'stats.js: fields[1].trim(), after helpers.js has looked at fields[1]',
    examples: [
      ['trimmed:1|c ', 'trimmed:1|c', ''],
      ['trimmed:-1|ms ', 'trimmed:-1|ms', ''],
    ],
  },
  {
    name: 'h and d',
    applies: someTaken(({ type }) => /^[hd]$/.test(type!.trim())),
    reference: 'a counter, as any type that it does not know',
    statcol: 'a timing (DogStatsD)',
    source: 'stats.js: the else of if (metric_type === …)',
    examples: [['histogram:1|h\nhistogram:2|d', 'histogram:3|c', 'histogram:1,2|ms']],
  },
  {
    name: 'packed values',
    applies: ({ bits }) =>
      bits.some(({ type, value }, at) => {
        const next = bits.slice(at + 1).find((one) => one.type !== undefined);
        return type === undefined && value !== '' && next !== undefined && next.type !== 's';
      }),
    reference: 'takes the last, and counts the others as bad lines',
    statcol: 'takes all (DogStatsD 1.1)',
    source: "stats.js: bits[0].split(':')",
    examples: [['packed:1:2:3|c', 'packed:3|c', 'packed:6|c']],
  },
  {
    name: 'a line of which a part is bad',
    applies: ({ bits }) => {
      const isBad = (bit: Bit, at: number): boolean =>
        !bit.taken &&
        (bit.type !== undefined || at === bits.length - 1) &&
        !isBehindField(bits, at);
      return bits.some(({ taken }) => taken) && bits.some(isBad);
    },
    reference: 'takes the rest of it',
    statcol: 'refuses all of it',
    source: 'stats.js: continue',
    examples: [
      ['part:1|c:x|c', 'part:1|c', ''],
      ['part.cut:1|c:2', 'part.cut:1|c', ''],
    ],
  },
  {
    name: 'a colon in a member',
    applies: ({ bits }) =>
      bits.some(({ type, taken }, at) => {
        return taken && type === 's' && at > 0 && bits[at - 1]!.type === undefined;
      }),
    reference: 'takes what is behind the last one',
    statcol: 'a member is any bytes but | and LF',
    source: "stats.js: bits[0].split(':')",
    examples: [['ways:x:y|s\nways:z:y|s', 'ways:1|s', 'ways:2|s']],
  },
  {
    name: 'an empty member',
    applies: someTaken(({ type, value }) => type === 's' && value === ''),
    reference: 'the member 0',
    statcol: 'bad_value',
    source: "stats.js: fields[0] || '0'",
    examples: [['nobody:|s', 'nobody:1|s', '']],
  },
  {
    name: 'the member __proto__',
    applies: someTaken(({ type, value }) => type === 's' && value === '__proto__'),
    reference: 'loses it',
    statcol: 'a member as any other',
    source: 'lib/set.js: this.store[value] = true',
    examples: [['proto:__proto__|s', 'proto:0|s', 'proto:1|s']],
  },
  {
    name: 'a member that is not UTF-8',
    applies: someTaken(({ type, value }) => type === 's' && value.includes('\ufffd')),
    reference: 'such bytes are all the same',
    statcol: 'members are bytes',
    source: 'stats.js: msg.toString()',
    examples: [['bytes:\xfe|s\nbytes:\xff|s', 'bytes:1|s', 'bytes:2|s']],
  },
];

/** Some part that the reference takes, whose value is a number, is so. */
function someNumeric(isSo: (bit: Bit) => boolean): Rule['applies'] {
  return someTaken((bit) => bit.type !== 's' && isSo(bit));
}

/** What is counted; a rate of 0 is another rule's. */
function quotient({ value, rate = '1' }: Bit): number {
  return Number(value) / (Number(rate) || 1);
}

/** A `:` behind the rate is in a field of which neither takes anything. */
function isBehindField(bits: readonly Bit[], at: number): boolean {
  return at > 0 && bits[at - 1]!.fields.length > 3;
}
