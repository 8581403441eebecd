import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import type { Browser, Page } from 'playwright-core';

import { launchBrowser, openPage } from '../support/browser.ts';
import { type CollectorProcess, startCollector } from '../support/collector-process.ts';
import { openSender, type Sender } from '../support/udp.ts';

const NAMES = 5000;
const LINES_PER_DATAGRAM = 40;
/** As in style.css. */
const ROW_PX = 44;
const ROWS_MAX = 60;
/** A frame that tells of two names, and of the rows that are seen. */
const FRAME_BYTES_MAX = 40_000;

describe('The page with 5,000 names', () => {
  let browser: Browser;
  let collector: CollectorProcess;
  let sender: Sender;
  let page: Page;
  let complaints: string[];
  const frames: number[] = [];

  before(async () => {
    browser = await launchBrowser();
    collector = await startCollector();
    sender = openSender(collector.udpPort);
    await sendAll();
    await collector.until(({ keys }) => keys.counters + keys.timings === NAMES);
    ({ page, complaints } = await openPage(browser, `${collector.httpUrl}#sort=name&t=n.00001`));
    const devTools = await page.context().newCDPSession(page);
    await devTools.send('Network.enable');
    devTools.on('Network.eventSourceMessageReceived', ({ data }) => frames.push(data.length));
    await page.locator('#found', { hasText: '5,000 names' }).waitFor();
  });
  after(async () => {
    sender.close();
    await browser.close();
    collector.signal('SIGKILL');
    await collector.exited();
  });

  it('has no more rows in the document than can be seen', async () => {
    expect(await page.locator('.row').count()).to.be.below(ROWS_MAX);
    expect(await firstSeen()).to.equal('n.00000');
  });

  it('scrolls to any of them', async () => {
    for (const index of [2500, 4985, 17]) {
      await page
        .locator('#name-list')
        .evaluate((list, top) => (list.scrollTop = top), index * ROW_PX);
      await page
        .locator('.row .name', { hasText: nameOf(index) })
        .first()
        .waitFor();
      const seen = await firstSeen();
      // The last rows stand at the end, however far it is scrolled.
      if (index < 4900) expect(seen).to.equal(nameOf(index));
      expect(await page.locator('.row').count()).to.be.below(ROWS_MAX);
    }
    await page.locator('#name-list').evaluate((list) => (list.scrollTop = 0));
  });

  it('finds one by typing, and shows the counters of a prefix side by side', async () => {
    await page.keyboard.press('/');
    await page.keyboard.type('n.0123');
    await page.locator('#found', { hasText: '10 of 5,000' }).waitFor();
    expect(await page.locator('.row:not([hidden])').count()).to.equal(10);
    await page.keyboard.type('*');
    await page.getByRole('button', { name: 'Show the counters n.0123*' }).click();
    await page.locator('.multiples li').nth(4).waitFor();
    expect(await page.locator('.multiples li').count()).to.equal(5);
    expect(await page.locator('.multiples .name').allTextContents()).to.deep.equal(
      [0, 2, 4, 6, 8].map((digit) => `n.0123${digit}`),
    );
    await page.goBack();
    await page.keyboard.press('/');
    await page.keyboard.press('Escape');
    await page.locator('#found', { hasText: '5,000 names' }).waitFor();
  });

  it('is told as much a second as is seen, not as there is', async () => {
    frames.length = 0;
    while (frames.length < 4) {
      await sendAll();
      await page.evaluate(() => new Promise((next) => requestAnimationFrame(next)));
    }
    for (const bytes of frames) expect(bytes).to.be.above(1000).and.below(FRAME_BYTES_MAX);
    expect(complaints).to.deep.equal([]);
  });

  async function sendAll(): Promise<void> {
    const datagrams: string[] = [];
    for (let from = 0; from < NAMES; from += LINES_PER_DATAGRAM) {
      const indexes = Array.from({ length: LINES_PER_DATAGRAM }, (_, at) => from + at);
      datagrams.push(indexes.map(lineOf).join('\n'));
    }
    await sender.send(...datagrams);
  }

  function firstSeen(): Promise<string | undefined> {
    return page.evaluate(() => {
      const list = document.querySelector('#name-list')!.getBoundingClientRect();
      const rows = [...document.querySelectorAll('.row:not([hidden])')];
      const seen = rows
        .map((row) => ({ row, top: row.getBoundingClientRect().top - list.top }))
        .filter(({ top }) => top > -1)
        .toSorted((one, other) => one.top - other.top);
      return seen[0]?.row.querySelector('.name')?.textContent;
    });
  }
});

function nameOf(index: number): string {
  return `n.${String(index).padStart(5, '0')}`;
}

function lineOf(index: number): string {
  return `${nameOf(index)}:${index % 2 === 0 ? '1|c' : `${1 + (index % 700)}|ms`}`;
}
