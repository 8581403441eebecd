import { expect } from 'chai';
import { after, before, beforeEach, describe, it } from 'mocha';
import type { Browser, Page } from 'playwright-core';

import { drawnTo, launchBrowser, openPage } from '../support/browser.ts';
import { type PageRig, startPage } from '../support/page-rig.ts';
import { createSyntheticFrames } from '../support/synthetic-frames.ts';

const SECOND = 1_790_000_300;

describe('The page, with a mouse', () => {
  let browser: Browser;
  let rig: PageRig;
  let page: Page;
  let plot: { x: number; y: number; width: number; height: number };
  const frames = createSyntheticFrames(SECOND - 400, { names: 40 });

  before(async () => {
    browser = await launchBrowser();
    rig = await startPage((to) => void to.send(frames.frame(SECOND, to.asked()!)));
  });
  after(async () => {
    await browser.close();
    await rig.close();
  });
  beforeEach(async () => {
    await page?.context().close();
    ({ page } = await openPage(browser, `${rig.url}#t=api.latency&c=api.hits`));
    await page.locator('.counter .u-over').waitFor();
    await drawnTo(page, SECOND);
    plot = (await page.locator('.timing .u-over').boundingBox())!;
  });

  /** A place in the heatmap: seconds before the end, and a value. */
  function place(secondsAgo: number, value: number): [x: number, y: number] {
    // Between 20 ms and 5 s, on a logarithmic scale.
    const up = Math.log(value / 20) / Math.log(5000 / 20);
    const x = plot.x + plot.width * (1 - secondsAgo / 300);
    return [x, plot.y + plot.height * (1 - up)];
  }

  it('reads the bin under it, and the same second in all other panels', async () => {
    await page.mouse.move(...place(20.5, 40));
    const text = await page.locator('.timing .reading').textContent();
    const [, from, to, count] = /: ([\d.]+) ms to ([\d.]+) ms: (\d+) of 60 samples, [\d.]+%$/.exec(
      text!,
    )!;
    expect(Number(from)).to.be.within(36, 42);
    expect(Number(to)).to.equal(Number(from) + 1);
    const column = frames.frame(SECOND, {
      watched: [{ kind: 'timing', name: 'api.latency', since: SECOND - 21 }],
      span: 300,
      list: { q: '', kind: 'all', sort: 'rate', from: 0, rows: 0 },
    }).watched[0]!;
    const { bins } = column.kind === 'timing' ? column.columns[0]! : { bins: [] };
    expect(bins).to.include(Number(count));
    const [when] = text!.split(': ');
    expect(await page.locator('.counter .reading').textContent()).to.match(
      new RegExp(`^${when}: [\\d.]+/s$`),
    );
    await page.mouse.move(10, 400);
    expect(await page.locator('.timing .reading').textContent()).to.contain('Point at it');
  });

  it('brushes a part of time, in all panels, while time stands still; twice clicked, it ends', async () => {
    await page.mouse.move(...place(120, 100));
    await page.mouse.down();
    await page.mouse.move(...place(100, 100), { steps: 4 });
    await page.mouse.move(...place(80, 100), { steps: 4 });
    await page.mouse.up();
    const hash = await page.evaluate(() => location.hash);
    const [, at, from, to] = /at=(\d+)&brush=(\d+)-(\d+)/.exec(hash)!.map(Number);
    expect(at).to.equal(SECOND + 1);
    expect(from).to.be.within(SECOND - 122, SECOND - 118);
    expect(to! - from!).to.be.within(38, 43);
    await drawnTo(page, SECOND);
    const samples = 60 * (to! - from!);
    expect(await page.locator('.timing .brushed').textContent()).to.contain(
      `${samples.toLocaleString('en')} samples, average `,
    );
    expect(await page.locator('.counter .brushed').textContent()).to.contain(' added, ');
    expect(await page.locator('.side-caption').textContent()).not.to.contain('all');
    const box = await page.locator('.counter .u-select').boundingBox();
    expect(box!.width / plot.width).to.be.closeTo((to! - from!) / 300, 0.01);
    // Frames go on, and change nothing of what is looked at.
    await rig.send(frames.frame(SECOND + 9, rig.asked()!));
    await drawnTo(page, SECOND + 9);
    expect(await page.evaluate(() => location.hash)).to.equal(hash);
    expect(await page.locator('.timing .brushed').textContent()).to.contain('samples');
    await page.mouse.dblclick(...place(10, 100));
    expect(await page.evaluate(() => location.hash)).to.not.contain('brush');
    await page.getByRole('button', { name: 'Now' }).click();
    expect(await page.evaluate(() => location.hash)).to.equal('#t=api.latency&c=api.hits');
  });

  it('shows a name alone by a click, beside the others by its box', async () => {
    await page.locator('.row').nth(2).click();
    await page.getByRole('heading', { name: 'service.00002.latency' }).waitFor();
    expect(await page.locator('.panel').count()).to.equal(1);
    await page.locator('.row .mark').nth(3).click();
    await page.getByRole('heading', { name: 'service.00003.hits' }).waitFor();
    expect(await page.locator('.panel').count()).to.equal(2);
    await page.getByRole('button', { name: 'Close service.00002.latency' }).click();
    expect(await page.locator('.panel').count()).to.equal(1);
  });

  it('shows nothing when all is closed, and says how to go on; twelve at most', async () => {
    for (const name of ['api.latency', 'api.hits']) {
      await page.getByRole('button', { name: `Close ${name}` }).click();
    }
    await page.getByText('Nothing is shown. Choose a name').waitFor();
    await rig.send(frames.frame(SECOND + 1, rig.asked()!));
    await drawnTo(page, SECOND + 1);
    expect(await page.locator('.panel').count()).to.equal(0);
    for (let row = 0; row < 13; row++) await page.locator('.row .mark').nth(row).click();
    expect(await page.locator('.panel').count()).to.equal(12);
    await page.getByText('12 are shown, which is all there may be').waitFor();
    await page.locator('.row .mark').nth(3).click();
    expect(await page.locator('.panel').count()).to.equal(11);
    expect(await page.locator('#notice').isVisible()).to.equal(false);
  });

  it('shows two hours by half minutes', async () => {
    await page.getByRole('button', { name: '2 h' }).click();
    await page.locator('.side-caption', { hasText: 'all 2 h' }).waitFor();
    await page.waitForFunction(() => location.hash.includes('span=7200'));
    await rig.connected(1);
    await page.locator('.timing .chart').hover({ position: { x: 200, y: 100 } });
    await page.locator('.timing .reading', { hasText: ' 60 samples, ' }).waitFor();
    await page.getByRole('button', { name: '5 min' }).click();
    await page.locator('.side-caption', { hasText: 'all 5 min' }).waitFor();
  });

  it('has several names at one scale', async () => {
    await page.evaluate(() => (location.hash = '#t=api.latency&t=a.much.longer.name'));
    await page.locator('.panel.timing').nth(1).waitFor();
    await drawnTo(page, SECOND);
    // What stands at one height is one value: the same place reads the same bin in both.
    const readings: string[] = [];
    for (const at of [0, 1]) {
      const panel = page.locator('.panel.timing').nth(at);
      const box = (await panel.locator('.u-over').boundingBox())!;
      const share = Math.log(900 / 20) / Math.log(5000 / 20);
      for (let row = -8; row <= 8; row++) {
        await page.mouse.move(box.x + box.width - 60, box.y + box.height * (1 - share) + row);
        const text = (await panel.locator('.reading').textContent())!;
        const bin = /: (\d+) ms to (\d+) ms:/.exec(text);
        if (bin !== null) readings.push(`${at} ${row} ${bin[1]}`);
      }
    }
    const of = (panel: number): Map<string, string> => {
      const own = readings.map((one) => one.split(' ')).filter(([at]) => Number(at) === panel);
      return new Map(own.map(([, row, bin]) => [row!, bin!]));
    };
    const [one, other] = [of(0), of(1)];
    const shared = [...one].filter(([row]) => other.has(row));
    expect(shared.length).to.be.above(3);
    for (const [row, bin] of shared) {
      expect(Math.abs(Number(bin) - Number(other.get(row))), `at ${row}`).to.be.at.most(60);
    }
  });
});
