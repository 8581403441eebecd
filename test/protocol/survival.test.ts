import { expect } from 'chai';
import { describe, it } from 'mocha';
import { Stat } from '../../src/ledger/stat.ts';
import type { NameRule } from '../../src/protocol/names.ts';
import { DATAGRAM_BYTES_MAX } from '../../src/protocol/parse.ts';
import type { RejectReason } from '../../src/protocol/reasons.ts';
import { type Fact, FACTS, LONGEST } from './survival-facts.ts';
import { createWire, shown, SMALL, utf8, type Drained, type Wire } from './wire.ts';

/** What was drained, as texts in order. */
function textsOf({ counters, gauges, sets, timings, rejected }: Drained): string[] {
  const texts = [...counters].map(([name, [sum, samples]]) => `c ${name} ${sum} ${samples}`);
  for (const [name, members] of sets) for (const one of members) texts.push(`s ${name} ${one}`);
  for (const [name, [value, absolute, samples]] of gauges) {
    texts.push(`g ${name} ${absolute ? '' : 'by '}${value} ${samples}`);
  }
  for (const [name, pairs] of timings) {
    for (const [value, weight] of pairs) texts.push(`t ${name} ${value} ${weight}`);
  }
  for (const [reason, count] of Object.entries(rejected)) texts.push(`${reason} ${count}`);
  return texts;
}

/** Sends twice, draining in between, and then a good line: each time the same is added. */
function expectTwice(datagram: string, added: string[], rule: NameRule = 'statsd'): void {
  const wire = createWire(SMALL, rule);
  let entries = 0;
  for (let round = 0; round < 2; round++) {
    wire.send(datagram);
    const drained = wire.drain();
    expect(textsOf(drained)).to.deep.equal(added);
    expect([...drained.stats.subarray(Stat.datagrams, Stat.bytes + 1)]).to.deep.equal([
      1,
      datagram.length,
    ]);
    if (round > 0) expect(wire.entries()).to.equal(entries);
    entries = wire.entries();
  }
  wire.send('ok:1|c\nok:5|ms|@0.5');
  expect(textsOf(wire.drain())).to.deep.equal(['c ok 1 1', 't ok 5 2']);
}

describe('Datagrams that must be survived', () => {
  for (const [datagram, ...added] of FACTS) {
    it(`${shown(datagram)} adds ${added.map(shown).join(', ') || 'nothing'}, twice`, () => {
      expectTwice(datagram, added);
    });
  }

  for (const [title, datagram, ...added] of LONGEST) {
    it(`${DATAGRAM_BYTES_MAX} bytes ${title} add ${added.join(', ') || 'nothing'}, twice`, () => {
      expect(datagram.length).to.equal(DATAGRAM_BYTES_MAX);
      expectTwice(datagram, added);
    });
  }

  it('half a character is U+FFFD in a name that is kept', () => {
    const name = utf8('caf\ufffd');
    expectTwice('caf\xc3:1|c', ['c caf\ufffd 1 1'], 'keep');
    expectTwice(`caf\xc3:1|c\n${name}:1|c`, ['c caf\ufffd 2 2'], 'keep');
  });

  it('all of them, in one datagram or in one each, add the sum of all', () => {
    const joined = createWire();
    const single = createWire();
    const bodies = FACTS.map(([datagram]) => datagram);
    for (let round = 0; round < 2; round++) {
      joined.send(bodies.join('\n'));
      for (const body of bodies) single.send(body);
      const [one, other] = [joined.drain(), single.drain()];
      expect(textsOf(one)).to.deep.equal(textsOf(other));
      expect(one.rejected).to.deep.equal(rejectedBy(FACTS));
      expect(one.counters.get('__proto__')).to.deep.equal([1, 1]);
      expect(one.timings.get('__proto__')).to.deep.equal([[1, 1]]);
    }
  });

  it('the receive buffer may hold older bytes: none behind the datagram are read', () => {
    const wire = createWire();
    const buffer = Buffer.alloc(DATAGRAM_BYTES_MAX);
    for (const text of ['stale:100|c|#k:v\nstale:1|c', 'a:1', 'a:1|c', 'a:1|m', '']) {
      buffer.write(text, 'latin1');
      wire.send(buffer, text.length);
    }
    const { counters, rejected } = wire.drain();
    const expected = [
      ['stale;k=v', [100, 1]],
      ['stale', [1, 1]],
      ['a', [2, 2]],
    ];
    expect([...counters]).to.deep.equal(expected);
    expect(rejected).to.deep.equal({ no_separator: 1 });
  });
});

describe('10,000 distinct names', () => {
  const names = Array.from({ length: 10_000 }, (_, at) => `name.${at}`);

  it('are all counted where there is room, again and again', () => {
    const wire = createWire({ entriesMax: 10_000, nameBytesMax: 100_000, timingsMax: 64 });
    for (let round = 0; round < 3; round++) {
      sendAll(wire, names);
      const { counters, rejected } = wire.drain();
      expect([...counters.keys()]).to.deep.equal(names);
      for (const [sum, samples] of counters.values()) expect([sum, samples]).to.eql([2, 1]);
      expect(rejected).to.deep.equal({});
    }
    expect(wire.entries()).to.equal(10_000);
  });

  it('are counted until there is no room, and the others refused, again and again', () => {
    const wire = createWire({ entriesMax: 1000, nameBytesMax: 100_000, timingsMax: 64 });
    for (let round = 0; round < 3; round++) {
      sendAll(wire, names);
      const { counters, rejected } = wire.drain();
      expect([...counters.keys()]).to.deep.equal(names.slice(0, 1000));
      expect(rejected).to.deep.equal({ key_limit: 9000 });
    }
  });

  /** Some lines to a datagram, as clients do. */
  function sendAll(wire: Wire, all: string[]): void {
    for (let at = 0; at < all.length; at += 25) {
      const some = all.slice(at, at + 25);
      wire.send(some.map((name) => `${name}:1|c|@0.5`).join('\n'));
    }
  }
});

function rejectedBy(facts: Fact[]): Partial<Record<RejectReason, number>> {
  const counts: Partial<Record<RejectReason, number>> = {};
  for (const text of facts.flatMap(([, ...added]) => added)) {
    const [reason, count] = text.split(' ') as [RejectReason, string];
    if (!/^[ctgs]$/.test(reason)) counts[reason] = (counts[reason] ?? 0) + Number(count);
  }
  return counts;
}
