import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

import type { AxeResults } from 'axe-core';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import type { Browser, Locator, Page } from 'playwright-core';

import { launchBrowser, openPage } from '../support/browser.ts';
import { type CollectorProcess, startCollector } from '../support/collector-process.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { sendUdp } from '../support/udp.ts';

const HOSTILE = `<img src=x onerror="document.title='owned'">`;
const DEPTH = 'queue.depth;zone=eu';
const GAUGES = 'statcol:stats:gauges';

/** What charts write from now on, and where it begins. Code of the page. */
const WATCH_LABELS = `
  globalThis.labels = [];
  const { fillText } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
    const left = this.textAlign === 'right' ? x - this.measureText(text).width : x;
    globalThis.labels.push([text, left]);
    fillText.call(this, text, x, y);
  };
  undefined`;

describe('Gauges and sets on the page', () => {
  let browser: Browser;
  let redis: RedisServer;
  let collector: CollectorProcess;
  let page: Page;
  let complaints: string[];
  let sent = 0;

  before(async () => {
    [browser, redis] = await Promise.all([launchBrowser(), startRedis()]);
    collector = await startCollector([
      '--redis',
      redis.url,
      '--names',
      'keep',
      '--counter-interval',
      '100',
    ]);
    // Another collector has been here before, and counts users too.
    await redis.command('HSET', GAUGES, DEPTH, '100', 'elsewhere', '-0.25');
    await send('queue.depth:+3|g|#zone:eu');
    const view = `#g=${encodeURIComponent(DEPTH)}&s=users&sort=name`;
    ({ page, complaints } = await openPage(browser, collector.httpUrl + view));
    await shows('gauge', '103');
  });
  after(async () => {
    await browser.close();
    collector.signal('SIGKILL');
    await collector.exited();
    await redis.stop();
  });

  /** Sends a line; resolves when the store has it. */
  async function send(...lines: string[]): Promise<void> {
    sent += lines.length;
    await sendUdp(collector.udpPort, lines.join('\n'));
    await collector.until(({ gauges, sets }) => gauges.delivered + sets.delivered === sent);
  }

  async function shows(kind: 'gauge' | 'set', value: string): Promise<void> {
    await panelOf(kind).locator(`.figures div:first-child data[value="${value}"]`).waitFor();
  }

  function panelOf(kind: 'gauge' | 'set'): Locator {
    return page.locator(`.panel.${kind}`);
  }

  async function found(names: string): Promise<void> {
    // As a whole: "1 of 7 names" holds "7 names".
    await page.locator('#found', { hasText: new RegExp(`^${names} names$`) }).waitFor();
  }

  /** What is drawn, as it is saved: the values of all seconds, each as often as it is there. */
  async function drawn(title: string): Promise<string[]> {
    const saving = page.waitForEvent('download');
    await page.getByRole('button', { name: `Save what is shown of ${title} as CSV` }).click();
    const text = await readFile(await (await saving).path(), 'utf8');
    const values = text
      .split('\r\n')
      .slice(1, -1)
      .map((row) => row.split(',')[3]!);
    expect(values).to.have.length(300);
    return values.filter((value, at) => value !== values[at - 1]);
  }

  it('show what the store holds, whoever wrote it, and draw what it held after our own writes', async () => {
    const secondOf = (): Promise<string> =>
      page.evaluate(() => document.documentElement.dataset['second'] ?? '');
    const written = await secondOf();
    await send('queue.depth:12|g|#zone:eu');
    await shows('gauge', '12');
    // So that both have seconds of their own.
    await page.waitForFunction(
      (second) => Number(document.documentElement.dataset['second']) > Number(second) + 1,
      written,
    );
    await redis.command('HSET', GAUGES, DEPTH, '50.5');
    await shows('gauge', '50.5');
    expect((await drawn(DEPTH)).slice(0, 3)).to.deep.equal(['', '103', '12']);
    await send('queue.depth:-1|g|#zone:eu');
    await shows('gauge', '49.5');
    const api = await collector.json<Record<string, Record<string, number>>>('api/gauges');
    expect(api['statcol:stats']).to.deep.equal({ [DEPTH]: 49.5, elsewhere: -0.25 });
    await expectSoon(async () => {
      expect(await drawn(DEPTH)).to.deep.equal(['', '103', '12', '49.5']);
    });
    const figures = await panelOf('gauge').locator('.figures').innerText();
    expect(figures.replaceAll(/\s+/g, ' ')).to.match(
      /^now 49\.5 lowest 12 highest 103 last write \d\d:\d\d:\d\d writes [\d.]+\/s$/,
    );
    expect(await panelOf('gauge').locator('.note').innerText()).to.equal(
      `Redis · ${GAUGES} · ${DEPTH}`,
    );
  });

  it('are drawn as steps: nothing lies between what it was and what it became', async () => {
    // 103, 12 and 49.5, once the last of them has been drawn for two seconds.
    await expectSoon(async () => {
      const [first = 0, second = 0, third = 0, ...others] = await levelsDrawn(page);
      expect(others).to.deep.equal([]);
      const share = (second - third) / (second - first);
      expect(share).to.be.closeTo((49.5 - 12) / (103 - 12), 0.03);
    });
  });

  it('count the unique members of today, of all collectors', async () => {
    await send('users:ann|s', 'users:bob|s', 'users:ann|s');
    await shows('set', '2');
    const day = new Date().toISOString().slice(0, 10);
    await redis.command('PFADD', `statcol:stats:set:users:${day}`, 'zoe');
    await shows('set', '3');
    const api = await collector.json('api/sets');
    expect(api).to.deep.equal({ 'statcol:stats': { users: 3 } });
    expect(await drawn('users')).to.deep.equal(['', '2']);
    expect(await panelOf('set').locator('.note').innerText()).to.equal(
      `Redis · statcol:stats:set:users:${day}`,
    );
    await send('users:eve|s');
    await shows('set', '4');
    await expectSoon(async () => {
      expect(await drawn('users')).to.deep.equal(['', '2', '4']);
    });
  });

  it('stand in the list by kind and tag, whatever they are called and however large they are', async () => {
    await send(`${HOSTILE}:1e300|g`, '__proto__:1e-7|g', 'negative:-0.5|g', `${HOSTILE}:x|s`);
    await page.locator('#kind').selectOption('gauge');
    await found('5 of 7');
    const rows = page.locator('.row:not([hidden])');
    const lines = async (): Promise<string[]> => {
      return (await rows.allInnerTexts()).map((text) => text.replaceAll(/\s+/g, ' '));
    };
    await expectSoon(async () => {
      expect((await lines()).map((line) => line.replace(/[\d.]+\/s/, 'R'))).to.deep.equal([
        `${HOSTILE} gauge · R · 1e300`,
        '__proto__ gauge · R · 1e-7',
        'elsewhere gauge · R',
        'negative gauge · R · -0.5',
        'queue.depth zone:eu gauge · R · 49.5',
      ]);
    });
    await page.locator('#kind').selectOption('set');
    await found('2 of 7');
    await page.locator('#kind').selectOption('all');
    await page.locator('#search').fill('zone:eu');
    await found('1 of 7');
    expect(await lines()).to.have.length(1);
  });

  it('are reached by keys, and kept by the address', async () => {
    await page.locator('#search').fill('');
    await found('7');
    await page.locator('#name-list').focus();
    await page.keyboard.press('/');
    await page.keyboard.type('__proto__');
    await found('1 of 7');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: '__proto__' }).waitFor();
    expect(await page.evaluate(() => location.hash)).to.match(/^#g=__proto__&/);
    await page.reload();
    await shows('gauge', '0.0000001');
    expect(await panelOf('gauge').locator('.figures dd').first().innerText()).to.equal('1e-7');
    await panelOf('gauge').locator('.chart').focus();
    await page.keyboard.press('ArrowLeft');
    const reading = panelOf('gauge').locator('.reading');
    await expectSoon(async () => {
      expect(await reading.innerText()).to.match(/^\d\d:\d\d:\d\d: 1e-7$/);
    });
  });

  it('of any size are drawn, over two hours too, without a serious fault by axe', async () => {
    const names = [HOSTILE, 'elsewhere', 'nobody'].map((name) => `g=${encodeURIComponent(name)}`);
    await page.evaluate((hash) => (location.hash = hash), `${names.join('&')}&s=users&span=7200`);
    await shows('set', '4');
    const figures = panelOf('gauge').locator('.figures dd:first-of-type');
    await expectSoon(async () => {
      expect(await figures.first().innerText()).to.equal('1e300');
    });
    await expectSoon(async () => {
      const notes = await panelOf('gauge').locator('.note').allInnerTexts();
      expect(notes[0]).to.contain(`${GAUGES} · ${HOSTILE}`);
      expect(notes[2]).to.equal('No gauge of this name is known: see the list for those that are.');
    });
    expect(await page.locator('img').count()).to.equal(0);
    // Between these two is more than any number; the list has small drawings of it.
    await send('far:-1e308|g');
    await page.evaluate((hash) => (location.hash = hash), '#g=far&s=users&span=7200');
    await page.getByRole('heading', { name: 'far' }).waitFor();
    const ends = panelOf('gauge').locator('.figures');
    const saysEnds = (wanted: RegExp): Promise<void> =>
      expectSoon(async () => void expect(await ends.innerText()).to.match(wanted));
    await saysEnds(/now\s+-1e308\s+lowest\s+-1e308/);
    await send('far:1e308|g');
    await saysEnds(/now\s+1e308\s+lowest\s+-1e308\s+highest\s+1e308/);
    // A label that begins before the edge reads as another number.
    await send('near:1000000.001|g');
    await page.evaluate((hash) => (location.hash = hash), '#g=far&g=near&s=users&span=7200');
    await page.getByRole('heading', { name: 'near' }).waitFor();
    await page.evaluate(WATCH_LABELS);
    await page.setViewportSize({ width: 700, height: 900 });
    const near = panelOf('gauge').nth(1).locator('.figures');
    await expectSoon(async () => {
      expect(await near.innerText()).to.match(/lowest\s+1,000,000\.001/);
    });
    await send('near:1000000.002|g');
    await expectSoon(async () => {
      const labels = await page.evaluate<[string, number][]>('globalThis.labels');
      expect(labels.map(([text]) => text)).to.include.members([
        '-1e308',
        '1e308',
        '1,000,000.002',
        '4',
      ]);
      expect(labels.filter(([, left]) => left < 0)).to.deep.equal([]);
    });
    const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
    await page.evaluate(await readFile(axe, 'utf8'));
    const { violations } = await page.evaluate(() => {
      return (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run();
    });
    const serious = violations.filter(
      ({ impact }) => impact === 'serious' || impact === 'critical',
    );
    expect(serious.map(({ id }) => id)).to.deep.equal([]);
    expect(complaints).to.deep.equal([]);
  });

  /** What is told comes within a frame or two. */
  async function expectSoon(check: () => Promise<void>): Promise<void> {
    for (let second = 0; second < 4; second++) {
      const fine = await check().then(
        () => true,
        () => false,
      );
      if (fine) return;
      const told = await page.evaluate(() => document.documentElement.dataset['second']);
      await page.waitForFunction((one) => document.documentElement.dataset['second'] !== one, told);
    }
    await check();
  }
});

/** Returns at which heights the line of the gauge lies, from left to right, each once. */
async function levelsDrawn(page: Page): Promise<number[]> {
  const columns = await page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>('.gauge .u-wrap canvas')!;
    const plot = document.querySelector<HTMLElement>('.gauge .u-over')!.getBoundingClientRect();
    const frame = canvas.getBoundingClientRect();
    const scale = canvas.width / frame.width;
    const [left, top] = [plot.left - frame.left, plot.top - frame.top].map((at) => at * scale);
    const [width, height] = [plot.width, plot.height].map((size) => Math.floor(size * scale));
    const { data } = canvas.getContext('2d')!.getImageData(left!, top!, width!, height!);
    return Array.from({ length: width! }, (_column, x) =>
      Array.from({ length: height! }, (_row, y) => y).filter((y) => {
        const at = 4 * (y * width! + x);
        return data[at + 3]! > 120 && data[at + 2]! > data[at]! + 80; // the accent is blue
      }),
    );
  });
  const levels: number[] = [];
  let last: number | undefined;
  for (const rows of columns) {
    const isUpright = rows.length === 0 || rows.at(-1)! - rows[0]! > 4;
    const level = isUpright ? undefined : (rows[0]! + rows.at(-1)!) / 2;
    const isSame = level === undefined || Math.abs(level - (levels.at(-1) ?? NaN)) < 2;
    // A level is as wide as a second at least: two columns.
    if (!isSame && last !== undefined && Math.abs(level - last) < 2) levels.push(level);
    last = level;
  }
  return levels;
}
