import type { FeatureGroup } from './protocol-feature.ts';

// What is refused, and what lines come by.

/** As many bytes as the longest datagram has: packed values. */
const LONGEST = `big:${'1:'.repeat(32_750)}1|c`;

/** What is refused, for each reason that there is, and ways to send. */
export const END_FEATURES: FeatureGroup[] = [
  {
    title: 'refused',
    features: [
      {
        what: 'no `:` or no `|`',
        sent: ['noise', 'a:1', 'a|c', '\0'],
        becomes: { refused: { no_separator: 4 } },
      },
      {
        what: 'a name of nothing, or with a `|`',
        sent: [':1|c', '%:1|c', ';k=v:1|c', 'a|b:1|c'],
        becomes: { refused: { bad_name: 4 } },
      },
      {
        what: 'a name of over 512 bytes',
        sent: [`${'n'.repeat(513)}:1|c`],
        becomes: { refused: { name_too_long: 1 } },
      },
      {
        what: 'a value that is no finite decimal',
        sent: ['a:|c', 'a:x|c', 'a:0x10|c', 'a: 1|c', 'a:1e400|c', 'a:NaN|ms', 'a:1:|g:', 'a:|s'],
        becomes: { refused: { bad_value: 8 } },
      },
      {
        what: 'a time below 0; a value that its rate makes infinite; a `T` that is no time',
        sent: ['a:-1|ms', 'a:1e308|c|@1e-9', 'a:1|c|T-1'],
        becomes: { refused: { bad_value: 3 } },
      },
      {
        what: 'a type that there is not',
        sent: ['a:5|zzz', 'a:5|', 'a:5|C'],
        becomes: { refused: { bad_type: 3 } },
      },
      {
        what: 'a rate outside (0, 1], on any type, or twice',
        sent: ['a:1|c|@0', 'a:1|c|@1.1', 'a:1|g|@Infinity', 'a:x|s|@ 1', 'a:1|c|@1|@1'],
        becomes: { refused: { bad_rate: 5 } },
      },
      {
        what: 'tags twice, an empty key, a tag of over 200 bytes, over 64 tags',
        sent: [
          ...['a:1|c|#k|#l', 'a:1|c|#:v', 'a;=v:1|c'],
          ...[`a:1|c|#${'k'.repeat(201)}`, `a:1|c|#${'k,'.repeat(64)}k`],
        ],
        becomes: { refused: { bad_tags: 5 } },
      },
      {
        what: 'new names beyond `--max-keys`, here 4 with their spellings',
        flag: '--max-keys 4',
        sent: ['one:1|c\ntwo:1|c\nthree:1|c\ntwo:1|c'],
        becomes: { counters: { one: 1, two: 2 }, refused: { key_limit: 1 } },
      },
      {
        what: 'events and service checks',
        sent: ['_e{5,4}:title|text', '_sc|up|0'],
        becomes: { refused: { unsupported: 2 } },
      },
    ],
  },
  {
    title: 'ways in',
    features: [
      {
        what: 'UDP: 65,507 bytes, whole',
        sent: [LONGEST],
        becomes: { counters: { big: 32_751 } },
      },
      {
        what: 'a unix datagram socket (`--unix`)',
        over: 'unix',
        sent: ['local:1|c\nlocal:2|c', 'local:3|c'],
        becomes: { counters: { local: 6 } },
      },
      {
        what: 'TCP (`--tcp`): cut anywhere; an end is an LF',
        over: 'tcp',
        sent: ['stream:1', '|c\r', '\nstream:2|c\nstream', ':4|c'],
        lines: 3,
        becomes: { counters: { stream: 7 } },
      },
      {
        what: 'TCP broken off: the line that it cuts does not count',
        over: 'tcp, reset',
        sent: ['reset:1|c\nreset:1|c'],
        lines: 1,
        becomes: { counters: { reset: 1 } },
      },
      {
        what: 'TCP: a line of over 64 KiB is refused once, and the next one is read',
        over: 'tcp',
        sent: [`${'x'.repeat(70_000)}\nnext:1|c\n`],
        becomes: { counters: { next: 1 }, refused: { no_separator: 1 } },
      },
    ],
  },
];
