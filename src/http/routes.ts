import { jsonInteger, jsonObject } from '../counters-json.ts';
import { errorText } from '../errors.ts';
import type { TimingSummary } from '../window/window.ts';
import type { Vitals } from '../vitals.ts';
import { HashFault, type Store } from '../sinks/store.ts';
import { PROMETHEUS_TEXT, prometheusText } from './metrics.ts';
import { type Answer, json, type Route } from './server.ts';

/** What the routes show. */
export interface RouteSources {
  /** Drains, then reads: numbers of one moment. */
  vitals: () => Promise<Vitals>;
  /** What keeps the collector from being well. */
  reasons: () => string[];
  /** The hashes that counters are read from. */
  hashes: () => string[];
  store: Store;
  timings: () => Promise<[name: string, summary: TimingSummary][]>;
}

/** Returns the routes of the collector. */
export function createRoutes(sources: RouteSources): Route[] {
  return [
    { path: '/', guarded: true, answer: async () => placeholder(await sources.vitals()) },
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
        const body = prometheusText(await sources.vitals());
        return { status: 200, type: PROMETHEUS_TEXT, body };
      },
    },
    { path: '/api/counters', guarded: true, answer: () => counters(sources) },
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
  const found: [hash: string, fields: string][] = [];
  try {
    for (const hash of hashes()) {
      found.push([hash, jsonObject(await fieldsOf(store, hash), jsonInteger)]);
    }
  } catch (error) {
    const reason = `${store.label} does not answer: ${errorText(error)}`;
    return json(503, { error: `${reason}; counts are kept and written when it is back` });
  }
  return { status: 200, type: 'application/json', body: jsonObject(found, (text) => text) };
}

/** A hash of another type holds no counters, and is no reason not to show those of others. */
async function fieldsOf(store: Store, hash: string): Promise<[string, string][]> {
  try {
    return await store.read(hash);
  } catch (error) {
    if (error instanceof HashFault) return [];
    throw error;
  }
}

async function timings(sources: RouteSources): Promise<Answer> {
  const body = jsonObject(await sources.timings(), (summary) => JSON.stringify(summary));
  return { status: 200, type: 'application/json', body };
}

/** Until there is the live page: what is lost, and where the rest is. */
function placeholder({ udp, lines }: Vitals): Answer {
  const links = ['/healthz', '/api/vitals', '/api/counters', '/api/timings', '/metrics']
    .map((path) => `<li><a href="${path}">${path}</a></li>`)
    .join('');
  const drops = udp.kernelDrops === null ? 'this system does not tell' : String(udp.kernelDrops);
  const numbers = [
    ['datagrams read', udp.datagrams],
    ['dropped by the kernel, the receive buffer being full', drops],
    ['lines counted', lines.accepted],
  ].map(([what, count]) => `<li>${what}: ${count}</li>`);
  return {
    status: 200,
    type: 'text/html; charset=utf-8',
    body: `<!doctype html><html lang="en"><meta charset="utf-8"><title>statcol</title><h1>statcol</h1><p>The collector is running.</p><ul>${numbers.join('')}</ul><p>The live page is coming; until then there are:</p><ul>${links}</ul></html>`,
  };
}
