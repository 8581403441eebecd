import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

describe('the package installs into an empty project', () => {
  let folder: string;
  let tarball: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'statcol-pack-'));
    // Without scripts: dist is there already, and other tests are running it.
    const packed = await npm(
      root,
      'pack',
      '--ignore-scripts',
      '--json',
      '--pack-destination',
      folder,
    );
    const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
    tarball = join(folder, filename);
    writeFileSync(join(folder, 'package.json'), '{"name":"empty","private":true}');
    await npm(folder, 'install', '--no-audit', '--no-fund', '--prefer-offline', tarball);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function npm(cwd: string, ...args: string[]): Promise<string> {
    return (await run('npm', args, { cwd })).stdout;
  }

  async function node(...args: string[]): Promise<string> {
    return (await run(process.execPath, args, { cwd: folder })).stdout;
  }

  const shows = `
    const collector = main.createCollector({ port: 0, http: 0 });
    collector.start().then(async ({ udp, http }) => {
      const client = new second.Client({ port: Number(udp.split(':').at(-1)) });
      client.incr('hits', 3);
      await client.close();
      while ((await collector.vitals()).samples.counters < 1);
      const histogram = new main.Histogram();
      histogram.add(12.5);
      console.log(JSON.stringify([
        typeof http, await collector.stop(), histogram.toStrings(), third.name,
      ]));
    });`;
  const shown = ['string', { counters: 0, timings: 0 }, ['H[1.2e+01]=1'], 'statcol'];

  it('every entry point loads from ESM, and works', async () => {
    const script = `
      import * as main from 'statcol';
      import * as second from 'statcol/client';
      import third from 'statcol/package.json' with { type: 'json' };
      ${shows}`;
    const printed = await node('--no-warnings', '--input-type=module', '-e', script);
    expect(JSON.parse(printed)).to.deep.equal(shown);
  });

  it('every entry point loads by require(), and works', async () => {
    const script = `
      const main = require('statcol');
      const second = require('statcol/client');
      const third = require('statcol/package.json');
      ${shows}`;
    const printed = await node('--no-warnings', '--input-type=commonjs', '-e', script);
    expect(JSON.parse(printed)).to.deep.equal(shown);
  });

  it('the command runs', async () => {
    expect(await node('node_modules/statcol/bin/statcol.js', '--version')).to.match(
      /^\d+\.\d+\.\d+\n$/,
    );
  });

  it('the client works alone, with nothing installed beside it', async () => {
    const alone = mkdtempSync(join(tmpdir(), 'statcol-client-'));
    const from = join(folder, 'node_modules/statcol/dist');
    mkdirSync(join(alone, 'protocol'));
    for (const file of ['client.js', 'protocol/format.js']) {
      copyFileSync(join(from, file), join(alone, file));
    }
    writeFileSync(join(alone, 'package.json'), '{"type":"module"}');
    const script = "import('./client.js').then(({ Client }) => new Client().close())";
    await run(process.execPath, ['-e', script], { cwd: alone });
    rmSync(alone, { recursive: true });
  });

  it('holds nothing but what it needs', async () => {
    const listed = (await run('tar', ['-tzf', tarball])).stdout.trim().split('\n');
    const odd = listed.filter((file) => {
      return !/^package\/(dist\/.*\.(js|d\.ts)|bin\/statcol\.js|package\.json|README\.md|LICENSE)$/.test(
        file,
      );
    });
    expect(odd).to.deep.equal([]);
  });
});
