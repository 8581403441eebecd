import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { seedLedger } from '../../src/ingest/kept-ledger.ts';
import { createLedger } from '../../src/ledger/ledger.ts';
import { createTagSets, isOtherTags } from '../../src/ledger/tag-sets.ts';
import { Kind } from '../../src/protocol/parse.ts';
import { createWire, type Wire } from '../protocol/wire.ts';
import { createLedgerReader } from '../../src/ledger/reader.ts';
import { createLedgerWriter } from '../../src/ledger/writer.ts';
import { createPipeline } from '../../src/ingest/pipeline.ts';
import { hand } from '../support/packets.ts';

const ROOMY = { entriesMax: 4000, nameBytesMax: 1 << 20, timingsMax: 4000 };

function limited(tagSetsMax: number, entriesMax = ROOMY.entriesMax): Wire & { told: string[] } {
  const told: string[] = [];
  const onFolded = (name: string): void => void told.push(name);
  const wire = createWire({ ...ROOMY, entriesMax }, 'statsd', { tagSetsMax, onFolded });
  return { ...wire, told };
}

describe('A name with too many sets of tags', () => {
  it('counts further ones as other=true, and loses nothing', () => {
    const wire = limited(3);
    for (let round = 0; round < 2; round++) {
      for (let id = 0; id < 10; id++) wire.send(`a:1|c|#id:${id}`);
      wire.send('a:5|c\nb:1|c|#id:1');
      expect([...wire.drain().counters]).to.deep.equal([
        ['a;id=0', [1, 1]],
        ['a;id=1', [1, 1]],
        ['a;id=2', [1, 1]],
        ['a;other=true', [7, 7]],
        ['a', [5, 1]],
        ['b;id=1', [1, 1]],
      ]);
    }
  });

  it('has one limit for counters and timings, and one set is one', () => {
    const wire = limited(2);
    wire.send('a:1|c|#id:1\na:2|ms|#id:1\na:3|ms|#id:2\na:4|c|#id:2\na:5|ms|#id:3\na:6|c|#id:3');
    wire.send('a:7|c:8|ms|#id:4');
    const { counters, timings, stats } = wire.drain();
    expect(Object.fromEntries(counters)).to.deep.equal({
      'a;id=1': [1, 1],
      'a;id=2': [4, 1],
      'a;other=true': [13, 2],
    });
    expect(Object.fromEntries(timings)).to.deep.equal({
      'a;id=1': [[2, 1]],
      'a;id=2': [[3, 1]],
      'a;other=true': [[5, 1], [8, 1]], // prettier-ignore
    });
    expect(stats[2]).to.equal(7);
  });

  it('tells so at most once between two flips', () => {
    const wire = limited(1);
    wire.send('a:1|c|#id:1');
    expect(wire.told).to.deep.equal([]);
    wire.send('b:1|c|#id:1\na:1|c|#id:2\na:1|c|#id:3\nb:1|c|#id:4');
    expect(wire.told).to.deep.equal(['a']);
    wire.drain();
    wire.send('a:1|c|#id:2'); // known by now
    expect(wire.told).to.deep.equal(['a']);
    wire.send('b:1|c|#id:5');
    expect(wire.told).to.deep.equal(['a', 'b']);
  });

  it('does not take the room of other names with tags that never come twice', () => {
    const wire = limited(5, 800);
    for (let id = 0; id < 5000; id++) wire.send(`a:1|c|#id:${id}`);
    // Five sets and their spellings, the shared one, and an eighth of the room.
    expect(wire.entries()).to.be.below(5 * 2 + 1 + 100 + 1);
    for (let name = 0; name < 600; name++) wire.send(`n.${name}:1|c`);
    const { counters, rejected } = wire.drain();
    expect(rejected).to.deep.equal({});
    expect(counters.get('a;other=true')).to.deep.equal([4995, 4995]);
    expect(counters.size).to.equal(606);
  });

  it('is refused, not folded, when there is no room for other=true', () => {
    const wire = limited(1, 2);
    wire.send('a;id=1:1|c\na;id=2:1|c\na;id=3:1|c'); // one entry is left for other=true
    wire.send('b:1|c');
    const { counters, rejected } = wire.drain();
    expect([...counters.keys()]).to.deep.equal(['a;id=1', 'a;other=true']);
    expect(rejected).to.deep.equal({ key_limit: 1 });
    const full = limited(1, 1);
    full.send('a;id=1:1|c\na;id=2:1|c');
    expect(full.drain().rejected).to.deep.equal({ key_limit: 1 });
  });

  it('does not count what is sent as other=true, and is counted with it', () => {
    const wire = limited(1);
    wire.send('a:1|c|#other:true\na:1|c|#id:1\na:1|c|#id:2\na:1|c|#other:true,id:9');
    expect([...wire.drain().counters]).to.deep.equal([
      ['a;other=true', [3, 3]],
      ['a;id=1', [1, 1]],
    ]);
  });

  it('is told by its tags alone', () => {
    for (const name of ['a;other=true', 'other;other=true', 'é;other=true']) {
      expect(isOtherTags(name), name).to.equal(true);
    }
    for (const name of ['a', 'other=true', 'a;b=1;other=true', 'a;another=true', 'a;other=true1']) {
      expect(isOtherTags(name), name).to.equal(false);
    }
  });

  it('has room again when its old sets have gone idle, and none for those that have not', async () => {
    const naming = { names: 'statsd', hashSeed: 7, tagSetsMax: 3 } as const;
    const seedsOf = (...ids: number[]) =>
      ids.flatMap((id) => [
        { kind: Kind.counter, name: `a;id=${id}` },
        { kind: Kind.timing, name: `a;id=${id}` },
      ]);
    const countedAfter = async (seeds: ReturnType<typeof seedsOf>): Promise<string[]> => {
      const ledger = createLedger(ROOMY);
      const others = { kind: Kind.counter, name: 'a;other=true' };
      const tagSets = await seedLedger(ledger, [...seeds, others], naming);
      const more = { rule: 'statsd', onHalfFull: () => {}, source: () => '' } as const;
      const writer = createLedgerWriter(ledger, { ...naming, ...more, tagSets });
      const onPacket = createPipeline(() => writer);
      for (let id = 0; id < 6; id++) hand(onPacket, Buffer.from(`a:1|c|#id:${id}`));
      const reader = createLedgerReader(ledger);
      reader.requestFlip();
      writer.poll();
      const names: string[] = [];
      const nobody = { gauge() {}, timings() {}, member() {}, stats() {}, refusal() {} };
      const counter = (entry: number): void => void names.push(reader.nameOf(entry));
      for (const _ of reader.drain({ ...nobody, counter })) continue;
      return names.toSorted();
    };
    const other = 'a;other=true';
    expect(await countedAfter([])).to.deep.equal(['a;id=0', 'a;id=1', 'a;id=2', other]);
    expect(await countedAfter(seedsOf(5))).to.deep.equal(['a;id=0', 'a;id=1', 'a;id=5', other]);
    expect(await countedAfter(seedsOf(3, 4, 5))).to.deep.equal([
      'a;id=3',
      'a;id=4',
      'a;id=5',
      other,
    ]);
    // Several threads may have made more together than one alone may.
    expect(await countedAfter(seedsOf(1, 2, 3, 4))).to.deep.equal(
      ['a;id=1', 'a;id=2', 'a;id=3', 'a;id=4', other], // prettier-ignore
    );
  });

  it('is the same as in a naive model, whatever comes', () => {
    const line = fc.record({
      name: fc.constantFrom('a', 'b', 'a.b', 'c'),
      tags: fc.array(fc.tuple(fc.constantFrom('k', 'l'), fc.integer({ min: 0, max: 3 })), {
        maxLength: 2,
      }),
      type: fc.constantFrom('c', 'ms'),
      graphite: fc.boolean(),
    });
    const max = fc.integer({ min: 1, max: 6 });
    const property = fc.property(fc.array(line, { maxLength: 60 }), max, (lines, most) => {
      const wire = limited(most);
      const sets = new Map<string, Set<string>>();
      const wanted = new Map<string, number>();
      for (const { name, tags, type, graphite } of lines) {
        const spelled = tags.map((tag) => tag.join(graphite ? '=' : ':'));
        const section = spelled.length === 0 ? '' : `|#${spelled.join()}`;
        wire.send(graphite ? `${[name, ...spelled].join(';')}:1|${type}` : `${name}:1|${type}${section}`); // prettier-ignore
        const set = [...new Set(tags.map((tag) => tag.join('=')))].toSorted().join(';');
        const known = sets.get(name) ?? new Set();
        sets.set(name, known);
        if (set !== '' && known.size < most) known.add(set);
        const full = set === '' ? name : `${name};${known.has(set) ? set : 'other=true'}`;
        wanted.set(`${type} ${full}`, (wanted.get(`${type} ${full}`) ?? 0) + 1);
      }
      const { counters, timings } = wire.drain();
      const found = [
        ...Array.from(counters, ([name, [sum]]) => [`c ${name}`, sum] as const),
        ...Array.from(timings, ([name, values]) => [`ms ${name}`, values.length] as const),
      ];
      expect(new Map(found)).to.deep.equal(wanted);
    });
    fc.assert(property, { numRuns: 400 });
  });
});

describe('Counts of sets of tags', () => {
  it('are those of a map, over growth, and go on in another thread', () => {
    const view = new DataView(new ArrayBuffer(64));
    const put = (name: string): number => {
      const bytes = Buffer.from(name);
      for (const [at, byte] of bytes.entries()) view.setUint8(at, byte);
      return bytes.length;
    };
    let sets = createTagSets(9, 0x5eed);
    const wanted = new Map<string, number>();
    for (let round = 0; round < 20_000; round++) {
      const name = `name.${(round * 7919) % 3000}`;
      sets.add(view, put(name));
      wanted.set(name, Math.min(9, (wanted.get(name) ?? 0) + 1));
      if (round % 5000 === 17) sets = createTagSets(9, 0x5eed, sets.memory);
    }
    for (const [name, count] of wanted) expect(sets.count(view, put(name))).to.equal(count);
    expect(sets.count(view, put('name.x'))).to.equal(0);
    expect(sets.memory.byteLength).to.be.below(3000 * 4 * 12 * 4);
  });
});
