import { errorText } from '../errors.ts';
import type { Trap } from '../sinks/trap.ts';
import { createBackoff } from './backoff.ts';
import { createHealth, type Health, type Log } from './health.ts';
import { type Journal, NO_JOURNAL } from './journal.ts';
import { createPump } from './pump.ts';
import { countDropped, createTally, type Tally } from './tally.ts';
import type { Time } from './time.ts';
import type { TimingBook } from './timing-book.ts';
import type { TrapBody } from './trap-body.ts';

/** What a timing flusher works with. */
export interface TimingFlusherParts {
  book: TimingBook;
  trap: Trap;
  /** Names this process in the bodies' keys. */
  instance: () => string;
  /** What another process could go on from; nothing, if absent. */
  journal?: Journal;
  time: Time;
  random: () => number;
  log: Log;
}

/**
 * Pushes timings to the trap: one body in flight, sent until it is answered, always with the same
 * content and key. What is timed meanwhile waits in the book.
 */
export interface TimingFlusher {
  readonly tally: Tally;
  readonly health: Health;
  /** Samples of the body in flight. */
  readonly pendingSamples: number;
  /** The body in flight. */
  readonly body: TrapBody | undefined;
  /** Number of the body cut last. */
  readonly seq: number;
  /** Goes on where another process was: with the number that it used last, and its body. */
  restore(seq: number, body: TrapBody | undefined): void;
  /**
   * Begins to push what waits, unless a body is in flight: then what waits is folded once it is
   * large. Returns at once.
   */
  flush(): void;
  /** Resolves when no push is under way. */
  settled(): Promise<void>;
  /** Pushes everything, trying again for as long as it takes, or until `stop`. */
  flushLast(): Promise<void>;
  /** Gives up what is not delivered. */
  stop(): void;
}

/** So many samples waiting one by one take about 3 MB, and 10 ms to fold. */
const FOLD_ABOVE = 200_000;
const BACKOFF_FIRST_MS = 200;
const BACKOFF_MAX_MS = 10_000;

/** Creates a timing flusher; it does nothing until it is told to. */
export function createTimingFlusher(parts: TimingFlusherParts): TimingFlusher {
  const { book, trap, instance, time, log } = parts;
  const journal = parts.journal ?? NO_JOURNAL;
  const tally = createTally();
  // It is only known from a push, and there may be nothing to push for long: up until shown down.
  const health = createHealth(trap.label, { isUp: true, nowMs: () => time.nowMs(), log });
  const backoff = createBackoff(BACKOFF_FIRST_MS, BACKOFF_MAX_MS, parts.random);
  // What the trap has remarked or refused already, so that each is said once.
  const said = new Set<string>();
  let body: TrapBody | undefined;
  let seq = 0;
  const onFailure = (error: unknown): void => health.failed(errorText(error));
  const pump = createPump({ work, onFailure, backoff, time });

  return {
    tally,
    health,
    get pendingSamples() {
      return body?.samples ?? 0;
    },
    get body() {
      return body;
    },
    get seq() {
      return seq;
    },
    restore(seqBefore, bodyBefore) {
      seq = seqBefore;
      body = bodyBefore;
    },
    flush() {
      // Behind a body that is not answered, what waits grows: folded, it does not.
      if (pump.busy && book.listedSamples > FOLD_ABOVE) book.fold();
      pump.kick();
    },
    settled: () => pump.settled(),
    flushLast() {
      return pump.finish(() => (book.pendingSamples + (body?.samples ?? 0) === 0 ? undefined : 0));
    },
    stop() {
      pump.stop();
      trap.close();
    },
  };

  /** Sends what waits now; what comes meanwhile waits for the next flush. */
  async function work(): Promise<void> {
    let left = (body?.samples ?? 0) + book.pendingSamples;
    while (left > 0 && !pump.stopped && nextBody()) {
      left -= body!.samples;
      await pushBody();
    }
  }

  /** Sees to it that there is a body to send: the one that failed, or the next. */
  function nextBody(): boolean {
    if (body !== undefined) return true;
    const cut = book.cut();
    if (cut === undefined) return false;
    body = cut;
    journal.bodyCut({ seq: ++seq, ...cut });
    return true;
  }

  async function pushBody(): Promise<void> {
    const { text, samples } = body!;
    // Were it sent and the memory of it lost, another body would come under its key.
    const syncing = journal.synced();
    if (syncing !== undefined) await syncing;
    const startMs = time.nowMs();
    const answer = await trap.push(text, `${instance()}/${seq}`);
    journal.answered(seq);
    body = undefined;
    backoff.reset();
    if (answer.taken) {
      tally.delivered += samples;
      health.succeeded(time.nowMs() - startMs);
      if (answer.note !== undefined) sayOnce('warn', `remarks: ${answer.note}`);
      return;
    }
    const reason = `trap_status_${answer.status}`;
    countDropped(tally, reason, samples);
    health.refused(`answered ${answer.status}`);
    sayOnce('error', `refuses timings with status ${answer.status}: dropped as ${reason}`);
  }

  function sayOnce(level: 'error' | 'warn', what: string): void {
    // Remarks are the trap's words: without a bound it could make us remember any number.
    if (said.size < 100 && !said.has(what)) {
      said.add(what);
      log(level, `${trap.label} ${what}`);
    }
  }
}
