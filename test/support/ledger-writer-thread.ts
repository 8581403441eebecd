import { workerData } from 'node:worker_threads';
import { createPipeline } from '../../src/ingest/pipeline.ts';
import type { LedgerLimits } from '../../src/ledger/ledger.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import { sharedMemory } from '../../src/ledger/memory.ts';
import { createLedgerWriter } from '../../src/ledger/writer.ts';
import { hand } from './packets.ts';
import { playStream } from './ledger-stream.ts';
import type { StreamOptions } from './ledger-stream.ts';

/** What this thread is started with. */
export interface WriterThreadOptions {
  region: SharedArrayBuffer;
  handshake: SharedArrayBuffer;
  limits: LedgerLimits;
  stream: StreamOptions;
  /** One word: how often the writer asked for a flip. */
  asks: Int32Array;
}

// A writer that never rests: it writes a whole stream into a shared ledger, answers flips between
// two packets, and ends.

const { region, handshake, limits, stream, asks } = workerData as WriterThreadOptions;
const writer = createLedgerWriter(openLedger(sharedMemory(region, handshake), limits), {
  rule: 'statsd',
  hashSeed: stream.seed,
  onHalfFull: () => void Atomics.add(asks, 0, 1),
  source: () => 'thread',
});
const onPacket = createPipeline(() => writer);
playStream(
  stream,
  () => {},
  (bytes, length) => {
    hand(onPacket, bytes, length);
    writer.poll();
  },
);
