import { createDelete, type DeletingParts } from '../../src/admin/deleting.ts';
import { createCounterBook } from '../../src/flush/counter-book.ts';
import { createCounterFlusher } from '../../src/flush/counter-flusher.ts';
import { createGaugeBook } from '../../src/flush/gauge-book.ts';
import { type LaidOut, NO_JOURNAL } from '../../src/flush/journal.ts';
import { createLayout, type LayoutName } from '../../src/flush/layout.ts';
import { nothingReceived } from '../../src/flush/received.ts';
import { createMemoryStore } from '../../src/sinks/memory.ts';
import type { Store } from '../../src/sinks/store.ts';
import { createLifetimeHistograms } from '../../src/window/lifetime-histograms.ts';
import { createLiveMemory } from '../../src/window/live-memory.ts';
import { createFakeTime, type FakeTime } from '../support/fake-time.ts';

/** All that names are deleted from, and what is still in a ledger in the test's hand. */
export interface DeletingRig {
  readonly parts: DeletingParts;
  readonly store: Store;
  readonly time: FakeTime;
  readonly delete: NonNullable<ReturnType<typeof createDelete>>;
  /** What was taken out of the books beside batches. */
  readonly remembered: LaidOut[];
  /** How often pages were to be told anew. */
  toldAnew(): number;
  /** Sends what the next drain brings in. */
  count(name: string, amount: number, samples?: number): void;
  gauge(name: string, value: number): void;
  measure(name: string, value: number): void;
  /** Drains, and writes all there is. */
  flush(): Promise<void>;
  /** Fails unless samples = delivered + pending. */
  check(): void;
}

/** Creates a rig with two collections, `a` and `a_b`. */
export function createDeletingRig(layoutName: LayoutName = 'flat'): DeletingRig {
  const time = createFakeTime();
  const wallNowMs = (): number => 1_800_000_000_000 + time.nowMs();
  const store = createMemoryStore(wallNowMs);
  const layout = createLayout(layoutName, ['a', 'a_b']);
  const counters = createCounterBook(1000);
  const gauges = createGaugeBook();
  const quiet = { time, random: () => 0.5, log: () => {} };
  const flushing = { book: counters, gauges, store, layout, lanesMax: 1000 };
  const counterFlusher = createCounterFlusher({ ...quiet, ...flushing });
  const drain = (): Promise<void> => Promise.resolve(comeIn());
  const memory = createLiveMemory({ time, wallNowMs, drain, log: quiet.log });
  const histograms = createLifetimeHistograms();
  const received = nothingReceived();
  const remembered: LaidOut[] = [];
  let sent: (() => void)[] = [];
  // Sent, and drained.
  let samples = 0;
  let counted = 0;
  let anew = 0;
  const parts: DeletingParts = {
    store,
    layout,
    hashes: () => [...(layoutName === 'flat' ? ['a', 'a_b'] : []), ...counterFlusher.hashes()],
    books: { counters, gauges },
    counterFlusher,
    journal: { ...NO_JOURNAL, laidOut: (what) => void remembered.push(what) },
    memory,
    histograms,
    received,
    drain,
    isStopping: () => false,
    tellAnew: () => void anew++,
  };
  return {
    parts,
    store,
    time,
    remembered,
    delete: createDelete(parts)!,
    toldAnew: () => anew,
    count(name, amount, of = 1) {
      samples += of;
      sent.push(() => {
        counters.add(counters.entry(name), amount, of);
        memory.trace.add(memory.trace.of(name), amount);
      });
    },
    gauge(name, value) {
      samples++;
      sent.push(() => gauges.add(gauges.entry(name), { value, absolute: true }, 1));
    },
    measure(name, value) {
      sent.push(() => {
        memory.window.add(name, Float64Array.of(value), Float64Array.of(1));
        histograms.add(name, Float64Array.of(value), Float64Array.of(1));
      });
    },
    async flush() {
      await drain();
      await counterFlusher.write();
    },
    check() {
      const { tally, gaugeTally, pendingSamples, pendingGaugeSamples } = counterFlusher;
      const pending = counters.pendingSamples + gauges.pendingSamples;
      const delivered = tally.delivered + gaugeTally.delivered;
      const sum = delivered + pending + pendingSamples + pendingGaugeSamples;
      if (sum !== counted) throw new Error(`${sum} samples are accounted for, of ${counted}`);
    },
  };

  function comeIn(): void {
    const now = sent;
    sent = [];
    for (const one of now) one();
    received.linesAccepted += now.length;
    counted = samples;
  }
}
