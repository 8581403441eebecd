import { median, quantile } from '../bench/statistics.ts';
import type { Sample } from './watch.ts';

/** A line of the table: how something went over the run. */
export interface Row {
  readonly what: string;
  readonly start: string;
  readonly middle: string;
  readonly end: string;
  readonly max: string;
  /** Undefined where it is only shown. */
  readonly isGood: boolean | undefined;
  readonly why: string;
}

/** The live window fills for five minutes: memory before is no measure of memory behind. */
const MEMORY_JUDGED_SECONDS = 480;
/** In less time a spool has not been begun anew. */
const SPOOL_JUDGED_SECONDS = 150;
const GROWTH_MIB_MAX = 32;
const GROWTH_SHARE_MAX = 0.1;
/** What may be open for a moment: a connection to a sink, a file that takes another's place. */
const HANDLES_MORE = 4;
const FILES_MORE = 2;
const ANSWER_P50_MAX_MS = 50;
const ANSWER_P99_MAX_MS = 500;
/** A spool is begun anew above 16 MiB and what waits; while an outage lasts, that may be much. */
const SPOOL_MAX_MIB = 64;
const SPOOL_LOW_MIB = 4;

type Reading = (sample: Sample) => number | null;
type Verdict = Pick<Row, 'isGood' | 'why'>;

/**
 * Judges a run.
 *
 * @param samples of the time under load, one a second, at least four.
 * @param last when the load had ended and everything was delivered.
 */
export function judge(samples: readonly Sample[], last: Sample): Row[] {
  const seconds = samples.at(-1)!.atS;
  const row = (what: string, reading: Reading, verdict: Verdict): Row => {
    const read = [...samples, last].map((sample) => reading(sample));
    const known = read.filter((value) => value !== null);
    const [start, middle, end] = [read[0], read[Math.floor(samples.length / 2)], read.at(-1)];
    const max = known.length === 0 ? null : Math.max(...known);
    return {
      ...{ what, start: show(start), middle: show(middle), end: show(end), max: show(max) },
      ...verdict,
    };
  };
  const shown = (why: string): Verdict => ({ isGood: undefined, why });
  const asBefore = (reading: Reading, more: number): Verdict =>
    returned(reading(last), warm(samples, reading), more);
  return [
    row('memory, MiB', (one) => one.residentMiB, flat(samples, seconds)),
    row(
      'handles',
      (one) => one.handles,
      asBefore((one) => one.handles, HANDLES_MORE),
    ),
    row(
      'threads',
      (one) => one.threads,
      asBefore((one) => one.threads, 0),
    ),
    row('answer of vitals, ms', (one) => one.answerMs, prompt(samples)),
    row('pending samples', (one) => one.pending, {
      isGood: last.pending === 0,
      why: 'none at the end',
    }),
    row('spool, MiB', (one) => one.spoolMiB, compact(samples, seconds)),
    row(
      'files of state',
      (one) => one.stateFiles,
      asBefore((one) => one.stateFiles, FILES_MORE),
    ),
    row('names known', (one) => one.names, shown('forgotten when idle, see MAX_KEYS')),
    row('live window, MiB', (one) => one.windowMiB, shown('fills for five minutes')),
    row('delivered samples', (one) => one.delivered, shown('counters and timings')),
  ];
}

/** The median of the second quarter beside that of the last. */
function flat(samples: readonly Sample[], seconds: number): Verdict {
  const [before, after] = [quarter(samples, 1), quarter(samples, 3)];
  if (before === undefined || after === undefined) return { isGood: undefined, why: 'not told' };
  const growth = after - before;
  const share = growth / before;
  const quarters = `${before.toFixed(1)} in the 2nd quarter, ${after.toFixed(1)} in the last`;
  const why = `${quarters}: ${signed(growth)} (${signed(100 * share)} %)`;
  if (seconds < MEMORY_JUDGED_SECONDS)
    return { isGood: undefined, why: `${why}; too short to judge` };
  return { isGood: growth <= GROWTH_MIB_MAX && share <= GROWTH_SHARE_MAX, why };
}

function quarter(samples: readonly Sample[], which: number): number | undefined {
  const size = samples.length / 4;
  const part = samples.slice(Math.floor(which * size), Math.floor((which + 1) * size));
  const values = part.map((one) => one.residentMiB).filter((value) => value !== null);
  return values.length === 0 ? undefined : median(values);
}

/** The first seconds but for the very first, before anything was taken away. */
function warm(samples: readonly Sample[], reading: Reading): number | null {
  const values = samples.filter(({ atS }) => atS > 2.5 && atS < 7.5).map((one) => reading(one));
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : median(known);
}

function returned(end: number | null, before: number | null, more: number): Verdict {
  if (end === null || before === null) return { isGood: undefined, why: 'not told' };
  return { isGood: end <= before + more, why: `at the end at most ${before} + ${more}` };
}

function prompt(samples: readonly Sample[]): Verdict {
  const all = samples.map((one) => one.answerMs);
  const [p50, p99] = [quantile(all, 0.5), quantile(all, 0.99)];
  return {
    isGood: p50 <= ANSWER_P50_MAX_MS && p99 <= ANSWER_P99_MAX_MS,
    why:
      `p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}; ` +
      `at most ${ANSWER_P50_MAX_MS}, ${ANSWER_P99_MAX_MS}`,
  };
}

/** It grows until it is begun anew: that it comes down again, and how far, is what counts. */
function compact(samples: readonly Sample[], seconds: number): Verdict {
  const all = samples.map((one) => one.spoolMiB);
  const low = Math.min(...all.slice(Math.floor(all.length / 2)));
  const why = `down to ${low.toFixed(1)} in the second half, never above ${SPOOL_MAX_MIB}`;
  if (seconds < SPOOL_JUDGED_SECONDS)
    return { isGood: undefined, why: `${why}; too short to judge` };
  return { isGood: low <= SPOOL_LOW_MIB && Math.max(...all) <= SPOOL_MAX_MIB, why };
}

/** Lays rows out as plain text. */
export function tableOf(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const verdict = row.isGood === undefined ? '–' : row.isGood ? 'ok' : 'NOT';
    return line([
      row.what,
      row.start,
      row.middle,
      row.end,
      row.max,
      `${verdict.padEnd(4)}${row.why}`,
    ]);
  });
  return [line(['', 'start', 'middle', 'end', 'max', 'verdict']), ...lines].join('\n');
}

function line([
  what = '',
  start = '',
  middle = '',
  end = '',
  max = '',
  verdict = '',
]: string[]): string {
  const numbers = [start, middle, end, max].map((text) => text.padStart(11)).join('');
  return `${what.padEnd(22)}${numbers}  ${verdict}`;
}

function show(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(1)}`;
}
