import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';

import type { Vitals } from '../../src/vitals.ts';
import { sendUdp } from '../support/udp.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('without koffi', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'statcol-plain-'));
    mkdirSync(join(folder, 'node_modules'));
    for (const name of ['dist', 'bin', 'package.json']) {
      cpSync(join(ROOT, name), join(folder, name), { recursive: true });
    }
    for (const name of ['commander', 'redis']) {
      symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs `statcol listen` where there is no koffi. */
  function listen(...args: string[]): { printed: () => string; child: ReturnType<typeof spawn> } {
    const all = ['bin/statcol.js', 'listen', '--port', '0', '--http', '0', ...args];
    const child = spawn(process.execPath, all, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data: Buffer) => (text += data.toString()));
    }
    return { child, printed: () => text };
  }

  it('it receives with dgram, and says why', async () => {
    const { child, printed } = listen();
    while (!/http:.*\n/.test(printed())) await once(child.stdout!, 'data');
    const [, port] = /udp:\/\/127\.0\.0\.1:(\d+)/.exec(printed())!;
    const [http] = /http:\S+/.exec(printed())!;
    await sendUdp(Number(port), 'a:1|c');
    let vitals: Vitals;
    do vitals = (await (await fetch(`${http}api/vitals`)).json()) as Vitals;
    while (vitals.samples.counters === 0);
    expect(vitals.udp.receiver).to.equal('dgram');
    expect(printed()).to.match(/receives with dgram: .*koffi.*npm install koffi/);
    child.kill('SIGTERM');
    expect((await once(child, 'close'))[0]).to.equal(0);
  });

  it('--receiver recvmmsg is told what is missing, and nothing is bound', async () => {
    const { child, printed } = listen('--receiver', 'recvmmsg');
    expect((await once(child, 'close'))[0]).to.equal(1);
    expect(printed()).to.match(/koffi, which is not installed: npm install koffi/);
    expect(printed()).to.not.match(/could not be bound/);
    expect(printed()).to.not.include('udp://');
  });

  it('--unix is told what is missing, and nothing is bound: exit 2', async () => {
    const { child, printed } = listen('--unix', join(folder, 'socket'), '--tcp', '0');
    expect((await once(child, 'close'))[0]).to.equal(2);
    expect(printed()).to.equal(
      'statcol: --unix: it needs koffi, which is not installed: npm install koffi\n',
    );
    expect(existsSync(join(folder, 'socket'))).to.equal(false);
  });
});
