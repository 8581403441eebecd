import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

import type { AxeResults } from 'axe-core';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import type { Browser, Page } from 'playwright-core';

import type { Problem } from '../../src/live/frame.ts';
import { drawnTo, launchBrowser, openPage } from '../support/browser.ts';
import { type PageRig, startPage } from '../support/page-rig.ts';
import { createSyntheticFrames } from '../support/synthetic-frames.ts';

const SECOND = 1_790_000_300;
const LONG = 'a.very.long.name.'.repeat(20);
const SHOWN = `#t=api.latency&t=${LONG}&c=api.hits&c=${LONG}&g=${LONG}&s=users&p=api.&q=api.*`;
const PROBLEMS: Problem[] = [
  {
    about: 'store',
    level: 'bad',
    text: `Redis has failed for 34 s: ${'connect_ECONNREFUSED_'.repeat(20)}`,
    advice: 'Is it running?',
    sinceMs: SECOND * 1000,
  },
  { about: 'refused', level: 'warn', text: '12 lines refused', advice: 'Mend it.', sinceMs: null },
];
const STATES = {
  full: { hash: SHOWN, names: 5000, problems: [] },
  degraded: { hash: '#t=api.latency', names: 40, problems: PROBLEMS },
  empty: { hash: '', names: 0, problems: [] },
  brushed: {
    hash: `#t=api.latency&c=api.hits&at=${SECOND}&brush=${SECOND - 100}-${SECOND - 50}&span=300`,
    names: 40,
    problems: PROBLEMS,
  },
};

const SCHEMES = { full: 'dark', degraded: 'light', empty: 'dark', brushed: 'dark' } as const;

describe('The page, for everyone', () => {
  let browser: Browser;
  let rig: PageRig;
  let frames = createSyntheticFrames(SECOND - 300);
  const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

  before(async () => {
    browser = await launchBrowser();
    rig = await startPage((to) => void to.send(frames.frame(SECOND, to.asked()!)));
  });
  after(async () => {
    await browser.close();
    await rig.close();
  });

  async function open(
    state: keyof typeof STATES,
    how: Parameters<typeof openPage>[2],
  ): Promise<Page> {
    const { hash, names, problems } = STATES[state];
    frames = createSyntheticFrames(SECOND - 300, { names, problems });
    const { page, complaints } = await openPage(browser, rig.url + hash, how);
    await drawnTo(page, SECOND);
    expect(complaints, state).to.deep.equal([]);
    return page;
  }

  for (const state of Object.keys(STATES) as (keyof typeof STATES)[]) {
    // What the last two show is in the first two as well, in both.
    const schemes = state === 'full' ? (['light', 'dark'] as const) : [SCHEMES[state]];
    for (const colorScheme of schemes) {
      it(`has no serious fault by axe: ${state}, ${colorScheme}`, async () => {
        const page = await open(state, { colorScheme });
        expect(await serious(page)).to.deep.equal([]);
        if (state === 'full') {
          await page.getByRole('button', { name: 'Keys' }).click();
          expect(await serious(page), 'with the keys open').to.deep.equal([]);
        }
        await page.context().close();
      });
    }
    it(`does not scroll sideways, from 320 to 2,560 px: ${state}`, async () => {
      const page = await open(state, {});
      for (const width of [1440, 390, 320, 2560]) {
        await page.setViewportSize({ width, height: 844 });
        await page.waitForFunction((wide) => innerWidth === wide, width);
        await drawnTo(page, SECOND);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        expect(wide, `of ${width}`).to.be.at.most(width);
        // Nothing is cut off either: what is wider than the page would be out of reach.
        const beyond = await page.evaluate(() =>
          [...document.querySelectorAll('button, input, select, h2, .chart')]
            .filter((one) => (one as HTMLElement).checkVisibility())
            .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
            .map((one) => one.outerHTML.slice(0, 80)),
        );
        expect(beyond, `at ${width}`).to.deep.equal([]);
      }
      await page.context().close();
    });
  }

  async function serious(page: Page): Promise<string[]> {
    await page.evaluate(await readFile(axe, 'utf8'));
    const { violations } = await page.evaluate(() => {
      return (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run();
    });
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`);
  }
});
