import { createRegistry, type Registered } from './registry.ts';
import { createBodyWriter, trapName, type TrapBody } from './trap-body.ts';

/** A timing's name as the main thread knows it. */
export interface TimingEntry extends Registered {
  /** What waits for the trap, in milliseconds, in order of arrival, from `taken` on. */
  values: number[];
  taken: number;
  /** It stands in the queue of the next cut. */
  queued: boolean;
}

/** The timings of all names, waiting for the trap. */
export interface TimingBook {
  /** How many names are known. */
  readonly size: number;
  /** How many samples wait. */
  readonly pendingSamples: number;
  /** Returns the entry of a name, made if it is new. */
  entry(name: string): TimingEntry;
  /** Marks a name as in use, though nothing of it is to wait. */
  touch(entry: TimingEntry): void;
  /** Adds samples; returns how many found no room. The array is not kept. */
  add(entry: TimingEntry, values: Float64Array): number;
  /** Takes as much of what waits as fits a body, oldest names first; undefined when nothing does. */
  cut(): TrapBody | undefined;
  /** Forgets names idle for the whole period that ends, and returns those that are not. */
  nextPeriod(): string[];
}

/**
 * Creates an empty book.
 *
 * @param pendingMax how many samples may wait: beyond it the newest are refused.
 * @param bodyBytesMax how long a body may be, in bytes.
 */
export function createTimingBook(pendingMax: number, bodyBytesMax: number): TimingBook {
  const names = createRegistry<TimingEntry>((name, period) => {
    return { name, period, values: [], taken: 0, queued: false };
  });
  let queue: TimingEntry[] = [];
  let pendingSamples = 0;

  return {
    get size() {
      return names.size;
    },
    get pendingSamples() {
      return pendingSamples;
    },
    entry: (name) => names.entry(name),
    touch: (entry) => names.touch(entry),
    add,
    cut,
    nextPeriod: () => names.nextPeriod((idle) => idle.queued),
  };

  function add(to: TimingEntry, values: Float64Array): number {
    names.touch(to);
    const count = Math.min(values.length, pendingMax - pendingSamples);
    for (let index = 0; index < count; index++) to.values.push(values[index]!);
    pendingSamples += count;
    if (count > 0 && !to.queued) {
      to.queued = true;
      queue.push(to);
    }
    return values.length - count;
  }

  function cut(): TrapBody | undefined {
    const body = createBodyWriter(bodyBytesMax);
    let done = 0;
    for (const one of queue) {
      one.taken = body.append(trapName(one.name), one.values, one.taken);
      if (one.taken < one.values.length) break;
      one.values = [];
      one.taken = 0;
      one.queued = false;
      done++;
    }
    queue = queue.slice(done);
    const whole = body.end();
    pendingSamples -= whole?.samples ?? 0;
    return whole;
  }
}
