import { expect } from 'chai';
import { type CounterBook, createCounterBook } from '../../src/flush/counter-book.ts';
import { type CounterFlusher, createCounterFlusher } from '../../src/flush/counter-flusher.ts';
import { createLayout, type LayoutName } from '../../src/flush/layout.ts';
import type { Tally } from '../../src/flush/tally.ts';
import { createFakeStore, type FakeStore } from '../support/fake-store.ts';
import { createFakeTime, type FakeTime, settle } from '../support/fake-time.ts';

/** A counter flusher with everything around it in the test's hand. */
export interface Rig {
  readonly time: FakeTime;
  readonly store: FakeStore;
  readonly book: CounterBook;
  readonly flusher: CounterFlusher;
  /** What was logged: `warn: …`. */
  readonly said: string[];
  /** Counts, and keeps in mind how many samples there have been. */
  add(name: string, sum: number, samples?: number): void;
  /** Flushes and lets everything happen that needs no time. */
  flush(): Promise<void>;
  /** Fails unless samples = delivered + pending + dropped, each at least 0. */
  check(): void;
}

/** What a rig may be made with. */
export interface RigOptions {
  layout?: LayoutName;
  collections?: string[];
  lanesMax?: number;
  sendMore?: (isOver: () => boolean) => Promise<boolean>;
  /** Each pause is `0.5 + random / 2` of its step. */
  random?: () => number;
}

/** Creates a rig; every event at the store checks the accounts. */
export function createRig(options: RigOptions = {}): Rig {
  const { layout = 'flat', collections = ['h'], lanesMax = 1000, random = () => 0.5 } = options;
  const time = createFakeTime();
  const store = createFakeStore();
  const book = createCounterBook(1000);
  const said: string[] = [];
  let samples = 0;
  const flusher = createCounterFlusher({
    book,
    store,
    layout: createLayout(layout, collections),
    time,
    random,
    log: (level, message) => void said.push(`${level}: ${message}`),
    lanesMax,
    sendMore: options.sendMore,
  });
  const rig: Rig = {
    time,
    store,
    book,
    flusher,
    said,
    add(name, sum, count = 1) {
      samples += count;
      book.add(book.entry(name), sum, count);
      rig.check();
    },
    async flush() {
      flusher.flush();
      await settle();
      rig.check();
    },
    check() {
      const pending = book.pendingSamples + flusher.pendingSamples;
      const { delivered } = flusher.tally;
      const dropped = droppedOf(flusher.tally);
      expect(delivered + pending + dropped, 'samples').to.equal(samples);
      for (const term of [delivered, flusher.pendingSamples, dropped]) {
        expect(term).to.be.at.least(0);
      }
      expect(store.breaches).to.deep.equal([]);
    },
  };
  store.onEvent = () => {
    try {
      rig.check();
    } catch (error) {
      store.breaches.push(String(error));
    }
  };
  return rig;
}

/** Returns how many samples a tally has dropped, over all reasons. */
export function droppedOf({ dropped }: Tally): number {
  return [...dropped.values()].reduce((sum, one) => sum + one, 0);
}
