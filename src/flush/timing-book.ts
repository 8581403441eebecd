import { Histogram } from '../histogram.ts';
import { type Carry, wholeSamples } from '../weights.ts';
import type { TakenTimings } from './journal.ts';
import { createRegistry, type Registered } from './registry.ts';
import { createBodyWriter, type TrapBody } from './trap-body.ts';
import { trapName } from './trap-name.ts';

/** How timings are pushed: `n`, each as it is; `h`, as histograms. */
export type TrapType = 'n' | 'h';

/** A timing's name as the main thread knows it. */
export interface TimingEntry extends Registered, Carry {
  /** What waits for the trap, in milliseconds, in order of arrival, from `taken` on. */
  values: number[];
  /** The weight of each value; absent while all are 1. */
  weights: number[] | undefined;
  taken: number;
  /** What has waited for so long that it was folded, and how many samples that is. */
  folded: Histogram | undefined;
  foldedSamples: number;
  /** It stands in the queue of the next cut. */
  queued: boolean;
}

/** A body, and what it took. */
export interface CutTimings extends TrapBody {
  readonly taken: readonly TakenTimings[];
}

/** The timings of all names, waiting for the trap. */
export interface TimingBook {
  /** How many names are known. */
  readonly size: number;
  /** How many samples wait. */
  readonly pendingSamples: number;
  /** How many of them wait one by one; the others are folded. */
  readonly listedSamples: number;
  has(name: string): boolean;
  /** Returns the entry of a name, made if it is new. */
  entry(name: string): TimingEntry;
  /** Marks a name as in use, though nothing of it is to wait. */
  touch(entry: TimingEntry): void;
  /** Adds a sample that stands for itself. */
  addOne(entry: TimingEntry, value: number): void;
  /** Adds samples. The arrays are not kept. */
  add(entry: TimingEntry, values: Float64Array, weights: Float64Array): void;
  /**
   * Folds what waits one by one into a histogram per name, where it takes no more memory however
   * long it waits. It will go out as `h`. Cost: about 50 ns a sample.
   */
  fold(): void;
  /** Takes as much of what waits as fits a body, oldest names first; undefined when nothing does. */
  cut(): CutTimings | undefined;
  /** The names of which something waits, the longest waiting first. */
  waiting(): Iterable<TimingEntry>;
  /** Adds what was folded before, in another process, and goes on with its carry. */
  addFolded(entry: TimingEntry, folded: Histogram, samples: number, carry: number): void;
  /** Takes out again the oldest samples of a name, cut before, in another process. */
  takeOut(entry: TimingEntry, samples: number, carry: number): void;
  /** Gives up what waits of the longest waiting names, a share of all; returns how many samples. */
  dropOldest(share: number): number;
  /** Forgets names idle for the whole period that ends, and returns those that are not. */
  nextPeriod(): string[];
}

/**
 * Creates an empty book.
 *
 * @param type `n`: what is not folded goes out value by value, whatever its weight. `h`: a value
 *   counts as many times as its weight says, the fraction carried to the name's next value.
 * @param bodyBytesMax how long a body may be, in bytes.
 * @param nameAtTrap what a name is called in a body.
 */
export function createTimingBook(
  type: TrapType,
  bodyBytesMax: number,
  nameAtTrap: (name: string) => string = trapName,
): TimingBook {
  // All members in one literal: the engine then keeps them in one piece.
  const names = createRegistry<TimingEntry>((name, period) => ({
    name,
    period,
    values: [],
    weights: undefined,
    taken: 0,
    folded: undefined,
    foldedSamples: 0,
    carry: 0,
    queued: false,
  }));
  let queue: TimingEntry[] = [];
  let pendingSamples = 0;
  let listedSamples = 0;

  return {
    get size() {
      return names.size;
    },
    get pendingSamples() {
      return pendingSamples;
    },
    get listedSamples() {
      return listedSamples;
    },
    has: (name) => names.has(name),
    entry: (name) => names.entry(name),
    touch: (entry) => names.touch(entry),
    addOne(to, value) {
      names.touch(to);
      addTo(to, value, 1);
    },
    add,
    fold() {
      for (const one of queue) foldOne(one);
    },
    cut,
    waiting: () => queue,
    addFolded(to, folded, samples, carry) {
      to.folded = folded;
      to.foldedSamples = samples;
      to.carry = carry;
      pendingSamples += samples;
      enqueue(to);
    },
    takeOut,
    dropOldest(share) {
      const before = pendingSamples;
      const waiting = queue.filter((one) => waitingOf(one) > 0); // what was put back may be gone
      const dropped = waiting.slice(0, Math.ceil(share * waiting.length));
      for (const one of dropped) {
        takeOut(one, waitingOf(one), one.carry);
        one.queued = false;
      }
      queue = queue.filter((one) => one.queued);
      return before - pendingSamples;
    },
    nextPeriod: () => names.nextPeriod((idle) => idle.queued),
  };

  function add(to: TimingEntry, values: Float64Array, weights: Float64Array): void {
    names.touch(to);
    for (let index = 0; index < values.length; index++) addTo(to, values[index]!, weights[index]!);
  }

  function addTo(to: TimingEntry, value: number, weight: number): void {
    if (weight !== 1) to.weights ??= to.values.map(() => 1);
    to.values.push(value);
    to.weights?.push(weight);
    pendingSamples++;
    listedSamples++;
    enqueue(to);
  }

  function enqueue(to: TimingEntry): void {
    if (to.queued) return;
    to.queued = true;
    queue.push(to);
  }

  /** What is folded is older than what is listed. */
  function takeOut(from: TimingEntry, samples: number, carry: number): void {
    pendingSamples -= samples;
    from.carry = carry;
    const listed = samples - from.foldedSamples;
    from.folded = undefined;
    from.foldedSamples = 0;
    listedSamples -= listed;
    from.taken += listed;
    if (from.taken === from.values.length) emptyList(from);
  }

  function foldOne(one: TimingEntry): void {
    const { values, weights, taken } = one;
    if (taken === values.length) return;
    const folded = (one.folded ??= new Histogram());
    for (let index = taken; index < values.length; index++) {
      const room = Number.MAX_SAFE_INTEGER - folded.count;
      folded.add(values[index]!, wholeSamples(one, weights?.[index] ?? 1, room));
    }
    one.foldedSamples += values.length - taken;
    listedSamples -= values.length - taken;
    emptyList(one);
  }

  function cut(): CutTimings | undefined {
    const body = createBodyWriter(bodyBytesMax);
    const taken: TakenTimings[] = [];
    let done = 0;
    for (const one of queue) {
      const before = waitingOf(one);
      const isEmpty = take(one, body);
      const samples = before - waitingOf(one);
      if (samples > 0) taken.push({ name: one.name, samples, carry: one.carry });
      if (!isEmpty) break;
      one.queued = false;
      done++;
    }
    queue = queue.slice(done);
    const whole = body.end();
    pendingSamples -= whole?.samples ?? 0;
    return whole && { ...whole, taken };
  }

  /** Takes what waits of a name; false where not all of it found room. */
  function take(one: TimingEntry, body: ReturnType<typeof createBodyWriter>): boolean {
    const name = nameAtTrap(one.name);
    // A name stands once in a body: what came since the last fold goes along.
    if (type === 'h' || one.folded !== undefined) foldOne(one);
    if (one.folded !== undefined) {
      if (!body.appendHistogram(name, one.folded, one.foldedSamples)) return false;
      one.folded = undefined;
      one.foldedSamples = 0;
    }
    if (one.taken === one.values.length) return true;
    const taken = body.append(name, one.values, one.taken);
    listedSamples -= taken - one.taken;
    one.taken = taken;
    if (one.taken < one.values.length) return false;
    emptyList(one);
    return true;
  }

  function emptyList(one: TimingEntry): void {
    one.values = [];
    one.weights = undefined;
    one.taken = 0;
  }
}

function waitingOf({ values, taken, foldedSamples }: TimingEntry): number {
  return foldedSamples + values.length - taken;
}
