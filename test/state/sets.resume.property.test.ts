import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { createCounterBook } from '../../src/flush/counter-book.ts';
import { createCounterFlusher } from '../../src/flush/counter-flusher.ts';
import { createGaugeBook } from '../../src/flush/gauge-book.ts';
import { createLayout } from '../../src/flush/layout.ts';
import { createSetBook, type SetItem } from '../../src/flush/set-book.ts';
import { createSetSender } from '../../src/flush/set-sender.ts';
import { createTimingBook } from '../../src/flush/timing-book.ts';
import { createMemorySets } from '../../src/sinks/memory-sets.ts';
import { setKey, type SetStore } from '../../src/sinks/set-store.ts';
import { readRecords } from '../../src/state/record-reader.ts';
import { createRestorer } from '../../src/state/restore.ts';
import { writeSnapshot } from '../../src/state/snapshot.ts';
import { createSpool, type Spool } from '../../src/state/spool.ts';
import { readSpoolFile, spoolFileName } from '../../src/state/spool-file.ts';
import { createFakeStore } from '../support/fake-store.ts';
import { createFakeTime } from '../support/fake-time.ts';

const DAYS = ['2026-01-01', '2026-01-02'];

type Drained = Record<string, { members: string[]; repeated: number }>;
type Step = { day: number; drained: Drained } | 'send' | 'snapshot' | 'crash';

/** A drain: of some sets some members, of which some have come several times. */
const drained: fc.Arbitrary<Step> = fc.record({
  day: fc.constantFrom(0, 1),
  drained: fc.dictionary(
    fc.constantFrom('u', 'v', '__proto__'),
    fc.record({
      members: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', '\xff'), { minLength: 1 }),
      repeated: fc.nat(2),
    }),
    { minKeys: 1, noNullPrototype: false },
  ),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: drained },
  { weight: 6, arbitrary: fc.constantFrom<Step>('send', 'send', 'crash', 'snapshot') },
);
const outcome = fc.constantFrom('ok', 'lost-before', 'lost-after');

describe('Sets that a process goes on with from the spool of another', () => {
  it('have all members in the end, and every sample is accounted for', async () => {
    const run = fc.record({
      steps: fc.array(step, { maxLength: 30 }),
      outcomes: fc.array(outcome, { maxLength: 20 }),
    });
    await fc.assert(
      fc.asyncProperty(run, async ({ steps, outcomes }) => {
        const folder = mkdtempSync(join(tmpdir(), 'statcol-sets-'));
        try {
          const store = failing(outcomes);
          let life = begin(folder, store);
          const model = new Map<string, Set<string>>();
          let [samples, delivered] = [0, 0];
          for (const one of steps) {
            if (one === 'send') await life.sender.send(() => false).catch(() => {});
            else if (one === 'snapshot') expect(life.spool.renew()).to.equal(true);
            else if (one === 'crash') {
              const before = life.pending();
              delivered += life.sender.tally.delivered;
              life.spool.close();
              life = begin(folder, store);
              expect(life.pending()).to.deep.equal(before);
            } else {
              for (const item of itemsOf(one)) {
                samples += item.samples;
                const key = setKey('h', item.name, item.day);
                model.set(key, new Set([...(model.get(key) ?? []), ...item.members]));
                life.take(item);
              }
            }
          }
          outcomes.length = 0;
          await life.sender.send(() => false);
          life.spool.close();
          expect(life.pending()).to.deep.equal([]);
          expect(delivered + life.sender.tally.delivered).to.equal(samples);
          for (const [key, members] of model) {
            expect(await store.countMembers(key), key).to.equal(members.size);
          }
        } finally {
          rmSync(folder, { recursive: true });
        }
      }),
      { numRuns: 300 },
    );
  });
});

function itemsOf({ day, drained: sets }: Exclude<Step, string>): SetItem[] {
  return Object.entries(sets).map(([name, { members, repeated }]) => {
    return { name, day: DAYS[day]!, members, samples: members.length + repeated };
  });
}

/** A store that fails as it is told, before it has taken anything or after. */
function failing(outcomes: string[]): SetStore {
  const sets = createMemorySets(() => 0);
  return {
    ...sets,
    connected: true,
    connect: () => Promise.resolve(),
    async addMembers(chunks) {
      const now = outcomes.shift() ?? 'ok';
      if (now === 'lost-before') throw new Error('away');
      const faults = await sets.addMembers(chunks);
      if (now === 'lost-after') throw new Error('no answer');
      return faults;
    },
  };
}

interface SetLife {
  readonly spool: Spool;
  readonly sender: ReturnType<typeof createSetSender>;
  /** As a drain: remembered, then in the book. */
  take(item: SetItem): void;
  /** What waits or is on its way, by name and day. */
  pending(): unknown[];
}

function begin(folder: string, store: SetStore): SetLife {
  const time = createFakeTime();
  const [book, counters, gauges] = [createSetBook(), createCounterBook(10), createGaugeBook()];
  const layout = createLayout('flat', ['h']);
  const log = (): void => {};
  const { batch } = createCounterFlusher({
    ...{ book: counters, gauges, store: createFakeStore(), layout },
    ...{ time, random: () => 0.5, log, lanesMax: 10 },
  });
  const timings = createTimingBook('n', 1000);
  const generation = Math.max(
    0,
    ...readdirSync(folder).map((file) => Number(file.replace('spool-', ''))),
  );
  if (generation > 0) {
    const { visitor } = createRestorer({ counters, gauges, batch, sets: book, timings });
    const names: string[] = [];
    readSpoolFile(join(folder, spoolFileName(generation)), (bytes) =>
      readRecords(bytes, names, visitor),
    );
  }
  const sender = createSetSender({
    ...{ book, store, layout, log, nowMs: () => 0, wallNowMs: () => 0 },
    memory: {
      membersGone: ({ name, day, samples }) =>
        spool.step((records) => records.membersGone(name, day, samples)),
    },
  });
  const spool = createSpool({
    ...{ folder, limitBytes: 1 << 30, generation, shed: () => false, onVoid: log },
    ...{ nowMs: () => 0, log },
    snapshot(records) {
      const self = { instance: 'me', store: 'redis', bodySeq: 0, seqFloor: 0 };
      const rest = { self, body: undefined, drained: new Map<number, number>(), sent: [] };
      const parts = { counters, gauges, sets: book, setItems: sender.items, batch, timings };
      writeSnapshot({ ...parts, ...rest }, records);
    },
  });
  spool.renew();
  return {
    spool,
    sender,
    take(item) {
      spool.step((records) => records.members(item));
      book.addAll(item);
    },
    pending() {
      const sums = new Map<string, { samples: number; members: Set<string> }>();
      for (const { name, day, members, samples } of [...sender.items, ...book.waiting()]) {
        const key = setKey('h', name, day);
        const sum = sums.get(key) ?? { samples: 0, members: new Set() };
        sum.samples += samples;
        for (const member of members) sum.members.add(member);
        sums.set(key, sum);
      }
      return Array.from(sums, ([key, { samples, members }]) => {
        return `${key} ${samples} ${[...members].toSorted().join()}`;
      }).toSorted();
    },
  };
}
