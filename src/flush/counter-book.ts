import { createRegistry, type Registered } from './registry.ts';

/** A counter as the main thread knows it. */
export interface CounterEntry extends Registered {
  /** What is not written yet: new increments, and the remainder of those before. */
  sum: number;
  /** How many samples `sum` has taken in since the last cut. */
  samples: number;
  /** It was in a batch before. */
  written: boolean;
  /** It stands in the queue of the next cut. */
  queued: boolean;
}

/** A name's share of a batch. */
export interface CounterItem {
  readonly name: string;
  /** What is to be added: an integer, or not finite where the sum has left the doubles. */
  readonly amount: number;
  /** How many samples it stands for. */
  readonly samples: number;
  /** It is the first of its name: its field is to be written even if with 0. */
  readonly first: boolean;
}

/** The counters of all names, merged over intervals and ingest threads, waiting to be cut. */
export interface CounterBook {
  /** How many names are known. */
  readonly size: number;
  /** How many samples wait for the next cut. */
  readonly pendingSamples: number;
  /** How many names do. */
  readonly queued: number;
  has(name: string): boolean;
  /** Returns the entry of a name, made if it is new. Keep it: looking it up again costs a hash. */
  entry(name: string): CounterEntry;
  /** Adds to a counter. With no samples it only sees to it that the name is written once. */
  add(entry: CounterEntry, sum: number, samples: number): void;
  /** What waits for the next cut, and what would remain behind it, by name. A copy. */
  amounts(): Map<string, number>;
  /**
   * Takes what waits of the names that have waited longest, as integers; the remainders stay.
   * An amount of 0 is among them where its samples are to be accounted for.
   *
   * @param count of how many names; of all, if absent.
   */
  cut(count?: number): CounterItem[];
  /** What waits, and what remains of fractions. */
  waiting(): Iterable<CounterEntry>;
  /**
   * Takes out again what was cut before, in another process. Where nothing is left, the name is as
   * one that was never counted: it may have been deleted, and a 0 more does no harm.
   */
  takeOut(entry: CounterEntry, amount: number, samples: number): void;
  /**
   * Takes out all that waits of a name, and what remains of its fractions: it is as if it had never
   * been counted. Returns undefined where that was so before.
   */
  forget(name: string): { amount: number; samples: number } | undefined;
  /** Rounds every remainder to the nearest integer, to be cut with what waits. */
  roundRemainders(): void;
  /** Forgets names idle for the whole period that ends, and returns those that are not. */
  nextPeriod(): string[];
}

/**
 * Creates an empty book.
 *
 * @param namesMax how many names may be remembered for their remainder alone. Beyond that, the
 *   remainders of the longest idle ones are rounded, as at a last flush.
 */
export function createCounterBook(namesMax: number): CounterBook {
  const names = createRegistry<CounterEntry>((name, period) => {
    return { name, period, sum: 0, samples: 0, written: false, queued: false };
  });
  let queue: CounterEntry[] = [];
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
    amounts() {
      const waiting = [...names.all()].filter(
        (one) => one.queued || Math.abs(one.sum) >= WHOLE_WITHIN,
      );
      return new Map(waiting.map((one) => [one.name, one.sum]));
    },
    cut,
    *waiting() {
      for (const one of names.all()) if (one.sum !== 0 || one.samples !== 0) yield one;
    },
    takeOut(from, amount, samples) {
      from.sum = Number.isFinite(amount) ? from.sum - amount : 0;
      from.samples -= samples;
      from.written = from.samples !== 0 || Math.abs(from.sum) >= WHOLE_WITHIN;
      if (!from.written) from.queued = false;
      pendingSamples -= samples;
    },
    forget,
    roundRemainders() {
      for (const one of names.all()) round(one);
    },
    nextPeriod,
  };

  function add(to: CounterEntry, sum: number, samples: number): void {
    to.sum += sum;
    to.samples += samples;
    names.touch(to);
    pendingSamples += samples;
    enqueue(to);
  }

  function enqueue(to: CounterEntry): void {
    if (to.queued) return;
    to.queued = true;
    queue.push(to);
  }

  function cut(count = Infinity): CounterItem[] {
    const items: CounterItem[] = [];
    const end = Math.min(queue.length, cutSoFar + count);
    for (; cutSoFar < end; cutSoFar++) {
      const one = queue[cutSoFar]!;
      if (!one.queued) continue; // forgotten; if it was counted since, it stands further behind
      const { samples } = one;
      const amount = integerPart(one.sum);
      // A sum that is no number any more is handed on to be dropped, and starts again from 0.
      one.sum = Number.isFinite(amount) ? one.sum - amount : 0;
      one.samples = 0;
      one.queued = false;
      pendingSamples -= samples;
      if (amount !== 0 || samples > 0 || !one.written) {
        items.push({ name: one.name, amount, samples, first: !one.written });
        one.written = true;
      }
    }
    if (cutSoFar === queue.length) {
      queue = [];
      cutSoFar = 0;
    }
    return items;
  }

  function forget(name: string): ReturnType<CounterBook['forget']> {
    if (!names.has(name)) return undefined;
    const one = names.entry(name);
    const { sum: amount, samples } = one;
    if (!one.written && amount === 0 && samples === 0) return undefined;
    pendingSamples -= samples;
    one.sum = 0;
    one.samples = 0;
    one.written = false;
    one.queued = false;
    return { amount, samples };
  }

  function round(one: CounterEntry): void {
    one.sum = Math.round(one.sum);
    if (one.sum !== 0) enqueue(one);
  }

  function nextPeriod(): string[] {
    const idle: CounterEntry[] = [];
    const active = names.nextPeriod((one) => {
      const isKept = one.queued || Math.abs(one.sum) >= WHOLE_WITHIN;
      if (isKept) idle.push(one);
      return isKept;
    });
    idle.sort((a, b) => a.period - b.period);
    for (const one of idle.slice(0, Math.max(0, idle.length - namesMax))) round(one);
    return active;
  }
}

/** A sum this close to a whole number is that number: ten times 0.1 is 1. */
const WHOLE_WITHIN = 1e-6;

/**
 * Returns the integer part of a sum, towards zero. Subtracting it leaves the exact remainder, also
 * where that is a hair below zero because the sum was a hair below a whole number.
 */
export function integerPart(sum: number): number {
  const nearest = Math.round(sum);
  return Math.abs(sum - nearest) <= WHOLE_WITHIN ? nearest + 0 : Math.trunc(sum);
}
