import { expect } from 'chai';
import { createTimingBook, type TimingBook } from '../../src/flush/timing-book.ts';
import { createTimingFlusher, type TimingFlusher } from '../../src/flush/timing-flusher.ts';
import type { Trap, TrapAnswer } from '../../src/sinks/trap.ts';
import { createFakeTime, type FakeTime, settle } from '../support/fake-time.ts';
import { droppedOf } from './rig.ts';

/** A trap took what it was sent. */
export const TAKEN: TrapAnswer = { taken: true, note: undefined };

/** What becomes of a push. */
export type Decide = () => TrapAnswer | Error | Promise<TrapAnswer>;

/** A timing flusher with everything around it in the test's hand. */
export interface TimingRig {
  time: FakeTime;
  book: TimingBook;
  flusher: TimingFlusher;
  /** What was pushed: `key {name:values}`. */
  pushed: string[];
  said: string[];
  decide: (by: Decide) => void;
  inFlightMax: () => number;
  closed: () => boolean;
  add: (name: string, ...values: number[]) => void;
  flush: () => Promise<void>;
  flushLast: () => { resolved: boolean };
  check: () => void;
}

/** Creates a rig whose trap takes everything until the test says otherwise. */
export function createTimingRig({
  bodyBytesMax = 4 << 20,
}: { bodyBytesMax?: number } = {}): TimingRig {
  const time = createFakeTime();
  const book = createTimingBook('n', bodyBytesMax);
  const [pushed, said]: [string[], string[]] = [[], []];
  let decide: Decide = () => TAKEN;
  let [samples, inFlight, inFlightMax, closed] = [0, 0, 0, false];
  const trap: Trap = {
    label: 'trap http://t',
    close: () => (closed = true),
    async push(body, key) {
      pushed.push(`${key} ${shortened(body)}`);
      inFlightMax = Math.max(inFlightMax, ++inFlight);
      const answer = await decide();
      inFlight--;
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  const flusher = createTimingFlusher({
    book,
    trap,
    instance: () => 'me-1',
    time,
    random: () => 0.5,
    log: (level, message) => void said.push(`${level}: ${message}`),
  });
  const check = (): void => {
    const pending = book.pendingSamples + flusher.pendingSamples;
    expect(flusher.tally.delivered + pending + droppedOf(flusher.tally)).to.equal(samples);
  };
  return {
    time,
    book,
    flusher,
    pushed,
    said,
    decide: (by) => void (decide = by),
    inFlightMax: () => inFlightMax,
    closed: () => closed,
    add(name, ...values) {
      const weights = new Float64Array(values.length).fill(1);
      book.add(book.entry(name), Float64Array.from(values), weights);
      samples += values.length;
    },
    async flush() {
      flusher.flush();
      await settle();
      check();
    },
    flushLast() {
      const done = { resolved: false };
      void flusher.flushLast().then(() => (done.resolved = true));
      return done;
    },
    check,
  };
}

function shortened(body: string): string {
  const lists = Object.entries(JSON.parse(body) as Record<string, { _value: number[] }>);
  return `{${lists.map(([name, { _value: list }]) => `${name}:${list.join(',')}`).join(' ')}}`;
}
