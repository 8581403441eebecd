import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';

import { readRecords, type RecordVisitor } from '../../src/state/record-reader.ts';
import { createSpool, type Spool, type SpoolParts } from '../../src/state/spool.ts';
import { readSpoolFile } from '../../src/state/spool-file.ts';
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts';

const MIB = 1 << 20;

/** A spool that remembers answers (`answered` records), and what it reports. */
interface Rig {
  spool: Spool;
  voided: number[];
  said: string[];
  /** What the next snapshot says: so many numbers, and so many bytes of timings. */
  state: { numbers: number[]; bytes: number };
  sheds: number;
  clock: { ms: number };
}

function begin(folder: string, more: Partial<SpoolParts> = {}): Rig {
  const rig: Omit<Rig, 'spool'> = {
    voided: [],
    said: [],
    state: { numbers: [0], bytes: 0 },
    sheds: 0,
    clock: { ms: 1000 },
  };
  const spool = createSpool({
    folder,
    limitBytes: 1024 * MIB,
    generation: 0,
    snapshot(records) {
      for (const one of rig.state.numbers) records.answered(one);
      if (rig.state.bytes > 0) records.timings('bulk', new Float64Array(rig.state.bytes / 8));
    },
    shed() {
      if (rig.state.bytes === 0) return false;
      rig.sheds++;
      rig.state.bytes = rig.state.bytes < MIB ? 0 : rig.state.bytes / 2;
      return true;
    },
    onVoid: (generation) => rig.voided.push(generation),
    nowMs: () => rig.clock.ms,
    log: (level, message) => rig.said.push(`${level} ${message}`),
    ...more,
  });
  return Object.assign(rig, { spool });
}

/** The numbers that a spool file remembers, in order. */
function numbersIn(path: string): number[] {
  const numbers: number[] = [];
  const visitor = new Proxy({} as RecordVisitor, {
    get: (_, type) => {
      return (first: unknown) => void (type === 'answered' && numbers.push(first as number));
    },
  });
  const names: string[] = [];
  readSpoolFile(path, (step) => readRecords(step, names, visitor));
  return numbers;
}

function remember(spool: Spool, ...numbers: number[]): void {
  for (const one of numbers) spool.step((records) => records.answered(one));
}

function grow(spool: Spool, bytes: number): void {
  spool.step((records) => records.timings('bulk', new Float64Array(bytes / 8)));
}

describe('a spool', () => {
  let folder: string;
  let rig: Rig;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'statcol-spool-'));
    rig = begin(folder);
  });
  afterEach(async () => {
    await rig.spool.synced();
    rig.spool.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const files = (): string[] => readdirSync(folder).toSorted();
  const path = (generation: number): string => join(folder, `spool-${generation}`);

  it('remembers nothing before it has begun, then a snapshot and the steps behind it', async () => {
    remember(rig.spool, 7);
    expect(files()).to.deep.equal([]);
    expect(rig.spool.failure?.error).to.equal('not begun');
    expect(rig.spool.renew()).to.equal(true);
    expect(rig.spool.failure).to.equal(undefined);
    remember(rig.spool, 1, 2, 3);
    await rig.spool.synced();
    expect(numbersIn(path(1))).to.deep.equal([0, 1, 2, 3]);
    expect(rig.spool.bytes).to.equal(statSync(path(1)).size);
    expect(rig.said).to.deep.equal([]);
  });

  it('a new file has the next number; the old one goes when the new one is safe, not before', async () => {
    rig.spool.renew();
    await rig.spool.synced();
    remember(rig.spool, 1);
    rig.state.numbers = [10];
    rig.spool.renew();
    remember(rig.spool, 11);
    expect(files()).to.deep.equal(['spool-1', 'spool-2']);
    expect(numbersIn(path(1))).to.deep.equal([0, 1]);
    await rig.spool.synced();
    expect(files()).to.deep.equal(['spool-2']);
    expect(numbersIn(path(2))).to.deep.equal([10, 11]);
  });

  it('goes on from the number that the folder has had', () => {
    rig.spool.close();
    rig = begin(folder, { generation: 41 });
    rig.spool.renew();
    expect(files()).to.deep.equal(['spool-42']);
  });

  it('is made anew when 16 MiB have come, not before', async () => {
    rig.spool.renew();
    for (let at = 0; at < 15; at++) grow(rig.spool, MIB);
    rig.spool.tend();
    expect(existsSync(path(2))).to.equal(false);
    grow(rig.spool, MIB);
    grow(rig.spool, MIB);
    rig.spool.tend();
    await rig.spool.synced();
    expect(files()).to.deep.equal(['spool-2']);
    expect(rig.spool.bytes).to.be.below(100);
  });

  it('a long snapshot has to double twice: it is not written again and again', async () => {
    rig.state.bytes = 10 * MIB;
    rig.spool.renew();
    for (let at = 0; at < 19; at++) grow(rig.spool, MIB);
    rig.spool.tend();
    expect(existsSync(path(2))).to.equal(false);
    for (let at = 0; at < 2; at++) grow(rig.spool, MIB);
    rig.spool.tend();
    await rig.spool.synced();
    expect(files()).to.deep.equal(['spool-2']);
  });

  it('gives up what it may until a snapshot takes a quarter of its limit', () => {
    rig.spool.close();
    rig = begin(folder, { limitBytes: 24 * MIB });
    rig.state.bytes = 20 * MIB;
    expect(rig.spool.renew()).to.equal(true);
    expect(rig.sheds).to.equal(2);
    expect(rig.spool.bytes).to.be.within(5 * MIB, 8 * MIB);
    expect(numbersIn(path(1))).to.deep.equal([0]);
  });

  it('stays within its limit all the time, both files together', async () => {
    const limitBytes = 16 * MIB;
    rig.spool.close();
    rig = begin(folder, { limitBytes });
    rig.state.bytes = 4 * MIB;
    rig.spool.renew();
    for (let at = 0; at < 60; at++) {
      grow(rig.spool, MIB / 2);
      rig.spool.tend();
      const inAll = files().reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
      expect(inAll, `after ${at / 2} MiB`).to.be.at.most(limitBytes);
      await rig.spool.synced();
    }
  });

  it('where nothing can be given up it says so, and the file before is gone on with', async () => {
    rig.spool.renew();
    remember(rig.spool, 1);
    rig.spool.close();
    rig = begin(folder, { limitBytes: 16 * MIB, shed: () => false, generation: 1 });
    rig.state.bytes = 8 * MIB;
    expect(rig.spool.renew()).to.equal(false);
    expect(rig.spool.failure?.error).to.match(/what waits takes more than/);
    await rig.spool.synced();
    expect(files()).to.deep.equal(['spool-1']); // no half of a new one lies about
    expect(numbersIn(path(1))).to.deep.equal([0, 1]);
  });

  it('a folder that has gone: nothing is remembered, and nothing is thrown', async () => {
    rmSync(folder, { recursive: true });
    expect(rig.spool.renew()).to.equal(false);
    remember(rig.spool, 1);
    rig.spool.tend();
    await rig.spool.synced();
    expect(rig.spool.failure?.error).to.match(/ENOENT/);
    expect(rig.said).to.have.lengthOf(1);
  });
});

describe('a spool on a full disk', () => {
  let disk: SmallDisk;
  let rig: Rig;
  beforeEach(() => {
    disk = mountSmallDisk(1);
    rig = begin(disk.folder);
    rig.spool.renew();
  });
  afterEach(async () => {
    await rig.spool.synced();
    rig.spool.close();
    disk.remove();
  });
  const path = (generation: number): string => join(disk.folder, `spool-${generation}`);

  it('is void from the step that found no room: it says so once, and remembers no other', () => {
    remember(rig.spool, 1);
    grow(rig.spool, 2 * MIB);
    expect(rig.spool.failure?.error).to.match(/ENOSPC|no space/);
    expect(rig.spool.failure?.sinceMs).to.equal(1000);
    expect(rig.voided).to.deep.equal([1]);
    remember(rig.spool, 2, 3); // there is room for these, but something is missing before
    grow(rig.spool, 2 * MIB);
    expect(numbersIn(path(1))).to.deep.equal([0, 1]);
    expect(rig.voided).to.deep.equal([1]);
    expect(rig.said).to.have.lengthOf(1);
    expect(rig.said[0]).to.match(/^error .*cannot be written: .*Free some space/);
  });

  it('tries again after 5 s, then twice as late each time; then all is remembered anew', async () => {
    disk.fill();
    grow(rig.spool, MIB);
    disk.free();
    rig.clock.ms += 4999;
    rig.spool.tend();
    expect(rig.spool.failure).to.not.equal(undefined);

    disk.fill();
    rig.clock.ms += 1; // the first try: still no room
    rig.state.numbers = [20];
    rig.spool.tend();
    disk.free();
    rig.clock.ms += 9999;
    rig.spool.tend();
    expect(rig.spool.failure, 'before 10 s').to.not.equal(undefined);
    expect(rig.spool.failure?.sinceMs).to.equal(1000);

    rig.clock.ms += 1;
    rig.spool.tend();
    expect(rig.spool.failure).to.equal(undefined);
    remember(rig.spool, 21);
    await rig.spool.synced();
    expect(readdirSync(disk.folder)).to.deep.equal(['spool-2']);
    expect(numbersIn(path(2))).to.deep.equal([20, 21]);
    expect(rig.voided.every((generation) => generation === 1)).to.equal(true);
    expect(rig.said).to.have.lengthOf(2);
    expect(rig.said[1]).to.match(/^info .*everything is remembered again/);

    // And the next failure begins again with 5 s, and is said anew.
    grow(rig.spool, 2 * MIB);
    expect(rig.voided.at(-1)).to.equal(2);
    rig.clock.ms += 5000;
    rig.spool.tend();
    expect(rig.spool.failure).to.equal(undefined);
    expect(rig.said).to.have.lengthOf(4);
  });

  it('a new file that finds no room leaves the present one as good as it was', async () => {
    grow(rig.spool, MIB / 2);
    rig.state.bytes = MIB;
    expect(rig.spool.renew()).to.equal(false);
    expect(rig.spool.failure).to.equal(undefined);
    remember(rig.spool, 5);
    await rig.spool.synced();
    expect(readdirSync(disk.folder)).to.deep.equal(['spool-1']);
    expect(numbersIn(path(1))).to.deep.equal([0, 5]);
    expect(rig.voided).to.deep.equal([]);
  });
});
