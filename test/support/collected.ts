import { after, afterEach, before, beforeEach, describe } from 'mocha';
import { expect } from 'chai';

import { StatCollector, type StatCollectorOptions } from '../../src/index.ts';
import { type RecordingTrap, startTrap } from './recording-trap.ts';
import { type RedisServer, startRedis } from './redis-server.ts';
import { EXPRESSES, serve, type Web } from './web.ts';

/** An application of six routes with a collector, a Redis and a trap, new for each test. */
export interface Collected {
  readonly redis: RedisServer;
  readonly trap: RecordingTrap;
  readonly collector: StatCollector;
  readonly web: Web;
  /** Where the trap is, as a collector is told. */
  trapConfig(): { host: string; port: number; path: string; protocol: 'http:' };
  /** Configures what is asked for, by default both components, and serves. */
  start(options?: StatCollectorOptions): Promise<Web>;
  /** Ends everything, and returns a hash as Redis has it, `foo_` and the kind. */
  hash(kind: string): Promise<Record<string, string>>;
}

/** What the middleware gives a response. */
interface Jsend {
  jsend(status: unknown, data?: unknown): void;
}

/** Describes a collector, once with each Express. */
export function describeCollected(title: string, tests: (rig: Collected) => void): void {
  for (const [name, express] of EXPRESSES) {
    describe(`${name}: ${title}`, () => tests(createCollected(express)));
  }
}

function createCollected(express: (typeof EXPRESSES)[0][1]): Collected {
  let redis: RedisServer;
  let trap: RecordingTrap;
  let web: Web | undefined;
  let collector: StatCollector;
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis.stop());
  beforeEach(async () => {
    trap = await startTrap();
    await redis.command('FLUSHALL');
  });
  afterEach(async () => {
    await web?.close();
    await collector.stop();
    await trap.close();
    web = undefined;
  });

  return {
    get redis() {
      return redis;
    },
    get trap() {
      return trap;
    },
    get collector() {
      return collector;
    },
    get web() {
      return web!;
    },
    trapConfig,
    async start(options = {}) {
      await web?.close();
      collector = new StatCollector({
        queryCounter: { redisConfig: { host: '127.0.0.1', port: redis.port }, statPrefix: 'foo_' },
        responseTimer: { circonusConfig: trapConfig() },
        onLog: () => {},
        ...options,
      });
      return (web = await serve(application()));
    },
    async hash(kind) {
      await web?.idle();
      expect(await collector.stop()).to.deep.equal({ counters: 0, timings: 0 });
      return Object.fromEntries(await redis.hash(`foo_${kind}`));
    },
  };

  function trapConfig(): ReturnType<Collected['trapConfig']> {
    const { pathname } = new URL(trap.url);
    return { host: '127.0.0.1', port: trap.port, path: pathname, protocol: 'http:' };
  }

  function application(): ReturnType<typeof express> {
    const app = express();
    app.use(collector.middleware());
    app.get('/a', (request, response) => {
      (response as unknown as Jsend).jsend(request.query['status'] ?? 'success', { foo: 'bar' });
    });
    app.get('/b', (_request, response) => void response.end());
    app.get('/never', () => {});
    app.get('/twice', (_request, response) => void response.end('1').end());
    app.get(/^\/coffee|é/, (_request, response) => void response.end());
    app.get('/fails-twice', (_request, response) => {
      const { jsend } = response as unknown as Jsend;
      jsend.call(response, 'success');
      expect(() => jsend.call(response, 'error')).to.throw(/headers/);
    });
    app.get('/circular', (_request, response) => {
      expect(() => (response as unknown as Jsend).jsend('success', response)).to.throw(/circular/);
      response.status(500).end();
    });
    app.get('/users/:id', (_request, response) => void response.send('u'));
    return app;
  }
}
