import { DATAGRAM_BYTES_MAX } from '../../src/protocol/parse.ts';

// What must be survived, and what it adds: one table for the hot path and for every transport.

/** What a datagram adds, as texts: `c name sum samples`, `t name value weight`, `reason count`. */
export type Fact = [datagram: string, ...added: string[]];

/** Each has the names that it adds. */
export const FACTS: Fact[] = [
  ['a:1|c|@+1', 'c a 1 1'],
  ['a:1|c|@Infinity', 'bad_rate 1'],
  ['a:1|c|@ 1', 'bad_rate 1'],
  ['a:1|c|@0', 'bad_rate 1'],
  ['a:1|ms|@1e-9', `t a 1 ${1 / 1e-9}`],
  ['constructor:1|ms', 't constructor 1 1'],
  ['__proto__:1|ms', 't __proto__ 1 1'],
  ['constructor:x|s', 's constructor x'],
  ['toString:1|c', 'c toString 1 1'],
  ['__proto__:1|c', 'c __proto__ 1 1'],
  ['x:|g', 'bad_value 1'],
  ['__proto__:+1|g', 'g __proto__ by 1 1'],
  ['a:1:+2|g|@0.1', 'g a 3 2'],
  ['a:1e400|g', 'bad_value 1'],
  ['a:1|c|@0.3', `c a ${1 / 0.3} 1`],
  ['a:0.5|c', 'c a 0.5 1'],
  ['a:-1|c', 'c a -1 1'],
  ['a:1:2:3|c', 'c a 6 3'],
  ['a:1|c|#t:v|c:cid', 'c a;t=v 1 1'],
  ['a:1|c|#t:v|@0.5', 'c a;t=v 2 1'],
  ['a:1|c|#t:v|T1700000000', 'c a;t=v 1 1'],
  ['a:1e400|c', 'bad_value 1'],
  ['a:0x10|c', 'bad_value 1'],
  [':1|c', 'bad_name 1'],
  ['a:5|zzz', 'bad_type 1'],
  ['a:5|d', 't a 5 1'],
  ['a:abc:def|s', 's a abc:def'],
  ['__proto__:\0\xff |s|@0.1', 's __proto__ \0\xff '],
  ['a:|s', 'bad_value 1'],
  // NUL bytes.
  ['a\0b:1|c', 'c ab 1 1'],
  ['\0:1|c', 'bad_name 1'],
  ['a:\0|c', 'bad_value 1'],
  ['a:1\0|c', 'bad_value 1'],
  ['a:1|c\0', 'bad_type 1'],
  ['a:1|c|@1\0', 'bad_rate 1'],
  ['a:1|c|#\0', 'bad_tags 1'],
  ['a:1|c|#k:\0', 'c a;k= 1 1'],
  ['a:1|c|\0', 'c a 1 1'],
  ['\0', 'no_separator 1'],
  ['\0'.repeat(1500), 'no_separator 1'],
  ['\0\n\0\n\0', 'no_separator 3'],
  ['a:1|c\n\0\0\0', 'c a 1 1', 'no_separator 1'],
  // Half a UTF-8 character.
  ['caf\xc3:1|c', 'c caf 1 1'],
  ['\xc3:1|c', 'bad_name 1'],
  ['\xe2\x82', 'no_separator 1'],
  ['a:\xc3|c', 'bad_value 1'],
  ['a:1|\xc3', 'bad_type 1'],
  ['a:1|c|#k:\xf0\x9f\x98', 'c a;k= 1 1'],
  ['a:1|c|#\xf0\x9f\x98:v', 'bad_tags 1'],
  ['a:1|c\n\xa9:1|c', 'c a 1 1', 'bad_name 1'],
  // Nothing in it, or no LF behind it.
  [''],
  ['\n'],
  ['\n'.repeat(1000)],
  ['\r\n'.repeat(1000)],
  ['a:1|c\n', 'c a 1 1'],
  ['a:1|c\na:2|c', 'c a 3 2'],
  ['\n\na:1|c\r\n\n\r\na:2|c\r', 'c a 3 2'],
];

/** The longest datagrams that UDP can carry. */
export const LONGEST: [title: string, datagram: string, ...added: string[]][] = [
  ['of packed values', longest('a:', '1:', '1|c'), `c a ${packed(2)} ${packed(2)}`],
  ['of a bit list', longest('a:', '1|c:', '1|c'), `c a ${packed(4)} ${packed(4)}`],
  ['of lines', longest('', 'a:1|c\n', 'a:1|c'), `c a ${lines(6)} ${lines(6)}`],
  ['of bad lines', longest('', 'a\n', 'a'), `no_separator ${lines(2)}`],
  ['of one line without an end', longest('', 'x', ''), 'no_separator 1'],
  ['of one name', longest('', 'x', ':1|c'), 'name_too_long 1'],
  ['of Graphite tags', longest('a', ';k=v', ':1|c'), 'bad_tags 1'],
  ['of DogStatsD tags', longest('a:1|c|#', 'k:v,', 'k'), 'bad_tags 1'],
  ['of one tag', longest('a:1|c|#', 'k', ''), 'bad_tags 1'],
  ['of commas', longest('a:1|c|#', ',', ''), 'bad_tags 1'],
  ['of fields', longest('a:1|c', '|x', ''), 'c a 1 1'],
  ['of empty fields', longest('a:1|c', '|', ''), 'c a 1 1'],
  ['of rates', longest('a:1|c', '|@1', ''), 'bad_rate 1'],
  ['of digits', longest('a:', '9', '|c'), 'bad_value 1'],
  ['of zeros before one', longest('a:', '0', '1|c'), 'c a 1 1'],
  ['of zeros behind the dot', longest('a:1.', '0', '|c'), 'c a 1 1'],
  ['of an exponent', longest('a:1e', '9', '|c'), 'bad_value 1'],
  ['of one type', longest('a:1|', 'm', ''), 'bad_type 1'],
  ['of colons', longest('', ':', '|c'), 'bad_name 1'],
  ['of empty values', longest('a:', ':', '1|c'), 'c a 1 1'],
  ['of nothing but empty values', longest('a:', ':', '|c'), 'bad_value 1'],
  ['of LFs', longest('', '\n', '')],
  ['of LFs and a line', longest('', '\n', 'a:1|c'), 'c a 1 1'],
  ['of NUL bytes', longest('', '\0', ''), 'no_separator 1'],
];

/** As much of the middle as fits between the two; the rest of the bytes are LFs in front. */
function longest(before: string, middle: string, after: string): string {
  const room = DATAGRAM_BYTES_MAX - before.length - after.length;
  const body = before + middle.repeat(Math.floor(room / middle.length)) + after;
  return body.padStart(DATAGRAM_BYTES_MAX, '\n');
}

/** How many values of so many bytes there are between `a:` and `1|c`, and the one that is there. */
function packed(bytes: number): number {
  return Math.floor((DATAGRAM_BYTES_MAX - 5) / bytes) + 1;
}

/** How many lines of so many bytes, the last of which has no LF. */
function lines(bytes: number): number {
  return Math.floor((DATAGRAM_BYTES_MAX - bytes + 1) / bytes) + 1;
}
