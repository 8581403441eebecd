import type { GaugeReading } from '../ledger/reader.ts';
import { createRegistry, type Registered } from './registry.ts';

/** A gauge as the main thread knows it. */
export interface GaugeEntry extends Registered {
  /** What it was set to and changed by since the last cut: what it stands at, or a change. */
  value: number;
  /** It was set since the last cut; else it has only changed. */
  absolute: boolean;
  /** How many samples `value` has taken in since the last cut. */
  samples: number;
  /** It stands in the queue of the next cut. */
  queued: boolean;
}

/** A gauge's share of a batch. */
export interface GaugeItem extends GaugeReading {
  readonly name: string;
  /** How many samples it stands for. */
  readonly samples: number;
}

/** The gauges of all names, merged over intervals and ingest threads, waiting to be cut. */
export interface GaugeBook {
  /** How many names are known. */
  readonly size: number;
  /** How many samples wait for the next cut. */
  readonly pendingSamples: number;
  /** How many names do. */
  readonly queued: number;
  has(name: string): boolean;
  /** Returns the entry of a name, made if it is new. Keep it: looking it up again costs a hash. */
  entry(name: string): GaugeEntry;
  /**
   * Takes in what has become of a gauge: a value replaces what waits, a change is added to it.
   * False, and nothing taken in, where the sum would be beyond all numbers.
   */
  add(entry: GaugeEntry, reading: GaugeReading, samples: number): boolean;
  /**
   * Takes what waits of the names that have waited longest.
   *
   * @param count of how many names.
   */
  cut(count: number): GaugeItem[];
  /** What waits. */
  waiting(): Iterable<GaugeEntry>;
  /** Takes out again what was cut before, in another process: all that waited of a name. */
  takeOut(entry: GaugeEntry, samples: number): void;
  /** Takes out all that waits of a name; returns how many samples that was. */
  forget(name: string): number;
  /** Forgets names idle for the whole period that ends, and returns those that are not. */
  nextPeriod(): string[];
}

/** Creates an empty book. */
export function createGaugeBook(): GaugeBook {
  const names = createRegistry<GaugeEntry>((name, period) => {
    return { name, period, value: 0, absolute: false, samples: 0, queued: false };
  });
  let queue: GaugeEntry[] = [];
  let cutSoFar = 0; // so many of the queue are done with
  let pendingSamples = 0;

  return {
    get size() {
      return names.size;
    },
    get pendingSamples() {
      return pendingSamples;
    },
    get queued() {
      return queue.length - cutSoFar;
    },
    has: (name) => names.has(name),
    entry: (name) => names.entry(name),
    add,
    cut,
    *waiting() {
      for (const one of names.all()) if (one.samples > 0) yield one;
    },
    takeOut,
    forget(name) {
      if (!names.has(name)) return 0;
      const one = names.entry(name);
      const { samples } = one;
      takeOut(one, samples);
      return samples;
    },
    nextPeriod: () => names.nextPeriod((one) => one.queued),
  };

  function add(to: GaugeEntry, { value, absolute }: GaugeReading, samples: number): boolean {
    const next = absolute ? value : to.value + value;
    names.touch(to);
    if (!Number.isFinite(next)) return false;
    to.value = next;
    to.absolute ||= absolute;
    to.samples += samples;
    pendingSamples += samples;
    if (!to.queued) queue.push(to);
    to.queued = true;
    return true;
  }

  function cut(count: number): GaugeItem[] {
    const items: GaugeItem[] = [];
    const end = Math.min(queue.length, cutSoFar + count);
    for (; cutSoFar < end; cutSoFar++) {
      const one = queue[cutSoFar]!;
      const { name, value, absolute, samples } = one;
      one.queued = false;
      if (samples === 0) continue; // taken out again
      takeOut(one, samples);
      items.push({ name, value, absolute, samples });
    }
    if (cutSoFar === queue.length) {
      queue = [];
      cutSoFar = 0;
    }
    return items;
  }

  function takeOut(from: GaugeEntry, samples: number): void {
    from.value = 0;
    from.absolute = false;
    from.samples -= samples;
    pendingSamples -= samples;
  }
}
