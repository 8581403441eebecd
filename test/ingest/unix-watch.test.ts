import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';
import { describe, it } from 'mocha';

import { createUnixWatch } from '../../src/ingest/unix-watch.ts';

describe('the file of a unix socket is watched', () => {
  it('says once that it has gone or is another, and that it is back', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'statcol-watch-'));
    const path = join(folder, 'socket');
    const said: string[] = [];
    writeFileSync(path, '');
    const watch = createUnixWatch(path, (level, text) => said.push(`${level} ${text}`));
    await watch.look();
    expect([watch.fault(), ...said]).to.deep.equal([undefined]);
    renameSync(path, `${path}.old`);
    await watch.look();
    writeFileSync(path, '');
    await watch.look();
    const fault = `unix ${path}: the socket's file was removed or replaced, so no sender finds it: restart the collector`;
    expect(watch.fault()).to.equal(fault);
    expect(said.splice(0)).to.deep.equal([`warn ${fault}`]);
    renameSync(`${path}.old`, path);
    await watch.look();
    expect(watch.fault()).to.equal(undefined);
    expect(said).to.deep.equal([`info unix ${path}: the socket is there again`]);
    rmSync(folder, { recursive: true });
    await watch.look();
    expect(watch.fault()).to.equal(fault);
  });
});
