import type { Log } from '../flush/health.ts';
import { systemTime } from '../flush/time.ts';
import { createTimingBook, type TimingEntry, type TrapType } from '../flush/timing-book.ts';
import { createTimingFlusher } from '../flush/timing-flusher.ts';
import { TRAP_BODY_BYTES_MAX } from '../flush/trap-body.ts';
import { untaggedTrapName } from '../flush/trap-name.ts';
import { countDropped } from '../flush/tally.ts';
import { createTrap, TRAP_TIMEOUT_MS } from '../sinks/trap.ts';
import { type Account, counted, readAccount } from './account.ts';
import { newInstance } from '../instance.ts';
import { createHold } from './hold.ts';
import { createOutlet } from './outlet.ts';

/** What timing inside an application is made with. */
export interface TimingOptions {
  url: string;
  /** PEM text of a private CA. */
  ca: string | undefined;
  servername: string | undefined;
  trapType: TrapType;
  intervalMs: number;
  stopTimeoutMs: number;
  log: Log;
}

/** Timings inside an application: book, flusher and trap, as a collector has them. */
export interface Timing {
  /** Returns a name's timings, made if it is new. */
  entry(name: string): TimingEntry;
  add(entry: TimingEntry, ms: number): void;
  account(): Account;
  /** Pushes what is left, and closes; returns the samples that could not be delivered. */
  stop(): Promise<number>;
}

/** Creates timing that has begun. */
export function createTiming(options: TimingOptions): Timing {
  const { url, ca, servername, log } = options;
  const hold = createHold();
  const time = systemTime(true);
  const book = createTimingBook(options.trapType, TRAP_BODY_BYTES_MAX, untaggedTrapName);
  const trap = createTrap({
    url,
    ca,
    servername,
    timeoutMs: TRAP_TIMEOUT_MS,
    time,
    isBackground: true,
  });
  const ownName = newInstance();
  const instance = (): string => ownName;
  const sending = { book, trap, time, random: Math.random, log };
  const flusher = createTimingFlusher({ ...sending, instance });
  let samples = 0;
  let stopped = false;
  const pendingSamples = (): number => book.pendingSamples + flusher.pendingSamples;
  const outlet = createOutlet({
    flusher,
    time,
    hold,
    intervalMs: options.intervalMs,
    stopTimeoutMs: options.stopTimeoutMs,
    isWaiting: () => pendingSamples() > 0,
    isHopeless: () => false,
    close: () => {},
    onUndelivered() {
      const why = flusher.health.lastError ?? 'there was no time';
      log('error', `not delivered: ${counted(pendingSamples(), 'timing')}: ${trap.label}: ${why}`);
    },
  });

  return {
    entry: (name) => book.entry(name),
    add(entry, ms) {
      samples++;
      if (stopped) countDropped(flusher.tally, 'stopped', 1);
      else book.addOne(entry, ms);
    },
    account: () => readAccount(samples, pendingSamples(), flusher),
    async stop() {
      stopped = true;
      await outlet.stop();
      return pendingSamples();
    },
  };
}
