import { connect } from 'node:net';

import { expect } from 'chai';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';

import { StatCollector, type StatCollectorOptions } from '../../src/index.ts';
import { takes, type RecordingTrap, startTrap } from '../support/recording-trap.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { EXPRESSES, serve, type Web } from '../support/web.ts';

type Hash = Record<string, string>;

/** What the middleware gives a response. */
interface Jsend {
  jsend(status: unknown, data?: unknown): void;
}

for (const [name, express] of EXPRESSES) {
  describe(`${name}: requests are counted as they ended`, () => {
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

    /** Configures what is asked for, and serves the seed's six routes. */
    async function start(options: StatCollectorOptions = {}): Promise<Web> {
      collector = new StatCollector({
        queryCounter: { redisConfig: { host: '127.0.0.1', port: redis.port }, statPrefix: 'foo_' },
        responseTimer: { circonusConfig: trapConfig() },
        ...options,
      });
      const app = express();
      app.use(collector.middleware());
      app.get('/a', (request, response) => {
        (response as unknown as Jsend).jsend(request.query['status'] ?? 'success', { foo: 'bar' });
      });
      app.get('/b', (_request, response) => void response.end());
      app.get('/never', () => {});
      app.get('/twice', (_request, response) => void response.end('1').end());
      app.get(/^\/coffee|é/, (_request, response) => void response.end());
      app.get('/users/:id', (_request, response) => void response.send('u'));
      return (web = await serve(app));
    }

    function trapConfig(): { host: string; port: number; path: string; protocol: 'http:' } {
      const { pathname } = new URL(trap.url);
      return { host: '127.0.0.1', port: trap.port, path: pathname, protocol: 'http:' };
    }

    /** Ends everything, and returns a hash as Redis has it. */
    async function hash(kind: string): Promise<Hash> {
      await web?.idle();
      expect(await collector.stop()).to.deep.equal({ counters: 0, timings: 0 });
      return Object.fromEntries(await redis.hash(`foo_${kind}`));
    }

    it('SC1 only what is configured acts', async () => {
      const app = await start({ queryCounter: undefined, responseTimer: undefined });
      expect(await app.get('/a')).to.deep.equal({
        status: 200,
        text: '{"status":"success","data":{"foo":"bar"}}',
      });
      expect(await collector.getAll()).to.deep.equal({});
      expect(collector.vitals()).to.deep.equal({ counters: undefined, timings: undefined });
      await app.close();
      collector.configureResponseTimer({ circonusConfig: trapConfig() });
      await start({ queryCounter: undefined });
      await web!.get('/b');
      await hash('requestTotal');
      expect(await redis.command('KEYS', '*')).to.deep.equal([]);
      expect([...trap.values().keys()]).to.deep.equal(['/b']);
    });

    it('SC2 the hashes and fields are those of the seed', async () => {
      const app = await start({ key: 'path', responseTimer: undefined });
      for (const path of ['/a', '/a?status=FAIL', '/b', '/a?status=ok', '/twice']) {
        await app.get(path);
      }
      const gone = connect(app.port, '127.0.0.1');
      gone.write('GET /never HTTP/1.1\r\nHost: x\r\n\r\n');
      while (collector.vitals().counters!.samples < 5 * 3 + 2 + 1) await turn();
      gone.destroy();
      expect(await hash('requestTotal')).to.deep.equal({
        ...{ '/a': '3', '/b': '1', '/never': '1', '/twice': '1', total: '6' },
      });
      expect(await hash('responseTotal')).to.deep.equal({
        ...{ '/a': '3', '/b': '1', '/never': '0', '/twice': '1', total: '5' },
      });
      const zeros = { '/a': '0', '/b': '0', '/never': '0', '/twice': '0', total: '0' };
      expect(await hash('success')).to.deep.equal({ ...zeros, '/a': '1', total: '1' });
      expect(await hash('fail')).to.deep.equal({ ...zeros, '/a': '1', total: '1' });
      expect(await hash('error')).to.deep.equal(zeros);
      expect(await hash('aborted')).to.deep.equal({ '/never': '1', total: '1' });
    });

    it('SC2 five hashes are there at once, with a total of 0', async () => {
      await start({ responseTimer: undefined });
      while ((await redis.command('EXISTS', 'foo_fail')) === 0);
      for (const kind of ['requestTotal', 'responseTotal', 'success', 'error', 'fail']) {
        expect(await redis.hash(`foo_${kind}`), kind).to.deep.equal(new Map([['total', '0']]));
      }
    });

    it('SC3 total is the sum of the URIs', async () => {
      const app = await start();
      const paths = ['/a', '/a?status=error', '/b', '/users/1', '/users/2', '/none', '/twice'];
      await Promise.all(paths.map((path) => app.get(path)));
      for (const kind of ['requestTotal', 'responseTotal', 'success', 'error', '2xx', '4xx']) {
        const { total, ...uris } = await hash(kind);
        const sum = Object.values(uris).reduce((all, one) => all + Number(one), 0);
        expect(Number(total), kind).to.equal(sum);
      }
      expect((await hash('requestTotal'))['total']).to.equal('7');
    });

    it('SC4 jsend sends status and data as given, and counts in whatever case', async () => {
      const app = await start();
      for (const status of ['success', 'Error', 'FAIL', 'fail']) {
        const { text } = await app.get(`/a?status=${status}`);
        expect(text).to.equal(`{"status":"${status}","data":{"foo":"bar"}}`);
      }
      expect((await hash('success'))['/a']).to.equal('1');
      expect((await hash('error'))['/a']).to.equal('1');
      expect((await hash('fail'))['/a']).to.equal('2');
    });

    it('SC5 a plain end or send counts as a response alone', async () => {
      const app = await start();
      await app.get('/b');
      await app.get('/users/1');
      expect(await hash('responseTotal')).to.include({ '/b': '1', '/users/:id': '1' });
      for (const kind of ['success', 'error', 'fail']) {
        expect((await hash(kind))['total'], kind).to.equal('0');
      }
    });

    it('SC6 the query is no part of the key', async () => {
      const app = await start({ key: 'path' });
      await app.get('/b?x=1');
      await app.get('/b?x=2#y');
      expect(await hash('requestTotal')).to.deep.equal({ '/b': '2', total: '2' });
    });

    it('SC7 times are pushed by PUT to the path, whole milliseconds, each once', async () => {
      const app = await start({ queryCounter: undefined });
      await app.get('/b');
      await trap.received(1);
      await app.get('/b');
      await app.get('/users/7');
      await hash('requestTotal');
      expect(trap.submissions.length).to.be.at.least(2);
      for (const { method, url, text } of trap.submissions) {
        expect([method, url]).to.deep.equal(['PUT', '/module/httptrap/check/secret']);
        expect(text).to.match(/^\{("[^"]+":\{"_type":"n","_value":\[\d+(,\d+)*\]\},?)+\}$/);
      }
      const values = trap.values();
      expect([...values.keys()].toSorted()).to.deep.equal(['/b', '/users/:id']);
      expect(values.get('/b')).to.have.length(2);
    });

    it('SC8 registerURI makes the fields before there are requests', async () => {
      await start();
      collector.registerURI('/soon');
      for (const kind of ['requestTotal', 'responseTotal', 'success', 'error', 'fail']) {
        expect(await hash(kind), kind).to.deep.equal({ '/soon': '0', total: '0' });
      }
    });

    it('SC9 without a prefix the hashes have their bare names', async () => {
      const app = await start({ queryCounter: { redisConfig: redis.url } });
      await app.get('/b');
      await hash('requestTotal');
      expect(await redis.hash('requestTotal')).to.deep.equal(
        new Map(Object.entries({ total: '1', '/b': '1' })),
      );
    });

    it('SC9 the interval is a gap: it begins when a push has ended', async () => {
      const [intervalMs, answerMs] = [30, 150];
      const [arrivals, answers]: [number[], number[]] = [[], []];
      trap.behave((response, submission) => {
        arrivals.push(performance.now());
        setTimeout(() => {
          answers.push(performance.now());
          takes(response, submission);
        }, answerMs);
      });
      const responseTimer = { circonusConfig: trapConfig(), pushInterval: intervalMs };
      const app = await start({ queryCounter: undefined, responseTimer });
      while (arrivals.length < 4) await app.get('/b');
      for (const [at, answered] of answers.slice(0, 3).entries()) {
        expect(arrivals[at + 1]! - answered).to.be.at.least(intervalMs - 1);
      }
      trap.behave(takes);
    });

    it('SC10 every value is a plain integer', async () => {
      const app = await start();
      await Promise.all(['/a', '/b', '/none', '/users/5'].map((path) => app.get(path)));
      await hash('requestTotal');
      const keys = (await redis.command('KEYS', 'foo_*')) as string[];
      expect(keys).to.have.length(5 + 2);
      for (const key of keys) {
        for (const [field, value] of await redis.hash(key)) {
          expect(value, `${key} ${field}`).to.match(/^-?\d+$/);
        }
      }
    });

    it('SC!2 a status that JSend does not know is sent, and counts as a response', async () => {
      const app = await start();
      const answers = await Promise.all([app.get('/a?status=ok'), app.get('/a?status=a&status=b')]);
      expect(answers.map(({ text }) => JSON.parse(text) as unknown)).to.deep.equal([
        { status: 'ok', data: { foo: 'bar' } },
        { status: ['a', 'b'], data: { foo: 'bar' } },
      ]);
      expect((await hash('responseTotal'))['/a']).to.equal('2');
      expect((await hash('success'))['total']).to.equal('0');
    });

    it('SC!3 two calls of end are one response', async () => {
      const app = await start();
      await app.get('/twice');
      expect(await hash('responseTotal')).to.deep.equal({ '/twice': '1', total: '1' });
      expect(trap.values().get('/twice')).to.have.length(1);
    });

    it('SC!4 stop delivers what is left, long before the interval', async () => {
      const app = await start();
      await app.get('/b');
      expect(await hash('2xx')).to.deep.equal({ '/b': '1', total: '1' });
      expect([...trap.values().keys()]).to.deep.equal(['/b']);
    });

    it('SC!5 a route is one key; too many keys, or too long ones, are one as well', async () => {
      const app = await start({ maxKeys: 3, responseTimer: undefined });
      for (const id of [1, 2, 3]) await app.get(`/users/${id}`);
      await Promise.all(Array.from({ length: 30 }, (_, at) => app.get(`/none/${at}`)));
      for (const path of ['/a', '/b', '/twice']) await app.get(path);
      expect(await hash('requestTotal')).to.deep.equal({
        ...{ '/users/:id': '3', '(unmatched)': '30', '/a': '1', '(other)': '2', total: '36' },
      });
    });

    it('SC!5 with paths as keys, as many paths as a client can think of are one', async () => {
      const app = await start({ maxKeys: 2, key: 'path', responseTimer: undefined });
      await app.get(`/${'x'.repeat(500)}`);
      for (const path of ['/1', '/2', '/3']) await app.get(path);
      expect(await hash('requestTotal')).to.deep.equal({
        ...{ '/1': '1', '(other)': '3', total: '4' },
      });
    });

    it('SC!6 the length of a push is in bytes', async () => {
      const app = await start();
      await app.get('/coffee');
      await hash('requestTotal');
      const [{ headers, text }] = trap.submissions as [(typeof trap.submissions)[0]];
      expect(text).to.include('%C3%A9');
      expect(headers['content-length']).to.equal(String(Buffer.byteLength(text)));
    });

    it('SC!7 what has not changed is not written again', async () => {
      const app = await start({
        queryCounter: { redisConfig: redis.url, statPrefix: 'foo_', pushInterval: 10 },
        responseTimer: { circonusConfig: trapConfig(), pushInterval: 10 },
      });
      await app.get('/b');
      while (collector.vitals().counters!.pending + trap.submissions.length !== 1) await turn();
      const before = await calls();
      const ticks = 10;
      await new Promise((resolve) => setTimeout(resolve, ticks * 10)); // that many pushes are due
      expect(await calls()).to.equal(before);
      expect(trap.submissions).to.have.length(1);
    });

    /** How many scripts Redis has run. */
    async function calls(): Promise<string | undefined> {
      const stats = (await redis.command('INFO', 'commandstats')) as string;
      return /cmdstat_eval:calls=(\d+)/.exec(stats)?.[1];
    }

    it('SC!8 a trap that does not answer holds nothing up, and what it has not taken is kept', async () => {
      trap.behave(() => {});
      const app = await start({ stopTimeout: 300 });
      await app.get('/b');
      await trap.received(1);
      await app.get('/b');
      await app.idle();
      expect(await collector.stop()).to.deep.equal({ counters: 0, timings: 2 });
      trap.behave(takes);
    });

    it('SC!9 a trap may be local, over plain http', async () => {
      const app = await start({ responseTimer: { circonusConfig: trapConfig() } });
      await app.get('/b');
      await trap.received(1);
      expect(trap.submissions[0]!.url).to.equal('/module/httptrap/check/secret');
    });
  });
}

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
