import { expect } from 'chai';
import { after, before, beforeEach, describe, it } from 'mocha';
import type { Browser, Page } from 'playwright-core';

import { launchBrowser, openPage } from '../support/browser.ts';
import { type PageRig, startPage } from '../support/page-rig.ts';
import { createSyntheticFrames } from '../support/synthetic-frames.ts';

const SECOND = 1_790_000_300;

describe('The page, without a mouse', () => {
  let browser: Browser;
  let rig: PageRig;
  let page: Page;

  before(async () => {
    browser = await launchBrowser();
    const frames = createSyntheticFrames(SECOND - 300, { names: 5000 });
    rig = await startPage((open) => void open.send(frames.frame(SECOND, open.asked()!)));
  });
  after(async () => {
    await browser.close();
    await rig.close();
  });
  beforeEach(async () => {
    await page?.context().close();
    ({ page } = await openPage(browser, `${rig.url}#t=api.latency&c=api.hits&q=api.*`));
    await page.locator('.panel.counter .u-over').waitFor();
    await page.locator('.row[aria-selected]').first().waitFor();
  });

  const address = (): Promise<string> => page.evaluate(() => decodeURIComponent(location.hash));
  const focused = (): Promise<string> =>
    page.evaluate(() => {
      const now = document.activeElement;
      return now?.getAttribute('aria-label') ?? now?.id ?? now?.textContent ?? '';
    });

  it('lets Tab walk through every control, each with a name and a focus to be seen', async () => {
    const wanted = await page.evaluate(() => {
      const all = document.querySelectorAll('button, input, select, summary, a, [tabindex="0"]');
      return [...all].filter((one) => (one as HTMLElement).checkVisibility()).length;
    });
    const seen = new Set<string>();
    for (let step = 0; step < wanted; step++) {
      await page.keyboard.press('Tab');
      const { name, outline } = await page.evaluate(() => {
        const now = document.activeElement as HTMLElement;
        const label = (now as HTMLInputElement).labels?.[0]?.textContent;
        const text = now.getAttribute('aria-label') ?? label ?? now.textContent ?? '';
        return { name: text.trim(), outline: getComputedStyle(now).outlineStyle };
      });
      expect(name, `control ${step}`).not.to.equal('');
      expect(outline, name).not.to.equal('none');
      seen.add(`${step} ${name}`);
    }
    expect(seen.size).to.equal(wanted);
    await page.keyboard.press('Tab');
    expect(await focused(), 'after the last one').to.equal('');
  });

  it('searches with /, clears with Escape, goes on to the list with Enter', async () => {
    await page.keyboard.press('/');
    expect(await focused()).to.equal('search');
    await page.keyboard.type('db.');
    await page.waitForFunction(() => location.hash.includes('q=db.'));
    await page.keyboard.press('Escape');
    await page.waitForFunction(() => !location.hash.includes('q='));
    await page.keyboard.press('Enter');
    expect(await focused()).to.equal('Names');
  });

  it('walks the list, shows a name with Enter, puts one beside with the space bar', async () => {
    await page.locator('#name-list').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    expect(await address())
      .to.contain('c=service.00001.hits')
      .and.not.contain('api.latency');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press(' ');
    expect(await address()).to.contain('c=service.00001.hits&t=service.00002.latency');
    await page.locator('.panel.timing').waitFor();
    await page.keyboard.press(' ');
    expect(await address()).not.to.contain('t=service');
    await page.keyboard.press('End');
    await page.locator('#row-4999.active').waitFor();
    await page.keyboard.press('Home');
    await page.locator('#row-0.active').waitFor();
  });

  it('pauses, goes on, switches curves, shows its keys', async () => {
    await page.keyboard.press('p');
    expect(await address()).to.contain(`at=${SECOND + 1}`);
    expect(await page.getByRole('button', { name: 'Now' }).isVisible()).to.equal(true);
    await page.keyboard.press('n');
    expect(await address()).not.to.contain('at=');
    await page.keyboard.press('a');
    expect(await address()).to.contain('curves=p50,p99');
    await page.keyboard.press('a');
    expect(await address()).not.to.contain('curves=');
    await page.keyboard.press('?');
    expect(await page.getByRole('dialog', { name: 'Keys' }).isVisible()).to.equal(true);
    await page.keyboard.press('Escape');
    expect(await page.getByRole('dialog', { name: 'Keys' }).isVisible()).to.equal(false);
  });

  it('reads a heatmap bin by bin, and brushes it', async () => {
    await page.locator('.timing .chart').focus();
    const reading = page.locator('.timing .reading');
    await page.keyboard.press('ArrowLeft');
    await reading.filter({ hasText: '60 samples' }).waitFor();
    await page.keyboard.press('ArrowUp');
    await reading.filter({ hasText: /: \d[\d.]* ms to [\d.]+ ms: \d+ of 60 samples, / }).waitFor();
    const lower = await reading.textContent();
    await page.keyboard.press('ArrowUp');
    expect(await reading.textContent()).not.to.equal(lower);
    for (let step = 0; step < 3; step++) await page.keyboard.press('Shift+ArrowLeft');
    expect(await address()).to.match(/at=\d+&brush=\d+-\d+/);
    await page.locator('.timing .brushed').filter({ hasText: '240 samples' }).waitFor();
    await page.keyboard.press('Escape');
    expect(await address()).not.to.contain('brush=');
  });

  it('reads a line second by second, and brushes it', async () => {
    await page.locator('.counter .chart').focus();
    const reading = page.locator('.counter .reading');
    await page.keyboard.press('ArrowLeft');
    await reading.filter({ hasText: /^\d\d:\d\d:\d\d: [\d.]+\/s$/ }).waitFor();
    const last = await reading.textContent();
    for (let step = 0; step < 3; step++) await page.keyboard.press('Shift+ArrowLeft');
    expect(await reading.textContent()).not.to.equal(last);
    expect(await address()).to.contain(`brush=${SECOND - 3}-${SECOND + 1}`);
    await page.locator('.counter .brushed').filter({ hasText: ' added, ' }).waitFor();
    await page.keyboard.press('Shift+ArrowRight');
    expect(await address()).to.contain(`brush=${SECOND - 2}-${SECOND + 1}`);
    await page.keyboard.press('Escape');
    expect(await address()).not.to.contain('brush=');
  });

  it('goes back to what was shown before', async () => {
    await page.locator('#name-list').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'service.00000.latency' }).waitFor();
    await page.goBack();
    await page.getByRole('heading', { name: 'api.latency' }).waitFor();
  });
});
