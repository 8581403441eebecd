import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import type { LayoutName } from '../../src/flush/layout.ts';
import type { Outcome } from '../support/fake-store.ts';
import { settle } from '../support/fake-time.ts';
import { createRig, type Rig } from './rig.ts';

const NAMES = ['x', 'x.a', 'y.a', 'y.total', '__proto__'];
const COLLECTIONS = ['one_', 'two_', 'three_'];

const answer = fc.record({
  what: fc.oneof(
    { weight: 5, arbitrary: fc.constant<Outcome>('ok') },
    { weight: 1, arbitrary: fc.constantFrom<Outcome>('lost-before', 'lost-after') },
  ),
  // Slow answers let counts, flushes and the ends of pauses come while a chunk is in flight.
  tookMs: fc.constantFrom(0, 0, 0, 30, 300),
});
const step = fc.oneof(
  {
    weight: 5,
    // Eighths: sums are exact. None below 0: there the hash that lacks most has not the least.
    arbitrary: fc.record({ name: fc.constantFrom(...NAMES), eighths: fc.nat(80) }),
  },
  { weight: 5, arbitrary: fc.constant('flush' as const) },
  { weight: 3, arbitrary: fc.constantFrom(10, 60, 200, 4000) },
  { weight: 3, arbitrary: fc.subarray(COLLECTIONS) },
);
const run = fc.record({
  layout: fc.constantFrom<LayoutName>('flat', 'split'),
  collections: fc.integer({ min: 1, max: 3 }).map((count) => COLLECTIONS.slice(0, count)),
  answers: fc.array(answer, { maxLength: 60 }),
  steps: fc.array(step, { maxLength: 60, size: 'max' }),
  random: fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 8 }),
});

describe('What is pending, for any additions and faults', () => {
  it('is what was added and is not in the hash that has least of it', async () => {
    await fc.assert(
      fc.asyncProperty(run, async ({ steps, answers, random, ...options }) => {
        let drawn = 0;
        const rig = createRig({ ...options, random: () => random[drawn++ % random.length]! });
        const oracle = createOracle(rig, options);
        const store = unreliable(rig, oracle, answers);
        for (const one of steps) {
          if (one === 'flush') await rig.flush();
          else if (typeof one === 'number') await rig.time.pass(one);
          else if (Array.isArray(one)) store.refuse(one);
          else oracle.add(one.name, one.eighths / 8);
          await settle();
          oracle.check();
          expect(rig.store.breaches).to.deep.equal([]);
        }
        store.recover();
        // The longest pause is 5 s: after two of them each hash has taken everything.
        for (let turn = 0; turn < 3; turn++) {
          await rig.time.pass(5000);
          await rig.flush();
        }
        oracle.check();
        await oracle.checkStore();
        expect(rig.flusher.pendingAmounts().size).to.equal(0);
      }),
      { numRuns: 500 },
    );
  });
});

interface Unreliable {
  /** The hashes of these collections refuse from now on, and no others. */
  refuse(collections: readonly string[]): void;
  /** Everything is taken from now on. */
  recover(): void;
}

/** Makes the store fail and refuse, and asks the oracle before each call. */
function unreliable(
  rig: Rig,
  oracle: Oracle,
  answers: { what: Outcome; tookMs: number }[],
): Unreliable {
  let refused: readonly string[] = [];
  let left = [...answers];
  const decide = async (hash: string): Promise<Outcome> => {
    try {
      oracle.check();
    } catch (error) {
      // Thrown here, it would be one more fault of the store.
      rig.store.breaches.push(String(error));
    }
    const { what, tookMs } = left.shift() ?? { what: 'ok', tookMs: 0 };
    if (tookMs > 0) await new Promise<void>((resolve) => rig.time.after(tookMs, resolve));
    return what === 'ok' && refused.some((one) => hash.startsWith(one)) ? 'hash-fault' : what;
  };
  rig.store.decide = ({ hash }) => decide(hash);
  return {
    refuse(collections) {
      refused = collections;
    },
    recover() {
      refused = [];
      left = [];
    },
  };
}

interface Oracle {
  add(name: string, sum: number): void;
  /** Compares what the book and the flusher say with what was answered so far. */
  check(): void;
  /** Once all is answered: compares it with what the store holds. */
  checkStore(): Promise<void>;
}

/** Knows what was added, and per collection what the store has said to have taken. */
function createOracle(
  rig: Rig,
  { layout, collections }: { layout: LayoutName; collections: string[] },
): Oracle {
  const added = new Map<string, number>();
  const taken = new Map(collections.map((one) => [one, new Map<string, number>()]));
  const apply = rig.store.apply;
  rig.store.apply = async (chunk) => {
    const faults = await apply(chunk);
    const collection = collections.find((one) => chunk.hash.startsWith(one))!;
    const amounts = taken.get(collection)!;
    for (const { field, amount } of chunk.parts) {
      const name = nameOf(chunk.hash.slice(collection.length), field);
      amounts.set(name, (amounts.get(name) ?? 0) + amount);
    }
    return faults;
  };
  return {
    add(name, sum) {
      rig.add(name, sum);
      added.set(name, (added.get(name) ?? 0) + sum);
    },
    check() {
      const pending = rig.flusher.pendingAmounts();
      for (const [name, sum] of rig.book.amounts()) {
        pending.set(name, (pending.get(name) ?? 0) + sum);
      }
      const least = (name: string): number => {
        return Math.min(...Array.from(taken.values(), (amounts) => amounts.get(name) ?? 0));
      };
      const expected = NAMES.map((name) => [name, (added.get(name) ?? 0) - least(name)]);
      const found = NAMES.map((name) => [name, pending.get(name) ?? 0]);
      expect(found).to.deep.equal(expected);
      for (const name of pending.keys()) expect(NAMES).to.include(name);
    },
    async checkStore() {
      for (const [collection, amounts] of taken) {
        for (const [name, amount] of amounts) {
          const [hash, field] = placeOf(collection, name);
          if (field === undefined) continue; // it is in `total` alone, with others
          const value = await rig.store.readField(hash, field);
          expect(value, `${hash} ${field}`).to.equal(String(amount));
        }
      }
    },
  };

  function nameOf(first: string, field: string | null): string {
    if (layout === 'flat') return field!;
    if (field === null) return first;
    return `${first}.${field === '(total)' ? 'total' : field}`;
  }

  function placeOf(collection: string, name: string): [hash: string, field: string | undefined] {
    if (layout === 'flat') return [collection, name];
    const [first, rest] = name.split('.') as [string, string?];
    return [collection + first, rest === 'total' ? '(total)' : rest];
  }
}
