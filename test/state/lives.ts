import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type CounterBook, createCounterBook } from '../../src/flush/counter-book.ts';
import { type CounterFlusher, createCounterFlusher } from '../../src/flush/counter-flusher.ts';
import { createGaugeBook, type GaugeBook } from '../../src/flush/gauge-book.ts';
import type { Journal } from '../../src/flush/journal.ts';
import { createLayout, type LayoutName } from '../../src/flush/layout.ts';
import { createSetBook } from '../../src/flush/set-book.ts';
import { createTimingBook, type TimingBook } from '../../src/flush/timing-book.ts';
import { createTimingFlusher, type TimingFlusher } from '../../src/flush/timing-flusher.ts';
import type { Trap } from '../../src/sinks/trap.ts';
import { readRecords } from '../../src/state/record-reader.ts';
import { createRestorer } from '../../src/state/restore.ts';
import { writeSnapshot } from '../../src/state/snapshot.ts';
import { readSpoolFile, spoolFileName } from '../../src/state/spool-file.ts';
import { createSpool, type Spool } from '../../src/state/spool.ts';
import { createFakeStore, type FakeStore, type Outcome } from '../support/fake-store.ts';
import { createFakeTime, type FakeTime, settle } from '../support/fake-time.ts';

/** One life after the other of a collector's main thread, over one spool, store and trap. */
export interface Lives {
  readonly store: FakeStore;
  count(name: string, sum: number, samples: number): void;
  gauge(name: string, value: number, absolute: boolean): void;
  time(name: string, values: number[], weight: number): void;
  flush(): Promise<void>;
  push(): Promise<void>;
  fold(): void;
  snapshot(): void;
  pass(ms: number): Promise<void>;
  /** Ends a life at once; the next one must have what it had. */
  crash(): Promise<void>;
  /** Delivers everything. */
  finish(): Promise<void>;
  /** How many timings the trap has taken, each key once; a folded one by its weight. */
  timedSamples(): number;
  /** How many samples all lives together have counted as delivered. */
  delivered(): [counters: number, timings: number, gauges: number];
}

interface Life {
  time: FakeTime;
  book: CounterBook;
  gauges: GaugeBook;
  counters: CounterFlusher;
  timingBook: TimingBook;
  timings: TimingFlusher;
  spool: Spool;
  isOver: boolean;
}

/** What happens to those lives. */
export interface LivesOptions {
  layout: LayoutName;
  collections: string[];
  outcomes: Outcome[];
  /** `lost`: taken, but the answer does not come; `away`: not even taken. */
  answers: string[];
}

/** All that a name can have folded fits, two names do not: bodies take parts of what waits. */
const BODY_BYTES_MAX = 250;
const INSTANCE = 'me';

/** Begins the first life. */
export function createLives(folder: string, options: LivesOptions): Lives {
  const store = createFakeStore();
  const outcomes = [...options.outcomes];
  const answers = [...options.answers];
  const bodies = new Map<string, string>();
  const delivered: [number, number, number] = [0, 0, 0];
  let isEnding = false;
  store.decide = () => (isEnding ? 'ok' : (outcomes.shift() ?? 'ok'));
  const trap: Trap = {
    label: 'trap',
    close: () => {},
    async push(body, key) {
      const answer = isEnding ? 'taken' : (answers.shift() ?? 'taken');
      await settle();
      if (answer === 'away') throw new Error('away');
      expect(bodies.get(key) ?? body, `${key} has another content`).to.equal(body);
      bodies.set(key, body);
      if (answer === 'lost') throw new Error('no answer');
      return { taken: true, note: undefined };
    },
  };
  let life = begin();
  return {
    store,
    count(name, sum, samples) {
      life.spool.step((records) => records.counters([{ name, sum, samples }]));
      life.book.add(life.book.entry(name), sum, samples);
    },
    gauge(name, value, absolute) {
      const reading = { value, absolute };
      life.spool.step((records) => records.gauges([{ name, reading, samples: 1 }]));
      life.gauges.add(life.gauges.entry(name), reading, 1);
    },
    time(name, values, weight) {
      const weights = Float64Array.from(values, () => weight);
      life.spool.step((records) => records.timings(name, values, weights));
      life.timingBook.add(life.timingBook.entry(name), Float64Array.from(values), weights);
    },
    async flush() {
      life.counters.flush();
      await settle();
    },
    async push() {
      life.timings.flush();
      await settle();
    },
    fold: () => life.timingBook.fold(),
    snapshot: () => expect(life.spool.renew()).to.equal(true),
    pass: (ms) => life.time.pass(ms),
    async crash() {
      const before = standOf(life);
      life.isOver = true;
      addDelivered();
      await life.spool.synced();
      life.spool.close();
      life = begin();
      expect(standOf(life)).to.deep.equal(before);
      expect(life.spool.renew()).to.equal(true);
    },
    async finish() {
      isEnding = true;
      await Promise.all([ended(life, life.counters), ended(life, life.timings)]);
      expect(pendingOf(life)).to.deep.equal([0, 0, 0]);
      addDelivered();
      await life.spool.synced();
      life.spool.close();
    },
    delivered: () => delivered,
    timedSamples: () => [...bodies.values()].reduce((sum, body) => sum + samplesOf(body), 0),
  };

  function addDelivered(): void {
    delivered[0] += life.counters.tally.delivered;
    delivered[1] += life.timings.tally.delivered;
    delivered[2] += life.counters.gaugeTally.delivered;
  }

  function begin(): Life {
    const time = createFakeTime();
    const sending = { time, random: () => 0.5, log: () => {} };
    const made = {} as Life;
    const journal = journalOf(made);
    const book = createCounterBook(1000);
    const gauges = createGaugeBook();
    const sets = createSetBook();
    const layout = createLayout(options.layout, options.collections);
    const counters = createCounterFlusher({
      ...{ ...sending, book, gauges, store, layout, journal, lanesMax: 1000 },
    });
    const timingBook = createTimingBook('n', BODY_BYTES_MAX);
    const instance = (): string => INSTANCE;
    const timings = createTimingFlusher({ ...sending, book: timingBook, trap, instance, journal });
    const generation = restore(folder, { book, gauges, counters, timingBook, timings });
    const spool = createSpool({
      folder,
      limitBytes: 1 << 30,
      generation,
      snapshot(records) {
        const self = { instance: INSTANCE, store: 'redis', bodySeq: timings.seq, seqFloor: 0 };
        const { batch } = counters;
        const books = { counters: book, gauges, batch, sets, setItems: [], timings: timingBook };
        const rest = { self, body: timings.body, drained: new Map<number, number>(), sent: [] };
        writeSnapshot({ ...books, ...rest }, records);
      },
      shed: () => false,
      onVoid: () => {},
      nowMs: () => time.nowMs(),
      log: () => {},
    });
    Object.assign(made, {
      time,
      book,
      gauges,
      counters,
      timingBook,
      timings,
      spool,
      isOver: false,
    });
    if (generation === 0) spool.renew();
    return made;
  }
}

/** What a dead life still does is not remembered. */
function journalOf(life: Life): Journal {
  const step = (write: Parameters<Spool['step']>[0]): void => {
    if (!life.isOver) life.spool.step(write);
  };
  return {
    laidOut: (what) => step((records) => records.laidOut(what)),
    sending: (hash, seq) => step((records) => records.sending(hash, seq, 0)),
    applied: (hash, seq, faults) => step((records) => records.applied(hash, seq, faults)),
    refused: (hash) => step((records) => records.refused(hash)),
    finished: () => step((records) => records.finished()),
    bodyCut: (body) => step((records) => records.body(body)),
    answered: (seq) => step((records) => records.answered(seq)),
    synced: () => undefined,
  };
}

function restore(
  folder: string,
  to: Pick<Life, 'book' | 'gauges' | 'counters' | 'timingBook' | 'timings'>,
): number {
  const numbers = readdirSync(folder).map((file) => Number(file.replace('spool-', '')));
  const generation = Math.max(0, ...numbers);
  if (generation === 0) return 0;
  const { batch } = to.counters;
  const { visitor, restored } = createRestorer({
    ...{
      counters: to.book,
      gauges: to.gauges,
      batch,
      sets: createSetBook(),
      timings: to.timingBook,
    },
  });
  const names: string[] = [];
  const path = join(folder, spoolFileName(generation));
  const reading = readSpoolFile(path, (step) => readRecords(step, names, visitor));
  expect(reading).to.include({ isSpool: true, tornBytes: 0 });
  to.timings.restore(restored.self!.bodySeq, restored.body);
  batch.gaugeTally.delivered = 0;
  batch.tally.delivered = 0; // as what takes a state directory over does
  return generation;
}

/** What is pending, of which names how much, and in which hashes. */
function standOf(life: Life): unknown {
  const { book, gauges, counters, timingBook, timings } = life;
  const amounts = (of: Map<string, number>): [string, number][] => [...of].toSorted();
  const waiting = Array.from(timingBook.waiting(), (one) => {
    return [one.name, one.foldedSamples + one.values.length - one.taken] as const;
  });
  return {
    pending: pendingOf(life),
    fractions: counters.batch.fractionSamples,
    book: amounts(book.amounts()).filter(([, sum]) => sum !== 0),
    gauges: Array.from(gauges.waiting(), ({ name, value, absolute }) => [name, value, absolute])
      .map(String)
      .toSorted(),
    inFlight: amounts(counters.pendingAmounts()),
    chunks: counters.batch.chunks.map(({ lane, seq, parts }) => [lane.hash, seq, parts.length]),
    numbers: Array.from(counters.batch.lanes.all(), ({ hash, seq }) => [hash, seq])
      .filter(([, seq]) => seq !== 0)
      .toSorted(),
    held: Array.from(counters.batch.lanes.all(), ({ hash, held }) => [hash, [...held].toSorted()])
      .filter(([, held]) => held!.length > 0)
      .toSorted(),
    timings: waiting.filter(([, samples]) => samples !== 0).toSorted(),
    body: [timings.seq, timings.body?.text, timings.body?.samples],
  };
}

function pendingOf({ book, gauges, counters, timingBook, timings }: Life): number[] {
  return [
    book.pendingSamples + counters.pendingSamples,
    timingBook.pendingSamples + timings.pendingSamples,
    gauges.pendingSamples + counters.pendingGaugeSamples,
  ];
}

async function ended(life: Life, flusher: { flushLast(): Promise<void> }): Promise<void> {
  let isDone = false;
  void flusher.flushLast().then(() => (isDone = true));
  for (let turn = 0; turn < 500 && !isDone; turn++) {
    await settle();
    if (!isDone && life.time.waiting > 0) await life.time.passToNext();
  }
  expect(isDone).to.equal(true);
}

function samplesOf(body: string): number {
  const metrics = Object.values(JSON.parse(body) as Record<string, { _value: unknown[] }>);
  return metrics.reduce((sum, { _value: values }) => {
    if (typeof values[0] !== 'string') return sum + values.length;
    return sum + (values as string[]).reduce((all, bin) => all + Number(bin.split('=')[1]), 0);
  }, 0);
}
