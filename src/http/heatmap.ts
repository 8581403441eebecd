import { heatmapColumns, readRange } from '../live/heatmap.ts';
import type { LiveMemory } from '../window/live-memory.ts';
import { type Answer, type Asked, json, type Route } from './server.ts';

const PATH = '/api/heatmap/';

/** Returns the route that tells the bins of a timing, second by second. */
export function heatmapRoute(memory: LiveMemory): Route {
  return {
    path: PATH,
    rest: 'name',
    guarded: true,
    answer: ({ rest: name, query }) => heatmap(memory, name, query),
  };
}

function heatmap(memory: LiveMemory, name: Asked['rest'], query: URLSearchParams): Answer {
  const { clock, trace } = memory;
  const range = readRange(query, clock.toWall(clock.complete()) + 1);
  if (Array.isArray(range)) return json(400, { error: range.join('; ') });
  const columns = heatmapColumns(memory, name, range);
  if (columns === undefined) {
    if (name === '') {
      return json(404, {
        error: `expected the name of a timing behind ${PATH}; /api/timings has all`,
      });
    }
    const what = trace.has(name) ? 'is a counter: see /api/counters' : 'was not timed of late';
    const advice =
      '/api/timings has the names of all timings; in a name, write ? as %3F and % as %25';
    return json(404, {
      error: `${JSON.stringify(name)} ${what}; ${advice}`,
    });
  }
  return { status: 200, type: 'application/json', body: pieces({ name, ...range }, columns) };
}

function* pieces(head: object, columns: readonly object[]): Generator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},"columns":[`;
  for (const [at, column] of columns.entries())
    yield `${at === 0 ? '' : ','}${JSON.stringify(column)}`;
  yield ']}';
}
