import { createGaugeBook } from '../../src/flush/gauge-book.ts';
import { createCounterBook } from '../../src/flush/counter-book.ts';
import { createCounterFlusher } from '../../src/flush/counter-flusher.ts';
import type { Health } from '../../src/flush/health.ts';
import { createGrowth } from '../../src/flush/growth.ts';
import { createLayout, type LayoutName } from '../../src/flush/layout.ts';
import { nothingReceived, type Received } from '../../src/flush/received.ts';
import { createSetBook } from '../../src/flush/set-book.ts';
import type { SetSender } from '../../src/flush/set-sender.ts';
import { createTally, type Tally } from '../../src/flush/tally.ts';
import { createTimingBook } from '../../src/flush/timing-book.ts';
import type { Frame } from '../../src/live/frame.ts';
import { createLive, type Live } from '../../src/live/live.ts';
import { readView, type StreamView } from '../../src/live/view.ts';
import { NOT_RECOVERED } from '../../src/state/attach.ts';
import { readVitals, type VitalsParts } from '../../src/vitals.ts';
import { createLiveMemory, type LiveMemory } from '../../src/window/live-memory.ts';
import { createFakeStore, type FakeStore } from '../support/fake-store.ts';
import { createFakeTime, type FakeTime } from '../support/fake-time.ts';

/** What the page is told, with time, store and numbers in the test's hand. */
export interface LiveRig {
  readonly live: Live;
  readonly memory: LiveMemory;
  readonly time: FakeTime;
  readonly store: FakeStore;
  readonly received: Received;
  readonly timingTally: Tally;
  readonly health: Health;
  /**
   * To be set: how far the system's clock is ahead of what it was, what the kernel dropped, and
   * which sets were written to today.
   */
  readonly hand: { aheadMs: number; kernelDrops: number; setNames: string[] };
  /** How many listen for seconds. */
  listeners(): number;
  count(name: string, amount?: number): void;
  measure(name: string, ...values: number[]): void;
  /** Has a gauge or set been written, and the store answer what it holds now. */
  write(kind: 'gauges' | 'sets', name: string, value: number): void;
  /** Lets some seconds pass. */
  pass(seconds?: number): Promise<void>;
}

/** Unix time at which every rig begins: a whole second, and the first of a span of 30 s. */
export const BEGIN_SECOND = 1_800_000_000;

/** Creates one; its clock shows {@link BEGIN_SECOND}. */
export function createLiveRig({
  layout = 'flat',
  hashes = ['h'],
}: { layout?: LayoutName; hashes?: string[] } = {}): LiveRig {
  const time = createFakeTime();
  const startMs = time.nowMs();
  const store = createFakeStore();
  const received = nothingReceived();
  const timingTally = createTally();
  const hand = { aheadMs: 0, kernelDrops: 0, setNames: [] as string[] };
  let listeners = 0;
  const nowMs = (): number => time.nowMs();
  const inner = createLiveMemory({
    time,
    wallNowMs: () => 1000 * BEGIN_SECOND + time.nowMs() - startMs + hand.aheadMs,
    drain: () => Promise.resolve(),
    log: (_level, message) => {
      throw new Error(message);
    },
  });
  const memory: LiveMemory = {
    ...inner,
    subscribe(listener) {
      listeners++;
      const end = inner.subscribe(listener);
      return () => {
        listeners--;
        end();
      };
    },
  };
  const counterBook = createCounterBook(1000);
  const placed = createLayout(layout, hashes);
  const quiet = { time, random: () => 0.5, log: () => {} };
  const parts: VitalsParts = {
    version: '1.2.3',
    startMs,
    nowMs,
    socket: {
      address: '127.0.0.1',
      port: 8125,
      receiver: 'dgram',
      receiveBufferBytes: 1 << 25,
      isShared: false,
    } as VitalsParts['socket'],
    threads: 1,
    kernelDrops: { read: () => hand.kernelDrops, close: () => {} },
    tcp: () => ({ configured: false, connections: 0, accepted: 0, refused: 0, bytes: 0 }),
    hasUnix: false,
    saidDown: () => undefined,
    unixFault: () => undefined,
    received,
    growth: createGrowth(nowMs),
    counterBook,
    gaugeBook: createGaugeBook(),
    setBook: createSetBook(),
    setSender: { tally: createTally(), pendingSamples: 0 } as SetSender,
    counterFlusher: createCounterFlusher({
      ...quiet,
      book: counterBook,
      store,
      layout: placed,
      lanesMax: 1000,
    }),
    timingBook: createTimingBook('n', 1 << 20),
    timingTally,
    timingFlusher: undefined,
    keysMax: 1000,
    window: memory.window,
    receiver: { configured: false, samples: 0, leftOut: 0 },
    recovered: NOT_RECOVERED,
    state: undefined,
    store,
  };
  const live = createLive({
    memory,
    store,
    layout: placed,
    setSender: { today: () => ({ day: '2027-01-15', names: hand.setNames }) },
    hashes: () => hashes,
    instance: 'rig-1',
    time,
    intervals: { counterInterval: 1000, timingInterval: 500 },
    vitals: () => Promise.resolve(readVitals(parts)),
    vitalsParts: () => parts,
  });
  memory.start();
  live.start();
  return {
    live,
    memory,
    time,
    store,
    received,
    timingTally,
    health: parts.counterFlusher.health,
    hand,
    listeners: () => listeners,
    count: (name, amount = 1) => memory.trace.add(memory.trace.of(name), amount),
    measure(name, ...values) {
      memory.window.add(name, Float64Array.from(values), new Float64Array(values.length).fill(1));
    },
    write(kind, name, value) {
      const { writes, hold } = memory[kind];
      writes.add(writes.of(name), 1);
      hold(name, value);
    },
    async pass(seconds = 1) {
      for (let one = 0; one < seconds; one++) await time.pass(1000);
    },
  };
}

/** Returns what a query asks for; fails where it is wrong. */
export function viewOf(query: string): StreamView {
  const view = readView(new URLSearchParams(query));
  if (Array.isArray(view)) throw new Error(view.join('; '));
  return view;
}

/** Opens a stream; each call returns the frame of the last second that is over. */
export function openFrames(
  { live }: LiveRig,
  query: string,
  lastSecond?: number,
): { next: () => Promise<Frame>; close: () => void } {
  const stream = live.open(viewOf(query), lastSecond);
  return {
    async next() {
      const { second, text } = await stream.frame(stream.second());
      const frame = JSON.parse(text) as Frame;
      if (frame.second !== second) throw new Error(`${frame.second} is not ${second}`);
      return frame;
    },
    close: () => stream.close(),
  };
}
