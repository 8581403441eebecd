import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';
import fc from 'fast-check';
import { afterEach, before, beforeEach, describe, it } from 'mocha';

import { type Libc, loadLibc } from '../../src/ingest/libc.ts';
import { createPipeline } from '../../src/ingest/pipeline.ts';
import { createLedgerReader, type LedgerReader } from '../../src/ledger/reader.ts';
import { partPlaces } from '../../src/ledger/memory.ts';
import { createLedgerWriter, type LedgerWriter } from '../../src/ledger/writer.ts';
import {
  createLedgerFile,
  type FiledLedger,
  ledgerName,
  readLedgerFile,
  readLedgerHeader,
} from '../../src/state/ledger-file.ts';
import { type LeftVisitor, readLeftLedger } from '../../src/state/left-ledger.ts';
import { hand } from '../support/packets.ts';
import { seededRandom } from '../support/random.ts';
import { collect, type Content, nothing, sorted } from './left-content.ts';

const LIMITS = { entriesMax: 200, nameBytesMax: 8192, timingsMax: 2000 };
const BOOT_ID = '01234567-89ab-cdef-0123-456789abcdef';

describe('a ledger that was left in a file', () => {
  let libc: Libc;
  let folder: string;
  let made: FiledLedger;
  let writer: LedgerWriter;
  let reader: LedgerReader;
  before(async () => {
    libc = await loadLibc();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'statcol-ledger-'));
    create();
  });
  afterEach(() => {
    made.release();
    rmSync(folder, { recursive: true, force: true });
  });

  function create(): void {
    made = createLedgerFile(libc, folder, { id: 0xabc, limits: LIMITS, bootId: BOOT_ID });
    reader = createLedgerReader(made.ledger, made.id);
    writer = createLedgerWriter(made.ledger, {
      rule: 'statsd',
      hashSeed: 5,
      onHalfFull: () => {},
      source: () => '',
    });
  }

  function send(...lines: string[]): void {
    const onPacket = createPipeline(() => writer);
    for (const line of lines) hand(onPacket, Buffer.from(line));
  }

  function flip(): void {
    reader.requestFlip();
    writer.poll();
  }

  function drain(): void {
    const reports = reader.drain({
      counter() {},
      gauge() {},
      member() {},
      timings() {},
      stats() {},
      refusal() {},
    });
    for (const _ of reports) void 0;
  }

  /** The file as the next process finds it: the first one goes on with its own. */
  function leave(): string {
    const path = join(folder, 'left');
    copyFileSync(join(folder, ledgerName(made.id)), path);
    return path;
  }

  function readBack(path = leave(), drained = 0): Content & { unreadable: number | undefined } {
    const content = nothing();
    const header = readLedgerHeader(path)!;
    expect(header).to.deep.equal({ id: 0xabc, limits: LIMITS, bootId: BOOT_ID });
    const unreadable = readLeftLedger(readLedgerFile(path, header), drained, collect(content));
    return { ...content, unreadable };
  }

  it('holds what was added, on both sides, whenever its writer ended: as a naive sum says', () => {
    const lines = fc.record({
      name: fc.constantFrom('a', 'b', '__proto__', 'constructor', 'n;k=v', 'x'.repeat(300)),
      spelling: fc.constantFrom('', ' ', '!'),
      kind: fc.constantFrom('c', 'ms'),
      value: fc.integer({ min: -1024, max: 1024 }).map((value) => value / 64),
      rate: fc.constantFrom(1, 0.5, 0.25),
    });
    // A turn is what the main thread does next: it has the sides flipped, or drains the old one.
    const steps = fc.array(
      fc.oneof(
        { weight: 6, arbitrary: lines },
        { weight: 1, arbitrary: fc.constant('turn' as const) },
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, (all) => {
        made.release();
        create();
        let old: Content | undefined;
        let current = nothing();
        for (const step of all) {
          if (step !== 'turn') add(current, step);
          else if (old === undefined) {
            flip();
            [old, current] = [current, nothing()];
          } else {
            drain();
            old = undefined;
          }
        }
        const { unreadable, ...content } = readBack();
        expect(unreadable).to.equal(0);
        expect(sorted(content)).to.deep.equal(sorted(old ?? nothing(), current));
      }),
      { numRuns: 40 },
    );

    function add(
      into: Content,
      line: { name: string; spelling: string; kind: string; value: number; rate: number },
    ): void {
      const { name, spelling, kind, rate } = line;
      const value = kind === 'ms' ? Math.abs(line.value) : line.value;
      // Only what is dropped without a trace makes another spelling of the same name.
      const spelled = spelling === '!' && !name.includes(';') ? `${name}!` : name;
      send(`${spelled}:${value}|${kind}${rate === 1 ? '' : `|@${rate}`}`);
      const visitor = collect(into);
      if (kind === 'c') visitor.counter(name, value / rate, 1);
      else visitor.timings(name, Float64Array.of(value), Float64Array.of(1 / rate));
    }
  });

  it('has two sides: the one that was to be drained, and the one being written', () => {
    send('old:1|c', 'both:2|c', 't:5|ms');
    flip();
    send('both:3|c|@0.5', 'new:4|c', 't:6|ms|@0.25');
    const { counters, timings, unreadable } = readBack();
    expect(unreadable).to.equal(0);
    expect(Object.fromEntries(counters)).to.deep.equal({ old: [1, 1], both: [8, 2], new: [4, 1] });
    expect(timings.get('t')).to.have.deep.members([
      [5, 1],
      [6, 4],
    ]);
  });

  it('of a side whose mark says that it was drained, nothing is taken, be it there or not', () => {
    send('old:1|c', 't:5|ms');
    flip();
    const mark = reader.drainedFlip();
    send('new:2|c', 't:6|ms');
    const counters = new Map([['new', [2, 1]]]);
    const only = {
      counters,
      gauges: new Map(),
      sets: new Map(),
      timings: new Map([['t', [[6, 1]]]]),
    };
    expect(readBack(leave(), mark)).to.deep.equal({ ...only, unreadable: 0 });
    drain(); // and after it
    expect(readBack(leave(), mark)).to.deep.equal({ ...only, unreadable: 0 });
    // The next flip has a higher mark: it is not passed over for that of the one before.
    flip();
    expect(reader.drainedFlip()).to.be.above(mark);
    expect(readBack(leave(), mark)).to.deep.equal({ ...only, unreadable: 0 });
    expect(readBack(leave(), reader.drainedFlip()).counters.size).to.equal(0);
  });

  it('an empty one holds nothing', () => {
    expect(readBack()).to.deep.equal({ ...nothing(), unreadable: 0 });
  });

  it('one that is full holds as much as went in', () => {
    const limit = LIMITS.timingsMax;
    for (let at = 0; at < limit + 5; at++) send(`t${at % 150}:${at}|ms`);
    for (let at = 0; at < 300; at++) send(`c${at}:1|c`);
    const { counters, timings, unreadable } = readBack();
    expect(unreadable).to.equal(0);
    expect([...timings.values()].flat()).to.have.lengthOf(limit);
    expect(counters.size).to.equal(LIMITS.entriesMax - 150);
  });

  it('a name whose record is broken is told, and costs the others nothing', () => {
    send('a:1|c', 'b:2|c');
    const path = leave();
    const bytes = readFileSync(path);
    const { offset } = partPlaces(LIMITS)[3]!;
    expect(bytes.readInt32LE(offset)).to.equal(0); // the first record is that of entry 0
    bytes.writeInt32LE(77, offset);
    writeFileSync(path, bytes);
    const { counters, unreadable } = readBack(path);
    expect(unreadable).to.equal(1);
    expect(Object.fromEntries(counters)).to.deep.equal({ b: [2, 1] });
  });

  it('whatever bytes are broken: no error, no endless work, no number that is none', () => {
    for (let at = 0; at < 40; at++) send(`c${at}:${at}|c`, `t${at}:${at}|ms`);
    flip();
    for (let at = 0; at < 40; at++) send(`c${at}:1|c|@0.5`, `t${at}:1|ms|@0.5`);
    const whole = readFileSync(leave());
    const path = join(folder, 'broken');
    const random = seededRandom(20);
    const below = (limit: number): number => Math.floor(random() * limit);
    const places = partPlaces(LIMITS);
    for (let round = 0; round < 600; round++) {
      const bytes = Buffer.from(whole);
      for (let left = 1 + below(8); left > 0; left--) {
        const { offset } = places[below(places.length)]!;
        // Most parts are empty but for their beginning; the counts and statistics come at 4,096.
        const from = offset === 0 ? [0, 4096][below(2)]! : offset;
        bytes[from + below(600)] = below(256);
      }
      writeFileSync(path, bytes);
      const header = readLedgerHeader(path);
      if (header === undefined) continue;
      expect(header).to.deep.equal({ id: 0xabc, limits: LIMITS, bootId: BOOT_ID });
      const left = readLedgerFile(path, header);
      const found = readLeftLedger(left, 0, numbersOnly(`round ${round}`));
      if (found !== undefined) expect(found).to.be.within(0, LIMITS.entriesMax);
    }
  });

  /** What the books cannot bear: a count of samples that is none, or a name that is none. */
  function numbersOnly(round: string): LeftVisitor {
    return {
      counter(name, sum, samples) {
        expect(name, round).to.be.a('string').with.length.above(0);
        expect(sum, `${round}: sum`).to.satisfy(Number.isFinite);
        expect(samples, `${round}: samples`).to.satisfy(Number.isSafeInteger).and.be.above(0);
      },
      member(name, bytes) {
        expect(name, round).to.be.a('string').with.length.above(0);
        expect(bytes.length, `${round}: member`).to.be.within(1, 65_507);
      },
      gauge(name, { value }, samples) {
        expect(name, round).to.be.a('string').with.length.above(0);
        expect(value, `${round}: value`).to.satisfy(Number.isFinite);
        expect(samples, `${round}: samples`).to.satisfy(Number.isSafeInteger).and.be.above(0);
      },
      timings(name, values, weights) {
        expect(name, round).to.be.a('string').with.length.above(0);
        expect(weights.length).to.equal(values.length);
        for (const value of values) expect(value, `${round}: value`).to.satisfy(Number.isFinite);
        for (const weight of weights) expect(weight, `${round}: weight`).to.be.at.least(1);
      },
    };
  }
});
