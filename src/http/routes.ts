import { jsonInteger, jsonNumber } from '../counters-json.ts';
import { errorText } from '../errors.ts';
import type { TimingSummary } from '../window/window.ts';
import type { Vitals } from '../vitals.ts';
import { gaugeHash } from '../flush/layout.ts';
import { isErrorReply } from '../sinks/node-redis.ts';
import { HashFault, type Store } from '../sinks/store.ts';
import { jsonPieces } from './json-pieces.ts';
import { PROMETHEUS_TEXT } from './metrics.ts';
import { createPageRoutes } from './page.ts';
import { readEveryHash } from './read-hashes.ts';
import type { SetCounts } from './read-sets.ts';
import { type Answer, json, type Route } from './server.ts';

/** What the routes show. */
export interface RouteSources {
  /** Drains, then reads: numbers of one moment. */
  vitals: () => Promise<Vitals>;
  /** What keeps the collector from being well. */
  reasons: () => string[];
  /** The hashes that counters are read from. */
  hashes: () => string[];
  /** The collections that gauges are read of. */
  collections: readonly string[];
  /** How many unique members today's sets have. */
  sets: (isWanted?: () => boolean) => Promise<SetCounts>;
  store: Store;
  /** Each summary may be made as it is asked for. */
  timings: () => Promise<Iterable<[name: string, summary: TimingSummary]>>;
  /** Everything, for Prometheus. */
  metrics: () => Promise<Iterable<string>>;
}

/** Returns the routes of the collector. */
export function createRoutes(sources: RouteSources): Route[] {
  return [
    ...createPageRoutes(),
    { path: '/healthz', guarded: false, answer: () => healthz(sources) },
    {
      path: '/api/vitals',
      guarded: true,
      answer: async () => json(200, await sources.vitals()),
    },
    {
      path: '/metrics',
      guarded: true,
      answer: async () => {
        return { status: 200, type: PROMETHEUS_TEXT, body: await sources.metrics() };
      },
    },
    { path: '/api/counters', guarded: true, answer: () => counters(sources) },
    { path: '/api/gauges', guarded: true, answer: () => gauges(sources) },
    { path: '/api/sets', guarded: true, answer: () => sets(sources) },
    { path: '/api/timings', guarded: true, answer: () => timings(sources) },
  ];
}

function healthz({ reasons }: RouteSources): Answer {
  const found = reasons();
  return found.length === 0
    ? json(200, { status: 'ok' })
    : json(503, { status: 'degraded', reasons: found });
}

async function counters({ hashes, store }: RouteSources): Promise<Answer> {
  return fromStore(store, readEveryHash(store, hashes()), (found) => {
    return jsonPieces(found, (fields) => jsonPieces(fields, jsonInteger));
  });
}

async function gauges({ collections, store }: RouteSources): Promise<Answer> {
  return fromStore(store, readEveryHash(store, collections.map(gaugeHash)), (found) => {
    const named = found.map(([, fields], at) => [collections[at]!, fields] as const);
    return jsonPieces(named, (fields) => jsonPieces(fields, jsonNumber));
  });
}

async function sets({ sets: read, store }: RouteSources): Promise<Answer> {
  return fromStore(store, read(), (found) => {
    return jsonPieces(found, (counts) => jsonPieces(counts, jsonInteger));
  });
}

async function fromStore<Found>(
  store: Store,
  reading: Promise<Found>,
  bodyOf: (found: Found) => Iterable<string>,
): Promise<Answer> {
  let found: Found;
  try {
    found = await reading;
  } catch (error) {
    return json(503, { error: unread(store.label, error) });
  }
  return { status: 200, type: 'application/json', body: bodyOf(found) };
}

function unread(label: string, error: unknown): string {
  const reason = errorText(error);
  if (error instanceof HashFault) {
    return `${label}: ${reason}; rename or remove that key, and what is kept for it is written`;
  }
  return isErrorReply(error)
    ? `${label} refuses to tell: ${reason}; nothing that was counted is lost by that`
    : `${label} does not answer: ${reason}; counts are kept and written when it is back`;
}

async function timings(sources: RouteSources): Promise<Answer> {
  const body = jsonPieces(await sources.timings(), (summary) => JSON.stringify(summary));
  return { status: 200, type: 'application/json', body };
}
