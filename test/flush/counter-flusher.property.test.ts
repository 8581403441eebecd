import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import type { LayoutName } from '../../src/flush/layout.ts';
import type { Outcome } from '../support/fake-store.ts';
import { settle } from '../support/fake-time.ts';
import { createRig, droppedOf, type Rig } from './rig.ts';

const NAMES = ['x', 'x.a', 'x.b', 'y.a', 'y.total', '__proto__'];
const COLLECTIONS = ['one_', 'two_'];

const outcome = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Outcome>('ok') },
  { weight: 3, arbitrary: fc.constantFrom<Outcome>('lost-before', 'lost-after', 'hash-fault') },
);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      name: fc.constantFrom(...NAMES),
      // Eighths: sums are exact.
      eighths: fc.oneof(fc.integer({ min: -80, max: 80 }), fc.constant(0)),
      samples: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 4, arbitrary: fc.constant('flush' as const) },
  { weight: 2, arbitrary: fc.constantFrom(10, 200, 4000) },
);
const run = fc.record({
  layout: fc.constantFrom<LayoutName>('flat', 'split'),
  collections: fc.constantFrom(COLLECTIONS, COLLECTIONS.slice(0, 1)),
  outcomes: fc.array(outcome, { maxLength: 40 }),
  steps: fc.array(step, { maxLength: 40 }),
  random: fc.double({ min: 0, max: 0.999, noNaN: true }),
  lanesMax: fc.constantFrom(1, 1000),
});

describe('The counter flusher, for any additions and faults', () => {
  it('writes every total exactly once, and accounts for every sample at all times', async () => {
    await fc.assert(
      fc.asyncProperty(run, async ({ steps, outcomes, random, ...options }) => {
        const rig = createRig({ ...options, random: () => random });
        const model = new Map<string, number>();
        await play(rig, steps, outcomes, model);
        await finish(rig);
        for (const hash of hashesOf(options.collections, options.layout)) {
          const fields = Object.fromEntries(await rig.store.read(hash));
          expect(fields, hash).to.deep.equal(expected(model, hash, options.layout));
        }
        expect([rig.flusher.pendingSamples, rig.book.pendingSamples]).to.deep.equal([0, 0]);
        expect(droppedOf(rig.flusher.tally)).to.equal(0);
        expect(rig.store.inFlightMax).to.be.at.most(1);
      }),
      { numRuns: 300 },
    );
  });

  it('drops what a field refuses, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(run, async ({ steps, outcomes, random, collections }) => {
        const rig = createRig({ collections, random: () => random });
        rig.store.badFields.set('one_ x.a', 'not_integer').set('one_ y.a', 'overflow');
        const model = new Map<string, number>();
        const bad = await play(rig, steps, outcomes, model);
        await finish(rig);
        const fields = Object.fromEntries(await rig.store.read('one_'));
        const all = expected(model, 'one_', 'flat');
        delete all['x.a'];
        delete all['y.a'];
        expect(fields).to.deep.equal(all);
        expect([rig.flusher.pendingSamples, rig.book.pendingSamples]).to.deep.equal([0, 0]);
        expect(droppedOf(rig.flusher.tally)).to.be.at.most(bad);
      }),
      { numRuns: 200 },
    );
  });
});

type Step = { name: string; eighths: number; samples: number } | 'flush' | number;

/** Plays the steps; returns how many samples `x.a` and `y.a` had. */
async function play(
  rig: Rig,
  steps: Step[],
  outcomes: Outcome[],
  model: Map<string, number>,
): Promise<number> {
  const left = [...outcomes];
  let ofBadFields = 0;
  rig.store.decide = () => left.shift() ?? 'ok';
  for (const one of steps) {
    if (one === 'flush') await rig.flush();
    else if (typeof one === 'number') await rig.time.pass(one);
    else {
      rig.add(one.name, one.eighths / 8, one.samples);
      model.set(one.name, (model.get(one.name) ?? 0) + one.eighths / 8);
      if (['x.a', 'y.a'].includes(one.name)) ofBadFields += one.samples;
    }
    rig.check();
  }
  return ofBadFields;
}

async function finish(rig: Rig): Promise<void> {
  let resolved = false;
  void rig.flusher.flushLast().then(() => (resolved = true));
  await settle();
  for (let turn = 0; turn < 200 && !resolved; turn++) {
    await rig.time.passToNext();
    rig.check();
  }
  expect(resolved).to.equal(true);
}

function hashesOf(collections: string[], layout: LayoutName): string[] {
  if (layout === 'flat') return collections;
  return collections.flatMap((one) => ['x', 'y', '__proto__'].map((first) => one + first));
}

/** What a hash holds in the end, worked out from the model alone. */
function expected(
  model: ReadonlyMap<string, number>,
  hash: string,
  layout: LayoutName,
): Record<string, string> {
  const fields = new Map<string, number>();
  for (const [name, sum] of model) {
    const whole = Math.round(sum) + 0;
    if (layout === 'flat') {
      fields.set(name, whole);
      continue;
    }
    const [first, rest] = name.split('.') as [string, string?];
    if (!hash.endsWith(`_${first}`)) continue;
    if (rest !== undefined) fields.set(rest === 'total' ? '(total)' : rest, whole);
    fields.set('total', (fields.get('total') ?? 0) + whole);
  }
  return Object.fromEntries(Array.from(fields, ([field, value]) => [field, String(value)]));
}
