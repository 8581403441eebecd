import type { FeatureGroup } from './protocol-feature.ts';

// What lines say, and what they are counted as.

/** Bytes of a text that is not ASCII, as characters. */
const GREEK = Buffer.from('größe Δ').toString('latin1');
const LONG = 'n'.repeat(512);

/** Lines and names, values and types, rates, gauges and sets. */
export const LINE_FEATURES: FeatureGroup[] = [
  {
    title: 'lines',
    features: [
      {
        what: 'several in a datagram, the last LF optional',
        sent: ['hits:1|c\nslow:320|ms'],
        becomes: { counters: { hits: 1 }, timings: { slow: [1, 320, 320] } },
      },
      {
        what: 'CR before LF or the end, and empty lines',
        sent: ['\n\ncr:1|c\r\n\r\ncr:2|c\r'],
        becomes: { counters: { cr: 3 } },
      },
      { what: 'a datagram of nothing', sent: ['', '\n\n\n'], becomes: {} },
      {
        what: 'a bad line harms no neighbour',
        sent: ['whole:1|c\nnoise\nwhole:2|c'],
        becomes: { counters: { whole: 3 }, refused: { no_separator: 1 } },
      },
      {
        what: 'a refused line adds nothing at all',
        sent: ['part:1:2:x|c', 'part:1|c:2|zzz'],
        becomes: { refused: { bad_value: 1, bad_type: 1 } },
      },
    ],
  },
  {
    title: 'names',
    features: [
      {
        what: 'made safe; spellings of one name share its count',
        sent: ['my \tpage/a%:1|c', 'my_page-a:2|c'],
        becomes: { counters: { 'my_page-a': 3 } },
      },
      {
        what: '`--names keep`: control characters alone, and what is no UTF-8',
        flag: '--names keep',
        sent: [`${GREEK}/\t:1|c`, 'caf\xe9:1|c'],
        becomes: { counters: { 'größe Δ/_': 1, 'caf\ufffd': 1 } },
      },
      {
        what: 'any word is a name, of up to 512 bytes',
        sent: ['constructor:1|c', '__proto__:1|ms', 'toString:+1|g', `${LONG}:1|c`],
        becomes: {
          counters: { constructor: 1, [LONG]: 1 },
          timings: { ['__proto__']: [1, 1, 1] },
          gauges: { toString: 1 },
        },
      },
    ],
  },
  {
    title: 'values',
    features: [
      {
        what: 'decimals, signs, exponents',
        sent: ['v:1|c', 'v:+2.5|c', 'v:-.5|c', 'v:3.|c', 'v:1e2|c'],
        becomes: { counters: { v: 106 } },
      },
      {
        what: 'packed, empty ones skipped',
        sent: ['packed:1:2:3|c', 'packed::4::5:|c', 'packed.ms:320:310|ms'],
        becomes: { counters: { packed: 15 }, timings: { 'packed.ms': [2, 310, 320] } },
      },
      {
        what: 'ten times 0.1 is 1',
        sent: ['tenth:.1:.1:.1:.1:.1:.1:.1:.1:.1:.1|c'],
        becomes: { counters: { tenth: 1 } },
      },
      {
        what: 'a fraction waits until it makes a whole one',
        sent: ['half:0.5|c', 'halves:0.5:1|c', 'halves:.5|c'],
        becomes: { counters: { half: 0, halves: 2 } },
      },
    ],
  },
  {
    title: 'types and rates',
    features: [
      {
        what: '`c`, and `m` which is the same',
        sent: ['clicks:2|c', 'clicks:3|m', 'clicks:-1|c'],
        becomes: { counters: { clicks: 4 } },
      },
      {
        what: '`ms`, `h` and `d`',
        sent: ['timed:12.5|ms', 'timed:7|h', 'timed:-3|d'],
        becomes: { timings: { timed: [3, -3, 12.5] } },
      },
      {
        what: 'a counter at a rate adds value / rate',
        sent: ['rated:1|c|@0.1', 'rated:2|c|@+1', 'rated.3:1|c|@0.3', 'rated.3:2|c|@0.3'],
        becomes: { counters: { rated: 12, 'rated.3': 10 } },
      },
      {
        what: 'a timing at a rate stands for 1 / rate: a weight, never a loop',
        sent: ['rated.ms:320|ms|@0.1', 'rare.ms:1|ms|@1e-9'],
        becomes: { timings: { 'rated.ms': [10, 320, 320], 'rare.ms': [1e9, 1, 1] } },
      },
      {
        what: 'a bit list: several samples, each with its type and rate',
        sent: ['bits:1|c:2|ms|@0.5:3|g'],
        becomes: { counters: { bits: 1 }, timings: { bits: [2, 2, 2] }, gauges: { bits: 3 } },
      },
    ],
  },
  {
    title: 'gauges and sets',
    features: [
      {
        what: 'unsigned sets a gauge, a sign changes it, from 0 on',
        sent: ['depth:12|g', 'depth:+3|g', 'depth:-.5|g', 'fresh:-4|g'],
        becomes: { gauges: { depth: 14.5, fresh: -4 } },
      },
      {
        what: 'packed: in order; a rate means nothing',
        sent: ['level:5:+3:-1|g|@0.1', 'below:0:-3|g'],
        becomes: { gauges: { level: 7, below: -3 } },
      },
      {
        what: 'a set counts different members, of any bytes but `|` and LF; a rate means nothing',
        sent: ['users:ann|s', 'users:bob|s|@0.1', 'users:ann|s', 'ids:a:b;\0\xff|s'],
        becomes: { sets: { users: 2, ids: 1 } },
      },
    ],
  },
];
