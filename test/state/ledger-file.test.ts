import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';

import { loadLibc } from '../../src/ingest/libc.ts';
import { createLedgerFile, ledgerName, readLedgerHeader } from '../../src/state/ledger-file.ts';

const LIMITS = { entriesMax: 200, nameBytesMax: 8192, timingsMax: 2000 };
const HEADER = { id: 1, limits: LIMITS, bootId: '01234567-89ab-cdef-0123-456789abcdef' };

describe('a ledger file', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'statcol-ledger-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is removed when its ledger is given back', async () => {
    const made = createLedgerFile(await loadLibc(), folder, HEADER);
    expect(readdirSync(folder)).to.deep.equal([ledgerName(1)]);
    made.release();
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('is never made over another one', async () => {
    writeFileSync(join(folder, ledgerName(1)), 'mine');
    const libc = await loadLibc();
    expect(() => createLedgerFile(libc, folder, HEADER)).to.throw(/EEXIST/);
    expect(readFileSync(join(folder, ledgerName(1)), 'utf8')).to.equal('mine');
  });

  it('whose header has any byte changed, or is cut, has none', async () => {
    const made = createLedgerFile(await loadLibc(), folder, HEADER);
    const whole = readFileSync(join(folder, ledgerName(1)));
    made.release();
    const path = join(folder, 'changed');
    for (let at = 0; at < 88; at++) {
      const bytes = Buffer.from(whole);
      bytes[at]! ^= 0x10;
      writeFileSync(path, bytes);
      expect(readLedgerHeader(path), `byte ${at}`).to.equal(undefined);
      writeFileSync(path, whole.subarray(0, at));
      expect(readLedgerHeader(path), `${at} bytes`).to.equal(undefined);
    }
    writeFileSync(path, whole.subarray(0, 88));
    expect(readLedgerHeader(path)).to.deep.equal(HEADER);
  });
});
