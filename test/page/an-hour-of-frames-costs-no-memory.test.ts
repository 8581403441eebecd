import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import type { Browser } from 'playwright-core';

import type { NameRow } from '../../src/live/frame.ts';
import { drawnTo, launchBrowser, openPage } from '../support/browser.ts';
import { type PageRig, startPage } from '../support/page-rig.ts';
import { createSyntheticFrames } from '../support/synthetic-frames.ts';

const FIRST_SECOND = 1_790_000_000;
const HOUR = 3600;
/** By then everything there is has been made once, and the five minutes are full. */
const SETTLED = 600;
const SAMPLES = Array.from({ length: 40 }, (_, at) => (at % 3 === 0 ? 900 : 40) * (1 + at / 200));

describe('The page, open for an hour', () => {
  let browser: Browser;
  let rig: PageRig;

  before(async () => {
    browser = await launchBrowser();
    rig = await startPage();
  });
  after(async () => {
    await browser.close();
    await rig.close();
  });

  it('holds no more memory and no more of a document than after ten minutes', async function () {
    this.timeout(180_000); // it is an hour, after all, and the machine may have other work
    const samples = (_name: string, second: number): number[] => SAMPLES.slice(second % 7);
    // Counters, because their small curves cost less to make up.
    const nameOf = (index: number): Pick<NameRow, 'kind' | 'name'> => {
      return { kind: 'counter', name: `service.${index}` };
    };
    const frames = createSyntheticFrames(FIRST_SECOND, {
      ...{ names: 5000, samples, nameOf },
      hasSummaries: false,
    });
    const shown = '#t=api.latency&c=api.hits&p=service.4999';
    const { page, complaints } = await openPage(browser, rig.url + shown, {
      width: 1000,
      height: 600,
    });
    const devTools = await page.context().newCDPSession(page);
    await rig.connected(1);
    const measure = async (): Promise<{ heap: number; nodes: number; listeners: number }> => {
      const heaps: number[] = [];
      for (let time = 0; time < 3; time++) {
        await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(drawn)));
        await devTools.send('HeapProfiler.collectGarbage');
        heaps.push((await devTools.send('Runtime.getHeapUsage')).usedSize);
      }
      const { nodes, jsEventListeners } = await devTools.send('Memory.getDOMCounters');
      return { heap: Math.min(...heaps), nodes, listeners: jsEventListeners };
    };
    let settled = await measure();
    for (let second = FIRST_SECOND; second < FIRST_SECOND + HOUR; second++) {
      const asked = rig.asked()!;
      const known = asked.watched.map((wish) => ({ ...wish, since: second - 1 }));
      await rig.send(frames.frame(second, { ...asked, watched: known }));
      if (second % 100 === 0) await drawnTo(page, second);
      if (second !== FIRST_SECOND + SETTLED) continue;
      await drawnTo(page, second);
      settled = await measure();
    }
    await drawnTo(page, FIRST_SECOND + HOUR - 1);
    const end = await measure();
    expect(end.heap, `bytes, after ${settled.heap}`).to.be.below(settled.heap * 1.1 + 500_000);
    expect(end.nodes, 'nodes').to.be.at.most(settled.nodes * 1.05 + 50);
    expect(end.listeners, 'listeners').to.be.at.most(settled.listeners + 5);
    expect(complaints).to.deep.equal([]);
  });
});
