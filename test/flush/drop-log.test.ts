import { expect } from 'chai';
import { beforeEach, describe, it } from 'mocha';

import { createDropLog, type DropLog } from '../../src/flush/drop-log.ts';

describe('the log of what was dropped', () => {
  let now: number;
  let said: string[];
  let log: DropLog;

  beforeEach(() => {
    now = 0;
    said = [];
    log = createDropLog(
      () => now,
      (level, line) => said.push(`${level} ${line}`),
    );
  });

  it('names the first, and tells how much of how many others there was', () => {
    for (const name of ['a', 'b', 'b', 'c', 'a', 'd', 'e']) log.add('samples', name, 'why', 2);
    log.say();
    expect(said).to.deep.equal([
      'warn "a": 4 samples dropped (and 10 of 4 others: "b", "c", "d", …): why',
    ]);
  });

  it('says one line per second and reason, and with the next what came meanwhile', () => {
    log.add('samples', 'a', 'why', 1);
    log.say();
    now = 999;
    for (const name of ['b', 'c']) log.add('samples', name, 'why', 1);
    log.add('samples', 'x', 'another', 1);
    log.add('gauges', 'a', 'why', 7);
    log.say();
    expect(said.splice(0)).to.deep.equal([
      'warn "a": 1 samples dropped: why',
      'warn "x": 1 samples dropped: another',
      'warn "a": 7 gauges dropped: why',
    ]);
    now = 1000;
    log.say();
    log.say();
    expect(said).to.deep.equal(['warn "b": 1 samples dropped (and 1 of 1 others: "c"): why']);
  });

  it('says at the end what it would have said later', () => {
    log.add('samples', 'a', 'why', 1);
    log.say();
    log.add('samples', 'b', 'why', 3);
    log.say();
    log.say(true);
    expect(said.at(-1)).to.equal('warn "b": 3 samples dropped: why');
    log.say(true);
    expect(said).to.have.length(2);
  });

  it('remembers no more names than a thousand', () => {
    for (let at = 0; at < 5000; at++) log.add('samples', `n${at}`, 'why', 1);
    log.say();
    expect(said[0]).to.match(/ \(and 4999 of 1000 or more others: "n1", /);
  });

  it('says what is to be done', () => {
    log.add('samples', '__proto__', 'not_integer', 1);
    log.add('samples', '\n', 'wrong_type', 1);
    log.say();
    expect(said).to.deep.equal([
      'warn "__proto__": 1 samples dropped: not_integer; remove that field, or write an integer to it',
      String.raw`warn "\n": 1 samples dropped: wrong_type; rename or remove that key`,
    ]);
  });
});
