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
        await inProcess(),
      ]));
    });`;
  const inProcess = `
    async function inProcess() {
      const stats = new main.Stats({ keys: ['k'] });
      stats.increment('a', 2);
      const statCollector = new main.StatCollector({ queryCounter: {} });
      const http = await import('node:http');
      const sent = [];
      const client = { incr: (name) => void sent.push(name), timing: () => {} };
      const udp = fourth.middleware({ client });
      const server = http.createServer((request, response) => {
        udp(request, response, () => {
          statCollector.middleware()(request, response, () => response.jsend('success', 1));
        });
      });
      await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
      const url = 'http://127.0.0.1:' + server.address().port + '/x';
      const text = await (await fetch(url)).text();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await stats.stop();
      await statCollector.stop();
      const { requestTotal } = await statCollector.getAll();
      return [text, await stats.get('a'), requestTotal, sent.includes('2xx./x')];
    }`;
  const shown = [
    ...['string', { counters: 0, timings: 0 }, ['H[1.2e+01]=1'], 'statcol'],
    ['{"status":"success","data":1}', '2', { '/x': '1', total: '1' }, true],
  ];

  it('every entry point loads from ESM, and works', async () => {
    const script = `
      import * as main from 'statcol';
      import * as second from 'statcol/client';
      import * as fourth from 'statcol/express';
      import third from 'statcol/package.json' with { type: 'json' };
      ${inProcess}
      ${shows}`;
    const printed = await node('--no-warnings', '--input-type=module', '-e', script);
    expect(JSON.parse(printed)).to.deep.equal(shown);
  });

  it('every entry point loads by require(), and works', async () => {
    const script = `
      const main = require('statcol');
      const second = require('statcol/client');
      const fourth = require('statcol/express');
      const third = require('statcol/package.json');
      ${inProcess}
      ${shows}`;
    const printed = await node('--no-warnings', '--input-type=commonjs', '-e', script);
    expect(JSON.parse(printed)).to.deep.equal(shown);
  });

  it('the command runs', async () => {
    expect(await node('node_modules/statcol/bin/statcol.js', '--version')).to.match(
      /^\d+\.\d+\.\d+\n$/,
    );
  });

  it('the live page comes with it', async () => {
    const script = `
      import { createCollector } from 'statcol';
      const collector = createCollector({ port: 0, http: 0, receiver: 'dgram' });
      const { http } = await collector.start();
      const paths = ['', 'assets/uplot.js', 'assets/page/main.js', 'assets/page/style.css'];
      const answers = await Promise.all(paths.map((path) => fetch(http + path)));
      await collector.stop();
      console.log(JSON.stringify(answers.map(({ status }) => status)));`;
    const printed = await node('--no-warnings', '--input-type=module', '-e', script);
    expect(JSON.parse(printed)).to.deep.equal([200, 200, 200, 200]);
  });

  it('the client works alone, with nothing installed beside it', async () => {
    const alone = mkdtempSync(join(tmpdir(), 'statcol-client-'));
    const from = join(folder, 'node_modules/statcol/dist');
    mkdirSync(join(alone, 'protocol'));
    const files = [
      'client.js',
      'client-sender.js',
      'protocol/format.js',
      'protocol/line-buffer.js',
    ];
    for (const file of files) {
      copyFileSync(join(from, file), join(alone, file));
    }
    writeFileSync(join(alone, 'package.json'), '{"type":"module"}');
    const script = "import('./client.js').then(({ Client }) => new Client().close())";
    await run(process.execPath, ['-e', script], { cwd: alone });
    rmSync(alone, { recursive: true });
  });

  it('has types that fit those of Express, without needing them', async () => {
    const types = join(root, 'node_modules/@types');
    writeFileSync(
      join(folder, 'app.mts'),
      `import express from 'express';
      import { Stats, StatCollector } from 'statcol';
      import { Client } from 'statcol/client';
      import { middleware } from 'statcol/express';
      const app = express();
      app.use(new StatCollector({ queryCounter: { statPrefix: 'a_' } }).middleware());
      app.use(middleware({ client: new Client(), key: 'path' }));
      app.get('/users/:id', (request, response) => {
        response.jsend('success', { id: request.params.id });
      });
      const value: string | null = await new Stats({ keys: ['k'] }).get('a');
      new Stats().getAll((error: Error | null, all) => console.log(error, all['k']?.['a'], value));
      // @ts-expect-error an unknown option
      new Stats({ key: 'k' });`,
    );
    const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2023'];
    const paths = ['--typeRoots', types, '--types', 'node,express'];
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    const compile = run(process.execPath, [compiler, ...options, ...paths, 'app.mts'], {
      cwd: folder,
    });
    const said = await compile.then(
      ({ stdout }) => stdout,
      ({ stdout }: { stdout: string }) => stdout,
    );
    expect(said).to.equal('');
  });

  it('holds nothing but what it needs', async () => {
    const listed = (await run('tar', ['-tzf', tarball])).stdout.trim().split('\n');
    const odd = listed.filter((file) => {
      return !/^package\/(dist\/.*\.(js|d\.ts)|dist\/web\/page\/\w+\.(html|css|svg)|bin\/statcol\.js|package\.json|README\.md|LICENSE)$/.test(
        file,
      );
    });
    expect(odd).to.deep.equal([]);
    expect(listed).to.include('package/dist/web/page/index.html');
  });
});
