// `npm run bench:parse`: the hot path alone, in one thread: nanoseconds a line from the bytes of a
// datagram to the ledger, by kind of line and number of names. Medians of nine rounds.
import { createPipeline } from '../../dist/ingest/pipeline.js';
import { createLedger, ledgerLimits } from '../../dist/ledger/ledger.js';
import { createLedgerReader } from '../../dist/ledger/reader.js';
import { createLedgerWriter } from '../../dist/ledger/writer.js';
import { createPacketMemory, type PacketMemory } from '../../dist/protocol/packet.js';
import { median } from './statistics.ts';

const ROUNDS = 9;
const LINES = 1_000_000;
const LINES_PER_DATAGRAM = 40;

const forms: [title: string, names: number, rest: string][] = [
  ['counters, 1,000 names', 1000, ':1|c'],
  ['counters, 100,000 names', 100_000, ':1|c'],
  ['sampled counters, 1,000 names', 1000, ':1|c|@0.1'],
  ['tagged counters, 1,000 names', 1000, ':1|c|#zone:eu,host:a'],
  ['timings, 1,000 names', 1000, ':12.5|ms'],
  ['not plain: counters below zero, 1,000 names', 1000, ':-1|c'],
  ['refused: no value', 1000, ''],
];
for (const [title, names, rest] of forms) {
  const packets = packetsOf(names, rest);
  const ledger = createLedger(ledgerLimits(1_000_000));
  const reader = createLedgerReader(ledger);
  const writer = createLedgerWriter(ledger, {
    rule: 'statsd',
    hashSeed: 1,
    onHalfFull: () => {},
    source: () => '127.0.0.1:40001',
  });
  const onPacket = createPipeline(() => writer);
  const nanos: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const startMs = performance.now();
    for (let at = 0; at < LINES / LINES_PER_DATAGRAM; at++) {
      const { memory, length } = packets[at % packets.length]!;
      onPacket(memory, 0, length);
    }
    nanos.push(((performance.now() - startMs) / LINES) * 1e6);
    reader.requestFlip();
    writer.poll();
    const nobody = {
      counter() {},
      gauge() {},
      member() {},
      timings() {},
      stats() {},
      refusal() {},
    };
    for (const _ of reader.drain(nobody)) continue;
  }
  console.log(`${title}: ${median(nanos).toFixed(0)} ns a line`);
}

/** Every name comes once before one comes again, in no order that a cache could foresee. */
function packetsOf(names: number, rest: string): { memory: PacketMemory; length: number }[] {
  const count = Math.max(names, 4000) / LINES_PER_DATAGRAM;
  return Array.from({ length: count }, (_, packet) => {
    const lines = Array.from({ length: LINES_PER_DATAGRAM }, (_line, at) => {
      return `bench.requests.${((packet * LINES_PER_DATAGRAM + at) * 7919) % names}${rest}`;
    });
    const text = Buffer.from(lines.join('\n'));
    const memory = createPacketMemory(text.length);
    memory.bytes.set(text);
    return { memory, length: text.length };
  });
}
