import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';

import { createGaugeBook } from '../../src/flush/gauge-book.ts';
import { createCounterBook } from '../../src/flush/counter-book.ts';
import { createDrainer, type Drainer } from '../../src/flush/drainer.ts';
import { createSetBook } from '../../src/flush/set-book.ts';
import { createTally } from '../../src/flush/tally.ts';
import { createTimingBook } from '../../src/flush/timing-book.ts';
import type { Ingest } from '../../src/ingest/ingest.ts';
import type { DrainVisitor, LedgerReader } from '../../src/ledger/reader.ts';
import type { WindowClock } from '../../src/window/clock.ts';
import { type CounterTrace, createCounterTrace } from '../../src/window/counter-trace.ts';
import { createWindow, type LiveWindow } from '../../src/window/window.ts';
import { windowClockOf } from '../support/window-clock.ts';

const START = 1_800_000_000;
const PER_SECOND = 1000;

describe('the drainer, by seconds', () => {
  it('drains at any moments, and one soon after each second ends: a steady rate is steady', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 8, maxLength: 8 }),
        fc.constantFrom(0, 5, 20),
        async (anywhere, lateness, lateMsMax) => {
          const { drainer, trace, window, clock, at } = createRig();
          const ends = lateness.map((late, second) => (second + 1) * 1000 + late * lateMsMax);
          const moments = [...anywhere.map((share) => share * 8000), ...ends];
          for (const ms of moments.toSorted((one, other) => one - other)) {
            at(ms);
            await (Math.floor(ms) % 2 === 0 ? drainer.drain() : drainer.drainNew());
            clock.completeTo(clock.present() - 1);
          }
          const points = trace.points('c', 0);
          const columns = window.columnsSince('t', 0);
          expect(points.map(([second]) => second - START)).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7]);
          // What came in the moment between the end of a second and its drain counts to either.
          const wrong = (2 * lateMsMax * PER_SECOND) / 1000 + 1;
          for (const [index, [, sum]] of points.entries()) {
            expect(sum).to.be.within(PER_SECOND - wrong, PER_SECOND + wrong);
            expect(columns[index]).to.include({ second: START + index, weight: sum });
          }
        },
      ),
      { numRuns: 50 },
    ));

  it('counts nothing to a second after it was said to be over', async () => {
    const { drainer, trace, clock, at, pause, resume } = createRig();
    pause();
    at(10_000.5);
    await drainer.drainNew(); // finds nothing, and wakes nobody
    clock.completeTo(clock.present() - 1);
    resume();
    at(10_600);
    await drainer.drain();
    at(11_000);
    await drainer.drain();
    clock.completeTo(clock.present() - 1);
    expect(trace.points('c', 0)).to.deep.equal([[START + 10, PER_SECOND]]);
  });

  it('lets what comes meanwhile from elsewhere count to its own second', async () => {
    const { drainer, window, clock, at } = createRig();
    at(1002);
    const draining = drainer.drain();
    window.addCounted('elsewhere', 5, 1);
    await draining;
    at(2000);
    clock.completeTo(clock.present() - 1);
    expect(window.columnsSince('t', 0)[0]!.second).to.equal(START);
    expect(window.columnsSince('elsewhere', 0)[0]!.second).to.equal(START + 1);
  });
});

interface Rig {
  drainer: Drainer;
  trace: CounterTrace;
  window: LiveWindow;
  clock: WindowClock;
  /** Goes on to a moment, in ms since the start. */
  at(ms: number): void;
  /** Nothing comes in from now on; what would have come comes at once when it goes on. */
  pause(): void;
  resume(): void;
}

/** A ledger into which a counter and a timing come steadily. */
function createRig(): Rig {
  let nowMs = START * 1000;
  let flippedMs = nowMs;
  let isPaused = false;
  let waiting = 0;
  const flip = (): void => {
    const count = (ms: number): number => Math.floor((ms * PER_SECOND) / 1000);
    waiting = count(nowMs) - count(flippedMs);
    flippedMs = nowMs;
  };
  const reader = {
    limits: { entriesMax: 100, nameBytesMax: 100, timingsMax: 100 },
    nameOf: (entry: number) => (entry === 0 ? 'c' : 't'),
    usage: () => ({ entries: 2, nameBytes: 2 }),
    *drain(visitor: DrainVisitor) {
      yield; // others have a turn before anything is taken
      if (waiting === 0) return;
      visitor.counter(0, waiting, waiting);
      visitor.timings(1, Float64Array.of(5), Float64Array.of(waiting));
    },
  } as unknown as LedgerReader;
  const ingest = {
    isDead: false,
    hasNew: () => !isPaused && nowMs > flippedMs,
    flip() {
      flip();
      return Promise.resolve(reader);
    },
  } as unknown as Ingest;
  const clock = windowClockOf(() => nowMs);
  const window = createWindow({ windowSeconds: 300, budgetBytes: 1 << 20, clock });
  const trace = createCounterTrace({ clock });
  const drainer = createDrainer({
    ...{ ingests: [ingest], namesMax: 10, clock, window, trace, hasTrap: false },
    ...{
      counters: createCounterBook(10),
      gauges: createGaugeBook(),
      sets: createSetBook(),
      setTally: createTally(),
      wallNowMs: () => 0,
      timings: createTimingBook('n', 1 << 20),
    },
    ...{ counterTally: createTally(), gaugeTally: createTally(), timingTally: createTally() },
    log: () => {},
    nowMs: () => nowMs - START * 1000,
  });
  return {
    ...{ drainer, trace, window, clock },
    at: (ms) => void (nowMs = START * 1000 + ms),
    pause: () => void (isPaused = true),
    resume() {
      isPaused = false;
      flippedMs = nowMs;
    },
  };
}
