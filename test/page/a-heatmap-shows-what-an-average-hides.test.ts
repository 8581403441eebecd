import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import type { Browser, Page } from 'playwright-core';

import type { TimingSummary } from '../../src/window/window.ts';
import { drawnTo, launchBrowser, openPage } from '../support/browser.ts';
import { type CollectorProcess, startCollector } from '../support/collector-process.ts';
import { seededRandom } from '../support/random.ts';
import { openSender, type Sender } from '../support/udp.ts';

/** Humps around 40 and 900 ms, whose average is near to neither. */
const HUMPS = [40, 900];
const SECONDS = 4;

/** What is drawn in the plot of a heatmap, without its axes. */
interface Pixels {
  width: number;
  height: number;
  /** RGBA, as a canvas has it. */
  data: Uint8Array;
}

describe('A heatmap of two humps', () => {
  let browser: Browser;
  let collector: CollectorProcess;
  let sender: Sender;
  let page: Page;
  let complaints: string[];

  before(async () => {
    browser = await launchBrowser();
    collector = await startCollector();
    sender = openSender(collector.udpPort);
    ({ page, complaints } = await openPage(browser, `${collector.httpUrl}#t=api.latency&curves=`));
    await page.locator('#first-run').waitFor();
    const first = await sendHumps();
    await page.locator('.timing .u-over').waitFor();
    await secondAfter(first + SECONDS, sendHumps);
    await page.keyboard.press('p');
    await drawn();
  });
  after(async () => {
    sender.close();
    await browser.close();
    collector.signal('SIGKILL');
    await collector.exited();
  });

  it('shows two bands, and nothing between them', async () => {
    const bands = bandsOf(await pixels());
    expect(bands.map(({ rows }) => rows)).to.have.length(2);
    // From 20 ms at the lower edge to 1 s at the upper one, as far apart as their values are.
    const [slow, fast] = bands.map(({ middle }) => middle);
    const apart = Math.log(HUMPS[1]! / HUMPS[0]!) / Math.log(1000 / 20);
    expect(fast! - slow!).to.be.closeTo(apart, 0.04);
  });

  it('draws the average through neither', async () => {
    const without = await pixels();
    await page.keyboard.press('a');
    await drawn();
    const rows = rowsThatDiffer(without, await pixels());
    await page.keyboard.press('a');
    await drawn();
    const [slow, fast] = bandsOf(without);
    expect(rows.length).to.be.above(1);
    for (const row of rows) {
      expect(row).to.be.above(slow!.rows.at(-1)!).and.below(fast!.rows[0]!);
    }
    expect(rowsThatDiffer(without, await pixels()), 'switched off again').to.deep.equal([]);
  });

  it('draws p50 through one hump and p99 through the other', async () => {
    const without = await pixels();
    const [slow, fast] = bandsOf(without);
    for (const [key, band] of [
      ['5', fast!],
      ['9', slow!],
    ] as const) {
      await page.keyboard.press(key);
      await drawn();
      const rows = rowsThatDiffer(without, await pixels());
      await page.keyboard.press(key);
      await drawn();
      expect(rows.length).to.be.above(0);
      for (const row of rows) {
        expect(row).to.be.within(band.rows[0]! - 4, band.rows.at(-1)! + 4);
      }
    }
  });

  it('says the same numbers as the API', async () => {
    await page.keyboard.press('n'); // what was paused goes on
    await secondAfter(
      Number(await page.evaluate(() => document.documentElement.dataset['second'])),
    );
    const timings = await collector.json<Record<string, TimingSummary>>('api/timings');
    const shown = await page
      .locator('.timing .figures data')
      .evaluateAll((all) =>
        all.map((one) => [
          (one as HTMLElement).dataset['of'],
          Number((one as HTMLDataElement).value),
        ]),
      );
    const { min: _min, ...rest } = timings['api.latency']!;
    expect(Object.fromEntries(shown)).to.deep.equal(rest);
  });

  it('reads under the cursor what the API tells of that second', async () => {
    await page.locator('.timing .chart').focus();
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowUp');
    const reading = page.locator('.timing .reading');
    await reading.filter({ hasText: /\d+ of \d+ samples/ }).waitFor();
    const text = (await reading.textContent())!;
    const [, from, to, count, all] = /: ([\d.]+) ms to ([\d.]+) ms: ([\d,]+) of ([\d,]+) /.exec(
      text,
    )!;
    const { columns } = await collector.json<{
      columns: { count: number; bins: [number, number, number][] }[];
    }>('api/heatmap/api.latency');
    const found = columns.some(({ count: samples, bins }) => {
      const isAll = samples === number(all!);
      return isAll && bins.some((bin) => bin.join() === [from, to, number(count!)].join());
    });
    expect(found, text + JSON.stringify(columns)).to.equal(true);
  });

  it('complains of nothing', () => {
    expect(complaints).to.deep.equal([]);
  });

  function number(text: string): number {
    return Number(text.replaceAll(',', ''));
  }

  /** Sends a few hundred timings; returns the second in which that was. */
  async function sendHumps(): Promise<number> {
    const random = seededRandom(7);
    const lines = Array.from({ length: 40 }, () => {
      const hump = HUMPS[random() < 0.6 ? 0 : 1]!;
      return `api.latency:${(hump * (0.9 + 0.2 * random())).toFixed(3)}|ms`;
    });
    for (let time = 0; time < 5; time++) await sender.send(lines.join('\n'));
    return Math.floor(Date.now() / 1000);
  }

  /** Resolves when the page has drawn a later second; does something at each before that. */
  async function secondAfter(second: number, meanwhile?: () => Promise<unknown>): Promise<void> {
    for (let last = -1; last <= second;) {
      await page.waitForFunction(
        (known) => Number(document.documentElement.dataset['second']) > known,
        last,
      );
      last = Number(await page.evaluate(() => document.documentElement.dataset['second']));
      await meanwhile?.();
    }
    await drawn();
  }

  function drawn(): Promise<void> {
    return drawnTo(page, 0);
  }

  async function pixels(): Promise<Pixels> {
    const image = await page.evaluate(() => {
      const canvas = document.querySelector<HTMLCanvasElement>('.timing .u-wrap canvas')!;
      const over = document.querySelector<HTMLElement>('.timing .u-over')!;
      const [left, top] = [over.offsetLeft, over.offsetTop].map((at) => at * devicePixelRatio);
      const [width, height] = [over.clientWidth, over.clientHeight].map(
        (size) => size * devicePixelRatio,
      );
      const drawing = canvas.getContext('2d')!.getImageData(left!, top!, width!, height!);
      let bytes = '';
      for (const byte of drawing.data) bytes += String.fromCharCode(byte);
      return { width: drawing.width, height: drawing.height, text: btoa(bytes) };
    });
    return { ...image, data: new Uint8Array(Buffer.from(image.text, 'base64')) };
  }
});

/** Rows with cells of the heatmap, as bands; `middle` from 0 at the top to 1 at the bottom. */
function bandsOf({ width, height, data }: Pixels): { rows: number[]; middle: number }[] {
  // The lines of the axis go through all of the plot, and have one colour.
  const isCell = (at: number): boolean => {
    const [red, green, blue, alpha] = data.subarray(at, at + 4);
    return alpha === 255 && !(red === 226 && green === 229 && blue === 234);
  };
  const bands: number[][] = [];
  for (let row = 0; row < height; row++) {
    let cells = 0;
    for (let at = 0; at < width; at++) if (isCell(4 * (row * width + at))) cells++;
    if (cells < 3) continue;
    const last = bands.at(-1);
    // A line of the axis may lie across a band.
    if (last !== undefined && row - last.at(-1)! < 4) last.push(row);
    else bands.push([row]);
  }
  return bands.map((rows) => ({ rows, middle: (rows[0]! + rows.at(-1)!) / 2 / height }));
}

function rowsThatDiffer(one: Pixels, other: Pixels): number[] {
  expect([one.width, one.height]).to.deep.equal([other.width, other.height]);
  const rows = new Set<number>();
  for (let at = 0; at < one.data.length; at++) {
    if (one.data[at] !== other.data[at]) rows.add(Math.floor(at / 4 / one.width));
  }
  return [...rows].toSorted((a, b) => a - b);
}
