// `npm run bench:window`: the memory of the live page when it is full. The window with 5 minutes of
// 1,000 names, 20 samples per name and second; the window with as many names as it takes; the
// counter trace with 100,000 counters that all count in each second; the long history.
import { createCounterBook } from '../../dist/flush/counter-book.js';
import { createWindowClock } from '../../dist/window/clock.js';
import { createCounterTrace } from '../../dist/window/counter-trace.js';
import { createLongHistory } from '../../dist/window/long-history.js';
import { createWindow } from '../../dist/window/window.js';

const NAMES = 1000;
const SAMPLES = 20;
const SECONDS = 300;
const NAMES_MAX = 131_072;
const COUNTERS = 100_000;

let nowMs = 1_000_000_000_000;
const clock = createWindowClock({ nowMs: () => nowMs, wallNowMs: () => nowMs });

full();
many();
counters();

/** Ends a second, as a collector does. */
function nextSecond(): void {
  nowMs += 1000;
  clock.completeTo(clock.present() - 1);
}

function full(): void {
  const window = createWindow({ windowSeconds: SECONDS, budgetBytes: 64 << 20, clock });
  const history = createLongHistory({ clock, window, trace: createCounterTrace({ clock }) });
  const weights = new Float64Array(SAMPLES).fill(1);
  const [adding, tending, advancing] = [spent(), spent(), spent()];
  for (let second = 0; second < SECONDS; second++) {
    const batches = Array.from({ length: NAMES }, () =>
      Float64Array.from({ length: SAMPLES }, () => 400 + 900 * Math.random() ** 2),
    );
    adding.time(() => {
      for (const [at, values] of batches.entries()) window.add(`service.${at}`, values, weights);
    });
    nextSecond();
    tending.time(() => exhaust(window.tend()));
    if (clock.present() % 30 === 0) advancing.time(() => exhaust(history.advance()));
  }
  const { bytes, columnsMerged, columnsDropped } = window.usage();
  console.log(`${NAMES} timings, ${SAMPLES} samples per name and second, ${SECONDS} s`);
  console.log(`  memory: ${mib(bytes)} MiB of 64 (${columnsMerged} columns merged,`);
  console.log(
    `    ${columnsDropped} dropped), ${(bytes / NAMES / SECONDS).toFixed(0)} bytes a column`,
  );
  console.log(`  adding, ms a second: ${adding.text()}`);
  console.log(`  tending, ms a second: ${tending.text()}`);
  console.log(`  history, ms in 30 s, in slices: ${advancing.text()}`);
  console.log(`  history of 5 minutes of 200 names: ${mib(history.bytes)} MiB`);
  const reading = spent();
  reading.time(() => exhaust(window.summaries()));
  console.log(`  reading all names, in slices: ${reading.text()} ms`);
}

function many(): void {
  const window = createWindow({ windowSeconds: SECONDS, budgetBytes: 64 << 20, clock });
  const history = createLongHistory({ clock, window, trace: createCounterTrace({ clock }) });
  const names = Array.from({ length: NAMES_MAX }, (_, at) => `timing.${at}`);
  const [adding, tending, advancing] = [spent(), spent(), spent()];
  for (let second = 0; second < 40; second++) {
    adding.time(() => {
      for (const name of names) window.addCounted(name, 5, 1);
    });
    nextSecond();
    tending.time(() => exhaust(window.tend()));
    if (clock.present() % 30 === 0) advancing.time(() => exhaust(history.advance()));
  }
  console.log(`${NAMES_MAX} timings, one sample per name and second, 40 s`);
  console.log(`  adding, ms a second: ${adding.text()}`);
  console.log(`  tending, ms a second, in slices: ${tending.text()}`);
  console.log(`  history, ms in 30 s, in slices: ${advancing.text()}`);
}

function counters(): void {
  const names = Array.from({ length: COUNTERS }, (_, at) => `counter.${at}`);
  const book = createCounterBook(COUNTERS);
  const entries = names.map((name) => book.entry(name));
  const alone = spent();
  for (let second = 0; second < 60; second++) {
    alone.time(() => {
      for (const entry of entries) book.add(entry, 7, 7);
    });
    book.cut();
  }
  const before = heapBytes();
  const trace = createCounterTrace({ clock });
  const traced = names.map((name) => trace.of(name));
  const [both, again, advancing] = [spent(), spent(), spent()];
  const window = createWindow({ windowSeconds: SECONDS, budgetBytes: 64 << 20, clock });
  const history = createLongHistory({ clock, window, trace });
  for (let second = 0; second < 90; second++) {
    // As the drainer does: inside of one moment.
    clock.at(nowMs, () => {
      both.time(() => {
        for (const [at, entry] of entries.entries()) {
          book.add(entry, 7, 7);
          trace.add(traced[at]!, 7);
        }
      });
      again.time(() => {
        for (const one of traced) trace.add(one, 7);
      });
    });
    book.cut();
    nextSecond();
    if (clock.present() % 30 === 0) advancing.time(() => exhaust(history.advance()));
  }
  const [own] = [heapBytes() - before];
  const forgetting = spent();
  forgetting.time(() => exhaust(trace.forgetIdle()));
  console.log(`${COUNTERS} counters, each in each second`);
  console.log(`  taking a drain into the book, ms: ${alone.text()}`);
  console.log(`  into book and trace: ${both.text()}`);
  console.log(`  again in the same second, the trace alone: ${again.text()}`);
  console.log(`  memory: ${mib(trace.bytes)} MiB of records, ${mib(own)} of the heap`);
  console.log(`  reaches back ${clock.present() - trace.oldestSecond()} s`);
  console.log(`  history, ms in 30 s, in slices: ${advancing.text()}`);
  console.log(`  forgetting, ms in 30 s, in slices: ${forgetting.text()}`);
}

interface Spent {
  time(work: () => void): void;
  /** On average and at most, in ms. */
  text(): string;
}

function spent(): Spent {
  const all: number[] = [];
  return {
    time(work) {
      const startMs = performance.now();
      work();
      all.push(performance.now() - startMs);
    },
    text() {
      const mean = all.reduce((sum, one) => sum + one, 0) / all.length;
      return `${mean.toFixed(1)} on average, ${Math.max(...all).toFixed(1)} at most`;
    },
  };
}

function exhaust(work: Iterable<unknown>): void {
  for (const _ of work);
}

function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
