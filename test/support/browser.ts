import { existsSync } from 'node:fs';

import { type Browser, chromium, type Page } from 'playwright-core';

/** Where systems have it. */
const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** What a page has said that it should not: errors, and what its policy has kept from happening. */
export interface Watched {
  readonly page: Page;
  readonly complaints: string[];
}

/** How a page is looked at. */
export interface PageSize {
  width?: number;
  height?: number;
  colorScheme?: 'light' | 'dark';
}

/** Starts the system's Chromium. */
export function launchBrowser(): Promise<Browser> {
  const executablePath = PLACES.find((place) => existsSync(place));
  if (executablePath === undefined) throw new Error('no Chromium; scripts/setup.mjs installs it');
  // As root, in a container, it has no sandbox of its own.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath, args: [...args, '--js-flags=--expose-gc'] });
}

/** Opens a page of one size, light or dark. */
export async function openPage(
  browser: Browser,
  url: string,
  { width = 1440, height = 900, colorScheme = 'light' }: PageSize = {},
): Promise<Watched> {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
  });
  await page.goto(url);
  return { page, complaints };
}

/** Resolves when a page has taken in the frame of a second, and has drawn all of its panels. */
export async function drawnTo(page: Page, second: number): Promise<void> {
  // As text: it is the page's own code, for which there are no types here.
  const told = 'Number(document.documentElement.dataset.second ?? -1)';
  const frame = 'new Promise((next) => requestAnimationFrame(() => next()))';
  while ((await page.evaluate<number>(told)) < second) await page.evaluate(frame);
  // Panels are drawn one a frame of the screen.
  const panels = await page.evaluate<number>(`document.querySelectorAll('.panel').length`);
  for (let drawn = 0; drawn < panels + 2; drawn++) await page.evaluate(frame);
}
