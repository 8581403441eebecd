// `npm run screenshots`: pictures of the real page in Chromium, for the README and docs, with five
// minutes of a shop that are made up: an average hides that a third of all checkouts is slow, and
// that since two minutes some wait for a time-out.
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import type { NameRow, Problem } from '../src/live/frame.ts';
import { VITALS } from '../test/http/vitals.ts';
import { drawnTo, launchBrowser, openPage, type PageSize } from '../test/support/browser.ts';
import { startPage } from '../test/support/page-rig.ts';
import { seededRandom } from '../test/support/random.ts';
import { createSyntheticFrames, type SyntheticOptions } from '../test/support/synthetic-frames.ts';

const FOLDER = fileURLToPath(new URL('../docs/', import.meta.url));
const SECOND = Math.floor(Date.UTC(2026, 10, 20, 14, 30) / 1000);
/** When the shop began to wait for something. */
const CHANGE = SECOND - 110;

const TIMINGS = ['checkout.time', 'db.query', 'cart.time', 'search.time', 'cache.get', 'mail.send'];
const COUNTERS = ['api.hits', 'api.errors', 'api.logins', 'api.bytes', 'cart.added', 'jobs.done'];
const NAMES: Pick<NameRow, 'kind' | 'name'>[] = [
  ...TIMINGS.map((name) => ({ kind: 'timing' as const, name })),
  ...COUNTERS.map((name) => ({ kind: 'counter' as const, name })),
  ...Array.from({ length: 30 }, (_, at) => ({
    kind: at % 3 === 0 ? ('timing' as const) : ('counter' as const),
    name: `worker.${String(at + 1).padStart(2, '0')}.${at % 3 === 0 ? 'time' : 'done'}`,
  })),
];

NAMES.sort((one, other) => rateOf(other) - rateOf(one));

const vitals: typeof VITALS = {
  ...VITALS,
  udp: { ...VITALS.udp, kernelDrops: 0 },
  keys: { counters: 1840, timings: 612, gauges: 0, sets: 0, limit: 1_000_000, tagSetsFolded: 0 },
  store: { kind: 'redis', up: true, lastError: null, lastFlushMs: 1.8 },
  trap: { configured: true, up: true, lastError: null, lastPushMs: 4.1 },
};
const shop: SyntheticOptions = {
  names: NAMES.length,
  nameOf: (index) => NAMES[index]!,
  vitals,
  samples,
  increments,
};
const trouble: Problem[] = [
  {
    about: 'store',
    level: 'bad',
    text: 'Redis 10.0.0.5:6379 has failed for 34 s: connect ECONNREFUSED.',
    advice: '12,340 counter samples are kept, and written when it is back. Is it running?',
    sinceMs: (SECOND - 34) * 1000,
  },
  {
    about: 'refused',
    level: 'warn',
    text: '12 lines were refused in the last minute (bad_value), the last one "api.hits:x|c" from 10.0.0.7:51234.',
    advice: 'A value is a decimal number: mend the sender.',
    sinceMs: null,
  },
];
const degraded = {
  ...shop,
  problems: trouble,
  vitals: { ...vitals, store: { ...vitals.store, up: false } },
};

interface Shot extends PageSize {
  name: string;
  hash: string;
  options: SyntheticOptions;
}

const BRUSH = `at=${SECOND + 1}&brush=${CHANGE}-${SECOND - 20}`;
const SHOTS: Shot[] = [
  { name: 'page', hash: '#t=checkout.time&c=api.hits', options: shop, colorScheme: 'dark' },
  { name: 'page-light', hash: `#t=checkout.time&c=api.errors&${BRUSH}`, options: shop },
  {
    name: 'page-several',
    hash: '#t=checkout.time&t=db.query&t=search.time&p=api.',
    options: shop,
    colorScheme: 'dark',
  },
  { name: 'page-phone', hash: '#t=checkout.time', options: shop, width: 390, height: 1100 },
  { name: 'page-degraded', hash: '#t=checkout.time', options: degraded, height: 640 },
  { name: 'page-empty', hash: '', options: { names: 0, vitals }, height: 640 },
];

mkdirSync(FOLDER, { recursive: true });
const browser = await launchBrowser();
for (const { name, hash, options, ...size } of SHOTS) {
  const frames = createSyntheticFrames(SECOND - 300, options);
  const rig = await startPage((open) => void open.send(frames.frame(SECOND, open.asked()!)));
  const { page } = await openPage(browser, rig.url + hash, { height: 860, ...size });
  await drawnTo(page, SECOND);
  await page.screenshot({ path: `${FOLDER}${name}.png` });
  console.log(`docs/${name}.png`);
  await rig.close();
}
await browser.close();

function rateOf({ kind, name }: (typeof NAMES)[number]): number {
  return kind === 'timing' ? samples(name, SECOND).length : increments(name, SECOND);
}

function samples(name: string, second: number): number[] {
  const random = seededRandom(second * 31 + name.length * 7 + name.charCodeAt(0));
  const around = (middle: number, spread: number): number => {
    const bell = random() + random() + random() + random() - 2;
    return middle * Math.exp(spread * bell);
  };
  if (name === 'checkout.time') {
    const isLate = second >= CHANGE;
    const drift = 1 + 0.25 * Math.sin(second / 40);
    return Array.from({ length: 140 }, () => {
      const which = random();
      if (isLate && which < 0.04) return around(2950, 0.03);
      if (which < 0.004) return around(3500, 0.4);
      return which < 0.34 ? around(isLate ? 880 : 640 * drift, 0.16) : around(46, 0.3);
    });
  }
  if (name === 'db.query') {
    const isStalled = second % 45 < 4;
    return Array.from({ length: 200 }, () =>
      isStalled && random() < 0.5 ? around(420, 0.25) : around(6.5, 0.4),
    );
  }
  const middle = 3 + 40 * (name.length % 5);
  return Array.from({ length: 60 }, () => around(middle, 0.5));
}

function increments(name: string, second: number): number {
  const random = seededRandom(second * 17 + name.length)();
  if (name === 'api.errors') return Math.round((second >= CHANGE ? 14 : 0.6) * (0.5 + random));
  const size = 40 * (1 + (name.charCodeAt(4) % 9));
  return Math.round(size * (1 + 0.35 * Math.sin(second / 38 + name.length) + 0.12 * random));
}
