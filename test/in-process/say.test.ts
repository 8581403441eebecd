import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { describe, it } from 'mocha';

const SAY = new URL('../../src/in-process/say.ts', import.meta.url).href;
const REGISTER = new URL('../support/register.mjs', import.meta.url).href;

describe('What an application should know', () => {
  it('is a warning of Node’s: what is warned of, and errors', () => {
    const said = say('warn');
    expect(said).to.match(/StatcolWarning: an error\n/);
    expect(said).to.match(/StatcolWarning: a warn\n/);
    expect(said).to.not.include('an info').and.not.include('a debug');
  });

  it('can be silenced as Node’s warnings can', () => {
    expect(say('warn', '--no-warnings')).to.equal('');
    expect(say('warn', '--disable-warning=StatcolWarning')).to.equal('');
  });
});

describe('All that can be said', () => {
  it('stands on stderr, a line each, in order', () => {
    expect(say('debug')).to.equal(
      'statcol error: an error\nstatcol warn: a warn\n' +
        'statcol info: an info\nstatcol debug: a debug\n',
    );
  });
});

/** Returns what a process prints on stderr that says something of each level. */
function say(how: 'warn' | 'debug', ...flags: string[]): string {
  const program = `
    const { ${how}: log } = await import(${JSON.stringify(SAY)});
    log('error', 'an error');
    log('warn', 'a warn');
    log('info', 'an info');
    log('debug', 'a debug');
  `;
  const all = ['--import', REGISTER, ...flags, '--input-type=module', '--eval', program];
  const env = { ...process.env, NODE_OPTIONS: '' };
  const { status, stdout, stderr } = spawnSync(process.execPath, all, { env, encoding: 'utf8' });
  expect([status, stdout], stderr).to.deep.equal([0, '']);
  return stderr;
}
