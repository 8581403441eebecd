import { expect } from 'chai';
import { describe, it } from 'mocha';

import type { Problem } from '../../src/live/frame.ts';
import { refusalAdvice } from '../../src/live/advice.ts';
import { problemsOf, type Standing } from '../../src/live/problems.ts';
import type { Totals } from '../../src/live/recent.ts';
import { REJECT_REASONS } from '../../src/protocol/reasons.ts';
import type { Vitals } from '../../src/vitals-types.ts';
import { VITALS } from '../http/vitals.ts';

const NOTHING: Totals = {
  atMs: 0,
  datagrams: 0,
  linesAccepted: 0,
  linesRejected: new Map(),
  kernelDrops: 0,
  counters: { taken: 0, delivered: 0, dropped: new Map() },
  gauges: { taken: 0, delivered: 0, dropped: new Map() },
  sets: { taken: 0, delivered: 0, dropped: new Map() },
  timings: { taken: 0, delivered: 0, dropped: new Map() },
};
const IN_TIME = { lagMs: 900, limitMs: 4500 };
const LATE = { lagMs: 21_000, limitMs: 4500 };
const WELL: Standing = {
  vitals: VITALS,
  saidDown: undefined,
  lastMinute: { before: NOTHING, now: NOTHING },
  store: { label: 'redis 127.0.0.1:6379', down: undefined, refusing: [] },
  trap: undefined,
  state: undefined,
  spoolFilled: 0.1,
  refusals: new Map(),
  lag: { counters: IN_TIME, timings: IN_TIME },
};
const DOWN = { error: 'connect ECONNREFUSED', sinceMs: 1234 };

function one(standing: Partial<Standing>): Problem {
  const found = problemsOf({ ...WELL, ...standing });
  expect(found).to.have.length(1);
  return found[0]!;
}

function since(before: Partial<Totals>, now: Partial<Totals>): Partial<Standing> {
  return { lastMinute: { before: { ...NOTHING, ...before }, now: { ...NOTHING, ...now } } };
}

describe('Problems', () => {
  it('are none when all is well, or nothing is known yet', () => {
    expect(problemsOf(WELL)).to.deep.equal([]);
    expect(problemsOf({ ...WELL, lastMinute: undefined })).to.deep.equal([]);
  });

  it('tell of a store that is away, why, since when, and where counts are', () => {
    const store = { ...WELL.store, down: DOWN };
    expect(one({ store })).to.deep.equal({
      about: 'store',
      level: 'bad',
      text: 'redis 127.0.0.1:6379 fails: connect ECONNREFUSED',
      advice:
        'Counts are kept in the state directory and written when it is back; ' +
        'see that it runs and lets statcol in.',
      sinceMs: 1234,
    });
    const vitals = { ...VITALS, state: { ...VITALS.state, configured: false, up: false } };
    expect(one({ store, vitals }).advice).to.match(/^Counts are kept in memory /);
    const never = { ...WELL.store, down: { error: null, sinceMs: 5 } };
    expect(one({ store: never }).text).to.equal('redis 127.0.0.1:6379 was not reached yet');
  });

  it('tell who has taken the collector out of service', () => {
    expect(one({ saidDown: { peer: '127.0.0.1:4000', sinceMs: 77 } })).to.deep.equal({
      about: 'admin',
      level: 'warn',
      text: 'Out of service: 127.0.0.1:4000 said "health down" at the admin console',
      advice: 'Say "health up" there to undo it.',
      sinceMs: 77,
    });
  });

  it('tell of hashes that refuse', () => {
    const refusing = [{ hash: 'x'.repeat(300), reason: 'WRONGTYPE', sinceMs: 7 }];
    const found = one({ store: { ...WELL.store, refusing } });
    expect(found).to.include({ about: 'store', level: 'bad', sinceMs: 7 });
    expect(found.text).to.equal(`The hash ${'x'.repeat(80)}… takes nothing: WRONGTYPE`);
    const three = [...refusing, ...refusing, { hash: 'y', reason: 'z', sinceMs: 9 }];
    expect(one({ store: { ...WELL.store, refusing: three } }).text).to.include(
      '(and 2 other hashes)',
    );
  });

  it('tell of a trap that is away, or refuses', () => {
    const found = one({ trap: DOWN });
    expect(found).to.include({ about: 'trap', level: 'bad', sinceMs: 1234 });
    expect(found.text).to.equal('The trap fails: connect ECONNREFUSED');
    expect(found.advice).to.match(/^Timings are kept in the state directory and pushed/);
    const refusing = one({ trap: { error: 'answered 403', sinceMs: 1 } });
    expect(refusing.text).to.equal('The trap refuses timings: answered 403');
    expect(refusing.advice).to.match(/^What it refuses for good is dropped; /);
    for (const status of [408, 429, 500, 503, 599]) {
      const again = one({ trap: { error: `answered ${status}`, sinceMs: 1 } });
      expect(again.text).to.equal(`The trap fails: answered ${status}`);
      expect(again.advice).to.match(/^Timings are kept /);
    }
  });

  it('tell of a state directory that fails, or is nearly full', () => {
    const failing = one({ state: { error: 'ENOSPC', sinceMs: 3 } });
    expect(failing).to.include({ about: 'state', level: 'warn', sinceMs: 3 });
    expect(failing.text).to.equal('The state directory fails: ENOSPC');
    expect(one({ spoolFilled: 0.834 }).text).to.equal(
      'What waits takes 83 % of its room in the state directory (4,711 bytes now)',
    );
    expect(problemsOf({ ...WELL, spoolFilled: 0.8 })).to.deep.equal([]);
  });

  it('tell of refused lines, the most frequent first, with the last line and its sender', () => {
    const linesRejected = new Map([
      ['bad_value', 5],
      ['no_separator', 1205],
      ['unsupported', 9],
      ['bad_rate', 1],
      ['bad_tags', 4],
    ] as const);
    const refusals = new Map([
      ['no_separator', { line: 'hello', source: '10.0.0.1:99' }],
      ['bad_value', { line: 'a:x|c', source: '' }],
    ] as const);
    const standing = {
      ...since({ linesRejected: new Map([['bad_tags', 4]]) }, { linesRejected }),
      refusals,
    };
    expect(one(standing)).to.deep.equal({
      about: 'refused',
      level: 'warn',
      text:
        'Refused in the last minute: 1,205 lines (no_separator, the last from 10.0.0.1:99: "hello"), ' +
        '9 lines (unsupported), 5 lines (bad_value, the last: "a:x|c"), and 1 more reason',
      advice:
        'Lines are written name:value|type, such as api.hits:1|c; see what its sender is. ' +
        `${refusalAdvice('unsupported')} ${refusalAdvice('bad_value')}`,
      sinceMs: null,
    });
  });

  for (const reason of REJECT_REASONS) {
    it(`advise about lines refused for ${reason}`, () => {
      const { advice, level } = one(since({}, { linesRejected: new Map([[reason, 1]]) }));
      expect(advice).to.match(/^[A-Z].{10,120}\.$/);
      // Without room a line is lost that nothing was wrong with.
      expect(level).to.equal(reason === 'key_limit' ? 'bad' : 'warn');
    });
  }

  it('tell of what the kernel dropped, and advise by what was tried', () => {
    const drops = since({ kernelDrops: 10 }, { kernelDrops: 2010 });
    const udp = { ...VITALS.udp, receiveBufferBytes: 425_984 };
    const small = one({ ...drops, vitals: { ...VITALS, udp } });
    expect(small).to.include({ about: 'drops', level: 'bad' });
    expect(small.text).to.match(/^The kernel dropped 2,000 datagrams in the last minute/);
    expect(small.advice).to.include('sysctl -w net.core.rmem_max=16777216');
    const large = one(drops).advice;
    expect(large).to.include('--threads').and.not.include('sysctl');
  });

  for (const reason of [
    ...['not_integer', 'overflow', 'key_limit', 'refused', 'too_old', 'timing_log_full'],
    ...['not_number', 'set_log_full', 'set_book_full', 'sets_full', 'wrong_type'],
    ...['trap_status_403', 'spool_full', 'window_full', 'toString', 'one_of_later'],
    ...['not_number', 'wrong_type', 'sets_full', 'set_book_full', 'set_log_full'],
  ]) {
    it(`tell of samples dropped for ${reason}`, () => {
      const before = { ...NOTHING.timings, dropped: new Map([[reason, 1]]) };
      const now = { ...NOTHING.timings, dropped: new Map([[reason, 4]]) };
      const found = one(since({ timings: before }, { timings: now }));
      expect(found).to.include({ about: 'lost', level: 'bad' });
      expect(found.text).to.equal(`Dropped in the last minute: 3 timings (${reason})`);
      expect(found.advice).to.match(/^[A-Z].{10,120}\.$/);
    });
  }

  it('tell of gauges and sets that were dropped, the most first', () => {
    const lost = (reason: string, samples: number): Totals['sets'] => {
      return { ...NOTHING.sets, dropped: new Map([[reason, samples]]) };
    };
    const found = one(since({}, { gauges: lost('not_number', 2), sets: lost('wrong_type', 3) }));
    expect(found.text).to.equal(
      'Dropped in the last minute: 3 set samples (wrong_type), 2 gauge samples (not_number)',
    );
  });

  it('tell of names that run out', () => {
    const keys = (counters: number, growth: Vitals['growth'] = []): Partial<Standing> => {
      const used = { ...VITALS.keys, counters, timings: 60, gauges: 30, sets: 10, limit: 2000 };
      return { vitals: { ...VITALS, keys: used, growth } };
    };
    expect(problemsOf({ ...WELL, ...keys(1700) })).to.deep.equal([]);
    expect(one(keys(1701))).to.include({ about: 'keys', level: 'warn' });
    expect(one(keys(1701)).text).to.equal('1,801 names of at most 2,000 are in use');
    expect(one(keys(1900)).level).to.equal('bad');
    const grown = ['checkout.time', 'api.', 'user', 'job.'].map((name, at) => {
      return { name, keys: 1234 - at };
    });
    expect(one(keys(1701, grown)).text).to.equal(
      '1,801 names of at most 2,000 are in use; new within 10 minutes: ' +
        '1,234 of checkout.time, 1,233 of api.*, 1,232 of user',
    );
    const long = one(keys(1701, [{ name: 'n'.repeat(5000), keys: 1 }])).text;
    expect(long.length).to.be.below(200);
  });

  it('tell of delivery that is behind, unless somebody is away', () => {
    const lag = { counters: LATE, timings: LATE };
    const both = 'Delivery is behind: counters have waited for 21 s, timings have waited for 21 s';
    expect(one({ lag }).text).to.equal(both);
    expect(one({ lag }).about).to.equal('lag');
    expect(one({ lag: { ...lag, timings: IN_TIME } }).text).to.not.include('timings');
    const store = { ...WELL.store, down: DOWN };
    const abouts = problemsOf({ ...WELL, lag, store, trap: DOWN }).map(({ about }) => about);
    expect(abouts).to.deep.equal(['store', 'trap']);
  });

  it('come the worst first, one about each', () => {
    const found = problemsOf({
      ...WELL,
      ...since(
        {},
        {
          kernelDrops: 1,
          linesRejected: new Map([['bad_name', 1]]),
          counters: { ...NOTHING.counters, dropped: new Map([['overflow', 1]]) },
        },
      ),
      vitals: {
        ...VITALS,
        keys: { ...VITALS.keys, counters: 95, timings: 0, gauges: 0, sets: 0, limit: 100 },
      },
      store: { ...WELL.store, down: DOWN, refusing: [{ hash: 'h', reason: 'r', sinceMs: 1 }] },
      trap: DOWN,
      state: DOWN,
      lag: { counters: LATE, timings: LATE },
    });
    expect(found.map(({ about, level }) => `${level} ${about}`)).to.deep.equal([
      'bad store',
      'bad trap',
      'bad drops',
      'bad lost',
      'warn state',
      'warn refused',
      'warn keys',
    ]);
  });
});
