import { createTicker, type Time, within } from '../flush/time.ts';
import type { Hold } from './hold.ts';

/** What drives samples out: a flusher of counters or of timings. */
export interface Flushing {
  flush(): void;
  settled(): Promise<void>;
  flushLast(): Promise<void>;
  stop(): void;
}

/** What an outlet is made with. */
export interface OutletParts {
  flusher: Flushing;
  time: Time;
  hold: Hold;
  /** From the end of one flush to the start of the next; 0: it flushes when told to alone. */
  intervalMs: number;
  /** How long the last flush may take. */
  stopTimeoutMs: number;
  /** Called before each flush by the interval. */
  beforeFlush?: () => void;
  /** Whether there is something to deliver. */
  isWaiting: () => boolean;
  /** Whether it cannot be delivered any more, however long it is tried. */
  isHopeless: () => boolean;
  close: () => void;
  /** Called after a last flush that could not deliver everything. */
  onUndelivered: () => void;
}

/** Keeps a flusher going inside an application, without keeping the application going. */
export interface Outlet {
  /** Delivers what is left, within the deadline, and closes. */
  stop(): Promise<void>;
}

/** The outlets that are open: a program that comes to its natural end delivers what they have. */
const open = new Set<() => void>();

/** After the application's own handlers, which may count on. */
function onBeforeExit(): void {
  process.nextTick(() => {
    for (const deliver of open) deliver();
  });
}

/** Creates an outlet, which begins at once. */
export function createOutlet(parts: OutletParts): Outlet {
  const { flusher, time, hold, isWaiting } = parts;
  const ticker = createTicker(parts.intervalMs, time, tick, 'end');
  let stopping: Promise<void> | undefined;
  if (parts.intervalMs > 0) ticker.start();
  if (open.size === 0) process.on('beforeExit', onBeforeExit);
  open.add(deliverAtExit);
  return { stop: () => (stopping ??= stop()) };

  async function tick(): Promise<void> {
    parts.beforeFlush?.();
    flusher.flush();
    await flusher.settled();
  }

  /** Node calls again when what was begun here has ended: then nothing may be left to begin. */
  function deliverAtExit(): void {
    if (!isWaiting()) return;
    void deliver().then((isDone) => (isDone ? undefined : end()));
  }

  /** Resolves with false where there is no hope, or was no time. */
  async function deliver(): Promise<boolean> {
    if (parts.isHopeless()) return false;
    return hold.during(() => within(time, parts.stopTimeoutMs, flusher.flushLast()));
  }

  async function stop(): Promise<void> {
    ticker.stop();
    await deliver();
    end();
  }

  function end(): void {
    if (!open.has(deliverAtExit)) return;
    ticker.stop();
    open.delete(deliverAtExit);
    if (open.size === 0) process.off('beforeExit', onBeforeExit);
    flusher.stop();
    parts.close();
    if (isWaiting()) parts.onUndelivered();
  }
}
