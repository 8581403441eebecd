import type { NameRow } from '../../src/live/frame.ts';
import { drawnTo, launchBrowser, openPage } from './browser.ts';
import { startPage } from './page-rig.ts';
import { createSyntheticFrames } from './synthetic-frames.ts';

/** What a page takes at one moment. */
export interface PageWeight {
  /** Bytes of its heap, garbage collected. */
  heap: number;
  /** Nodes of the document, with those that are still held. */
  nodes: number;
  listeners: number;
}

/** What a page took when all was made once, and at the end. */
export interface PageRun {
  settled: PageWeight;
  end: PageWeight;
  complaints: readonly string[];
}

const FIRST_SECOND = 1_790_000_000;
/** By then everything there is has been made once, and the five minutes are full. */
const SETTLED = 600;
const FRAMES_PER_LOOK = 100;
const SAMPLES = Array.from({ length: 40 }, (_, at) => (at % 3 === 0 ? 900 : 40) * (1 + at / 200));
const SHOWN = '#t=api.latency&c=api.hits&p=service.4999';

/** Shows a page so many seconds of a collector with 5,000 names, as fast as it takes them. */
export async function runPage(seconds: number): Promise<PageRun> {
  const samples = (_name: string, second: number): number[] => SAMPLES.slice(second % 7);
  // Counters, because their small curves cost less to make up.
  const nameOf = (index: number): Pick<NameRow, 'kind' | 'name'> => {
    return { kind: 'counter', name: `service.${index}` };
  };
  const made = { names: 5000, samples, nameOf, hasSummaries: false };
  const frames = createSyntheticFrames(FIRST_SECOND, made);
  const rig = await startPage();
  const browser = await launchBrowser();
  try {
    const size = { width: 1000, height: 600 };
    const { page, complaints } = await openPage(browser, rig.url + SHOWN, size);
    const devTools = await page.context().newCDPSession(page);
    const weigh = async (): Promise<PageWeight> => {
      const heaps: number[] = [];
      for (let time = 0; time < 3; time++) {
        await devTools.send('HeapProfiler.collectGarbage');
        heaps.push((await devTools.send('Runtime.getHeapUsage')).usedSize);
      }
      const { nodes, jsEventListeners } = await devTools.send('Memory.getDOMCounters');
      return { heap: Math.min(...heaps), nodes, listeners: jsEventListeners };
    };
    await rig.connected(1);
    let settled = await weigh();
    for (let second = FIRST_SECOND; second < FIRST_SECOND + seconds; second++) {
      const asked = rig.asked()!;
      const known = asked.watched.map((wish) => ({ ...wish, since: second - 1 }));
      await rig.send(frames.frame(second, { ...asked, watched: known }));
      if (second % FRAMES_PER_LOOK === 0) await drawnTo(page, second);
      if (second === FIRST_SECOND + SETTLED) settled = await weigh();
    }
    await drawnTo(page, FIRST_SECOND + seconds - 1);
    return { settled, end: await weigh(), complaints };
  } finally {
    await browser.close();
    await rig.close();
  }
}

/** Returns what has grown; empty when nothing has. */
export function growthOf({ settled, end }: PageRun): string[] {
  const grown: string[] = [];
  if (end.heap > settled.heap * 1.1 + 500_000) grown.push('heap');
  if (end.nodes > settled.nodes * 1.05 + 50) grown.push('nodes');
  if (end.listeners > settled.listeners + 5) grown.push('listeners');
  return grown;
}
