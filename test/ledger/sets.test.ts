import { expect } from 'chai';
import { describe, it } from 'mocha';
import { Stat } from '../../src/ledger/stat.ts';
import { ledgerBench } from '../support/ledger-bench.ts';

describe('a ledger’s sets', () => {
  it('are their members in order of arrival, byte by byte, on the side that is written', () => {
    const bench = ledgerBench();
    const lines = ['u:x|s', 'u:x|s|@0.1', 'v:a:b|s', 'u:\xff\0\r|s', 'w:12345678|s:y|s', 'u:1|c'];
    for (const line of lines) expect(bench.send(Buffer.from(line, 'latin1'))).to.equal(undefined);
    const { sets, counters, stats } = bench.take();
    expect([...sets]).to.deep.equal([
      ['u', ['x', 'x', '\xff\0\r']],
      ['v', ['a:b']],
      ['w', ['12345678', 'y']],
    ]);
    expect([...counters]).to.deep.equal([['u', [1, 1]]]);
    expect(stats[Stat.setSamples]).to.equal(6);
    for (const line of ['u:z|s']) bench.send(line);
    expect([...bench.take().sets]).to.deep.equal([['u', ['z']]]);
    expect(bench.take().sets.size).to.equal(0);
  });

  it('have an end: what does not fit is counted, and a flip is asked for', () => {
    const bench = ledgerBench({ timingsMax: 12 });
    const sent = ['abcd', 'abcde', 'abc', 'ab', 'a'].map((member) => `u:${member}|s`);
    for (const line of sent) expect(bench.send(line)).to.equal(undefined);
    // Of 12 words: 3, 4, 3; then 2 are left.
    const { sets, stats } = bench.take();
    expect([...sets]).to.deep.equal([['u', ['abcd', 'abcde', 'abc']]]);
    expect([stats[Stat.setSamples], stats[Stat.membersDropped]]).to.deep.equal([5, 2]);
    expect(bench.asked()).to.equal(1);
    bench.send('u:a|s');
    expect([...bench.take().sets]).to.deep.equal([['u', ['a']]]);
  });
});
