import { expect } from 'chai';
import { describe, it } from 'mocha';
import { Stat } from '../../src/ledger/stat.ts';
import { REJECT_REASONS, Verdict } from '../../src/protocol/reasons.ts';
import { ledgerBench, nothingDrained, rejected } from '../support/ledger-bench.ts';

describe('a ledger’s refusals', () => {
  it('count each line, and keep the last one of a reason with its source', () => {
    let source = '10.0.0.1:1';
    const bench = ledgerBench({ source: () => source });
    bench.send('x:first|c');
    bench.send('nothing');
    source = '[::1]:65535';
    bench.send('x:last\0|c');
    const { stats, refusals, counters } = bench.take();
    expect([...refusals]).to.deep.equal([
      ['no_separator', ['nothing', '10.0.0.1:1']],
      ['bad_value', ['x:last\0|c', '[::1]:65535']],
    ]);
    expect(rejected(stats)).to.deep.equal({ no_separator: 1, bad_value: 2 });
    expect([counters.size, stats[Stat.linesAccepted]]).to.deep.equal([0, 0]);
  });

  it('are cut to 200 bytes, and a shorter one after a longer keeps its own length', () => {
    const bench = ledgerBench({ source: () => 'é'.repeat(50) });
    const bytes = Buffer.alloc(300, 0xff);
    bytes[199] = 0x41;
    bench.send(bytes);
    const [line, source] = bench.take().refusals.get('no_separator')!;
    expect(line).to.equal(`${'\xff'.repeat(199)}A`);
    expect(Buffer.from(source, 'latin1').toString()).to.equal('é'.repeat(40));
    bench.take();
    bench.send('short');
    expect(bench.take().refusals.get('no_separator')![0]).to.equal('short');
  });

  it('of every reason have a place of their own', () => {
    const bench = ledgerBench({ entriesMax: 1 });
    expect(bench.send('n:1|c')).to.equal(undefined);
    const lines: Record<(typeof REJECT_REASONS)[number], string> = {
      no_separator: 'n',
      bad_name: '!:1|c',
      name_too_long: `${'n'.repeat(513)}:1|c`,
      bad_value: 'n:1e400|c',
      bad_type: 'n:1|zzz',
      bad_rate: 'n:1|c|@0',
      bad_tags: 'n:1|c|#,',
      key_limit: 'm:1|c',
      unsupported: '_sc|n|0',
    };
    for (const reason of REJECT_REASONS) expect(bench.send(lines[reason])).to.equal(reason);
    const { refusals } = bench.take();
    for (const reason of REJECT_REASONS) {
      expect(refusals.get(reason)![0]).to.equal(lines[reason].slice(0, 200));
    }
  });

  it('pass over a line that was accepted', () => {
    const bench = ledgerBench();
    bench.writer.reject(Verdict.accepted, Buffer.from('fine'), 0, 4);
    expect(bench.take()).to.deep.equal(nothingDrained());
  });
});
