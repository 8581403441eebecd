import { expect } from 'chai';
import { describe, it } from 'mocha';
import { extname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Ledger, LedgerLimits } from '../../src/ledger/ledger.ts';
import { createLedger } from '../../src/ledger/ledger.ts';
import { Stat, STAT_COUNT } from '../../src/ledger/stat.ts';
import type { LedgerReader } from '../../src/ledger/reader.ts';
import { createLedgerReader } from '../../src/ledger/reader.ts';
import { createLedgerWriter } from '../../src/ledger/writer.ts';
import { Kind } from '../../src/protocol/parse.ts';
import { rejected } from '../support/ledger-bench.ts';
import { playStream, randomNumbers } from '../support/ledger-stream.ts';
import type { StreamOptions, Template } from '../support/ledger-stream.ts';
import type { WriterThreadOptions } from '../support/ledger-writer-thread.ts';

const LINES = 1_200_000;
const LIMITS = { entriesMax: 4096, nameBytesMax: 1 << 18 };

describe('a ledger between two threads', () => {
  it('loses and doubles nothing while a writer that never rests is drained', async () => {
    const stream = { seed: 7, lines: LINES };
    // Room for all timings of the stream, so that none may be dropped, however late a drain is.
    const seen = await run(stream, { ...LIMITS, timingsMax: LINES });
    expect(seen.timingCount).to.equal(seen.stats[Stat.timingSamples]);
    expect(seen.stats[Stat.timingsDropped]).to.equal(0);
  });

  it('counts every timing that found the log full, and loses nothing else', async () => {
    const stream = { seed: 11, lines: LINES };
    const seen = await run(stream, { ...LIMITS, timingsMax: 64 });
    expect(seen.stats[Stat.timingsDropped]).to.be.above(0);
    expect(seen.timingCount).to.be.above(0);
    expect(seen.asks).to.be.within(1, seen.flips + 1);
  });
});

interface Expected {
  counters: Map<string, [sum: number, samples: number]>;
  /** By number, which timing it is. */
  timings: Template[];
  datagrams: number;
  bytes: number;
  refused: number;
}

interface Seen {
  counters: Map<string, [sum: number, samples: number]>;
  timingCount: number;
  stats: number[];
  flips: number;
  asks: number;
}

/** Drains a ledger while a thread writes a stream into it, and compares. */
async function run(stream: StreamOptions, limits: LedgerLimits): Promise<Seen> {
  const expected = expectationOf(stream);
  const ledger = createLedger(limits);
  const reader = createLedgerReader(ledger);
  const seen = nothingSeen();
  const take = createTaker(reader, expected, seen);
  const asks = new Int32Array(new SharedArrayBuffer(4));
  await drainWhileWriting(stream, ledger, { asks, reader, take });

  // The thread is over: what it left unanswered is answered by another writer in its place.
  const last = createLedgerWriter(ledger, {
    rule: 'statsd',
    hashSeed: stream.seed,
    onHalfFull: () => {},
    source: () => '',
  });
  if (last.poll()) take();
  reader.requestFlip();
  last.poll();
  take();
  seen.asks = Atomics.load(asks, 0);

  expect(seen.flips, 'flips while the thread wrote').to.be.above(10);
  expect(seen.counters).to.deep.equal(expected.counters);
  const { stats } = seen;
  const samples = [...expected.counters.values()].reduce((sum, [, count]) => sum + count, 0);
  expect(stats[Stat.datagrams]).to.equal(expected.datagrams);
  expect(stats[Stat.bytes]).to.equal(expected.bytes);
  expect(stats[Stat.linesAccepted]).to.equal(stream.lines - expected.refused);
  expect(stats[Stat.counterSamples]).to.equal(samples);
  expect(stats[Stat.timingSamples]).to.equal(expected.timings.length);
  expect(seen.timingCount + stats[Stat.timingsDropped]!).to.equal(expected.timings.length);
  expect(rejected(stats)).to.deep.equal({ bad_type: expected.refused });
  return seen;
}

interface Draining {
  asks: Int32Array;
  reader: LedgerReader;
  take: () => void;
}

async function drainWhileWriting(
  stream: StreamOptions,
  { memory, limits }: Ledger,
  { asks, reader, take }: Draining,
): Promise<void> {
  const { handshake } = memory;
  const region = memory.region as SharedArrayBuffer;
  const workerData: WriterThreadOptions = { region, handshake, limits, stream, asks };
  const file = `../support/ledger-writer-thread${extname(import.meta.url)}`;
  const worker = new Worker(new URL(file, import.meta.url), { workerData });
  let over = false;
  let fault: unknown;
  worker.on('error', (error) => (fault = error));
  worker.on('exit', () => (over = true));
  const random = randomNumbers(-stream.seed);
  while (!over) {
    for (let turns = random(30); turns > 0 && !over; turns--) await setImmediate();
    reader.requestFlip();
    while (!reader.flipped() && !over) await setImmediate();
    if (reader.flipped()) take();
  }
  if (fault !== undefined) throw fault as Error;
}

/** Returns a function that drains, adds to what was seen, and checks each timing by itself. */
function createTaker(reader: LedgerReader, expected: Expected, seen: Seen): () => void {
  const arrived = new Uint8Array(expected.timings.length);
  const lastOf = new Map<string, number>();
  const visitor = {
    counter(entry: number, sum: number, samples: number): void {
      const name = reader.nameOf(entry);
      const [sumBefore, samplesBefore] = seen.counters.get(name) ?? [0, 0];
      seen.counters.set(name, [sumBefore + sum, samplesBefore + samples]);
    },
    gauge(): void {},
    member(): void {},
    timings(entry: number, values: Float64Array, weights: Float64Array): void {
      const name = reader.nameOf(entry);
      let before = lastOf.get(name) ?? -1;
      for (const [at, value] of values.entries()) {
        const { name: wanted, rate } = expected.timings[value]!;
        if (name !== wanted || weights[at] !== 1 / rate || value <= before || arrived[value]) {
          expect.fail(`timing ${value} of ${wanted} came as ${name} ×${weights[at]} (${before})`);
        }
        arrived[value] = 1;
        before = value;
      }
      lastOf.set(name, before);
      seen.timingCount += values.length;
    },
    stats(stats: Float64Array): void {
      for (const [at, count] of stats.entries()) seen.stats[at] = seen.stats[at]! + count;
    },
    refusal(reason: string, line: Uint8Array, source: Uint8Array): void {
      expect(reason).to.equal('bad_type');
      expect(Buffer.from(line).toString()).to.match(/^bad\d+:-?[\d.]+\|zzz$/);
      expect(Buffer.from(source).toString()).to.equal('thread');
    },
  };
  return () => {
    seen.flips++;
    for (const _ of reader.drain(visitor)) void 0; // in one go
  };
}

/** What a naive reading of the stream gives. */
function expectationOf(stream: StreamOptions): Expected {
  const counters: Expected['counters'] = new Map();
  const timings: Template[] = [];
  let datagrams = 0;
  let bytes = 0;
  let refused = 0;
  playStream(
    stream,
    (template, number) => {
      const { name, kind, rate } = template;
      if (name === undefined) refused++;
      else if (kind === Kind.timing) timings[number] = template;
      else {
        const [sum, samples] = counters.get(name) ?? [0, 0];
        counters.set(name, [sum + number / rate, samples + 1]);
      }
    },
    (_, length) => {
      datagrams++;
      bytes += length;
    },
  );
  return { counters, timings, datagrams, bytes, refused };
}

function nothingSeen(): Seen {
  const stats = Array<number>(STAT_COUNT).fill(0);
  return { counters: new Map(), timingCount: 0, stats, flips: 0, asks: 0 };
}
