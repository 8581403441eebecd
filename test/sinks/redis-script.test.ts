import { expect } from 'chai';
import { describe, it } from 'mocha';
import { hasTag, markerKey, readFaults, readWrongType } from '../../src/sinks/redis-script.ts';

describe('A key’s tag', () => {
  const table: [key: string, tagged: boolean][] = [
    ['stats', false],
    ['', false],
    ['{app}:stats', true],
    ['a{b}c', true],
    ['{a}', true],
    ['{}stats', false],
    ['{}{a}', false],
    ['{{a}}', true],
    ['a{b', false],
    ['a}b', false],
    ['}{', false],
    ['a}{b}', true],
    ['{a}{}', true],
  ];
  for (const [key, tagged] of table) {
    it(`is ${tagged ? 'there' : 'not there'} in ${JSON.stringify(key)}`, () => {
      expect(hasTag(key)).to.equal(tagged);
    });
  }
});

describe('The marker of a hash', () => {
  const table: [hash: string, marker: string][] = [
    ['statcol:stats', '{statcol:stats}:applied:web-1'],
    ['{app}:stats', '{app}:stats:applied:web-1'],
    ['foo_{a}', 'foo_{a}:applied:web-1'],
    ['a b', '{a b}:applied:web-1'],
  ];
  for (const [hash, marker] of table) {
    it(`of ${hash} is ${marker}`, () => expect(markerKey(hash, 'web-1')).to.equal(marker));
  }

  it('falls into the slot of its hash', () => {
    for (const hash of ['h', 'a:b', '{a}b', 'x{y}z', '{{a}}', 'a}{b}']) {
      expect(slotText(markerKey(hash, 'i')), hash).to.equal(slotText(hash));
    }
  });
});

describe('The answer of the script', () => {
  const table: [reply: string, faults: [number, string][]][] = [
    ['', []],
    [' 3n', [[3, 'not_integer']]],
    [' 0o', [[0, 'overflow']]],
    [' 17r', [[17, 'refused']]],
    [
      ' 3n 17o 999r',
      [
        [3, 'not_integer'],
        [17, 'overflow'],
        [999, 'refused'],
      ],
    ],
    // A part whose field was written, but whose total was not, may be named twice.
    [' 4n 4o', [[4, 'overflow']]],
    ['OK', []],
  ];
  for (const [reply, faults] of table) {
    it(`${JSON.stringify(reply)} names ${faults.length || 'no'} parts`, () => {
      expect([...readFaults(reply)]).to.deep.equal(faults);
    });
  }
});

describe('The answer of the script for what is no hash', () => {
  const table: [reply: string, type: string | undefined][] = [
    [' w string', 'string'],
    [' w ReJSON-RL', 'ReJSON-RL'],
    ['', undefined],
    [' 3n 17o', undefined],
    ['x w string', undefined],
  ];
  for (const [reply, type] of table) {
    it(`${JSON.stringify(reply)} names ${type ?? 'nothing'}`, () => {
      expect(readWrongType(reply)).to.equal(type);
      if (type !== undefined) expect([...readFaults(reply)]).to.deep.equal([]);
    });
  }
});

/** The part of a key that decides its slot, as the Redis Cluster specification says. */
function slotText(key: string): string {
  const open = key.indexOf('{');
  const close = open < 0 ? -1 : key.indexOf('}', open + 1);
  return close > open + 1 ? key.slice(open + 1, close) : key;
}
