import { ErrorCode, errorText, StatcolError } from '../errors.ts';
import type { CounterBatch } from '../flush/counter-batch-types.ts';
import type { CounterBook } from '../flush/counter-book.ts';
import type { GaugeBook } from '../flush/gauge-book.ts';
import type { Log } from '../flush/health.ts';
import { countDropped, type Tally } from '../flush/tally.ts';
import { dayOf, memberText, type SetBook } from '../flush/set-book.ts';
import type { SetSender } from '../flush/set-sender.ts';
import type { TimingBook } from '../flush/timing-book.ts';
import type { TimingFlusher } from '../flush/timing-flusher.ts';
import { loadLibc } from '../ingest/libc.ts';
import type { LifetimeHistograms } from '../window/lifetime-histograms.ts';
import type { LiveWindow } from '../window/window.ts';
import type { StateDir } from './state-dir.ts';

/** Where the samples are that a state directory remembers. */
export interface StateSources {
  counters: CounterBook;
  gauges: GaugeBook;
  batch: CounterBatch;
  sets: SetBook;
  setSender: SetSender;
  wallNowMs: () => number;
  timings: TimingBook;
  timingTally: Tally;
  /** Undefined without a trap. */
  timingFlusher: TimingFlusher | undefined;
  window: LiveWindow;
  /** What was timed since the start, if that is kept. */
  histograms?: LifetimeHistograms | undefined;
  log: Log;
}

/** What was taken over from a state directory, in samples. */
export interface Recovered {
  counters: number;
  gauges: number;
  sets: number;
  timings: number;
  /** Of the timings, those of a body for a trap that there is no more: they wait for one. */
  waiting: () => number;
}

/** Nothing was. */
export const NOT_RECOVERED: Recovered = {
  counters: 0,
  gauges: 0,
  sets: 0,
  timings: 0,
  waiting: () => 0,
};

/**
 * Opens a state directory, and puts what is in it where it was.
 *
 * @throws {StatcolError} `ERR_OPTIONS` where files cannot be mapped, `ERR_STATE_DIR` where another
 *   collector has the directory.
 */
export async function attachState(state: StateDir, sources: StateSources): Promise<Recovered> {
  const {
    counters,
    gauges,
    sets,
    setSender,
    batch,
    timings,
    timingTally,
    timingFlusher,
    window,
    log,
  } = sources;
  const libc = await loadLibc().catch((error: unknown) => {
    const message = `--state-dir: ${errorText(error).replace('recvmmsg', 'it')}`;
    throw new StatcolError(ErrorCode.ERR_OPTIONS, message, { faults: [message] });
  });
  let idle: ReturnType<Parameters<StateDir['open']>[1]['flight']> = { seq: 0, body: undefined };
  let shown = 0;
  state.open(libc, {
    counters,
    gauges,
    sets,
    setItems: () => setSender.items,
    batch,
    timings,
    flight: () => timingFlusher ?? idle,
    restoreFlight(seq, body) {
      if (timingFlusher === undefined) idle = { seq, body };
      else timingFlusher.restore(seq, body);
    },
    left: {
      counter: (name, sum, samples) => counters.add(counters.entry(name), sum, samples),
      gauge(name, reading, samples) {
        const fits = gauges.add(gauges.entry(name), reading, samples);
        if (!fits) countDropped(batch.gaugeTally, 'overflow', samples);
      },
      member(name, bytes) {
        const day = dayOf(sources.wallNowMs());
        const fits = sets.add(sets.entry(name), day, memberText(bytes));
        if (!fits) countDropped(setSender.tally, 'set_book_full', 1);
      },
      timings(name, values, weights) {
        // What was never drained was never shown to anybody.
        sources.histograms?.add(name, values, weights);
        if (timingFlusher !== undefined) timings.add(timings.entry(name), values, weights);
        else {
          shown += values.length;
          const fits = window.add(name, values, weights);
          if (fits) timingTally.delivered += values.length;
          else countDropped(timingTally, 'window_full', values.length);
        }
      },
    },
    shedTimings: () => shed(timings, timingTally, log) || shedSets(sets, setSender.tally, log),
  });
  const waiting = (): number => idle.body?.samples ?? 0;
  const inFlight = timingFlusher?.pendingSamples ?? waiting();
  const recovered = {
    counters: counters.pendingSamples + batch.pendingSamples + droppedOf(batch.tally),
    gauges: gauges.pendingSamples + batch.pendingGaugeSamples + droppedOf(batch.gaugeTally),
    sets: sets.pendingSamples + droppedOf(setSender.tally),
    timings: timings.pendingSamples + inFlight + shown,
    waiting,
  };
  const kept = timingFlusher === undefined ? timings.pendingSamples + waiting() : 0;
  say(recovered, kept, log);
  return recovered;
}

function droppedOf({ dropped }: Tally): number {
  return [...dropped.values()].reduce((sum, count) => sum + count, 0);
}

function say({ counters, gauges, sets, timings }: Recovered, kept: number, log: Log): void {
  if (counters + gauges + sets + timings > 0) {
    const ofGauges = gauges > 0 ? `, ${gauges} gauge samples` : '';
    const ofSets = sets > 0 ? `, ${sets} set samples` : '';
    const what = `${counters} counter samples, ${timings} timings${ofGauges}${ofSets}`;
    log('info', `taken over from before: ${what}`);
  }
  if (kept > 0) {
    log('warn', `${kept} timings wait for a trap: they are kept until there is a --trap again`);
  }
}

/** Gives timings up so that the spool keeps within its limit: a fifth of the names at a time. */
function shed(timings: TimingBook, tally: Tally, log: Log): boolean {
  if (timings.listedSamples > 0) {
    timings.fold();
    return true;
  }
  const samples = timings.dropOldest(0.2);
  countDropped(tally, 'spool_full', samples);
  if (samples > 0) log('warn', `${samples} timings dropped: spool_full: see --spool-limit`);
  return samples > 0;
}

/** Gives up members of sets likewise. */
function shedSets(sets: SetBook, tally: Tally, log: Log): boolean {
  let samples = 0;
  for (const item of sets.cut(100)) {
    samples += item.samples;
    sets.done(item);
  }
  countDropped(tally, 'spool_full', samples);
  if (samples > 0) log('warn', `${samples} set samples dropped: spool_full: see --spool-limit`);
  return samples > 0;
}
