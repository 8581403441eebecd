import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import type { Browser, Page } from 'playwright-core';

import { nameText } from '../../src/page/tagged-name.ts';
import { launchBrowser, openPage } from '../support/browser.ts';
import { type CollectorProcess, startCollector } from '../support/collector-process.ts';
import { sendUdp } from '../support/udp.ts';

const HOSTILE = `<img src=x onerror="document.title='owned'">`;

describe('A name and its tags', () => {
  const facts: [name: string, bare: string, ...tags: string[]][] = [
    ['a', 'a'],
    ['', ''],
    ['checkout.time;canary=;zone=eu', 'checkout.time', 'canary', 'zone:eu'],
    ['a;k=v=w', 'a', 'k:v=w'],
    ['a;k=v:w', 'a', 'k:v:w'],
    ['a;__proto__=constructor', 'a', '__proto__:constructor'],
    // Of another form than the collector's own.
    ['a;b', 'a;b'],
    ['a;', 'a;'],
    [';k=v', ';k=v'],
    ['a;=v', 'a;=v'],
    ['a;k=v;b', 'a;k=v;b'],
  ];
  for (const [name, bare, ...tags] of facts) {
    it(`are read in ${JSON.stringify(name)}`, () => {
      expect(nameText(name)).to.deep.equal({ bare, tags });
    });
  }
});

describe('Tags on the page', () => {
  let browser: Browser;
  let collector: CollectorProcess;
  let page: Page;
  let complaints: string[];

  before(async () => {
    browser = await launchBrowser();
    collector = await startCollector(['--names', 'keep', '--tag-sets-per-name', '3']);
    const lines = ['eu', 'us', 'eu-west'].map(
      (zone) => `checkout.time:320|ms|#zone:${zone},canary`,
    );
    lines.push('checkout.done:1|c|#zone:eu', 'other.done:1|c|#timezone:eu', 'plain:1|c');
    lines.push(`hostile\u202e:1|c|#${HOSTILE}:${HOSTILE}`);
    for (let id = 0; id < 5; id++) lines.push(`cart.full:1|c|#id:${id}`);
    await sendUdp(collector.udpPort, lines.join('\n'));
    await collector.until(({ lines: { accepted } }) => accepted === lines.length);
    const shown = encodeURIComponent('checkout.time;canary=;zone=eu');
    ({ page, complaints } = await openPage(browser, `${collector.httpUrl}#sort=name&t=${shown}`));
    await page.locator('#found', { hasText: '11 names' }).waitFor();
  });
  after(async () => {
    await browser.close();
    collector.signal('SIGKILL');
    await collector.exited();
  });

  async function search(text: string, found: string): Promise<string[]> {
    await page.locator('#search').fill(text);
    // As a whole: "11 of 11" holds "1 of 11".
    await page.locator('#found', { hasText: new RegExp(`^${found} names$`) }).waitFor();
    return page.locator('.row:not([hidden]) .name').allTextContents();
  }

  it('are small marks behind the bare name, in rows and in titles', async () => {
    const row = page.locator('.row .name', { hasText: 'checkout.time' }).first();
    expect(await row.evaluate((name) => name.firstChild?.textContent)).to.equal('checkout.time');
    expect(await row.locator('.tag').allTextContents()).to.deep.equal(['canary', 'zone:eu']);
    const title = page.getByRole('heading', { name: 'checkout.time canary zone:eu' });
    expect(await title.locator('.tag').allTextContents()).to.deep.equal(['canary', 'zone:eu']);
    expect(await title.getAttribute('title')).to.equal('checkout.time;canary=;zone=eu');
    expect(await page.locator('.row .name', { hasText: 'plain' }).locator('.tag').count()).to.equal(
      0,
    );
  });

  it('are only ever text', async () => {
    const [name] = await search('hostile', '1 of 11');
    const shown = HOSTILE.replaceAll('=', '_');
    // What would turn the text around it is text too.
    expect(name).to.equal(`hostile\\u202E ${shown}:${HOSTILE}`);
    const title = await page.locator('.row:not([hidden])').getAttribute('title');
    expect(title).to.contain('hostile\\u202E;');
    expect(await page.locator('img').count()).to.equal(0);
  });

  it('find names: by key and value, written either way, with words beside them', async () => {
    const all = [
      'checkout.done zone:eu',
      'checkout.time canary zone:eu',
      'checkout.time canary zone:eu-west',
      'other.done timezone:eu',
    ];
    expect(await search('zone:eu', '4 of 11')).to.deep.equal(all);
    expect(await search('ZONE=eu checkout', '3 of 11')).to.deep.equal(all.slice(0, 3));
    expect(await search('time zone:eu canary', '2 of 11')).to.deep.equal(all.slice(1, 3));
    expect(await search('zone:e*t', '1 of 11')).to.deep.equal([all[2]]);
    expect(await search('*.done', '2 of 11')).to.deep.equal([all[0], all[3]]);
    await page.locator('#search').fill('nothing zone:eu');
    await page.locator('#found', { hasText: '0 of 11' }).waitFor();
  });

  it('show a set of counters side by side by a prefix, and not by words', async () => {
    await page.locator('#search').fill('zone:eu checkout.*');
    await page.locator('#found', { hasText: '3 of 11' }).waitFor();
    expect(await page.locator('#show-prefix').isVisible()).to.equal(false);
    await page.locator('#search').fill('cart.*');
    await page.locator('#show-prefix').click();
    await page.locator('.multiples li').nth(3).waitFor();
    expect(await page.locator('.multiples .name').allTextContents()).to.deep.equal(
      ['cart.full id:0', 'cart.full id:1', 'cart.full id:2', 'cart.full other:true'],
    ); // prettier-ignore
  });

  it('that are too many, and names that grow, stand among all numbers', async () => {
    await page.getByText('All numbers').click();
    const numbers = await page.locator('#more-numbers').innerText();
    expect(numbers).to.match(/samples counted as other=true\s+2/);
    expect(numbers).to.match(/new names of cart\.full\s+4/);
    expect(complaints).to.deep.equal([]);
  });
});
