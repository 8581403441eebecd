import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { createCounterBook } from '../../src/flush/counter-book.ts';
import { createCounterFlusher } from '../../src/flush/counter-flusher.ts';
import { createGaugeBook } from '../../src/flush/gauge-book.ts';
import { createLayout } from '../../src/flush/layout.ts';
import { createSetBook } from '../../src/flush/set-book.ts';
import { createTimingBook } from '../../src/flush/timing-book.ts';
import { loadLibc } from '../../src/ingest/libc.ts';
import { Control } from '../../src/ledger/ledger.ts';
import { createLedgerWriter } from '../../src/ledger/writer.ts';
import { createParser } from '../../src/protocol/parse.ts';
import { Verdict } from '../../src/protocol/reasons.ts';
import { createLedgerFiles } from '../../src/state/ledger-files.ts';
import { readLeftLedger } from '../../src/state/left-ledger.ts';
import { recover } from '../../src/state/recovery.ts';
import { createRestorer } from '../../src/state/restore.ts';
import { createFakeStore } from '../support/fake-store.ts';
import { createFakeTime } from '../support/fake-time.ts';
import { ledgerBench } from '../support/ledger-bench.ts';

describe('Gauges that were remembered', () => {
  const [a, b, c] = [
    { value: 1, absolute: false },
    { value: 5, absolute: true },
    { value: 2, absolute: false },
  ];
  const table: [what: string, cut: number, left: [number, boolean, number] | undefined][] = [
    ['nothing was cut of', 0, [7, true, 6]],
    ['the first was cut of', 1, [7, true, 5]],
    ['all but the last was cut of', 3, [2, false, 3]],
    ['all was cut of', 6, undefined],
  ];
  for (const [what, cut, left] of table) {
    // A drain is remembered as a whole before it comes into the book, name by name.
    it(`before they were in the book stay when ${what} them`, () => {
      const { visitor, gauges } = restorer();
      visitor.gauge('g', a, 1);
      visitor.gauge('g', b, 2);
      visitor.gauge('g', c, 3);
      visitor.gaugeCut('g', cut);
      const waiting = Array.from(gauges.waiting(), ({ value, absolute, samples }) => {
        return [value, absolute, samples];
      });
      expect(waiting).to.deep.equal(left === undefined ? [] : [left]);
      expect(gauges.pendingSamples).to.equal(6 - cut);
      expect(gauges.cut(9)).to.have.length(left === undefined ? 0 : 1);
    });
  }
});

describe('Members that were remembered', () => {
  const item = (samples: number, ...members: string[]) => {
    return { name: 's', day: '2026-01-01', members, samples };
  };
  const table: [what: string, gone: number, left: string[], samples: number][] = [
    ['nothing', 0, ['a', 'b', 'c'], 9],
    ['fewer than were remembered in one step', 4, ['a', 'b', 'c'], 9],
    ['the first step', 5, ['b', 'c'], 4],
    ['all', 9, [], 0],
  ];
  for (const [what, gone, left, samples] of table) {
    it(`stay when ${what} of them is done with, but for those of whole steps`, () => {
      const { visitor, sets } = restorer();
      visitor.members(item(5, 'a', 'b'));
      visitor.members(item(4, 'b', 'c'));
      visitor.membersGone('s', '2026-01-02', 9);
      visitor.membersGone('s', '2026-01-01', gone);
      expect(sets.pendingSamples).to.equal(samples);
      expect([...sets.waiting()].flatMap(({ members }) => members)).to.deep.equal(left);
    });
  }
});

describe('What was left in ledgers', () => {
  it('comes in order: of a gauge first the side that was written first', () => {
    const bench = ledgerBench();
    for (let round = 0; round < 4; round++) {
      bench.send('g:1:+1|g');
      bench.send('s:x|s');
      bench.reader.requestFlip();
      bench.writer.poll();
      bench.send('g:+5|g');
      bench.send('s:\xff|s');
      const found: unknown[] = [];
      const unreadable = readLeftLedger(bench.ledger, 0, {
        counter: (name) => void found.push(name),
        gauge: (name, { value, absolute }, samples) =>
          void found.push([name, value, absolute, samples]),
        timings: (name) => void found.push(name),
        member: (name, bytes) => void found.push([name, bytes.length]),
      });
      expect(unreadable).to.equal(0);
      expect(found).to.deep.equal([
        ['g', 2, true, 2],
        ['s', 1],
        ['g', 5, false, 1],
        ['s', 2],
      ]);
      // The reader's own side, and the one after: the next round begins on the other one.
      Atomics.store(bench.ledger.control, Control.active, round + 1);
      for (let left = 0; left < 2; left++) if (left === 0 || round % 2 === 0) bench.take();
      bench.take();
    }
  });

  it('comes in order: the ledger that was made first comes first', async () => {
    const libc = await loadLibc();
    const folder = mkdtempSync(join(tmpdir(), 'statcol-order-'));
    const limits = { entriesMax: 10, nameBytesMax: 1000, timingsMax: 10 };
    const bootId = 'b'.repeat(36);
    const made = createLedgerFiles({
      ...{ folder, limits, bootId, onReleased: () => {}, nowMs: () => 0, log: () => {} },
    });
    try {
      made.open(libc);
      const ledgers = [1, 2, 3].map((value) => {
        const kept = made.create();
        const writer = createLedgerWriter(kept.ledger, {
          ...{ rule: 'statsd', hashSeed: 1, onHalfFull: () => {}, source: () => '' },
        });
        const parser = createParser();
        const line = Buffer.from(`g:${value}|g`);
        expect(parser.parse(line, 0, line.length)).to.equal(Verdict.accepted);
        writer.add(parser.line);
        return kept;
      });
      const values: number[] = [];
      const { ledgerIds } = recover({
        ...{ folder, bootId, voidSpool: 0, targets: restorer().targets },
        left: {
          ...{ counter() {}, timings() {}, member() {} },
          gauge: (_name, { value }) => void values.push(value),
        },
      });
      expect(values).to.deep.equal([1, 2, 3]);
      expect(ledgerIds).to.deep.equal(ledgers.map(({ id }) => id));
      for (const kept of ledgers) kept.release();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

function restorer() {
  const [book, gauges] = [createCounterBook(10), createGaugeBook()];
  const { batch } = createCounterFlusher({
    ...{ book, gauges, store: createFakeStore(), layout: createLayout('flat', ['h']) },
    ...{ time: createFakeTime(), random: () => 0.5, log: () => {}, lanesMax: 10 },
  });
  const timings = createTimingBook('n', 1000);
  const targets = { counters: book, gauges, batch, sets: createSetBook(), timings };
  return { ...targets, targets, ...createRestorer(targets) };
}
