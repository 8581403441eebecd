import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';

import type { LaidOut, PlacedPart } from '../../src/flush/journal.ts';
import type { FieldFault } from '../../src/sinks/store.ts';
import { createByteWriter } from '../../src/state/byte-writer.ts';
import { readRecords, type RecordVisitor } from '../../src/state/record-reader.ts';
import { FAULTS } from '../../src/state/record-types.ts';
import { createRecordWriter, type RecordWriter } from '../../src/state/record-writer.ts';

/** A call of the visitor: its name, then what it was given. */
type Call = [string, ...unknown[]];
/** What a writer is told, and what a reader has to tell. */
interface Told {
  write: (records: RecordWriter) => void;
  calls: Call[];
}

const names = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', '', 'hits', '😀', '\u0000', 'a;k=v'),
  fc.string({ unit: 'binary' }),
);
const numbers = fc.oneof(
  fc.double(),
  fc.constantFrom(NaN, Infinity, -Infinity, -0, 5e-324, 2 ** 53, -(2 ** 63), Number.MAX_VALUE),
);
const words = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const parts: fc.Arbitrary<PlacedPart> = fc
  .record({
    id: numbers,
    name: names,
    samples: numbers,
    amount: numbers,
    field: fc.option(names),
    isOwn: fc.boolean(),
    gauge: fc.constantFrom(undefined, 'set' as const, 'change' as const),
  })
  .map(({ id, name, samples, amount, field, isOwn, gauge }) => {
    const part = { amount, share: { id, name, samples }, field: isOwn ? name : field };
    return gauge === undefined ? part : { ...part, gauge };
  });
const chunks = fc.record({
  hash: names,
  seq: numbers,
  total: fc.boolean(),
  parts: fc.array(parts, { maxLength: 5 }),
});
const shares = fc.array(fc.record({ name: names, amount: numbers, samples: numbers }), {
  maxLength: 5,
});
const faults = fc
  .array(fc.tuple(words, fc.constantFrom<FieldFault>(...FAULTS)), { maxLength: 4 })
  .map((pairs) => new Map(pairs));

/** One for each record type, and for the call that writes several. */
const KINDS: Record<string, fc.Arbitrary<Told>> = {
  counters: shares.map((all) => {
    const sums = all.map(({ name, amount, samples }) => ({ name, sum: amount, samples }));
    return {
      write: (records) => records.counters(sums),
      calls: sums.map(({ name, sum, samples }): Call => ['counter', name, sum, samples]),
    };
  }),
  members: plain(
    'members',
    fc.record({ name: names, day: names, samples: numbers, members: fc.array(names) }),
  ),
  membersGone: plain('membersGone', names, names, numbers),
  gauges: fc
    .array(fc.record({ name: names, value: numbers, absolute: fc.boolean(), samples: numbers }))
    .map((all) => {
      const sums = all.map(({ name, samples, ...reading }) => ({ name, reading, samples }));
      return {
        write: (records) => records.gauges(sums),
        calls: sums.map(({ name, reading, samples }): Call => ['gauge', name, reading, samples]),
      };
    }),
  timings: fc
    .tuple(names, fc.array(fc.tuple(numbers, fc.oneof(fc.constant(1), numbers))), fc.boolean())
    .map(([name, pairs, isWeighted]) => {
      const values = Float64Array.from(pairs, ([value]) => value);
      const weights = Float64Array.from(pairs, ([, weight]) => (isWeighted ? weight : 1));
      return {
        write: (records) => records.timings(name, values, isWeighted ? weights : undefined),
        calls: [['timings', name, values, weights]],
      };
    }),
  folded: plain('folded', names, numbers, numbers, names),
  drained: plain('drained', numbers, numbers),
  lane: plain('lane', names, numbers),
  laidOut: fc
    .record({
      items: shares,
      gauges: fc.array(fc.record({ name: names, samples: numbers }), { maxLength: 5 }),
      released: fc.array(names, { maxLength: 3 }),
      chunks: fc.array(chunks, { maxLength: 3 }),
      held: fc.array(fc.record({ hash: names, part: parts }), { maxLength: 3 }),
      fractionSamples: numbers,
    })
    .map((what) => ({
      write: (records) => records.laidOut(laidOutOf(what)),
      calls: [
        ...what.items.map(({ name, amount, samples }): Call => ['cut', name, amount, samples]),
        ...what.gauges.map(({ name, samples }): Call => ['gaugeCut', name, samples]),
        ...what.released.map((hash): Call => ['released', hash]),
        ...what.chunks.map((chunk): Call => ['chunk', chunk]),
        ...what.held.map(({ hash, part }): Call => ['held', hash, part]),
        ['fractions', what.fractionSamples],
      ],
    })),
  chunk: plain('chunk', chunks),
  held: plain('held', names, parts),
  sending: plain('sending', names, numbers, numbers),
  applied: plain('applied', names, numbers, faults),
  refused: plain('refused', names),
  fractions: plain('fractions', numbers),
  finished: plain('finished'),
  body: plain(
    'body',
    fc.record({
      seq: words,
      samples: numbers,
      text: names,
      taken: fc.array(fc.record({ name: names, samples: numbers, carry: numbers })),
    }),
  ),
  answered: plain('answered', words),
  self: plain(
    'self',
    fc.record({ instance: names, store: names, bodySeq: words, seqFloor: numbers }),
  ),
};
const ALL = fc.oneof(...Object.values(KINDS));

/** A call that comes back as it went in. */
function plain(name: keyof RecordWriter, ...args: fc.Arbitrary<unknown>[]): fc.Arbitrary<Told> {
  return fc.tuple(...args).map((given) => ({
    write: (records) => (records[name] as (...all: unknown[]) => void)(...given),
    calls: [[name, ...given]],
  }));
}

function laidOutOf(what: {
  items: { name: string; amount: number; samples: number }[];
  gauges: { name: string; samples: number }[];
  released: string[];
  chunks: LaidOut['chunks'];
  held: LaidOut['held'];
  fractionSamples: number;
}): LaidOut {
  const gauges = what.gauges.map((one) => ({ ...one, value: 0, absolute: false }));
  return { ...what, gauges, items: what.items.map((item) => ({ ...item, first: false })) };
}

/** Writes steps into a file that begins with no names. */
function stepsOf(steps: Told[][]): Uint8Array[] {
  const bytes = createByteWriter();
  const known = new Map<string, number>();
  return steps.map((step) => {
    bytes.clear();
    for (const { write } of step) write(createRecordWriter(bytes, known));
    return Uint8Array.from(bytes.bytes());
  });
}

/** Remembers what a reader says. */
function listener(): { visitor: RecordVisitor; calls: Call[] } {
  const calls: Call[] = [];
  const visitor = new Proxy({} as RecordVisitor, {
    get: (_, name) => {
      return (...args: unknown[]) => void calls.push([String(name), ...args]);
    },
  });
  return { visitor, calls };
}

function read(steps: Uint8Array[]): Call[] {
  const { visitor, calls } = listener();
  const known: string[] = [];
  for (const step of steps) readRecords(step, known, visitor);
  return calls;
}

describe('records', () => {
  for (const [kind, told] of Object.entries(KINDS)) {
    it(`${kind}: what is written is read back`, () => {
      fc.assert(
        fc.property(told, (one) => {
          expect(read(stepsOf([[one]]))).to.deep.equal(one.calls);
        }),
      );
    });

    it(`${kind}: a record that is cut anywhere is refused`, () => {
      fc.assert(
        fc.property(told, (one) => {
          // The names are told in a step before, so that the second one holds the record alone.
          const [first, second] = stepsOf([[one], [one]]) as [Uint8Array, Uint8Array];
          for (let length = 1; length < second.length; length++) expectCut(first, second, length);
        }),
        { numRuns: 30 },
      );
    });
  }

  /** One call may make several records: then some cuts are between two of them. */
  function expectCut(before: Uint8Array, step: Uint8Array, length: number): void {
    const known: string[] = [];
    readRecords(before, known, listener().visitor);
    const whole = listener();
    readRecords(step, [...known], whole.visitor);
    const { visitor, calls } = listener();
    let isRead = true;
    try {
      readRecords(step.subarray(0, length), [...known], visitor);
    } catch (error) {
      isRead = false;
      expect((error as Error).message).to.match(/^the record goes beyond its frame$/);
    }
    expect(calls.slice(0, -1)).to.deep.equal(whole.calls.slice(0, Math.max(0, calls.length - 1)));
    if (isRead) expect(calls.length).to.be.within(1, whole.calls.length - 1);
  }

  it('steps share their names: a name is written once in a file', () => {
    fc.assert(
      fc.property(fc.array(fc.array(ALL, { maxLength: 6 }), { maxLength: 6 }), (steps) => {
        const calls = steps.flat().flatMap((one) => one.calls);
        expect(read(stepsOf(steps))).to.deep.equal(calls);
      }),
    );
    const told: Told = {
      write: (records) => records.timings('a-long-name', [1]),
      calls: [],
    };
    const [first, second] = stepsOf([[told], [told]]);
    expect(second!.length).to.equal(first!.length - 1 - 4 - 4 - 'a-long-name'.length);
  });

  it('values are copied as they are written: they may change afterwards', () => {
    const values = Float64Array.of(1, 2, 3);
    const steps = stepsOf([
      [{ write: (records) => records.timings('t', values), calls: [] }],
      [{ write: () => values.fill(9), calls: [] }],
    ]);
    expect(read(steps)).to.deep.equal([
      ['timings', 't', Float64Array.of(1, 2, 3), Float64Array.of(1, 1, 1)],
    ]);
  });

  it('a type that there is not, a name that is not there: an error', () => {
    for (let type = 0; type < 256; type++) {
      if (type >= 1 && type <= 22) continue;
      expect(() => read([Uint8Array.of(type)])).to.throw(`of type ${type}, which there is not`);
    }
    const [, nameless] = stepsOf([
      [{ write: (records) => records.timings('t', [1]), calls: [] }],
      [{ write: (records) => records.timings('t', [1]), calls: [] }],
    ]);
    expect(() => read([nameless!])).to.throw('a name that is not there');
  });

  it('whatever the bytes are, reading them ends, at once', () => {
    const anything = fc.uint8Array({ maxLength: 200 });
    const likely = fc
      .tuple(fc.integer({ min: 1, max: 18 }), anything)
      .map(([type, rest]) => Uint8Array.of(type, ...rest));
    fc.assert(
      fc.property(fc.oneof(anything, likely), (bytes) => {
        const { visitor, calls } = listener();
        try {
          readRecords(bytes, ['a', 'b'], visitor);
        } catch (error) {
          expect((error as Error).message).to.match(/^(?:the|a) record /);
        }
        expect(calls.length).to.be.at.most(bytes.length);
      }),
      { numRuns: 3000 },
    );
  });
});
