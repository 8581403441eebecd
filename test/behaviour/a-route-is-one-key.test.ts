import { expect } from 'chai';
import type { ErrorRequestHandler } from 'express';
import { describe, it } from 'mocha';

import { StatCollector } from '../../src/index.ts';
import { EXPRESSES, serve } from '../support/web.ts';

interface Jsend {
  jsend(status: string, data?: unknown): void;
}

for (const [name, express] of EXPRESSES) {
  /** Serves an application, GETs paths one after the other, and returns how often each key came. */
  const keysOf = async (
    make: (app: ReturnType<typeof express>, collector: StatCollector) => void,
    ...paths: string[]
  ): Promise<Record<string, number>> => {
    const collector = new StatCollector({ queryCounter: {} });
    const app = express();
    make(app, collector);
    const web = await serve(app);
    for (const path of paths) await web.get(path, { redirect: 'manual' });
    await web.idle();
    await web.close();
    await collector.stop();
    const { total: _, ...keys } = (await collector.getAll())['requestTotal']!;
    return Object.fromEntries(Object.entries(keys).map(([key, value]) => [key, Number(value)]));
  };

  describe(`${name}: a route is one key`, () => {
    it('by its pattern, whatever its parameters are', async () => {
      const keys = await keysOf(
        (app, collector) => {
          app.use(collector.middleware());
          app.get('/', (_request, response) => void response.end());
          app.get('/users/:id', (_request, response) => void response.end());
          app.get(['/x', '/y'], (_request, response) => void response.end());
          app.get(/^\/r\d+$/, (_request, response) => void response.end());
          app.route('/both/:way').all((_request, response) => void response.end());
        },
        ...['/', '/?q', '/users/1', '/users/2?x', '/x', '/y', '/r1', '/r22', '/both/a'],
      );
      expect(keys).to.deep.equal({
        ...{ '/': 2, '/users/:id': 2, '/x,/y': 2, '/^\\/r\\d+$/': 2, '/both/:way': 1 },
      });
    });

    it('with the mounts of the routers it is nested in, as patterns too', async () => {
      const keys = await keysOf(
        (app, collector) => {
          app.use(collector.middleware());
          const posts = express.Router();
          posts.get('/', (_request, response) => void response.end());
          posts.get('/:post', (_request, response) => void response.end());
          const users = express.Router({ mergeParams: true });
          users.use('/:user/posts', posts);
          users.get('/', (_request, response) => void response.end());
          app.use('/v:version/users', users);
          app.use('/plain/:a/:b', users);
        },
        ...['/v1/users', '/v2/users/', '/v1/users/ann/posts', '/v1/users/bob%20x/posts/7'],
        ...['/v3/users/users/posts/users', '/plain/1/1', '/plain/plain/2/9/posts/1'],
      );
      expect(keys).to.deep.equal({
        '/v:version/users': 2,
        '/v:version/users/:user/posts': 1,
        '/v:version/users/:user/posts/:post': 2,
        '/plain/:a/:b': 1,
        '/plain/:a/:b/:user/posts/:post': 1,
      });
    });

    it('also when its error is answered elsewhere', async () => {
      const keys = await keysOf(
        (app, collector) => {
          app.use(collector.middleware());
          const router = express.Router();
          router.get('/fails/:how', (_request, _response, next) => next(new Error('on purpose')));
          app.use('/api/:tenant', router);
          const answer: ErrorRequestHandler = (_error, _request, response, _next) => {
            response.status(503);
            (response as unknown as Jsend).jsend('error', 'sorry');
          };
          app.use(answer);
        },
        ...['/api/a/fails/x', '/api/b/fails/y'],
      );
      expect(keys).to.deep.equal({ '/api/:tenant/fails/:how': 2 });
    });

    it('in applications that are mounted in others, wherever the middleware stands', async () => {
      const keys = await keysOf(
        (app, collector) => {
          const inner = express();
          inner.use(collector.middleware());
          inner.get('/in/:x', (_request, response) => void response.end());
          const router = express.Router();
          router.use(collector.middleware());
          router.get('/at/:y', (_request, response) => void response.end());
          app.use('/outer', inner);
          app.use('/router', collector.middleware(), router);
        },
        ...['/outer/in/1', '/outer/in/2', '/router/at/1', '/outer/in/3', '/router/at/2'],
      );
      expect(keys).to.deep.equal({ '/outer/in/:x': 3, '/router/at/:y': 2 });
    });

    it('and what no route answers is its path, or one key if it was not found', async () => {
      const keys = await keysOf(
        (app, collector) => {
          app.use(collector.middleware());
          app.use('/health', (_request, response) => void response.end('ok'));
          app.use('/denied', (_request, response) => void response.status(403).end());
          app.get('/skipped', (_request, _response, next) => next());
        },
        ...['/health', '/health?x', '/denied', '/nope/1', '/nope/2', '/skipped'],
      );
      expect(keys).to.deep.equal({
        ...{ '/health': 2, '/denied': 1, '(unmatched)': 2, '/skipped': 1 },
      });
    });

    it('once, however often the middleware stands in the way, and it calls next at once', async () => {
      let calls = 0;
      const keys = await keysOf((app, collector) => {
        app.use(collector.middleware(), collector.middleware());
        app.use((request, response, next) => {
          collector.middleware()(request, response, () => void calls++);
          expect(calls).to.equal(1);
          next();
        });
        app.get('/a', (_request, response) => void response.end());
      }, '/a');
      expect(keys).to.deep.equal({ '/a': 1 });
      expect(calls).to.equal(1);
    });

    it('and two collectors in one application do not disturb each other', async () => {
      const other = new StatCollector({ queryCounter: {}, key: 'path' });
      const keys = await keysOf((app, collector) => {
        app.use(collector.middleware(), other.middleware());
        app.get('/a/:b', (_request, response) => void response.end());
      }, '/a/1');
      await other.stop();
      expect(keys).to.deep.equal({ '/a/:b': 1 });
      expect((await other.getAll())['2xx']).to.deep.equal({ '/a/1': '1', total: '1' });
    });
  });
}
