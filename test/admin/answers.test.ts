import { expect } from 'chai';
import { describe, it } from 'mocha';

import {
  deletedAnswer,
  HELP,
  objectAnswer,
  type StatsAges,
  statsText,
} from '../../src/admin/answers.ts';
import { VITALS } from '../http/vitals.ts';

const NEVER = { sinceSuccessMs: undefined, sinceFailureMs: undefined };

describe('The answers of the console', () => {
  it('help names all there is', () => {
    expect(HELP).to.equal(
      'Commands: stats, counters, timers, gauges, delcounters, deltimers, delgauges, health, config, quit\n\n',
    );
  });

  it('stats tells what has been done since the start, in whole seconds', () => {
    const ages: StatsAges = {
      sinceLineMs: 3999,
      store: { sinceSuccessMs: 0, sinceFailureMs: 7100 },
      trap: NEVER,
    };
    expect(statsText(VITALS, ages).split('\n')).to.deep.equal([
      'uptime: 12',
      'messages.last_msg_seen: 3',
      'messages.bad_lines_seen: 10',
      'memory.last_flush: 0',
      'memory.last_exception: 7',
      'memory.flush_time: 1.5',
      'memory.delivered: 652',
      'memory.pending: 104',
      'memory.dropped: 4',
      'trap.last_flush: 12',
      'trap.last_exception: 12',
      'trap.flush_time: 0',
      'trap.delivered: 299',
      'trap.pending: 1',
      'trap.dropped: 0',
      'END',
      '',
      '',
    ]);
  });

  it('before the first line, the last one was at the start; without a trap there is none', () => {
    const store = { ...VITALS.store, kind: 'redis-cluster' };
    const ages = { sinceLineMs: undefined, store: NEVER, trap: undefined };
    const text = statsText({ ...VITALS, store }, ages);
    expect(text).to.include('messages.last_msg_seen: 12\n').and.include('redis-cluster.pending: ');
    expect(text).to.not.include('trap.');
  });

  it('an object is one line', () => {
    expect([...objectAnswer(['{"a"', ':1}'])].join('')).to.equal('{"a":1}\nEND\n\n');
    const quoted = [...objectAnswer(['{"it\'s"', ':1}'])].join('');
    expect(quoted).to.equal('{"it\\u0027s":1}\nEND\n\n');
    const asRubyReadsIt = quoted.split('\n')[0]!.replaceAll("'", '"');
    expect(JSON.parse(asRubyReadsIt)).to.deep.equal({ "it's": 1 });
  });

  it('a deletion has a line for each name, or for a word that stood for none', () => {
    const all = [
      { word: 'a', names: ['a'] },
      { word: 'b.*', names: ['b.c', 'b.\nd\x1b'] },
      { word: 'c.*', names: [] },
    ];
    expect([...deletedAnswer(all)].join('')).to.equal(
      'deleted: a\ndeleted: b.c\ndeleted: b.\\x0ad\\x1b\nmetric c.* not found\nEND\n\n',
    );
    expect([...deletedAnswer([])].join('')).to.equal('END\n\n');
  });
});
