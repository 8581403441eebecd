import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

import { expect } from 'chai';
import { describe, it } from 'mocha';

import { type Ended, runProgram } from '../support/program.ts';
import { freePort, startRedis } from '../support/redis-server.ts';

const SELDOM = 'writeFrequency: 600_000';
/** Its start included; without an end of its own it would take 10 s, or for ever. */
const SOON_MS = 8000;
const CLIENT = `
  import { createClient } from 'redis';
  const redis = createClient({ url: URL, socket: { reconnectStrategy: false } });
  redis.on('error', () => {});`;

describe('a program ends while Redis is away', () => {
  /** Runs a program that counts 7 increments; expects that it ends soon, and well. */
  async function ends(setUp: string, options: string, more = ''): Promise<Ended> {
    const ended = await runProgram(`
      import { Stats } from 'statcol';
      ${setUp}
      const stats = new Stats({ redis, keys: ['a', 'b'], ${options} });
      for (let n = 0; n < 7; n++) stats.increment('thing:' + n % 3, 100);
      ${more}`);
    expect(ended.code).to.equal(0);
    expect(ended.tookMs).to.be.below(SOON_MS);
    return ended;
  }

  /** Expects that the loss is said, once, as a warning, with its reason. */
  function says({ stderr }: Ended, where: string, reason: RegExp): void {
    const said = stderr.split('\n').filter((line) => /not written/.test(line));
    expect(said, stderr).to.have.length(1);
    expect(said[0]).to.match(/^\(node:\d+\) StatcolWarning: /);
    expect(said[0]).to.include(`not written: 7 increments: ${where}: `);
    expect(said[0]).to.match(reason);
  }

  it('refused: it takes stopTimeout, and says how many increments were not written', async () => {
    const port = await freePort();
    const url = `redis://user:secret-word@127.0.0.1:${port}`;
    const ended = await ends(`const redis = '${url}';`, `stopTimeout: 300, ${SELDOM}`);
    says(ended, `redis 127.0.0.1:${port}`, /ECONNREFUSED/);
    expect(ended.tookMs).to.be.above(300);
    expect(ended.stderr).not.to.match(/secret-word|user/);
  });

  it('silent: it takes stopTimeout too', async () => {
    const server = createServer((socket) => socket.on('error', () => {}).resume());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const url = `redis://user:secret-word@127.0.0.1:${port}`;
    const ended = await ends(`const redis = '${url}';`, `stopTimeout: 300, ${SELDOM}`);
    server.close();
    says(ended, `redis 127.0.0.1:${port}`, /time/);
    expect(ended.stderr).not.to.match(/secret-word|user/);
  });

  it('a wrong password: it is said, and the password is not', async () => {
    const redis = await startRedis('--requirepass', 'right-word');
    const options = `stopTimeout: 1000, ${SELDOM}`;
    const url = `redis://:secret-word@127.0.0.1:${redis.port}`;
    const object = `{ port: ${redis.port}, options: { password: 'secret-word' } }`;
    const all = await Promise.all([
      ends(`const redis = '${url}';`, options),
      ends(`const redis = ${object};`, options),
    ]);
    await redis.stop();
    for (const ended of all) {
      says(ended, `redis 127.0.0.1:${redis.port}`, /WRONGPASS/);
      expect(ended.stderr).not.to.include('secret-word');
    }
  });

  it('a URL that is none: an error that does not show its password', async () => {
    // In two pieces: Node shows the line of the program that an error comes from.
    const ended = await runProgram(`
      import { Stats } from 'statcol';
      const url = ['redis://user:secret', 'word@localhost:99999'].join('-');
      new Stats({ redis: url });`);
    expect(ended.code).to.equal(1);
    expect(ended.stderr).to.match(/ERR_OPTIONS/);
    expect(ended.stderr).not.to.include('secret-word');
  });

  it('written at the last moment: it comes back within stopTimeout, and nothing is lost', async () => {
    const redis = await startRedis('--appendonly', 'yes');
    await redis.kill();
    const running = ends(`const redis = '${redis.url}';`, `stopTimeout: 8000, ${SELDOM}`);
    await redis.restart();
    const { stderr } = await running;
    expect(stderr).not.to.match(/not written/);
    const wanted = { 'thing:0': '300', 'thing:1': '200', 'thing:2': '200' };
    expect(Object.fromEntries(await redis.hash('a'))).to.deep.equal(wanted);
    expect(Object.fromEntries(await redis.hash('b'))).to.deep.equal(wanted);
    await redis.stop();
  });

  it('a top-level await of write, get, getAll and stop settles', async () => {
    const more = `
      const why = (error) => error.code;
      console.log(await stats.write().catch(why));
      console.log(await stats.get('thing:0').catch(why));
      console.log(await stats.getAll().catch(why));
      console.log(await stats.stop());
      console.log(await stats.get('thing:0').catch(why));`;
    const setUp = `const redis = 'redis://127.0.0.1:${await freePort()}';`;
    const { stdout } = await ends(setUp, `stopTimeout: 300, ${SELDOM}`, more);
    expect(stdout.split('\n')).to.deep.equal([
      'ERR_NOT_WRITTEN',
      'ERR_SOURCE',
      'ERR_SOURCE',
      '7',
      'ERR_SOURCE',
      '',
    ]);
  });

  const clients: [what: string, setUp: string, more: string][] = [
    ['was closed', 'await redis.connect();', 'await redis.close();'],
    ['was never connected', '', ''],
    ['was closed, stop() is called', 'await redis.connect(); redis.destroy();', 'stats.stop();'],
  ];
  for (const [what, setUp, more] of clients) {
    it(`an application's client that ${what}: it ends at once, and says so`, async () => {
      const redis = await startRedis();
      const open = `const URL = '${redis.url}'; ${CLIENT} ${setUp}`;
      const ended = await ends(open, SELDOM, more);
      await redis.stop();
      says(ended, "redis (the application's client)", /closed/);
    });
  }
});
