import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { expect } from 'chai';
import { describe, it } from 'mocha';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('npm start', () => {
  it('passes flags on, and a signal to npm ends the collector, which delivers', async () => {
    const args = ['start', '--', '--port', '0', '--http', '0'];
    // A group of its own, as a terminal would give it; the signal goes to npm alone.
    const child = spawn('npm', args, {
      cwd: root,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let printed = '';
    child.stderr.on('data', (data: Buffer) => (printed += data.toString()));
    let endpoints = '';
    while (!endpoints.includes('http://')) {
      const [data] = (await once(child.stdout, 'data')) as [Buffer];
      endpoints += data.toString();
    }
    expect(endpoints).to.match(/^udp:\/\/127\.0\.0\.1:\d+\nhttp:\/\/127\.0\.0\.1:\d+\/$/m);
    const ended = once(child.stderr, 'close'); // the collector holds it open as long as it lives
    child.kill('SIGTERM');
    await ended;
    expect(printed).to.match(/SIGTERM: delivering what was accepted/);
  });
});
