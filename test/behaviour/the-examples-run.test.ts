import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { expect } from 'chai';
import { after, afterEach, before, describe, it } from 'mocha';

import { type RedisServer, startRedis } from '../support/redis-server.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Stats {
  counts: Record<string, Record<string, unknown>>;
  times: Record<string, { count: number }>;
}

describe('the examples run', () => {
  let redis: RedisServer;
  let child: ChildProcess | undefined;
  let printed = '';
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis.stop());
  afterEach(() => void child?.kill('SIGKILL'));

  /** Runs an example as `npm run example:…` does, but for the setting up. */
  function run(name: string, env: NodeJS.ProcessEnv = {}): ChildProcess {
    printed = '';
    child = spawn(process.execPath, [`examples/${name}.js`], {
      cwd: ROOT,
      env: { ...process.env, PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child.stdout!.on('data', (data: Buffer) => (printed += data.toString()));
    return child;
  }

  for (const where of ['in memory', 'in Redis']) {
    it(`stats, ${where}`, async () => {
      const [code] = await once(run('stats', redisOf(where)), 'close');
      expect(code).to.equal(0);
      expect(printed).to.include('myCount: "4"\n');
      expect(printed).to.match(/still buffered: \{\n\s+"files:megabytes": 0.5\n\}/);
    });

    for (const name of ['express', 'express-udp']) {
      it(`${name}, ${where}`, async () => {
        const example = run(name, redisOf(where));
        while (!printed.includes('/stats')) await once(example.stdout!, 'data');
        const url = /http:\/\/127\.0\.0\.1:\d+/.exec(printed)![0];
        await Promise.all([1, 2].map(async (id) => (await fetch(`${url}/users/${id}`)).text()));
        const key = name === 'express' ? '/users/:id' : '/users/_id';
        let stats: Stats;
        do stats = (await (await fetch(`${url}/stats`)).json()) as Stats;
        while (Number(stats.counts['app_success']?.[key]) !== 2 || stats.times[key]?.count !== 2);
        expect(Number(stats.counts['app_requestTotal']![key])).to.equal(2);
        example.kill('SIGTERM');
        expect((await once(example, 'close'))[0]).to.equal(0);
        if (where === 'in Redis') {
          expect((await redis.hash('app_2xx')).get(key)).to.equal('2');
        }
        await redis.command('FLUSHALL');
      });
    }
  }

  function redisOf(where: string): NodeJS.ProcessEnv {
    return where === 'in Redis' ? { REDIS_URL: redis.url } : { REDIS_URL: undefined };
  }
});
