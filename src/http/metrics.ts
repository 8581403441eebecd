import { inTime, type Time } from '../flush/time.ts';
import { gaugeHash } from '../flush/layout.ts';
import type { Store } from '../sinks/store.ts';
import type { Vitals } from '../vitals-types.ts';
import type { LifetimeHistograms } from '../window/lifetime-histograms.ts';
import { counterTexts, gaugeTexts, setTexts, timingTexts } from './metrics-samples.ts';
import { familyText, vitalsText } from './metrics-vitals.ts';
import { type HashFields, readHashes } from './read-hashes.ts';
import type { SetCounts } from './read-sets.ts';

/** The content type of Prometheus' text format. */
export const PROMETHEUS_TEXT = 'text/plain; version=0.0.4; charset=utf-8';

/** What Prometheus is told of. */
export interface MetricsSources {
  /** Drains, then reads: numbers of one moment. */
  vitals: () => Promise<Vitals>;
  /** The hashes that counters are read from. */
  hashes: () => string[];
  /** The collections that gauges are read of. */
  collections: readonly string[];
  /** How many unique members today's sets have. */
  sets: (isWanted: () => boolean) => Promise<SetCounts>;
  store: Store;
  /** Undefined where nobody will ask. */
  histograms: LifetimeHistograms | undefined;
  time: Time;
}

/** Prometheus waits 10 s for all, and the timings are worth more than nothing. */
const STORE_TIMEOUT_MS = 2000;

/**
 * Returns what reads everything for Prometheus, as text in small pieces: first the collector's own
 * numbers, which are of one moment, then timings, then counters, gauges and sets. A store that does
 * not answer in time is not up, and has none of those there; the rest is as ever.
 */
export function createMetrics(sources: MetricsSources): () => Promise<Iterable<string>> {
  const { histograms } = sources;

  return async () => {
    const stored = await readStored(sources);
    return texts(await sources.vitals(), stored);
  };

  function* texts(vitals: Vitals, stored: Stored | undefined): Generator<string> {
    const up = vitals.store.up && stored !== undefined;
    yield vitalsText({ ...vitals, store: { ...vitals.store, up } });
    yield familyText(LEFT_OUT, [[{}, histograms?.samplesLeftOut ?? 0]]);
    yield* timingTexts(histograms?.read() ?? []);
    if (stored === undefined) return;
    yield* counterTexts(stored.counters);
    yield* gaugeTexts(stored.gauges);
    yield* setTexts(stored.sets);
  }
}

const LEFT_OUT = {
  name: 'statcol_timing_samples_left_out_total',
  type: 'counter',
  help: 'Of names beyond the 131072 that have a histogram here.',
} as const;

interface Stored {
  counters: HashFields;
  /** By collection. */
  gauges: HashFields;
  sets: SetCounts;
}

/** Returns undefined where the store does not give them, or not in time; no sets where only those are late. */
async function readStored(sources: MetricsSources): Promise<Stored | undefined> {
  const { hashes, collections, store, time } = sources;
  const late = (): Error => new Error('no answer in time');
  let isWanted = true;
  let found: Stored | undefined;
  try {
    await inTime(time, { limitMs: STORE_TIMEOUT_MS, late }, read());
  } catch {
    // What there is by now is told.
  }
  isWanted = false;
  return found;

  async function read(): Promise<void> {
    const counters = await readHashes(store, hashes(), () => isWanted);
    const ofHashes = await readHashes(store, collections.map(gaugeHash), () => isWanted);
    if (!isWanted) return;
    const gauges = ofHashes.map(([, fields], at): HashFields[number] => [collections[at]!, fields]);
    found = { counters, gauges, sets: [] };
    const sets = await sources.sets(() => isWanted);
    if (isWanted) found = { counters, gauges, sets };
  }
}
