import { expect } from 'chai';
import { describe, it } from 'mocha';
import { createPipeline } from '../../src/ingest/pipeline.ts';
import { ledgerLimits } from '../../src/ledger/ledger.ts';
import { Stat } from '../../src/ledger/stat.ts';
import { Kind } from '../../src/protocol/parse.ts';
import { ledgerBench, nothingDrained, rejected } from '../support/ledger-bench.ts';
import type { Bench } from '../support/ledger-bench.ts';
import { hand } from '../support/packets.ts';

describe('the ledger', () => {
  describe('names', () => {
    it('that are known make no new entry', () => {
      const bench = ledgerBench();
      sendAll(bench, 'hits:1|c', 'load:2|ms', 'a b:1|c', 'n:1|c|#k:v');
      const before = bench.reader.usage();
      expect(before.entries).to.equal(6); // two of them with a spelling of their own
      sendAll(bench, 'hits:1|c', 'load:2|ms', 'a b:1|c', 'n:1|c|#k:v', 'a_b:1|c', 'n;k=v:1|c');
      bench.take();
      sendAll(bench, 'hits:1|c', 'load:2|ms', 'a b:1|c', 'n:1|c|#k:v', 'a_b:1|c', 'n;k=v:1|c');
      expect(bench.reader.usage()).to.deep.equal(before);
    });

    it('share one count between their spellings', () => {
      const spellings: [string, string[]][] = [
        ['a_b', ['a b:1|c', 'a_b:1|c', 'a \t b:1|c', 'a_b!:1|c', '(a_b):1|c']],
        ['p-q', ['p/q:1|c', 'p-q:1|c']],
        ['n;k=v;z=', ['n:1|c|#z,k:v', 'n:1|c|#k:v,z', 'n:1|c|#k:v,z,z', 'n;z;k=v:1|c']],
        ['m;k=v;z=', ['m;k=v:1|c|#z', 'm;k=v;z=:1|c', 'm;z:1|c|#k:v']],
      ];
      const bench = ledgerBench();
      const expected = new Map<string, [number, number]>();
      for (const [name, lines] of spellings) {
        sendAll(bench, ...lines, ...lines);
        expected.set(name, [2 * lines.length, 2 * lines.length]);
      }
      expect(bench.take().counters).to.deep.equal(expected);
    });

    it('are kept apart where the same bytes lie elsewhere between name and tags', () => {
      const bench = ledgerBench();
      sendAll(bench, 'ab:1|c|#c', 'a:2|c|#bc', 'abc:4|c', 'ab;c:8|c', 'a:16|c', 'ab:32|c');
      expect(Object.fromEntries(bench.take().counters)).to.deep.equal({
        'ab;c=': [9, 2],
        'a;bc=': [2, 1],
        abc: [4, 1],
        a: [16, 1],
        ab: [32, 1],
      });
    });

    it('are two keys for a counter and a timing', () => {
      const bench = ledgerBench();
      sendAll(bench, 'x:1|c', 'x:2|ms', 'x:3|c', 'x:4|h', 'x:5|d', 'x:6|m');
      expect(bench.reader.usage().entries).to.equal(2);
      const { counters, timings } = bench.take();
      expect([...counters]).to.deep.equal([['x', [10, 3]]]);
      expect([...timings]).to.deep.equal([['x', pairs(2, 4, 5)]]);
    });

    it('may be any: names of object members, 512 bytes, or not UTF-8', () => {
      const bench = ledgerBench({ rule: 'keep' });
      const long = 'n'.repeat(512);
      const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', long, 'é', '\uFEFF'];
      for (const name of names) sendAll(bench, `${name}:1|c`, `${name}:2|ms`, `${name}:1|c`);
      expect(bench.send(`${long}n:1|c`)).to.equal('name_too_long');
      for (const byte of [0xff, 0xfe]) expect(bench.send(withByte(byte))).to.equal(undefined);
      const { counters, timings } = bench.take();
      expect([...counters.keys()]).to.deep.equal([...names, '\uFFFD']);
      expect(counters.get('\uFFFD')).to.deep.equal([2, 2]);
      for (const name of names) expect(counters.get(name)).to.deep.equal([2, 2]);
      for (const name of names) expect(timings.get(name)).to.deep.equal(pairs(2));
    });

    it('of which sanitising leaves nothing are refused and take no room', () => {
      const bench = ledgerBench();
      expect(bench.send('!!!:1|c')).to.equal('bad_name');
      expect(bench.send('n:1|c|#,')).to.equal('bad_tags');
      expect(bench.reader.usage()).to.deep.equal({ entries: 0, nameBytes: 0 });
    });
  });

  describe('hashes', () => {
    it('that fall on the same slots keep names apart, up to the last entry', () => {
      for (let hashSeed = -100; hashSeed < 100; hashSeed++) {
        const bench = ledgerBench({ entriesMax: 4, hashSeed });
        for (let round = 1; round <= 3; round++) {
          for (let name = 1; name <= 4; name++)
            expect(bench.send(`n${name}:${name}|c`)).to.equal(undefined);
          for (let name = 5; name <= 20; name++) {
            expect(bench.send(`n${name}:1|c`)).to.equal('key_limit');
          }
        }
        const expected = [1, 2, 3, 4].map((name) => [`n${name}`, [3 * name, 3]]);
        expect([...bench.take().counters]).to.deep.equal(expected);
      }
    });

    it('that are equal in all 32 bits keep names apart', () => {
      const count = 200_000;
      const bench = ledgerBench({ entriesMax: count, nameBytesMax: 16 * count, hashSeed: 2 });
      const nameOf = (at: number): string =>
        `${(Math.imul(at, 0x9e3779b1) >>> 0).toString(36)}.name`;
      for (let round = 0; round < 2; round++) {
        for (let at = 0; at < count; at++) bench.send(`${nameOf(at)}:${at}|c`);
      }
      const hashes = new Set<number>();
      const { slots } = bench.ledger;
      for (let at = 0; at < slots.length; at += 2) if (slots[at + 1] !== 0) hashes.add(slots[at]!);
      // By the birthday rule a handful; with this seed always the same ones.
      expect(hashes.size).to.be.below(count);
      const { counters } = bench.take();
      expect(counters.size).to.equal(count);
      for (let at = 0; at < count; at++) {
        const [sum] = counters.get(nameOf(at))!;
        if (sum !== 2 * at) expect.fail(`${nameOf(at)} has ${sum}`);
      }
    });
  });

  it('refuses names that are made to collide, and goes on counting all that are known', () => {
    const limits = { entriesMax: 400, nameBytesMax: 1 << 16, hashSeed: 7 };
    const names = collidingNames(limits.hashSeed, 1024, 280);
    const bench = ledgerBench(limits);
    for (let round = 1; round <= 2; round++) {
      const verdicts = names.map((name) => bench.send(`${name}:1|c`));
      // So many slots are looked at; the table has room for more.
      const expected = names.map((_, at) => (at < 256 ? undefined : 'key_limit'));
      expect(verdicts).to.deep.equal(expected);
      expect(bench.send('honest:1|c')).to.equal(undefined);
    }
    expect(bench.take().counters.size).to.equal(257);
  });

  describe('the key limit', () => {
    it('by entries refuses what is new and counts all that is known', () => {
      const bench = ledgerBench({ entriesMax: 3 });
      sendAll(bench, 'a b:1|c', 'x:5|ms'); // a_b, its spelling, x
      expect(bench.send('y:1|c')).to.equal('key_limit');
      expect(bench.send('x:1|c')).to.equal('key_limit');
      sendAll(bench, 'a b:1|c', 'a_b:1|c', 'x:6|ms');
      // A spelling never seen, and there is no room to remember it: counted all the same.
      sendAll(bench, 'a\tb:1|c', 'a\tb:1|c', 'x!:7|ms');
      expect(bench.reader.usage().entries).to.equal(3);
      const { counters, timings, stats } = bench.take();
      expect([...counters]).to.deep.equal([['a_b', [5, 5]]]);
      expect([...timings]).to.deep.equal([['x', pairs(5, 6, 7)]]);
      expect(rejected(stats)).to.deep.equal({ key_limit: 2 });
      expect(stats[Stat.linesAccepted]).to.equal(8);
    });

    it('by bytes of names refuses what is new and counts all that is known', () => {
      const bench = ledgerBench({ nameBytesMax: 10 });
      sendAll(bench, 'abcde:1|c', 'fghi:1|c');
      expect(bench.send('xy:1|c')).to.equal('key_limit');
      sendAll(bench, 'abcde!:1|c', 'x:1|c', 'fghi:1|c', 'abcde:1|c', 'fghi!:1|c');
      expect(bench.reader.usage()).to.deep.equal({ entries: 3, nameBytes: 10 });
      const expected = { abcde: [3, 3], fghi: [3, 3], x: [1, 1] };
      expect(Object.fromEntries(bench.take().counters)).to.deep.equal(expected);
    });

    it('in the second kind of a line adds nothing of the first', () => {
      const bench = ledgerBench({ entriesMax: 3 });
      sendAll(bench, 'x:1|c', 'y:1|ms');
      expect(bench.send('x:1|c:2|ms:3|c')).to.equal(undefined);
      expect(bench.send('y:7|ms:7|c')).to.equal('key_limit');
      expect(bench.send('z:7|ms:7|c')).to.equal('key_limit');
      const { counters, timings, stats } = bench.take();
      expect([...counters]).to.deep.equal([['x', [5, 3]]]);
      expect([...timings]).to.have.deep.members([
        ['x', pairs(2)],
        ['y', pairs(1)],
      ]);
      expect([stats[Stat.linesAccepted], stats[Stat.counterSamples]]).to.deep.equal([3, 3]);
      expect(stats[Stat.timingSamples]).to.equal(2);
      expect(rejected(stats)).to.deep.equal({ key_limit: 2 });
    });
  });

  describe('sums', () => {
    it('of packed lines are those of their values', () => {
      const bench = ledgerBench();
      sendAll(bench, 'a:1:2:3|c', 'a:4:5|c|@0.5', 't:1:2|ms|@0.1', 'a:1|c:2|ms|@0.5:3|c|@0.25');
      const { counters, timings, stats } = bench.take();
      expect([...counters]).to.deep.equal([['a', [6 + 18 + 1 + 12, 7]]]);
      expect(timings.get('t')).to.deep.equal([
        [1, 10],
        [2, 10],
      ]);
      expect(timings.get('a')).to.deep.equal([[2, 2]]);
      expect(stats[Stat.linesAccepted]).to.equal(4);
    });

    it('are the doubles that adding in order gives', () => {
      const bench = ledgerBench();
      const lines = ['0.1|c', '1|c|@0.3', '-1e-9|c', '1e15|c', '0.7|c', '-1e15|c', '.5|c|@0.7'];
      const values = [0.1, 1 / 0.3, -1e-9, 1e15, 0.7, -1e15, 0.5 / 0.7];
      let sum = 0;
      for (let round = 0; round < 50; round++) {
        for (const [at, line] of lines.entries()) {
          sendAll(bench, `f:${line}`);
          sum += values[at]!;
        }
      }
      expect(bench.take().counters.get('f')).to.deep.equal([sum, 350]);
    });

    it('of zero are reported, for their samples', () => {
      const bench = ledgerBench();
      sendAll(bench, 'up:1|c', 'up:-1|c');
      expect([...bench.take().counters]).to.deep.equal([['up', [0, 2]]]);
    });
  });

  it('lets no sample beyond 64 bits take honest ones along', () => {
    const bench = ledgerBench();
    const onPacket = createPipeline(() => bench.writer);
    const bytes = Buffer.from('a:1|c\na:1e300|c\na:-1e300|c\na:9223372036854775808|c\na:2|c');
    hand(onPacket, bytes);
    const { counters, stats } = bench.take();
    expect([...counters]).to.deep.equal([['a', [3, 2]]]);
    expect(stats[Stat.counterSamples]).to.equal(5);
    expect(stats[Stat.countersOverflown]).to.equal(3);
  });

  it('counts a datagram that holds good lines between bad ones', () => {
    const bench = ledgerBench();
    const onPacket = createPipeline(() => bench.writer);
    const bytes = Buffer.from('a:1|c\r\n\nbad\na:x|c\nt:5|ms\na:2|c|@0.5\r');
    hand(onPacket, bytes);
    hand(onPacket, bytes, 0);
    const { counters, timings, stats } = bench.take();
    expect([...counters]).to.deep.equal([['a', [5, 2]]]);
    expect([...timings]).to.deep.equal([['t', pairs(5)]]);
    expect(stats.slice(0, Stat.rejected)).to.deep.equal([
      ...[2, bytes.length, 3, 2, 1, 0, 1, 0, 0, 0, 0, 0, 0],
    ]);
    expect(rejected(stats)).to.deep.equal({ no_separator: 1, bad_value: 1 });
  });

  it('knows the names it was seeded with, and reports none of them', () => {
    const bench = ledgerBench({ entriesMax: 2 });
    expect(bench.writer.intern(Kind.counter, 'a_b')).to.equal(true);
    expect(bench.writer.intern(Kind.timing, 't;k=v')).to.equal(true);
    expect(bench.writer.intern(Kind.timing, 't;k=v')).to.equal(true);
    expect(bench.writer.intern(Kind.timing, 'a_b')).to.equal(false);
    expect(bench.reader.usage()).to.deep.equal({ entries: 2, nameBytes: 8 });
    expect(bench.take()).to.deep.equal(nothingDrained());
    sendAll(bench, 'a b:1|c', 'a_b:1|c', 't:3|ms|#k:v');
    expect(bench.send('new:1|c')).to.equal('key_limit');
    const { counters, timings } = bench.take();
    expect([...counters]).to.deep.equal([['a_b', [2, 2]]]);
    expect([...timings]).to.deep.equal([['t;k=v', pairs(3)]]);
  });

  it('has room for what it is said to hold, from one entry up', () => {
    for (const entriesMax of [1, 2, 3, 1000]) {
      const bench = ledgerBench({ ...ledgerLimits(entriesMax), timingsMax: 1, nameBytesMax: 4000 });
      for (let at = 0; at < entriesMax; at++) sendAll(bench, `${at}:1|c`);
      expect(bench.send('one-more:1|c')).to.equal('key_limit');
      expect(bench.take().counters.size).to.equal(entriesMax);
    }
  });
});

function sendAll(bench: Bench, ...lines: string[]): void {
  for (const line of lines) expect(bench.send(line), line).to.equal(undefined);
}

/** Timings without a rate. */
function pairs(...values: number[]): [number, number][] {
  return values.map((value) => [value, 1]);
}

/** Returns names that all begin their search at the same slot of a table. */
function collidingNames(hashSeed: number, slotCount: number, wanted: number): string[] {
  const count = 1.25 * wanted * slotCount;
  const { ledger, reader, send } = ledgerBench({
    entriesMax: count,
    nameBytesMax: 16 * count,
    hashSeed,
  });
  for (let at = 0; at < count; at++) send(`n${at}:1|c`);
  const hashOf = (entry: number): number => ledger.arena[ledger.records[entry]! + 2]!;
  const entries = Array.from({ length: count }, (_, entry) => entry);
  const colliding = entries.filter((entry) => (hashOf(entry) & (slotCount - 1)) === 0);
  return colliding.slice(0, wanted).map((entry) => reader.nameOf(entry));
}

function withByte(byte: number): Uint8Array {
  return Buffer.concat([Uint8Array.of(byte), Buffer.from(':1|c')]);
}
