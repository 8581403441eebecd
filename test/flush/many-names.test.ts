import { expect } from 'chai';
import { describe, it } from 'mocha';

import { createLedger } from '../../src/ledger/ledger.ts';
import { createLedgerReader } from '../../src/ledger/reader.ts';
import { createLedgerWriter } from '../../src/ledger/writer.ts';
import { createPipeline } from '../../src/ingest/pipeline.ts';
import { createMemoryStore } from '../../src/sinks/memory.ts';
import { hand } from '../support/packets.ts';
import { createRig } from './rig.ts';

const NAMES = 12_345;

describe('many names', () => {
  it('go to the store some at a time, and others have turns between them', async () => {
    const memory = createMemoryStore();
    const { flusher, store, add, check } = createRig();
    store.apply = (chunk) => memory.apply(chunk);
    for (let at = 0; at < NAMES; at++) add(`n${at}`, at);
    let turns = 0;
    let isDone = false;
    const turn = (): void => {
      turns++;
      check();
      // What is counted meanwhile of a name that has gone is left for the next flush.
      if (turns === 1) add('n0', 7);
      if (!isDone) setImmediate(turn);
    };
    setImmediate(turn);
    await flusher.write();
    isDone = true;
    expect(turns).to.be.at.least(2);
    expect(flusher.pendingSamples).to.equal(0);
    const first = new Map(await memory.read('h'));
    expect(first.size).to.equal(NAMES);
    for (let at = 1; at < NAMES; at++) expect(first.get(`n${at}`)).to.equal(String(at));
    expect(first.get('n0')).to.equal('0');
    await flusher.write();
    expect(await memory.readField('h', 'n0')).to.equal('7');
    check();
  });

  it('of which some are not answered for wait in the book, and none is sent twice', async () => {
    const memory = createMemoryStore();
    const { flusher, store, add, check, flush, time } = createRig();
    let calls = 0;
    store.apply = async (chunk) => {
      if (++calls === 7) throw new Error('cut off');
      return memory.apply(chunk);
    };
    for (let at = 0; at < NAMES; at++) add(`n${at}`, 1);
    await flush();
    for (let round = 0; round < 100 && calls < 7; round++) await new Promise(setImmediate);
    expect(calls).to.equal(7);
    for (let at = 0; at < NAMES; at++) add(`n${at}`, 1);
    await time.pass(10_000);
    await flusher.write();
    await flusher.write();
    check();
    for (const [field, value] of await memory.read('h')) expect(value, field).to.equal('2');
  });

  it('come out of a ledger some at a time, and each timing once', () => {
    const limits = { entriesMax: NAMES + 10, nameBytesMax: 1 << 20, timingsMax: 100_000 };
    const ledger = createLedger(limits);
    const writer = createLedgerWriter(ledger, {
      rule: 'statsd',
      hashSeed: 1,
      onHalfFull: () => {},
      source: () => '',
    });
    const reader = createLedgerReader(ledger);
    const onPacket = createPipeline(() => writer);
    for (let at = 0; at < NAMES; at++) hand(onPacket, Buffer.from(`n${at}:${at}|c`));
    for (let at = 0; at < 80_000; at++) hand(onPacket, Buffer.from(`t${at % 5}:${at}|ms`));
    expect(reader.hasNew()).to.equal(true);
    reader.requestFlip();
    writer.poll();
    expect(reader.hasNew()).to.equal(false);
    const sums = new Map<string, number>();
    const timings = new Map<string, number[]>();
    let parts = 1;
    const reports = reader.drain({
      counter: (entry, sum) => sums.set(reader.nameOf(entry), sum),
      gauge() {},
      member() {},
      timings(entry, values) {
        const name = reader.nameOf(entry);
        timings.set(name, [...(timings.get(name) ?? []), ...values]);
      },
      stats() {},
      refusal() {},
    });
    for (const _ of reports) parts++;
    expect(parts).to.equal(5);
    expect(sums.size).to.equal(NAMES);
    for (let at = 0; at < NAMES; at++) expect(sums.get(`n${at}`)).to.equal(at);
    const expected = Array.from({ length: 16_000 }, (_, at) => 5 * at);
    for (let name = 0; name < 5; name++) {
      expect(timings.get(`t${name}`)).to.deep.equal(expected.map((value) => value + name));
    }
  });
});
