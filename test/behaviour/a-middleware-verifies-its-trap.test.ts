import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';

import { StatCollector } from '../../src/index.ts';
import { makeCertificate } from '../support/certificate.ts';
import { type RecordingTrap, startTrap } from '../support/recording-trap.ts';
import { serve, type Web } from '../support/web.ts';

describe('a middleware verifies its trap', () => {
  let folder: string;
  let trap: RecordingTrap;
  let web: Web;
  let collector: StatCollector;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'statcol-tls-'));
    trap = await startTrap(makeCertificate(folder, 'broker.example'));
  });
  afterEach(async () => {
    await web.close();
    await collector.stop();
    await trap.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Serves one request, whose time is to be pushed over https. */
  async function request(tls: { ca?: Buffer; servername?: string }): Promise<void> {
    const circonusConfig = { host: '127.0.0.1', port: trap.port, path: '/secret-path', ...tls };
    collector = new StatCollector({
      responseTimer: { circonusConfig, pushInterval: 10 },
      stopTimeout: 100,
      onLog: () => {},
    });
    web = await serve((incoming, response) => {
      collector.middleware()(incoming, response, () => void response.end());
    });
    await web.get('/a');
  }

  it('over https, with a private CA and the name it bears', async () => {
    const ca = readFileSync(join(folder, 'ca.pem'));
    await request({ ca, servername: 'broker.example' });
    await trap.received(1);
    expect(trap.submissions[0]).to.include({ method: 'PUT', url: '/secret-path' });
    expect([...trap.values().keys()]).to.deep.equal(['/a']);
  });

  it('and sends nothing to one it does not know, and says why without the path', async () => {
    await request({ servername: 'broker.example' });
    while (collector.vitals().timings!.up) await new Promise(setImmediate);
    const { lastError, pending } = collector.vitals().timings!;
    expect(lastError).to.match(/self.signed|unable to verify|SELF_SIGNED/i);
    expect(lastError).to.not.include('secret-path');
    expect([pending, trap.submissions.length]).to.deep.equal([1, 0]);
  });
});
