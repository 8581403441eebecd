import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';

import { readCounters, readGauges } from '../../src/admin/counted-names.ts';
import { createDelete } from '../../src/admin/deleting.ts';
import type { LayoutName } from '../../src/flush/layout.ts';
import { createFakeStore } from '../support/fake-store.ts';
import { createDeletingRig, type DeletingRig } from './deleting-rig.ts';

const NAMES = ['x.a', 'x.b', 'x.total', 'x.(total)', 'x', 'x.', 'y.a.b', 'y', 'y.a.', '__proto__'];
const WORDS = [...NAMES, 'x.*', 'y.*', 'y.a.*', '*', '.*', 'x*', 'constructor', '__proto__.*'];

type Step =
  | { kind: 'count'; name: string; quarters: number }
  | { kind: 'flush' }
  | { kind: 'delete'; words: string[] };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('count' as const),
      name: fc.constantFrom(...NAMES),
      quarters: fc.integer({ min: 0, max: 9 }),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'flush' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('delete' as const),
      words: fc.array(fc.constantFrom(...WORDS), { maxLength: 5 }),
    }),
  },
);

/** What there should be: sums by spelling, in quarters. */
interface Model {
  readonly sums: Map<string, number>;
  /** The name that a spelling is shown under. */
  readonly shownAs: (name: string) => string;
  delete(words: readonly string[]): { word: string; names: string[] }[];
  shown(): Map<string, number>;
}

function createModel(layout: LayoutName): Model {
  const sums = new Map<string, number>();
  const same = new Map([
    ['x.(total)', 'x.total'],
    ['x.', 'x'],
    ['y.', 'y'],
  ]);
  const shownAs = (name: string): string => (layout === 'flat' ? name : (same.get(name) ?? name));
  const remove = (one: string): boolean => {
    const spellings = [...sums.keys()].filter((name) => shownAs(name) === one);
    for (const name of spellings) sums.delete(name);
    return spellings.length > 0;
  };
  return {
    sums,
    shownAs,
    delete: (words) =>
      words.map((word) => {
        const names = remove(shownAs(word)) ? [word] : [];
        if (!word.endsWith('.*')) return { word, names };
        const all = new Set(Array.from(sums.keys(), shownAs));
        const matching = [...all].filter((name) => name.startsWith(word.slice(0, -1)));
        return { word, names: [...names, ...matching.filter(remove)].toSorted() };
      }),
    shown() {
      const whole = new Map<string, number>();
      for (const [name, quarters] of sums) {
        const one = shownAs(name);
        whole.set(one, (whole.get(one) ?? 0) + Math.floor(quarters / 4));
      }
      return whole;
    },
  };
}

async function countersOf(rig: DeletingRig): Promise<Map<string, number>> {
  const found = await readCounters(rig.parts);
  return new Map(Array.from(found, ([name, value]) => [name, Number(value)]));
}

describe('Deleting counters', () => {
  for (const layout of ['flat', 'split'] as const) {
    it(`${layout}: leaves what a naive model has, after any steps`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
          const rig = createDeletingRig(layout);
          const model = createModel(layout);
          for (const one of steps) {
            if (one.kind === 'count') {
              rig.count(one.name, one.quarters / 4);
              model.sums.set(one.name, (model.sums.get(one.name) ?? 0) + one.quarters);
            } else if (one.kind === 'delete') {
              const deleted = await rig.delete('counters', one.words);
              const found = deleted.map(({ word, names }) => {
                return { word, names: names.toSorted() };
              });
              expect(found).to.deep.equal(model.delete(one.words));
            } else await rig.flush();
            rig.check();
          }
          await rig.flush();
          rig.check();
          const wanted = model.shown();
          const counts = await countersOf(rig);
          // What is 0 beyond the others in `total` may not have been counted at all.
          for (const name of layout === 'split' ? ['x', 'y'] : []) {
            if (wanted.get(name) === 0) [wanted, counts].forEach((map) => map.delete(name));
          }
          expect(Object.fromEntries(counts)).to.deep.equal(Object.fromEntries(wanted));
          const [first, second] = ['a', 'a_b'].map(async (collection) => {
            const hashes = layout === 'flat' ? [''] : ['x', 'y', '__proto__', 'constructor'];
            return Promise.all(hashes.map((hash) => rig.store.read(collection + hash)));
          });
          expect(await second).to.deep.equal(await first);
        }),
        { numRuns: 150 },
      );
    });
  }

  it('takes what comes in between along, and counts it as delivered', async () => {
    const rig = createDeletingRig();
    rig.count('hits', 2.5);
    const { counterFlusher, books } = rig.parts;
    const remove = createDelete({
      ...rig.parts,
      counterFlusher: {
        ...counterFlusher,
        batch: counterFlusher.batch,
        tally: counterFlusher.tally,
        gaugeTally: counterFlusher.gaugeTally,
        async write() {
          await counterFlusher.write();
          rig.count('hits', 3.25, 2);
          await rig.parts.drain();
        },
      },
    })!;
    expect(await remove('counters', ['hits'])).to.deep.equal([{ word: 'hits', names: ['hits'] }]);
    rig.check();
    expect(counterFlusher.tally.delivered).to.equal(3);
    await rig.flush();
    expect(await countersOf(rig)).to.deep.equal(new Map());
    rig.count('hits', 0.5);
    await rig.flush();
    expect(await countersOf(rig), 'it is as new').to.deep.equal(new Map([['hits', 0]]));
    expect(Array.from(books.counters.waiting(), ({ sum }) => sum)).to.deep.equal([0.5]);
    rig.check();
  });

  it('what waits of it does not come back with the next start', async () => {
    const rig = createDeletingRig();
    rig.count('hits', 2.75);
    await rig.delete('counters', ['hits']);
    const [taken, ...others] = rig.remembered;
    expect(others).to.deep.equal([]);
    expect(taken).to.deep.include({
      items: [{ name: 'hits', amount: 0.75, samples: 0, first: false }],
      gauges: [],
      chunks: [],
    });
    rig.count('hits', 2);
    await rig.delete('counters', ['hits']);
    expect(rig.remembered).to.have.length(1);
  });

  it('of a refused size leaves a total within 64 bits', async () => {
    const { store } = createDeletingRig('split');
    const apply = (field: string, amount: number, seq: number): Promise<unknown> =>
      store.apply({ hash: 'ax', seq, total: true, parts: [{ field, amount }] });
    await apply('a', 2 ** 62, 1);
    await apply('b', -(2 ** 62), 2);
    await apply('c', 2 ** 62, 3);
    await apply('d', 2 ** 61, 4);
    expect(store.remove!('ax', 'b', true)).to.equal(true);
    expect(await store.readField('ax', 'total')).to.equal(String(2n ** 63n - 1n));
    expect(store.remove!('ax', 'total', true)).to.equal(false);
    expect(store.remove!('none', 'b', true)).to.equal(false);
  });

  it('forgets it on the page and in its history, and says so to pages that are open', async () => {
    const rig = createDeletingRig();
    const { trace, history } = rig.parts.memory;
    for (const name of ['x.a', 'x.b', 'z']) rig.count(name, 3);
    await rig.flush();
    await rig.time.pass(60_000);
    for (const _ of history.advance()) expect(history.has('counter', 'none')).to.equal(false);
    await rig.delete('counters', ['none']);
    expect(rig.toldAnew()).to.equal(0);
    await rig.delete('counters', ['x.*']);
    expect(rig.toldAnew()).to.equal(1);
    expect([...trace.names()]).to.deep.equal(['z']);
    expect(history.has('counter', 'x.a')).to.equal(false);
    rig.count('x.a', 1);
    await rig.flush();
    await rig.time.pass(1000);
    expect(trace.recentSum('x.a', 0)).to.equal(0); // the second is not told to be over
    expect([...trace.names()]).to.deep.equal(['z', 'x.a']);
  });

  it('20,000 of them goes in turns, and finds each once', async () => {
    const rig = createDeletingRig();
    for (let at = 0; at < 20_000; at++) rig.count(`api.n${at}`, 1);
    let longestMs = 0;
    let lastMs = performance.now();
    const watch = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - lastMs);
      lastMs = performance.now();
    });
    await rig.flush();
    lastMs = performance.now();
    longestMs = 0;
    const [found, none] = await rig.delete('counters', ['api.*', 'api.n1']);
    clearInterval(watch);
    expect(new Set(found!.names).size).to.equal(20_000);
    expect(none!.names).to.deep.equal([]);
    expect(await countersOf(rig)).to.deep.equal(new Map());
    expect(longestMs).to.be.below(250);
  });

  it('ends where the collector stops', async () => {
    const rig = createDeletingRig();
    const remove = createDelete({ ...rig.parts, isStopping: () => true })!;
    for (const kind of ['counters', 'gauges'] as const) {
      const error = await remove(kind, ['x']).catch((cause: unknown) => cause);
      expect(error).to.be.instanceOf(Error).with.property('message', 'the collector stops');
    }
  });

  it('is nobody’s right where the store is everybody’s', () => {
    expect(createDelete({ ...createDeletingRig().parts, store: createFakeStore() })).to.equal(
      undefined,
    );
  });
});

describe('Deleting gauges and timers', () => {
  it('a gauge is gone from all collections, also what waits of it', async () => {
    const rig = createDeletingRig();
    for (const name of ['g.a', 'g.b', 'h']) rig.gauge(name, 2.5);
    await rig.flush();
    const remove = createDelete({
      ...rig.parts,
      counterFlusher: {
        ...rig.parts.counterFlusher,
        batch: rig.parts.counterFlusher.batch,
        async write() {
          rig.gauge('g.a', 7);
          await rig.parts.drain();
        },
      },
    })!;
    const { values } = rig.parts.memory.gauges;
    values.add(values.of('g.a'), 7);
    expect(await remove('gauges', ['g.*', 'g.a', 'none'])).to.deep.equal([
      { word: 'g.*', names: ['g.a', 'g.b'] },
      { word: 'g.a', names: [] },
      { word: 'none', names: [] },
    ]);
    expect(values.has('g.a')).to.equal(false);
    rig.check();
    await rig.flush();
    expect(await readGauges(rig.parts)).to.deep.equal([['h', '2.5']]);
    expect(await rig.store.read('a_b:gauges')).to.deep.equal([['h', '2.5']]);
    expect(rig.remembered).to.have.length(1);
    expect(rig.remembered[0]!.gauges).to.deep.include({
      name: 'g.a',
      samples: 1,
      value: 0,
      absolute: true,
    });
  });

  it('a timer is gone from window, history and Prometheus, and begins anew', async () => {
    const rig = createDeletingRig();
    const { memory, histograms } = rig.parts;
    for (const name of ['t.a', 't.b', 'u']) rig.measure(name, 12);
    await rig.flush();
    await rig.time.pass(60_000);
    for (const _ of memory.history.advance()) expect(rig.toldAnew()).to.equal(0);
    memory.window.remove('t.b'); // as if it had been silent for five minutes
    const deleted = await rig.delete('timers', ['t.*', 'u', 'u']);
    expect(deleted.map(({ names }) => names)).to.deep.equal([['t.a', 't.b'], ['u'], []]);
    expect([...memory.window.summaries()]).to.deep.equal([]);
    expect([...histograms!.names()]).to.deep.equal([]);
    rig.measure('u', 5);
    await rig.flush();
    expect(memory.window.summary('u')).to.include({ count: 1, max: 5 });
    const [one, ...others] = histograms!.read();
    expect(others).to.deep.equal([]);
    expect(one).to.include({ name: 'u', sum: 5 });
  });
});
