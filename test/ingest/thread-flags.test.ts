import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { expect } from 'chai';
import { describe, it } from 'mocha';

import { threadFlags } from '../../src/ingest/thread-flags.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/statcol.js', import.meta.url));

describe('flags for Node', () => {
  for (const flags of [['--max-old-space-size=512'], ['--trace-warnings', '--stack-size=900']]) {
    it(`such as ${flags.join(' ')} do not keep the collector from starting`, async () => {
      const args = [...flags, PROGRAM, 'listen', '--port', '0', '--http', 'off'];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      const [data] = (await once(child.stdout, 'data')) as [Buffer];
      expect(data.toString()).to.match(/^udp:/);
      child.kill('SIGTERM');
      expect(await once(child, 'close')).to.deep.equal([0, null]);
    });
  }

  it('are left to the thread as they are, unless one of them is not for threads', () => {
    expect(threadFlags([])).to.equal(undefined);
    expect(threadFlags(['--import', 'tsx', '--max-old-space-size=512'])).to.equal(undefined);
    const given = [
      '--import',
      'tsx',
      '--expose-gc',
      '--input-type=module',
      '-r=a',
      '--no-warnings',
    ];
    expect(threadFlags(given)).to.deep.equal(['--import', 'tsx', '-r=a']);
    expect(threadFlags(['--input-type', 'module', '-C', 'dev'])).to.deep.equal(['-C', 'dev']);
  });
});
