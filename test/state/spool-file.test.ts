import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, it } from 'mocha';

import { createSpoolFile, readSpoolFile, type SpoolReading } from '../../src/state/spool-file.ts';
import { mountSmallDisk } from '../support/small-disk.ts';

describe('a spool file', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'statcol-spool-'));
    path = join(folder, 'spool-1');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function write(steps: Uint8Array[]): Buffer {
    const file = createSpoolFile(path);
    for (const step of steps) file.append(step);
    expect(file.bytes).to.equal(statSync(path).size);
    file.close();
    return readFileSync(path);
  }

  function read(bytes?: Uint8Array): SpoolReading & { read: Buffer[] } {
    if (bytes !== undefined) writeFileSync(path, bytes);
    const steps: Buffer[] = [];
    const reading = readSpoolFile(path, (step) => steps.push(Buffer.from(step)));
    expect(reading.steps).to.equal(steps.length);
    return { ...reading, read: steps };
  }

  /** Steps of lengths that matter: none at all, one, and some that look like frames. */
  function someSteps(): Buffer[] {
    const frame = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 7]);
    return ['one', '', 'x', 'a longer step, of some words', ''].map(Buffer.from).concat(frame);
  }

  it('gives its steps back, in order', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), (steps) => {
        const bytes = write(steps);
        const wanted = steps.map((step) => Buffer.from(step));
        const whole = { isSpool: true, steps: steps.length, tornBytes: 0, read: wanted };
        expect(read()).to.deep.equal(whole);
        expect(bytes.toString('latin1', 0, 16)).to.equal('statcol spool 1\n');
      }),
      { numRuns: 50 },
    );
  });

  it('takes a step of many megabytes', () => {
    const step = Buffer.alloc(40 << 20, 'statcol ');
    write([step, Buffer.from('behind')]);
    const { read: steps } = read();
    expect(steps[0]!.equals(step)).to.equal(true);
    expect(steps[1]!.toString()).to.equal('behind');
  });

  it('cut at any byte it is a run of whole steps, and the rest is told to be torn', () => {
    const steps = someSteps();
    const whole = write(steps);
    // Where a step ends, a cut leaves nothing torn.
    const ends = [16];
    for (const step of steps) ends.push(ends.at(-1)! + 8 + step.length);
    for (let length = 0; length <= whole.length; length++) {
      const { isSpool, read: found, tornBytes } = read(whole.subarray(0, length));
      const count = ends.filter((end) => end <= length).length - 1;
      expect(isSpool, `cut at ${length}`).to.equal(length >= 16);
      expect(found, `cut at ${length}`).to.deep.equal(steps.slice(0, Math.max(0, count)));
      expect(tornBytes).to.equal(length < 16 ? length : length - ends[count]!);
    }
  });

  it('with any byte changed it is a run of steps as they were, or no spool', () => {
    const steps = someSteps();
    const whole = write(steps);
    for (let at = 0; at < whole.length; at++) {
      for (const change of [0x01, 0x80, 0xff]) {
        const bytes = Buffer.from(whole);
        bytes[at] = bytes[at]! ^ change;
        const { isSpool, read: found, tornBytes } = read(bytes);
        expect(isSpool).to.equal(at >= 16);
        expect(found.length, `byte ${at}`).to.be.below(steps.length);
        expect(found, `byte ${at}`).to.deep.equal(steps.slice(0, found.length));
        expect(tornBytes).to.be.above(0);
      }
    }
  });

  it('zeros behind the last step, as a loss of power may leave them, are no step', () => {
    const steps = [Buffer.from('one'), Buffer.from('two')];
    write(steps);
    appendFileSync(path, Buffer.alloc(4096));
    // A frame of length 0 and sum 0 is right for an empty step, and an empty step says nothing.
    const { read: found } = read();
    expect(found.filter((step) => step.length > 0)).to.deep.equal(steps);
  });

  it('a foreign file, or an empty one, is no spool', () => {
    for (const bytes of [
      '',
      'x',
      'statcol spool 2\n',
      'statcol spool 1',
      '{"json":true}\n'.repeat(9),
    ]) {
      const { isSpool, steps, tornBytes } = read(Buffer.from(bytes));
      expect({ isSpool, steps }, bytes).to.deep.equal({ isSpool: false, steps: 0 });
      expect(tornBytes).to.equal(bytes.length);
    }
  });

  it('what the reader of a step throws comes through, and the file is closed', () => {
    write([Buffer.from('one')]);
    expect(() =>
      readSpoolFile(path, () => {
        throw new Error('not this one');
      }),
    ).to.throw('not this one');
  });

  it('a step that finds no room is not there at all, and the next one may be', async () => {
    const disk = mountSmallDisk(1);
    try {
      path = join(disk.folder, 'spool-1');
      const file = createSpoolFile(path);
      file.append(Buffer.from('one'));
      const { bytes } = file;
      expect(() => file.append(Buffer.alloc(2 << 20)))
        .to.throw()
        .with.property('code', 'ENOSPC');
      expect(file.bytes).to.equal(bytes);
      expect(statSync(path).size).to.equal(bytes);
      file.append(Buffer.from('two'));
      await file.sync();
      file.close();
      expect(read().read.map(String)).to.deep.equal(['one', 'two']);
      disk.fill();
      expect(() => createSpoolFile(join(disk.folder, 'spool-2'))).to.throw(/ENOSPC|no space/);
    } finally {
      disk.remove();
    }
  });
});
