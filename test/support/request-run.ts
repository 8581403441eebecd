import autocannon from 'autocannon';
import express, { type ErrorRequestHandler } from 'express';

import { StatCollector } from '../../src/index.ts';
import { answers, startTrap, takes } from './recording-trap.ts';
import { startRedis } from './redis-server.ts';
import { serve } from './web.ts';

/** What a run of requests has shown. */
export interface RequestRun {
  requests: number;
  /** How often a push was answered 500. */
  refusals: number;
  /** Per hash and field, what it should hold, and what Redis holds. */
  expected: Record<string, Record<string, number>>;
  counted: Record<string, Record<string, number>>;
  /** Per key, how many times should have reached the trap, and how many have. */
  expectedTimes: Record<string, number>;
  times: Record<string, number>;
}

/** Per route: a path of it, its pattern, and the hashes that a response of it counts in. */
const ROUTES = [
  { path: '/users/7', key: '/users/:id', kinds: ['2xx', 'success'] },
  { path: '/api/v2/orders/9?x=1', key: '/api/:version/orders/:order', kinds: ['4xx', 'fail'] },
  { path: '/broken', key: '/broken', kinds: ['5xx', 'error'] },
  { path: '/plain', key: '/plain', kinds: ['2xx'] },
  { path: '/nowhere/5', key: '(unmatched)', kinds: ['4xx'] },
] as const;

const CONNECTIONS = 20;

/**
 * Sends requests to a real Express application over 20 connections, with a real Redis that is
 * killed at a fifth of them and started again at two fifths, and a trap that answers 500 from half
 * of them to seven tenths; then compares.
 */
export async function runRequests(amount: number): Promise<RequestRun> {
  const redis = await startRedis('--appendonly', 'yes', '--appendfsync', 'always');
  const trap = await startTrap();
  const collector = new StatCollector({
    queryCounter: { redisConfig: redis.url, statPrefix: 'run_', pushInterval: 20 },
    responseTimer: {
      circonusConfig: {
        ...{ host: '127.0.0.1', port: trap.port, path: new URL(trap.url).pathname },
        protocol: 'http:',
      },
      pushInterval: 20,
    },
    onLog: () => {}, // that both are away is the point
  });
  const web = await serve(application(collector));
  const seen = new Map<string, number>();
  let requests = 0;
  const steps: [at: number, step: () => unknown][] = [
    [0.2, () => redis.kill()],
    [0.4, () => redis.restart()],
    [0.5, () => trap.behave(answers(500))],
    [0.7, () => trap.behave(takes)],
  ];
  let stepping = Promise.resolve();
  // Before Express, which changes the URL on the way.
  web.server.prependListener('request', ({ url = '' }) => {
    seen.set(url, (seen.get(url) ?? 0) + 1);
    requests++;
    while (steps.length > 0 && requests >= steps[0]![0] * amount) {
      const [, step] = steps.shift()!;
      stepping = stepping.then(async () => void (await step()));
    }
  });
  try {
    await autocannon({
      url: web.url,
      connections: CONNECTIONS,
      amount,
      requests: ROUTES.map(({ path }) => ({ method: 'GET' as const, path })),
      timeout: 60,
    });
    await stepping;
    await web.idle();
    const left = await collector.stop();
    if (left.counters + left.timings > 0) throw new Error(`left over: ${JSON.stringify(left)}`);
    const counted: RequestRun['counted'] = {};
    for (const key of (await redis.command('KEYS', 'run_*')) as string[]) {
      const fields = Array.from(await redis.hash(key), ([field, value]) => [field, Number(value)]);
      counted[key.slice('run_'.length)] = Object.fromEntries(fields) as Record<string, number>;
    }
    const times = Object.fromEntries(Array.from(trap.values(), ([key, all]) => [key, all.length]));
    const refusals = trap.submissions.length - keysOf(trap.submissions).size;
    return { requests, refusals, counted, times, ...expectedOf(seen) };
  } finally {
    await web.close();
    await trap.close();
    await redis.stop();
  }
}

function application(collector: StatCollector): ReturnType<typeof express> {
  const app = express();
  app.use(collector.middleware());
  app.get('/users/:id', (_request, response) => jsend(response, 'success'));
  app.get('/plain', (_request, response) => void response.send('plain'));
  app.get('/broken', (_request, _response, next) => next(new Error('on purpose')));
  const api = express.Router();
  api.get('/orders/:order', (_request, response) => jsend(response.status(404), 'fail'));
  app.use('/api/:version', api);
  const onError: ErrorRequestHandler = (_error, _request, response, _next) => {
    jsend(response.status(500), 'error');
  };
  app.use(onError);
  return app;
}

function jsend(response: unknown, status: string): void {
  (response as { jsend(status: string, data: unknown): void }).jsend(status, { some: 'data' });
}

function keysOf(submissions: readonly { headers: Record<string, unknown> }[]): Set<unknown> {
  return new Set(submissions.map(({ headers }) => headers['idempotency-key']));
}

/** What should be counted, from the URLs that the server has seen. */
function expectedOf(
  seen: ReadonlyMap<string, number>,
): Pick<RequestRun, 'expected' | 'expectedTimes'> {
  const expected: RequestRun['expected'] = {};
  const expectedTimes: Record<string, number> = {};
  const add = (kind: string, field: string, count: number): void => {
    const fields = (expected[kind] ??= {});
    fields[field] = (fields[field] ?? 0) + count;
    fields['total'] = (fields['total'] ?? 0) + count;
  };
  for (const { path, key, kinds } of ROUTES) {
    const count = seen.get(path) ?? 0;
    expectedTimes[key] = count;
    for (const kind of ['success', 'error', 'fail']) add(kind, key, 0);
    for (const kind of ['requestTotal', 'responseTotal', ...kinds]) add(kind, key, count);
  }
  return { expected, expectedTimes };
}
