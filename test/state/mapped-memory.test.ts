import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';
import { afterEach, before, beforeEach, describe, it } from 'mocha';

import { type Libc, loadLibc } from '../../src/ingest/libc.ts';
import {
  LedgerPart,
  newHandshake,
  PAGE_BYTES,
  partPlaces,
  regionBytes,
} from '../../src/ledger/memory.ts';
import {
  isIncomplete,
  mappedMemory,
  type MappedRegion,
  mapRegion,
  unmapRegion,
} from '../../src/state/mapped-memory.ts';
import { type Ended, runProgram } from '../support/program.ts';
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts';

const LIMITS = { entriesMax: 100_000, nameBytesMax: 1 << 20, timingsMax: 100_000 };

describe('memory that lies in a file', () => {
  let libc: Libc;
  let folder: string;
  let path: string;
  let fd: number;
  let region: MappedRegion;
  before(async () => {
    libc = await loadLibc();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'statcol-memory-'));
    path = join(folder, 'ledger');
    fd = openSync(path, 'wx+');
    region = mapRegion(libc, fd, LIMITS);
  });
  afterEach(() => {
    unmapRegion(libc, region, LIMITS);
    closeSync(fd);
    rmSync(folder, { recursive: true, force: true });
  });
  const blocks = (): number => statSync(path).blocks * 512;

  it('has space in the file for its head alone at first', () => {
    expect(blocks()).to.be.within(1, 4 * PAGE_BYTES);
    expect(regionBytes(LIMITS)).to.be.above(8 << 20);
    expect(isIncomplete(region)).to.equal(false);
  });

  it('grows part by part: what is asked for, at least doubling, never beyond the part', () => {
    const memory = mappedMemory(libc, region, LIMITS, newHandshake());
    const places = partPlaces(LIMITS);
    const atFirst = blocks();
    expect(memory.reserve(LedgerPart.log0, 1)).to.equal(4 * PAGE_BYTES);
    expect(blocks() - atFirst).to.equal(4 * PAGE_BYTES);
    expect(memory.reserve(LedgerPart.log0, 4 * PAGE_BYTES)).to.equal(4 * PAGE_BYTES);
    expect(memory.reserve(LedgerPart.log0, 4 * PAGE_BYTES + 1)).to.equal(8 * PAGE_BYTES);
    expect(memory.reserve(LedgerPart.log0, 30 * PAGE_BYTES)).to.equal(30 * PAGE_BYTES);
    const { bytes } = places[LedgerPart.log0]!;
    expect(memory.reserve(LedgerPart.log0, bytes)).to.equal(bytes);
    expect(blocks() - atFirst).to.be.within(bytes, bytes + PAGE_BYTES); // the system's own included
    expect(memory.reserve(LedgerPart.log1, 1)).to.equal(4 * PAGE_BYTES); // the others are as before
    expect(isIncomplete(region)).to.equal(false);
  });

  it('what is written is in the file, at once and in every part, and stays as the part grows', () => {
    const memory = mappedMemory(libc, region, LIMITS, newHandshake());
    const bytes = new Uint8Array(memory.region);
    for (const [part, { offset }] of partPlaces(LIMITS).entries()) {
      memory.reserve(part as LedgerPart, 100);
      bytes[offset + 99] = part + 1;
    }
    const inFile = (): number[] => {
      const file = readFileSync(path);
      return partPlaces(LIMITS).map(({ offset }) => file[offset + 99]!);
    };
    expect(inFile()).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    memory.reserve(LedgerPart.sums0, 8 * PAGE_BYTES);
    const { offset } = partPlaces(LIMITS)[LedgerPart.sums0]!;
    bytes[offset + 8 * PAGE_BYTES - 1] = 77;
    expect(inFile()).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(readFileSync(path)[offset + 8 * PAGE_BYTES - 1]).to.equal(77);
  });

  it('another thread of the process sees what was reserved', () => {
    const here = mappedMemory(libc, region, LIMITS, newHandshake());
    const there = mappedMemory(libc, { ...region }, LIMITS, newHandshake());
    there.reserve(LedgerPart.arena, 5 * PAGE_BYTES);
    const used = blocks();
    expect(here.reserve(LedgerPart.arena, 5 * PAGE_BYTES)).to.equal(5 * PAGE_BYTES);
    expect(blocks()).to.equal(used);
  });

  it('can be made and given back as often as one likes', () => {
    for (let round = 0; round < 2000; round++) {
      unmapRegion(libc, region, LIMITS);
      region = mapRegion(libc, fd, LIMITS);
    }
    const maps = readFileSync('/proc/self/maps', 'utf8').split('\n');
    expect(maps.filter((line) => line.includes(folder))).to.have.lengthOf(1);
  });
});

// A store into a hole of a file on a full disk ends the process with SIGBUS: so a child does it.
describe('memory in a file on a full disk', () => {
  let disk: SmallDisk;
  beforeEach(() => (disk = mountSmallDisk(2)));
  afterEach(() => disk.remove());

  /** What a child does in the folder; what it returns is printed. */
  function child(body: string): Promise<Ended> {
    return runProgram(`
      await import('./test/support/register.mjs');
      const [{ loadLibc }, { createPipeline }, { createLedgerReader }, { createLedgerWriter },
        files, { readLeftLedger }, { drainOf }, { hand }, fs] = await Promise.all([
        import('./src/ingest/libc.ts'), import('./src/ingest/pipeline.ts'),
        import('./src/ledger/reader.ts'), import('./src/ledger/writer.ts'),
        import('./src/state/ledger-file.ts'), import('./src/state/left-ledger.ts'),
        import('./test/support/ledger-bench.ts'), import('./test/support/packets.ts'),
        import('node:fs'),
      ]);
      const folder = ${JSON.stringify(disk.folder)};
      const libc = await loadLibc();
      const limits = ${JSON.stringify(LIMITS)};
      const header = { id: 1, limits, bootId: 'x'.repeat(36) };
      const make = () => {
        const made = files.createLedgerFile(libc, folder, header);
        const writer = createLedgerWriter(made.ledger,
          { rule: 'statsd', hashSeed: 1, onHalfFull() {}, source: () => '' });
        const onPacket = createPipeline(() => writer);
        const send = (line) => hand(onPacket, Buffer.from(line));
        return { made, writer, send, reader: createLedgerReader(made.ledger, 1) };
      };
      const names = 20000;
      const sendAll = (send) => {
        for (let at = 0; at < 60000; at++) send('n' + at % names + ':1|c\\nt' + at % 7 + ':1|ms');
      };
      ${body}
    `);
  }

  it('it goes on in plain memory, exact, and tells that it does', async () => {
    const ended = await child(`
      const { made, writer, send, reader } = make();
      const before = made.isIncomplete();
      sendAll(send);
      reader.requestFlip(); writer.poll();
      sendAll(send);
      const sums = [];
      for (const round of [1, 2]) {
        const { counters, timings } = drainOf(reader);
        sums.push(counters.size, [...counters.values()].reduce((sum, [one]) => sum + one, 0),
          [...timings.values()].flat().length);
        reader.requestFlip(); writer.poll();
      }
      console.log(JSON.stringify([before, made.isIncomplete(), ...sums]));
      made.release();
    `);
    expect(ended, ended.stderr).to.include({ code: 0, stderr: '' });
    const half = [20_000, 60_000, 60_000];
    expect(JSON.parse(ended.stdout)).to.deep.equal([false, true, ...half, ...half]);
  });

  it('where not even the head has room there is no ledger, and no file is left', async () => {
    disk.fill();
    const ended = await child(`
      try { make(); } catch ({ code }) {
        console.log(JSON.stringify([code, fs.readdirSync(folder)]));
      }
    `);
    expect(ended, ended.stderr).to.include({ code: 0, stderr: '' });
    expect(JSON.parse(ended.stdout)).to.deep.equal(['ENOSPC', ['filler']]);
  });

  it('what is left of such a ledger can be read while the disk is still full', async () => {
    const wrote = await child(`
      const { made, send } = make();
      for (let at = 0; at < 10; at++) send('early' + at + ':1|c');
      const before = made.isIncomplete();
      sendAll(send);
      console.log(JSON.stringify([before, made.isIncomplete()]));
      process.kill(process.pid, 'SIGKILL');
    `);
    expect(JSON.parse(wrote.stdout), wrote.stderr).to.deep.equal([false, true]);
    disk.fill();
    const ended = await child(`
      const path = folder + '/' + files.ledgerName(1);
      const found = [];
      const visitor = { counter: (name) => found.push(name), timings() {} };
      const left = files.readLedgerFile(path, files.readLedgerHeader(path));
      const unreadable = readLeftLedger(left, 0, visitor);
      console.log(JSON.stringify([typeof unreadable, found.filter((name) => /^early/.test(name))]));
    `);
    expect(ended, `${ended.stderr}: a SIGBUS?`).to.include({ code: 0, stderr: '' });
    const early = Array.from({ length: 10 }, (_, at) => `early${at}`);
    expect(JSON.parse(ended.stdout)).to.deep.equal(['number', early]);
  });
});
