import { errorText } from '../errors.ts';
import type { Log } from '../flush/health.ts';
import type { Time } from '../flush/time.ts';
import { createTurns } from '../live/turns.ts';
import { createWindowClock, type WindowClock } from './clock.ts';
import { type CounterTrace, createCounterTrace } from './counter-trace.ts';
import { createHeldValues, type HeldValues } from './held-values.ts';
import { createLongHistory, type LongHistory } from './long-history.ts';
import { createWindow, type LiveWindow } from './window.ts';

/** All that the live page is made of: what happened in the last minutes and hours. */
export interface LiveMemory {
  readonly clock: WindowClock;
  readonly window: LiveWindow;
  readonly trace: CounterTrace;
  readonly history: LongHistory;
  readonly gauges: HeldValues;
  readonly sets: HeldValues;
  /**
   * Calls `listener` after each second, when all of it is in the memory: with the last second that
   * is over, so that after a hold-up some are passed over. Returns what ends that.
   */
  subscribe(listener: (second: number) => void): () => void;
  /** Begins to drain at the end of each second. */
  start(): void;
  stop(): void;
}

/** What a memory is made with. */
export interface LiveMemoryOptions {
  time: Time;
  /** Unix time in milliseconds, as the system has it. */
  wallNowMs: () => number;
  /** Brings in what was read up to the call. Must not reject. */
  drain: () => Promise<void>;
  /** Is told of defects, such as what a listener has thrown. */
  log: Log;
}

const WINDOW_SECONDS = 300;
const WINDOW_BYTES = 64 << 20;
/** The traces are looked through for idle names every so many seconds. */
const FORGET_SECONDS = 30;

/** Creates an empty memory. */
export function createLiveMemory(options: LiveMemoryOptions): LiveMemory {
  const { time, wallNowMs, drain, log } = options;
  const clock = createWindowClock({ nowMs: () => time.nowMs(), wallNowMs });
  const sizes = { windowSeconds: WINDOW_SECONDS, budgetBytes: WINDOW_BYTES };
  const window = createWindow({ ...sizes, clock });
  const trace = createCounterTrace({ clock });
  const history = createLongHistory({ clock, window, trace });
  const gauges = createHeldValues(clock);
  const sets = createHeldValues(clock);
  const listeners = new Set<(second: number) => void>();
  let cancel = (): void => {};
  let isStopped = false;
  let isKeeping = false;
  let forgottenSecond = clock.present();

  return {
    clock,
    window,
    trace,
    history,
    gauges,
    sets,
    subscribe(listener) {
      const own = (second: number): void => listener(second);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    start: arm,
    stop() {
      isStopped = true;
      cancel();
    },
  };

  /** Anew from the clock each time: what one call is late by, the next one is not. */
  function arm(): void {
    if (!isStopped) cancel = time.after(Math.ceil(clock.untilNextMs()), () => void tick());
  }

  async function tick(): Promise<void> {
    const over = clock.present() - 1;
    // A timer may go off a moment too early.
    if (over > clock.complete()) await end(over);
    arm();
  }

  async function end(second: number): Promise<void> {
    await drain();
    if (isStopped) return;
    clock.completeTo(second);
    for (const listener of listeners) tell(listener, second);
    if (!isKeeping) void keep().catch(onFault);
  }

  function onFault(error: unknown): void {
    log('error', `the live page: ${errorText(error)}`);
  }

  function tell(listener: (second: number) => void, second: number): void {
    try {
      listener(second);
    } catch (error) {
      onFault(error);
    }
  }

  /** What is to be done once a second, and may take longer than one. */
  async function keep(): Promise<void> {
    isKeeping = true;
    const turns = createTurns();
    try {
      await turns.next();
      for (const _ of chores()) {
        if (turns.isOver()) await turns.next();
        if (isStopped) return;
      }
    } finally {
      isKeeping = false;
    }
  }

  function* chores(): Generator<void> {
    yield* window.tend();
    yield* history.advance();
    for (const { history: held } of [gauges, sets]) yield* held.advance();
    if (clock.present() < forgottenSecond + FORGET_SECONDS) return;
    forgottenSecond = clock.present();
    const traces = [gauges, sets].flatMap(({ writes, values }) => [writes, values]);
    for (const one of [trace, ...traces]) yield* one.forgetIdle();
  }
}
