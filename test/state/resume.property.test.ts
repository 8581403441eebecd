import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import type { LayoutName } from '../../src/flush/layout.ts';
import type { Outcome } from '../support/fake-store.ts';
import { createLives, type Lives } from './lives.ts';

const NAMES = ['x', 'x.a', 'x.b', 'y.a', 'y.total', '__proto__'];
const COLLECTIONS = ['one_', 'two_'];

/** In memory, where there is such a place: thousands of syncs of a real disk take minutes. */
const FOLDERS = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

type Step =
  | { name: string; eighths: number; samples: number }
  | { gauge: string; eighths: number; absolute: boolean }
  | { timed: string; values: number[]; weight: number }
  | 'flush'
  | 'push'
  | 'fold'
  | 'snapshot'
  | 'crash'
  | number;

const outcome = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Outcome>('ok') },
  { weight: 3, arbitrary: fc.constantFrom<Outcome>('lost-before', 'lost-after', 'hash-fault') },
);
const answer = fc.constantFrom('taken', 'lost', 'away', 'taken');
const counted = fc.record({
  name: fc.constantFrom(...NAMES),
  eighths: fc.integer({ min: -80, max: 80 }),
  samples: fc.integer({ min: 1, max: 4 }),
});
const gauged = fc.record({
  gauge: fc.constantFrom(...NAMES.slice(0, 3)),
  eighths: fc.integer({ min: -80, max: 80 }),
  absolute: fc.boolean(),
});
const timed = fc.record({
  timed: fc.constantFrom('t', 'u'),
  values: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 6 }),
  weight: fc.constantFrom(1, 1, 2.5),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: counted },
  { weight: 4, arbitrary: gauged },
  { weight: 4, arbitrary: timed },
  { weight: 5, arbitrary: fc.constantFrom('flush' as const, 'push' as const) },
  { weight: 1, arbitrary: fc.constant('fold' as const) },
  { weight: 2, arbitrary: fc.constantFrom('snapshot' as const, 'crash' as const) },
  { weight: 3, arbitrary: fc.constant('crash' as const) },
  { weight: 2, arbitrary: fc.constantFrom(10, 200, 4000) },
);
const run = fc.record({
  layout: fc.constantFrom<LayoutName>('flat', 'split'),
  collections: fc.constantFrom(COLLECTIONS, COLLECTIONS.slice(0, 1)),
  outcomes: fc.array(outcome, { maxLength: 40 }),
  answers: fc.array(answer, { maxLength: 20 }),
  steps: fc.array(step, { maxLength: 40 }),
});

describe('A process that goes on from the spool of another', () => {
  it('has what that one had, and in the end everything is delivered once', async () => {
    await fc.assert(
      fc.asyncProperty(run, async ({ steps, outcomes, answers, ...options }) => {
        const folder = mkdtempSync(join(FOLDERS, 'statcol-resume-'));
        try {
          const lives = createLives(folder, { ...options, outcomes, answers });
          const counts = new Map<string, number>();
          const gauges = new Map<string, number>();
          const samples = [0, 0, 0];
          let isWeighted = false;
          for (const one of steps) {
            await play(lives, one);
            if (typeof one !== 'object') continue;
            if ('timed' in one) {
              samples[1]! += one.values.length;
              isWeighted ||= one.weight !== 1;
            } else if ('gauge' in one) {
              const before = one.absolute ? 0 : (gauges.get(one.gauge) ?? 0);
              gauges.set(one.gauge, before + one.eighths / 8);
              samples[2]!++;
            } else {
              samples[0]! += one.samples;
              counts.set(one.name, (counts.get(one.name) ?? 0) + one.eighths / 8);
            }
          }
          await lives.finish();
          for (const [hash, fields] of expected(counts, options)) {
            expect(Object.fromEntries(await lives.store.read(hash)), hash).to.deep.equal(fields);
          }
          for (const collection of options.collections) {
            const stored = await lives.store.read(`${collection}:gauges`);
            const texts = Array.from(gauges, ([name, value]) => [name, String(value)]);
            expect(new Map(stored)).to.deep.equal(new Map(texts as [string, string][]));
          }
          expect(lives.store.breaches).to.deep.equal([]);
          expect(lives.delivered()).to.deep.equal(samples);
          if (!isWeighted) expect(lives.timedSamples()).to.equal(samples[1]);
          expect(readdirSync(folder).filter((file) => file.endsWith('.new'))).to.deep.equal([]);
        } finally {
          rmSync(folder, { recursive: true });
        }
      }),
      { numRuns: 1000 },
    );
  });
});

async function play(lives: Lives, one: Step): Promise<void> {
  if (one === 'flush') await lives.flush();
  else if (one === 'push') await lives.push();
  else if (one === 'fold') lives.fold();
  else if (one === 'snapshot') lives.snapshot();
  else if (one === 'crash') await lives.crash();
  else if (typeof one === 'number') await lives.pass(one);
  else if ('gauge' in one) lives.gauge(one.gauge, one.eighths / 8, one.absolute);
  else if ('timed' in one) lives.time(one.timed, one.values, one.weight);
  else lives.count(one.name, one.eighths / 8, one.samples);
}

/** What the hashes hold in the end, worked out from what was counted alone. */
function expected(
  counts: ReadonlyMap<string, number>,
  { layout, collections }: { layout: LayoutName; collections: string[] },
): Map<string, Record<string, string>> {
  const hashes = new Map<string, Map<string, number>>();
  const add = (hash: string, field: string, amount: number): void => {
    const fields = hashes.get(hash) ?? new Map<string, number>();
    hashes.set(hash, fields.set(field, (fields.get(field) ?? 0) + amount));
  };
  for (const collection of collections) {
    for (const [name, sum] of counts) {
      const whole = Math.round(sum) + 0;
      const [first, rest] = name.split('.') as [string, string?];
      if (layout === 'flat') add(collection, name, whole);
      else {
        if (rest !== undefined) add(collection + first, rest === 'total' ? '(total)' : rest, whole);
        add(collection + first, 'total', whole);
      }
    }
  }
  const textOf = (fields: Map<string, number>): Record<string, string> =>
    Object.fromEntries(Array.from(fields, ([field, value]) => [field, String(value)]));
  return new Map(Array.from(hashes, ([hash, fields]) => [hash, textOf(fields)]));
}
