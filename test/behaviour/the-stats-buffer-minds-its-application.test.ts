import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';

import { StatCollector, Stats } from '../../src/index.ts';
import { freePort, type RedisServer, startRedis } from '../support/redis-server.ts';

describe('the stats buffer minds its application', () => {
  let redis: RedisServer;
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis.stop());

  it('a log that throws stops nothing', async () => {
    const port = await freePort();
    let calls = 0;
    const stats = new Stats({
      redis: `redis://127.0.0.1:${port}`,
      writeFrequency: 10,
      stopTimeout: 100,
      onLog() {
        calls++;
        throw new Error('log throws');
      },
    });
    const warned = new Promise<Error>((resolve) => void process.once('warning', resolve));
    stats.increment('a');
    expect((await warned).message).to.equal('onLog failed: log throws');
    expect(await stats.stop()).to.equal(1);
    expect(calls).to.be.greaterThan(0);
  });

  it('a client in legacy mode is refused, with what to give instead', () => {
    class Legacy {
      isOpen = true;
      isReady = true;
      options = { legacyMode: true };
      eval(): void {}
    }
    expect(() => new Stats({ redis: new Legacy() as never })).to.throw(/not in legacyMode/);
  });

  it('a hash that refuses shows in vitals, and is named at the end', async () => {
    await redis.command('SET', 'bad', 'no hash');
    const said: string[] = [];
    const stats = new Stats({
      redis: redis.url,
      keys: ['good', 'bad'],
      writeFrequency: 0,
      stopTimeout: 100,
      onLog: (level, message) => said.push(`${level}: ${message}`),
    });
    stats.increment('a');
    await stats.write().catch(() => {});
    expect(stats.vitals()).to.include({ up: false, pending: 1 });
    expect(stats.vitals().lastError).to.match(/^bad refuses: WRONGTYPE/);
    expect(await stats.stop()).to.equal(1);
    expect(said.at(-1)).to.match(/^error: not written: 1 increment: .*bad refuses: WRONGTYPE/);
    const error: unknown = await stats.write().catch((one: unknown) => one);
    expect(error).to.have.property('code', 'ERR_NOT_WRITTEN');
    expect((error as Error).message).to.equal(
      'counts not written: 1 were left when it was stopped',
    );
    expect((await redis.hash('good')).get('a')).to.equal('1');
  });

  it('a user of Redis with the rights that README names can count and read', async () => {
    const commands = ['eval', 'hgetall', 'hget', 'hincrby', 'get', 'set', 'type', 'ping'];
    const rights = [...commands.map((one) => `+${one}`), '~app:*', '~{app:*'];
    await redis.command('ACL', 'SETUSER', 'app', 'on', '>secret', 'resetkeys', '-@all', ...rights);
    const url = `redis://app:secret@127.0.0.1:${redis.port}`;
    const stats = new Stats({ redis: url, keys: ['app:stats'], writeFrequency: 0 });
    stats.increment('a', 2);
    await stats.write();
    expect(await stats.get('a')).to.equal('2');
    expect(await stats.getAll()).to.deep.equal({ 'app:stats': { a: '2' } });
    await stats.stop();
  });

  it('a middleware that was not called says so', () => {
    const collector = new StatCollector();
    const { middleware } = collector;
    const misused = middleware as unknown as (request: unknown, response: unknown) => unknown;
    expect(() => misused({}, {})).to.throw(TypeError, 'app.use(collector.middleware())');
    expect(() => collector.registerURI(5 as never)).to.throw(TypeError, 'Expected a text as URI');
  });
});
