import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { createCounterBook } from '../../src/flush/counter-book.ts';
import { createCounterFlusher } from '../../src/flush/counter-flusher.ts';
import { createGaugeBook } from '../../src/flush/gauge-book.ts';
import { createLayout, type LayoutName } from '../../src/flush/layout.ts';
import { createFakeStore, type Outcome } from '../support/fake-store.ts';
import { createFakeTime, settle } from '../support/fake-time.ts';
import { droppedOf } from './rig.ts';

const COLLECTIONS = ['one_', 'two_'];
const NAMES = ['x', 'x.a', '__proto__'];

const outcome = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Outcome>('ok') },
  { weight: 3, arbitrary: fc.constantFrom<Outcome>('lost-before', 'lost-after', 'hash-fault') },
);
const gauged = fc.record({
  name: fc.constantFrom(...NAMES),
  eighths: fc.integer({ min: -80, max: 80 }),
  absolute: fc.boolean(),
  samples: fc.integer({ min: 1, max: 4 }),
});
const counted = fc.record({ counter: fc.constantFrom(...NAMES), amount: fc.integer() });
const step = fc.oneof(
  { weight: 6, arbitrary: gauged },
  { weight: 2, arbitrary: counted },
  { weight: 4, arbitrary: fc.constant('flush' as const) },
  { weight: 2, arbitrary: fc.constantFrom(10, 200, 4000) },
);
const run = fc.record({
  layout: fc.constantFrom<LayoutName>('flat', 'split'),
  collections: fc.constantFrom(COLLECTIONS, COLLECTIONS.slice(0, 1)),
  outcomes: fc.array(outcome, { maxLength: 40 }),
  steps: fc.array(step, { maxLength: 40 }),
  badField: fc.boolean(),
});

/** A flusher of gauges with everything around it in the test's hand. */
function createGaugeRig(layout: LayoutName, collections: string[]) {
  const time = createFakeTime();
  const store = createFakeStore();
  const book = createCounterBook(1000);
  const gauges = createGaugeBook();
  const told = new Map<string, number>();
  const flusher = createCounterFlusher({
    ...{ book, gauges, store, time, layout: createLayout(layout, collections) },
    ...{ random: () => 0.5, lanesMax: 1000, log: () => {} },
    onGauge: (name, value) => void told.set(name, value),
  });
  return { time, store, book, gauges, flusher, told };
}

/** What is told is what the first collection holds; or of an answer that was lost, nothing. */
function checkTold(told: ReadonlyMap<string, number>, wanted: ReadonlyMap<string, string>): void {
  expect([...told.keys()].toSorted()).to.deep.equal([...wanted.keys()].toSorted());
  for (const [name, value] of told) {
    if (!Number.isNaN(value)) expect(value, name).to.equal(Number(wanted.get(name)));
  }
}

describe('Gauges on their way to the store', () => {
  it('stand at what a naive model says, whatever is lost, and each sample is accounted for', async () => {
    await fc.assert(
      fc.asyncProperty(run, async ({ layout, collections, outcomes, steps, badField }) => {
        const { time, store, book, gauges, flusher, told } = createGaugeRig(layout, collections);
        if (badField) store.badFields.set('one_:gauges x', 'not_number');
        store.decide = () => outcomes.shift() ?? 'ok';
        const model = new Map<string, number>();
        const counts = new Map<string, number>();
        let samples = 0;
        const check = (): void => {
          const pending = gauges.pendingSamples + flusher.pendingGaugeSamples;
          const { delivered } = flusher.gaugeTally;
          expect(delivered + pending + droppedOf(flusher.gaugeTally)).to.equal(samples);
          expect(store.breaches).to.deep.equal([]);
        };
        for (const one of steps) {
          if (one === 'flush') flusher.flush();
          else if (typeof one === 'number') await time.pass(one);
          else if ('counter' in one) {
            book.add(book.entry(one.counter), one.amount, 1);
            counts.set(one.counter, (counts.get(one.counter) ?? 0) + one.amount);
          } else {
            const value = one.eighths / 8;
            gauges.add(gauges.entry(one.name), { value, absolute: one.absolute }, one.samples);
            model.set(one.name, (one.absolute ? 0 : (model.get(one.name) ?? 0)) + value);
            samples += one.samples;
          }
          await settle();
          check();
        }
        let isDone = false;
        void flusher.flushLast().then(() => (isDone = true));
        for (await settle(); !isDone; await time.passToNext()) check();
        check();
        for (const [at, collection] of collections.entries()) {
          const wanted = new Map(Array.from(model, ([name, value]) => [name, String(value)]));
          if (badField && at === 0) wanted.delete('x');
          expect(new Map(await store.read(`${collection}:gauges`))).to.deep.equal(wanted);
          if (at === 0) checkTold(told, wanted);
          if (layout === 'split') continue;
          const texts = Array.from(counts, ([name, sum]) => [name, String(sum + 0)] as const);
          expect(new Map(await store.read(collection))).to.deep.equal(new Map(texts));
        }
        if (!badField) expect(droppedOf(flusher.gaugeTally)).to.equal(0);
        expect(flusher.hashes().filter((hash) => hash.endsWith(':gauges'))).to.deep.equal([]);
      }),
      { numRuns: 300 },
    );
  });

  it('that were sent keep their content; what is set meanwhile replaces only what waits', async () => {
    const { time, store, gauges, flusher } = createGaugeRig('flat', ['h']);
    const add = (value: number, absolute: boolean): boolean => {
      return gauges.add(gauges.entry('g'), { value, absolute }, 1);
    };
    const outcomes: Outcome[] = ['lost-after', 'lost-before'];
    store.decide = () => outcomes.shift() ?? 'ok';
    add(5, true);
    add(-2, false);
    flusher.flush();
    await settle();
    add(1, false);
    add(7, true);
    add(1, false);
    while (time.waiting > 0) await time.passToNext();
    expect(store.sent).to.deep.equal(Array(3).fill('h:gauges#1 g==3'));
    flusher.flush();
    await settle();
    expect(store.sent.at(-1)).to.equal('h:gauges#2 g==8');
    expect(flusher.gaugeTally.delivered).to.equal(5);
  });

  it('are told as the store has them; of a change whose answer was lost nothing is known', async () => {
    const { time, store, gauges, flusher, told } = createGaugeRig('flat', ['h', 'other']);
    const outcomes: Outcome[] = [];
    store.decide = () => outcomes.shift() ?? 'ok';
    const write = async (value: number, absolute: boolean): Promise<number | undefined> => {
      gauges.add(gauges.entry('g'), { value, absolute }, 1);
      flusher.flush();
      await settle();
      while (time.waiting > 0) await time.passToNext();
      return told.get('g');
    };
    expect(await write(0.5, false)).to.equal(0.5);
    expect(await write(8, true)).to.equal(8);
    expect(await write(-1, false)).to.equal(7);
    outcomes.push('lost-after');
    expect(await write(1, false)).to.be.NaN;
    outcomes.push('lost-before');
    expect(await write(1, false)).to.equal(9);
    outcomes.push('lost-after');
    expect(await write(3, true)).to.equal(3);
  });

  it('that a hash refuses merge: what is set replaces what is held', async () => {
    const { time, store, gauges, flusher } = createGaugeRig('flat', ['h']);
    store.decide = () => 'hash-fault';
    for (const [value, absolute] of [
      [3, false],
      [2, false],
      [9, true],
      [-4, false],
    ] as const) {
      gauges.add(gauges.entry('g'), { value, absolute }, 1);
      flusher.flush();
      await settle();
    }
    expect(flusher.refused()).to.equal('h:gauges refuses: WRONGTYPE');
    store.decide = () => 'ok';
    await time.pass(5000);
    flusher.flush();
    await settle();
    expect(store.sent.at(-1)).to.match(/^h:gauges#\d+ g==5$/);
    expect(flusher.gaugeTally.delivered).to.equal(4);
  });

  it('that sum up beyond all numbers are dropped, and counted', async () => {
    const { time, store, gauges, flusher } = createGaugeRig('flat', ['h']);
    store.decide = () => 'hash-fault';
    for (let round = 0; round < 2; round++) {
      gauges.add(gauges.entry('g'), { value: 1e308, absolute: false }, 1);
      flusher.flush();
      await settle();
    }
    store.decide = () => 'ok';
    await time.pass(5000);
    flusher.flush();
    await settle();
    expect([...flusher.gaugeTally.dropped]).to.deep.equal([['overflow', 2]]);
    expect(flusher.pendingGaugeSamples).to.equal(0);
  });
});

describe('A gauge book', () => {
  it('takes no change beyond all numbers', () => {
    const gauges = createGaugeBook();
    const entry = gauges.entry('g');
    expect(gauges.add(entry, { value: 1e308, absolute: true }, 2)).to.equal(true);
    expect(gauges.add(entry, { value: 1e308, absolute: false }, 3)).to.equal(false);
    expect([entry.value, entry.samples, gauges.pendingSamples]).to.deep.equal([1e308, 2, 2]);
  });

  it('cuts those that have waited longest, and forgets the idle', () => {
    const gauges = createGaugeBook();
    for (const name of ['a', 'b', 'c']) {
      gauges.add(gauges.entry(name), { value: 1, absolute: true }, 1);
    }
    expect(gauges.cut(2).map(({ name }) => name)).to.deep.equal(['a', 'b']);
    expect([gauges.queued, gauges.pendingSamples]).to.deep.equal([1, 1]);
    expect(gauges.nextPeriod()).to.deep.equal(['a', 'b', 'c']);
    expect(gauges.nextPeriod()).to.deep.equal([]);
    expect([gauges.has('a'), gauges.has('c'), gauges.size]).to.deep.equal([false, true, 1]);
    expect(gauges.cut(9)).to.deep.equal([{ name: 'c', value: 1, absolute: true, samples: 1 }]);
  });
});
