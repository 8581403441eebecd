import { expect } from 'chai';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';

import { type Ended, runProgram } from '../support/program.ts';
import { answers, type RecordingTrap, startTrap, takes } from '../support/recording-trap.ts';
import { freePort, type RedisServer, startRedis } from '../support/redis-server.ts';

const SOON_MS = 8000;
const REQUESTS = 3;

/** What an application does that serves a few requests and then has nothing more to do. */
const SERVE = `
  import { createServer, get } from 'node:http';
  import { StatCollector } from 'statcol';
  const collector = new StatCollector({ queryCounter, responseTimer, ...options });
  const middleware = collector.middleware();
  const server = createServer((request, response) => {
    middleware(request, response, () => response.jsend('success', {}));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  for (let n = 0; n < ${REQUESTS}; n++) {
    await new Promise((resolve) => {
      const to = { host: '127.0.0.1', port, path: '/users', agent: false };
      get(to, (response) => response.resume().on('close', resolve));
    });
  }
  server.close();`;

describe('a web application with a StatCollector ends by itself', () => {
  let redis: RedisServer;
  let trap: RecordingTrap;

  before(async () => {
    redis = await startRedis();
  });
  beforeEach(async () => {
    trap = await startTrap();
  });
  afterEach(async () => {
    await redis.command('FLUSHALL');
    await trap.close();
  });
  after(() => redis.stop());

  /** Runs an application whose intervals are so long that its end is what delivers. */
  async function ends(
    parts: { redis?: string; port?: number; options?: string },
    more = '',
  ): Promise<Ended> {
    const trapConfig = `{
      host: '127.0.0.1', port: ${parts.port ?? trap.port}, path: '/module/httptrap/check/secret',
      protocol: 'http:',
    }`;
    const ended = await runProgram(`
      const queryCounter = {
        redisConfig: ${parts.redis ?? `'${redis.url}'`}, statPrefix: 'foo_', pushInterval: 600_000,
      };
      const responseTimer = { circonusConfig: ${trapConfig}, pushInterval: 600_000 };
      const options = { ${parts.options ?? ''} };
      ${SERVE}
      ${more}`);
    expect(ended.code).to.equal(0);
    expect(ended.tookMs).to.be.below(SOON_MS);
    return ended;
  }

  async function delivered(): Promise<void> {
    const both = { '/users': String(REQUESTS), total: String(REQUESTS) };
    for (const kind of ['requestTotal', 'responseTotal', 'success', '2xx']) {
      expect(Object.fromEntries(await redis.hash(`foo_${kind}`)), kind).to.deep.equal(both);
    }
    expect(trap.values().get('/users')).to.have.length(REQUESTS);
  }

  it('what is left is delivered, counters and times, and nothing is printed', async () => {
    const { stdout, stderr } = await ends({});
    expect([stdout, stderr]).to.deep.equal(['', '']);
    await delivered();
  });

  it("with an application's client that keeps nothing alive", async () => {
    const client = `await import('redis').then(async ({ createClient }) => {
      const client = createClient({ url: '${redis.url}' });
      await client.connect();
      client.unref();
      return client;
    })`;
    const { stdout, stderr } = await ends({ redis: client });
    expect([stdout, stderr]).to.deep.equal(['', '']);
    await delivered();
  });

  it('in memory', async () => {
    const more = `process.on('exit', () => console.log(JSON.stringify(collector.vitals())));`;
    const { stdout, stderr } = await ends({ redis: 'undefined' }, more);
    expect(stderr).to.equal('');
    const { counters, timings } = JSON.parse(stdout) as Record<string, Record<string, number>>;
    expect(counters).to.deep.include({ samples: 4 * REQUESTS, delivered: 4 * REQUESTS });
    expect(timings).to.deep.include({ samples: REQUESTS, delivered: REQUESTS });
    expect(trap.values().get('/users')).to.have.length(REQUESTS);
  });

  it('a top-level await of getAll and stop settles', async () => {
    const more = `
      const show = (value) => console.log(JSON.stringify(value));
      show(Object.keys(await collector.getAll()).includes('foo_requestTotal'));
      show(await collector.stop());
      show((await collector.getAll()).foo_requestTotal);
      show(await collector.stop());`;
    const { stdout, stderr } = await ends({}, more);
    expect(stderr).to.equal('');
    expect(stdout.split('\n')).to.deep.equal([
      'true',
      '{"counters":0,"timings":0}',
      `{"total":"${REQUESTS}","/users":"${REQUESTS}"}`,
      '{"counters":0,"timings":0}',
      '',
    ]);
    await delivered();
  });

  it('Redis and the trap are away: it takes stopTimeout, and says what was lost', async () => {
    const [redisPort, trapPort] = [await freePort(), await freePort()];
    const ended = await ends({
      redis: `'redis://user:secret-word@127.0.0.1:${redisPort}'`,
      port: trapPort,
      options: 'stopTimeout: 300',
    });
    lost(ended, `not written: ${4 * REQUESTS} increments: redis 127.0.0.1:${redisPort}: `);
    lost(ended, `not delivered: ${REQUESTS} timings: trap http://127.0.0.1:${trapPort}: `);
    expect(ended.stderr).to.match(/ECONNREFUSED/);
    expect(ended.stderr).not.to.match(/secret|user:/);
  });

  it('the trap answers 503, or not at all: counters are delivered all the same', async () => {
    for (const behaviour of [answers(503), () => {}]) {
      trap.behave(behaviour);
      const ended = await ends({ options: 'stopTimeout: 300' });
      lost(ended, `not delivered: ${REQUESTS} timings: trap http://127.0.0.1:${trap.port}: `);
      expect(ended.stderr).not.to.match(/secret|not written/);
    }
    trap.behave(takes);
    const twice = String(2 * REQUESTS);
    const hash = Object.fromEntries(await redis.hash('foo_requestTotal'));
    expect(hash).to.deep.equal({ '/users': twice, total: twice });
  });

  it('one that counts and times nothing ends too', async () => {
    const { code, stdout, stderr } = await runProgram(`
      const [queryCounter, responseTimer, options] = [{}, undefined, {}];
      ${SERVE}
      new StatCollector();`);
    expect([code, stdout, stderr]).to.deep.equal([0, '', '']);
  });

  /** Expects that a loss is said, once, as a warning. */
  function lost({ stderr }: Ended, what: string): void {
    const said = stderr.split('\n').filter((line) => line.includes(what));
    expect(said, stderr).to.have.length(1);
    expect(said[0]).to.match(/^\(node:\d+\) StatcolWarning: /);
  }
});
