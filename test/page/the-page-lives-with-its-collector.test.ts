import { expect } from 'chai';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import type { Browser, Page } from 'playwright-core';

import { drawnTo, launchBrowser, openPage } from '../support/browser.ts';
import { type CollectorProcess, startCollector } from '../support/collector-process.ts';
import { startProxy } from '../support/proxy.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { sendUdp } from '../support/udp.ts';

const HOSTILE = `<img src=x onerror="document.title='owned'">`;

describe('The page and its collector', () => {
  let browser: Browser;
  let collector: CollectorProcess;
  let page: Page;
  let complaints: string[];
  const closing: (() => Promise<unknown>)[] = [];

  before(async () => {
    browser = await launchBrowser();
  });
  after(() => browser.close());
  beforeEach(() => {
    closing.length = 0;
  });
  afterEach(async () => {
    for (const close of closing.toReversed()) await close();
  });

  async function start(flags: string[], hash = ''): Promise<void> {
    collector = await startCollector(flags);
    const one = collector;
    closing.push(async () => {
      one.signal('SIGKILL');
      await one.exited();
    });
    ({ page, complaints } = await openPage(browser, collector.httpUrl + hash));
    closing.push(() => page.context().close());
  }

  it('says how to begin, and comes alive with the first packet', async () => {
    await start([]);
    await page.locator('#first-run').waitFor();
    const bash = await page.locator('#first-run-lines code').first().textContent();
    expect(bash).to.contain(`/dev/udp/127.0.0.1/${collector.udpPort}`);
    await sendUdp(collector.udpPort, 'demo.hits:3|c\ndemo.latency:320|ms');
    await page.locator('.panel.counter data[value="3"]').first().waitFor();
    await page.locator('.panel.timing data[value="320"]').first().waitFor();
    expect(await page.locator('#first-run').isVisible()).to.equal(false);
    expect(complaints).to.deep.equal([]);
  });

  it('each line of the first run does what it says', async () => {
    await start([]);
    await page.locator('#first-run').waitFor();
    const lines = await page.locator('#first-run-lines code').allTextContents();
    const { execFile } = await import('node:child_process');
    const run = (program: string, args: string[]): Promise<unknown> =>
      new Promise((resolve, reject) => {
        execFile(program, args, (error) => (error === null ? resolve(null) : reject(error)));
      });
    await run('bash', ['-c', lines[0]!]);
    await run('/usr/bin/python3', ['-c', lines[1]!]);
    await run(process.execPath, ['-e', lines[2]!]);
    expect(lines[3]).to.contain(`"${collector.udpPort}"`).and.contain('net.Dial("udp"');
    await collector.until(({ lines: { accepted } }) => accepted === 3);
  });

  it('shows a hostile name as the text that it is', async () => {
    await start(['--names', 'keep'], `#t=${encodeURIComponent(HOSTILE)}`);
    await sendUdp(collector.udpPort, `${HOSTILE}:12|ms\n${HOSTILE}:1|c\n__proto__:1|c`);
    await page.getByRole('heading', { name: HOSTILE }).waitFor();
    await page.locator('.row .name', { hasText: HOSTILE }).first().waitFor();
    await page.locator('.row .name', { hasText: '__proto__' }).waitFor();
    await page.locator('.timing .figures data[value="12"]').first().waitFor();
    expect(await page.locator('img').count()).to.equal(0);
    expect(await page.title()).to.contain(HOSTILE);
    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: `Save what is shown of ${HOSTILE} as CSV` }).click();
    expect((await saved).suggestedFilename()).to.equal(
      '_img_src_x_onerror_document.title_owned_.csv',
    );
    expect(complaints).to.deep.equal([]);
  });

  it('shows a refused line as text too, with who sent it and what to do', async () => {
    await start([]);
    await sendUdp(collector.udpPort, `${HOSTILE}:x|c`);
    const problem = page.locator('.problem.warn', { hasText: 'onerror' });
    await problem.waitFor();
    expect(await problem.textContent())
      .to.contain('bad_value')
      .and.contain('127.0.0.1');
    expect(await page.locator('img').count()).to.equal(0);
  });

  it('goes on after a restart: says so, comes back by itself, shows both lives', async () => {
    const both = '#c=api.hits&t=api.latency';
    await start([], both);
    await sendUdp(collector.udpPort, 'api.hits:5|c\napi.latency:40|ms');
    await page.locator('.counter data[value="5"]').first().waitFor();
    // The store has it at once, the page its second when that is over: then it has a rate.
    await page.locator('.counter .figures dd').nth(1).locator('data:not([value="0"])').waitFor();
    const ports = ['--http', new URL(collector.httpUrl).port, '--port', String(collector.udpPort)];
    expect(await collector.stop()).to.equal(0);
    await page.locator('.problem.bad', { hasText: 'does not answer' }).waitFor();
    collector = await startCollector(ports);
    const again = collector;
    closing.push(async () => {
      again.signal('SIGKILL');
      await again.exited();
    });
    await sendUdp(collector.udpPort, 'api.hits:7|c\napi.latency:41|ms');
    await page.locator('.counter data[value="7"]').first().waitFor();
    expect(await page.locator('.problem').count()).to.equal(0);
    // The figures of the timing are of both lives, as its heatmap is.
    await page.locator('.timing data[data-of="count"][value="2"]').waitFor();
    // What it was told before is still there beside what it is told now.
    const table = await savedTable();
    const added = table.map((row) => row[3]).filter((sum) => Number(sum) > 0);
    expect(added).to.deep.equal(['5', '7']);
    // Of a time before all that is known nothing is told.
    const at = Math.floor(Date.now() / 1000) - 420;
    await page.evaluate(
      (hash) => (location.hash = hash),
      `${both}&at=${at}&brush=${at - 180}-${at - 80}`,
    );
    for (const kind of ['counter', 'timing']) {
      const brushed = page.locator(`.${kind} .brushed`, { hasText: 'not known here: look at 2 h' });
      await brushed.waitFor();
    }
    expect(await page.locator('.counter .figures').textContent()).to.match(/10 s to [\d:]+ ?–/);
    expect((await savedTable('api.latency')).every((row) => row[3] === '')).to.equal(true);
  });

  it('fills the gap after its connection was cut', async () => {
    collector = await startCollector();
    const proxy = await startProxy(Number(new URL(collector.httpUrl).port));
    closing.push(
      () => collector.stop(),
      () => proxy.close(),
    );
    ({ page } = await openPage(browser, `http://127.0.0.1:${proxy.port}/#c=api.hits`));
    closing.push(() => page.context().close());
    await sendUdp(collector.udpPort, 'api.hits:1|c');
    await page.locator('.counter data[value="1"]').first().waitFor();
    proxy.decide(() => ({ cutAfter: 0 }));
    await page.locator('.problem.bad', { hasText: 'does not answer' }).waitFor();
    await sendUdp(collector.udpPort, 'api.hits:2|c');
    await collector.until(({ counters }) => counters.delivered === 2);
    await sendUdp(collector.udpPort, 'api.hits:4|c');
    proxy.decide(() => 'pass');
    await page.locator('.counter data[value="7"]').first().waitFor();
    await page.locator('.problem').waitFor({ state: 'detached' });
    const sum = (await savedTable()).reduce((all, row) => all + Number(row[3] ?? 0), 0);
    expect(sum).to.equal(7);
  });

  it('says so of a name that nobody has sent', async () => {
    await start([], '#t=nobody.times&c=nobody.counts&p=nobody.');
    await sendUdp(collector.udpPort, 'api.hits:5|c');
    await page.locator('.timing .note', { hasText: 'Nothing was timed under this name' }).waitFor();
    await page.locator('.counter .note', { hasText: 'No counter of this name is known' }).waitFor();
    await page.locator('.prefix .note', { hasText: 'No counter begins like this' }).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('zzz*');
    await page.getByText('No name matches.').waitFor();
    expect(await page.locator('#show-prefix').isVisible()).to.equal(false);
  });

  it('tells that Redis is away, since when, and that it is back', async () => {
    const redis: RedisServer = await startRedis();
    closing.push(() => redis.stop());
    await start(['--redis', redis.url, '--counter-interval', '100'], '#c=api.hits');
    await sendUdp(collector.udpPort, 'api.hits:5|c');
    await page.locator('.counter data[value="5"]').first().waitFor();
    expect(await page.locator('.counter .note').textContent()).to.contain('Redis · statcol:stats');
    await redis.kill();
    await sendUdp(collector.udpPort, 'api.hits:1|c');
    const problem = page.locator('.problem.bad');
    await problem.waitFor();
    expect(await problem.textContent())
      .to.match(/redis/i)
      .and.match(/kept/);
    expect(await page.title()).to.contain('✕');
    await redis.restart();
    await problem.waitFor({ state: 'detached' });
  });

  it('asks for the token, and is let in with it', async () => {
    collector = await startCollector(['--http-token', 's3cret-token']);
    const one = collector;
    closing.push(async () => {
      one.signal('SIGKILL');
      await one.exited();
    });
    await sendUdp(collector.udpPort, 'api.hits:5|c');
    ({ page } = await openPage(browser, `${collector.httpUrl}#c=api.hits`));
    closing.push(() => page.context().close());
    expect(await page.textContent('body')).to.contain('token');
    await page.goto(`${collector.httpUrl}?token=s3cret-token#c=api.hits`);
    await page.locator('.counter data[value="5"]').first().waitFor();
    expect(page.url()).not.to.contain('s3cret-token');
  });

  it('comes in less than 150 kB, all from where it is', async () => {
    await start([]);
    await sendUdp(collector.udpPort, 'api.hits:5|c\na:1|ms');
    const fresh = await (await browser.newContext()).newPage();
    closing.push(() => fresh.context().close());
    const sizes: Promise<number>[] = [];
    const hosts = new Set<string>();
    fresh.on('requestfinished', (request) => {
      hosts.add(new URL(request.url()).host);
      if (request.url().includes('/api/')) return;
      sizes.push(request.sizes().then((size) => size.responseBodySize + size.responseHeadersSize));
    });
    await fresh.goto(collector.httpUrl);
    await drawnTo(fresh, 1);
    const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    expect(bytes).to.be.above(20_000).and.below(150_000);
    expect([...hosts]).to.deep.equal([new URL(collector.httpUrl).host]);
  });

  /** The CSV of a panel, or of the first one, without its head. */
  async function savedTable(name = ''): Promise<string[][]> {
    const saved = page.waitForEvent('download');
    await page
      .getByRole('button', { name: `Save what is shown of ${name}` })
      .first()
      .click();
    const stream = await (await saved).createReadStream();
    let text = '';
    for await (const piece of stream) text += String(piece);
    return text
      .trim()
      .split('\r\n')
      .slice(1)
      .map((line) => line.split(','));
  }
});
