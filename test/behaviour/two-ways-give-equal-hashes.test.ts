import { connect as connectTo } from 'node:net';
import { once } from 'node:events';

import { expect } from 'chai';
import type { ErrorRequestHandler } from 'express';
import { after, before, describe, it } from 'mocha';

import { Client } from '../../src/client.ts';
import { middleware } from '../../src/express.ts';
import { StatCollector } from '../../src/index.ts';
import { startCollector } from '../support/collector-process.ts';
import { type RecordingTrap, startTrap } from '../support/recording-trap.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { EXPRESSES, serve } from '../support/web.ts';

describe('in-process or through a client and a collector: the hashes are equal', () => {
  let redis: RedisServer;
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis.stop());

  /** A client that says how many samples it has sent in all. */
  let sent = { counters: 0, timings: 0 };
  class CountingClient extends Client {
    override incr(name: string, count?: number): void {
      sent.counters++;
      super.incr(name, count);
    }
    override timing(name: string, ms: number): void {
      sent.timings++;
      super.timing(name, ms);
    }
  }

  for (const [name, express] of EXPRESSES) {
    for (const key of ['route', 'path'] as const) {
      it(`${name}, by ${key}`, async () => {
        const traps = [await startTrap(), await startTrap()] as const;
        await redis.command('FLUSHALL');
        sent = { counters: 0, timings: 0 };
        const daemon = await startCollector([
          ...['--redis', redis.url, '--collection', 'daemon_', '--trap', traps[1].url],
          ...['--layout', 'split', '--names', 'keep'],
        ]);
        const { pathname: path } = new URL(traps[0].url);
        const collector = new StatCollector({
          key,
          queryCounter: { redisConfig: redis.url, statPrefix: 'own_' },
          responseTimer: {
            circonusConfig: { host: '127.0.0.1', port: traps[0].port, path, protocol: 'http:' },
          },
        });
        const client = new CountingClient({ port: daemon.udpPort });
        const app = express();
        app.use(collector.middleware(), middleware({ client, key }));
        app.get('/users/:id', (_request, response) => void response.send('u'));
        app.get('/a|b;c=d', (_request, response) => void response.send('odd'));
        app.get('/total', (_request, response) => {
          (response as unknown as { jsend(status: string): void }).jsend('Fail');
        });
        app.get('/never', () => {});
        app.get('/error', (_request, _response, next) => next(new Error('on purpose')));
        const answer: ErrorRequestHandler = (_error, _request, response, _next) => {
          response.status(500).end();
        };
        app.use(answer);
        const web = await serve(app);
        for (const one of ['/users/1', '/users/2', '/total', '/error', '/none', '/a|b;c=d']) {
          await web.get(one);
        }
        await web.get('/caf%C3%A9?x=1');
        const gone = connectTo(web.port, '127.0.0.1');
        gone.write('GET /never HTTP/1.1\r\nHost: x\r\n\r\n');
        await once(web.server, 'request');
        gone.destroy();
        await web.idle();
        await web.close();
        await client.close();
        expect(await collector.stop()).to.deep.equal({ counters: 0, timings: 0 });
        await daemon.until(
          ({ samples, counters, timings }) =>
            samples.counters === sent.counters &&
            samples.timings === sent.timings &&
            counters.pending + timings.pending === 0,
        );
        expect(await daemon.stop()).to.equal(0);
        const own = await hashes('own_');
        expect(await hashes('daemon_')).to.deep.equal(own);
        expect(Object.keys(own)).to.include.members(['requestTotal', 'aborted', '5xx', '4xx']);
        expect(own['requestTotal']!['total']).to.equal(8);
        const [ofOwn, ofDaemon] = traps.map(countsOf);
        expect(ofDaemon).to.deep.equal(ofOwn);
        expect(Object.keys(ofOwn!)).to.include(key === 'route' ? '/users/_id' : '/users/1');
        for (const trap of traps) await trap.close();
      });
    }
  }

  type Hashes = Record<string, Record<string, number>>;

  /** Every hash of a prefix, fields as a line would carry them. */
  async function hashes(prefix: string): Promise<Hashes> {
    const keys = (await redis.command('KEYS', `${prefix}*`)) as string[];
    const found: Hashes = {};
    for (const key of keys) {
      const fields = Array.from(await redis.hash(key), ([field, value]) => [
        field.replaceAll(/[:;|]/g, '_'),
        Number(value),
      ]);
      found[key.slice(prefix.length)] = Object.fromEntries(fields) as Record<string, number>;
    }
    return found;
  }

  /** How many times of each name have reached a trap. */
  function countsOf(trap: RecordingTrap): Record<string, number> {
    const counts = Array.from(trap.values(), ([uri, { length }]) => [
      uri.replaceAll(/[:;|]/g, '_'),
      length,
    ]);
    return Object.fromEntries(counts) as Record<string, number>;
  }
});
