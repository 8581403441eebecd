// `npm run bench:page`: the live page in Chromium, with 5,000 names, all of them counted or timed
// each second, four things shown at large, the list scrolled and searched. Ends with 1 when any
// task of the page took longer than 50 ms, which is where a page begins to stutter.
import { drawnTo, launchBrowser, openPage } from '../../test/support/browser.ts';
import { startCollector } from '../../test/support/collector-process.ts';
import { openSender } from '../../test/support/udp.ts';

const NAMES = 5000;
const SECONDS = Number(process.argv[2] ?? 40);
const LINES_PER_DATAGRAM = 40;
const TASK_MS_MAX = 50;
const SHOWN = '#t=n.00001&t=n.00003&c=n.00000&p=n.000';

const collector = await startCollector();
const sender = openSender(collector.udpPort);
const browser = await launchBrowser();
const { page, complaints } = await openPage(browser, collector.httpUrl + SHOWN);
const devTools = await page.context().newCDPSession(page);
const bytes: number[] = [];
await devTools.send('Network.enable');
await devTools.send('Performance.enable');
devTools.on('Network.eventSourceMessageReceived', ({ data }) => bytes.push(data.length));
await sendAll(0);
await drawnTo(page, 1);
for (let second = 1; second <= 5; second++) await sendSecond(second); // what is made once, is made
await page.evaluate(`
  globalThis.longTasks = [];
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longTasks.push(duration);
  }).observe({ type: 'longtask' });
  // What is planted has to be seen, or nothing would be.
  setTimeout(() => { for (const end = performance.now() + 70; performance.now() < end; ); }, 0);`);
await page.waitForFunction(() => (globalThis as unknown as { longTasks: number[] }).longTasks[0]);
await page.evaluate('longTasks.length = 0');
bytes.length = 0;
const before = await busySeconds();
const startMs = performance.now();
for (let second = 0; second < SECONDS; second++) {
  await sendSecond(second);
  if (second % 4 === 1) await page.mouse.move(150, 500);
  if (second % 4 === 1) await page.mouse.wheel(0, second % 8 === 1 ? 40_000 : -30_000);
  if (second % 10 === 3) await page.keyboard.press('/');
  if (second % 10 === 3) await page.keyboard.type('n.0123');
  if (second % 10 === 6) await page.keyboard.press('Escape');
}
const seconds = (performance.now() - startMs) / 1000;
const busy = (await busySeconds()) - before;
const long = await page.evaluate<number[]>('longTasks');
const mean = bytes.reduce((sum, one) => sum + one, 0) / bytes.length;
console.log(`${NAMES} names, each counted or timed every second, for ${seconds.toFixed(0)} s`);
console.log(`frames: ${bytes.length}, ${kB(mean)} on average, ${kB(Math.max(...bytes))} at most`);
console.log(`the page's thread is busy for ${((100 * busy) / seconds).toFixed(1)} % of the time`);
console.log(`tasks over ${TASK_MS_MAX} ms: ${long.length} ${JSON.stringify(long)}`);
for (const complaint of complaints) console.log(complaint);
sender.close();
await browser.close();
await collector.stop();
process.exitCode = long.length + complaints.length > 0 ? 1 : 0;

/** Sends each name once, spread over a second. */
async function sendSecond(second: number): Promise<void> {
  const endMs = performance.now() + 1000;
  await sendAll(second);
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, endMs - performance.now())));
}

async function sendAll(second: number): Promise<void> {
  for (let from = 0; from < NAMES; from += LINES_PER_DATAGRAM) {
    const lines = Array.from({ length: LINES_PER_DATAGRAM }, (_, at) => lineOf(from + at, second));
    await sender.send(lines.join('\n'));
  }
}

function lineOf(index: number, second: number): string {
  const name = `n.${String(index).padStart(5, '0')}`;
  if (index % 2 === 0) return `${name}:${1 + (index % 7)}|c`;
  const hump = (index + second) % 3 === 0 ? 900 : 40;
  return `${name}:${hump + ((7 * second + index) % 60)}|ms`;
}

/** For how long the page's thread has worked since it began, in seconds. */
async function busySeconds(): Promise<number> {
  const { metrics } = await devTools.send('Performance.getMetrics');
  return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? NaN;
}

function kB(size: number): string {
  return `${(size / 1000).toFixed(1)} kB`;
}
