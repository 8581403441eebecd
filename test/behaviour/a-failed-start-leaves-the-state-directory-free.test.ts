import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { describe, it } from 'mocha';

import { createCollector } from '../../src/collector.ts';
import { runStatcol } from '../support/collector-process.ts';

describe('a start that fails leaves the state directory as it was', () => {
  it('where the port is in use: one line, exit code 1, and the next start has the directory', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'statcol-start-'));
    const holder = createSocket('udp4').bind(0, '127.0.0.1');
    await once(holder, 'listening');
    const port = String(holder.address().port);
    try {
      const flags = [
        '--port',
        port,
        '--http',
        'off',
        '--state-dir',
        folder,
        '--log-level',
        'error',
      ];
      const { code, stderr } = await runStatcol(['listen', ...flags]);
      expect(stderr).to.match(/^statcol: udp 127\.0\.0\.1:\d+ is in use: .*\n$/);
      expect(code).to.equal(1);
      expect(readdirSync(folder).filter((file) => file.startsWith('ledger-'))).to.deep.equal([]);
      const collector = createCollector({ port: 0, http: 'off', stateDir: folder });
      await collector.start();
      expect((await collector.vitals()).state.up).to.equal(true);
      expect(await collector.stop()).to.include({ counters: 0, timings: 0 });
      // Asked once more when its memory is gone, it answers from what it knows.
      expect((await collector.vitals()).samples.counters).to.equal(0);
    } finally {
      holder.close();
      rmSync(folder, { recursive: true });
    }
  });
});
