import { expect } from 'chai';
import { describe, it } from 'mocha';
import { ErrorCode, errorText, StatcolError } from '../src/errors.ts';

describe('A StatcolError', () => {
  it('carries code, message, cause and faults', () => {
    const cause = new Error('origin');
    const error = new StatcolError(ErrorCode.ERR_LISTEN, 'no', { cause, faults: ['a', 'b'] });
    expect(error).to.be.instanceOf(Error);
    expect([error.name, error.code, error.message]).to.deep.equal([
      'StatcolError',
      'ERR_LISTEN',
      'no',
    ]);
    expect(error.cause).to.equal(cause);
    expect(error.faults).to.deep.equal(['a', 'b']);
    expect(String(error)).to.equal('StatcolError: no');
  });

  it('has no cause and no faults of itself', () => {
    const error = new StatcolError(ErrorCode.ERR_SOURCE, 'no');
    expect(error.faults).to.deep.equal([]);
    expect('cause' in error).to.equal(false);
  });

  it('has codes that are their own names', () => {
    for (const [name, code] of Object.entries(ErrorCode)) expect(code).to.equal(name);
  });
});

describe('errorText', () => {
  const refused = Object.assign(new Error('connect 127.0.0.1:1'), { code: 'ECONNREFUSED' });
  const table: [what: string, thrown: unknown, text: string][] = [
    ['an error', new Error('broken'), 'broken'],
    ['an error of several lines', new Error(' broken\n  in\ttwo '), 'broken in two'],
    ['an error without a message', new TypeError(''), 'TypeError'],
    ['an error with a code', refused, 'ECONNREFUSED: connect 127.0.0.1:1'],
    [
      'an error whose message has its code',
      Object.assign(new Error('bind EADDRINUSE :1'), { code: 'EADDRINUSE' }),
      'bind EADDRINUSE :1',
    ],
    [
      'an error with a code and no message',
      Object.assign(new Error(''), { code: 'EPIPE' }),
      'EPIPE: Error',
    ],
    [
      'an aggregate: its first part',
      new AggregateError([refused, new Error('x')]),
      'ECONNREFUSED: connect 127.0.0.1:1',
    ],
    [
      'an aggregate of aggregates',
      new AggregateError([new AggregateError([new Error('in')])]),
      'in',
    ],
    ['an aggregate of nothing', new AggregateError([], 'all failed'), 'all failed'],
    ['a text', 'broken', 'broken'],
    ['a text of several lines', 'broken\nin two', 'broken in two'],
    ['a number', 7, '7'],
    ['undefined', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
    [
      'a DOMException, whose code is an old number',
      new DOMException('The operation was aborted', 'AbortError'),
      'The operation was aborted',
    ],
  ];
  for (const [what, thrown, text] of table) {
    it(`gives one line for ${what}`, () => expect(errorText(thrown)).to.equal(text));
  }

  it('never throws itself', () => {
    expect(errorText(Object.create(null))).to.be.a('string');
  });
});
