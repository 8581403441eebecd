import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import express5 from 'express';
import express4 from 'express-4';
import { describe, it } from 'mocha';
import {
  mountPattern,
  pathOf,
  type RoutedRequest,
  routePattern,
  watchRoutes,
} from '../../src/middleware/route.ts';

describe('The pattern of a mount', () => {
  const table: [matched: string, params: Record<string, unknown>, pattern: string][] = [
    ['/users', {}, '/users'],
    ['', {}, ''],
    ['/users/42', { id: '42' }, '/users/:id'],
    ['/users/42/posts/7', { id: '42', post: '7' }, '/users/:id/posts/:post'],
    ['/42', { id: '42' }, '/:id'],
    ['/users/42', { id: '7' }, '/users/42'],
    ['/users/42', { id: '' }, '/users/42'],
    ['/users/42', { id: undefined, other: 42 }, '/users/42'],
    // A value that stands elsewhere too: as a segment of its own, and there the last.
    ['/users/users', { id: 'users' }, '/users/:id'],
    ['/a/a/a', { id: 'a' }, '/a/a/:id'],
    ['/v1/1', { id: '1' }, '/v1/:id'],
    ['/1st/1', { id: '1' }, '/1st/:id'],
    ['/s/s1', { id: 's1' }, '/s/:id'],
    // Two parameters of the same value.
    ['/a/1/b/1', { x: '1', y: '1' }, '/a/:x/b/:y'],
    ['/1/1', { x: '1', y: '1' }, '/:x/:y'],
    ['/1/1/1', { x: '1', y: '1', z: '1' }, '/:x/:y/:z'],
    // Parts of segments.
    ['/v1', { version: '1' }, '/v:version'],
    ['/v1/users/2', { version: '1', id: '2' }, '/v:version/users/:id'],
    ['/v1/1', { version: '1', id: '1' }, '/v:version/:id'],
    ['/v11/1', { version: '11', id: '1' }, '/v:version/:id'],
    ['/v1/11', { version: '1', id: '11' }, '/v:version/:id'],
    ['/flights/LAX-SFO', { from: 'LAX', to: 'SFO' }, '/flights/:from-:to'],
    ['/flights/LAX-LAX', { from: 'LAX', to: 'LAX' }, '/flights/:from-:to'],
    ['/file.txt', { name: 'file', ext: 'txt' }, '/:name.:ext'],
    // A name that holds another's value, or looks like a value.
    ['/x/id', { a: 'x', id: 'id' }, '/:a/:id'],
    ['/a/b', { b: 'a', a: 'b' }, '/:b/:a'],
    // Wildcards: a list in Express 5, a number for a name in Express 4.
    ['/files/a/b/c', { path: ['a', 'b', 'c'] }, '/files/:path'],
    ['/files/a', { path: ['a'] }, '/files/:path'],
    ['/files', { path: [] }, '/files'],
    ['/42/files/a/b', { id: '42', path: ['a', 'b'] }, '/:id/files/:path'],
    ['/files/a/b', { 0: 'a/b' }, '/files/*'],
    ['/a/x/b/y', { 0: 'x', 1: 'y' }, '/a/*/b/*'],
    // Encoded, as the URL has it; parameters are decoded.
    ['/users/a%20b', { id: 'a b' }, '/users/:id'],
    ['/users/a%2Fb', { id: 'a/b' }, '/users/:id'],
    ['/users/%C3%A9/posts', { id: 'é' }, '/users/:id/posts'],
    ['/users/100%25', { id: '100%' }, '/users/:id'],
    ['/users/%2541', { id: '%41' }, '/users/:id'],
    ['/files/a%2Fb/c', { path: ['a/b', 'c'] }, '/files/:path'],
    ['/caf%C3%A9', {}, '/café'],
    ['/$&/42', { id: '$&' }, '/:id/42'],
    // Percent signs that encode nothing.
    ['/100%', {}, '/100%'],
    ['/%zz/42', { id: '42' }, '/%zz/:id'],
    ['/users/%', { id: '%' }, '/users/:id'],
    ['/users/%E9', { id: '%E9' }, '/users/:id'],
  ];
  for (const [matched, params, pattern] of table) {
    it(`${matched} with ${JSON.stringify(params)} is ${pattern || 'empty'}`, () => {
      expect(mountPattern(matched, Object.entries(params))).to.equal(pattern);
    });
  }

  it('takes parameters in their order, whatever they are called', () => {
    const params: [string, unknown][] = [
      ['constructor', '42'],
      ['0', '42'],
    ];
    expect(mountPattern('/42/files/42', params)).to.equal('/:constructor/files/*');
  });
});

describe('The path of a request', () => {
  const table: [url: string | undefined, path: string][] = [
    ['/users/42', '/users/42'],
    ['/users?a=/b', '/users'],
    ['/users#a?b', '/users'],
    ['/?', '/'],
    ['?a', '/'],
    ['', '/'],
    [undefined, '/'],
    ['//double/a', '//double/a'],
    ['/a%20b', '/a%20b'],
    ['*', '*'],
    ['http://host/a/b?c', '/a/b'],
    ['HTTPS://user@host:1/a', '/a'],
    ['http://host', '/'],
    ['http://host?a', '/'],
    ['host:443', 'host:443'],
  ];
  for (const [url, path] of table) {
    it(`${url} is ${path}`, () => expect(pathOf(requestOf({ url }))).to.equal(path));
  }

  it('is as it came, whatever routers have made of the URL', () => {
    const request = requestOf({ url: '/rest', originalUrl: '/mount/rest?a' });
    expect(pathOf(request)).to.equal('/mount/rest');
  });
});

describe('The pattern of a route', () => {
  const table: [request: Partial<RoutedRequest>, pattern: string | undefined][] = [
    [{}, undefined],
    [{ route: {} }, undefined],
    [{ route: { path: '/users/:id' } }, '/users/:id'],
    [{ route: { path: '/' } }, '/'],
    [{ route: { path: '' } }, '/'],
    [{ route: { path: '*' } }, '*'],
    [{ route: { path: '/users' }, baseUrl: '/api' }, '/api/users'],
    [{ route: { path: '/' }, baseUrl: '/api' }, '/api'],
    [{ route: { path: '' }, baseUrl: '/api' }, '/api'],
    [{ route: { path: '/users' }, baseUrl: '' }, '/users'],
    [{ route: { path: /^\/a+$/ } }, '/^\\/a+$/'],
    [{ route: { path: ['/a', /b/] } }, '/a,/b/'],
    [{ baseUrl: '/api' }, undefined],
  ];
  for (const [request, pattern] of table) {
    const { path } = request.route ?? {};
    it(`${String(path)} in ${request.baseUrl ?? 'none'} is ${pattern ?? 'none'}`, () => {
      expect(routePattern(requestOf(request), false)).to.equal(pattern);
    });
  }
});

for (const [version, express, wildcard, shown] of [
  ['4', express4, '*', '*'],
  ['5', express5, '*rest', ':rest'],
] as const) {
  describe(`The routes of Express ${version}, watched,`, () => {
    const table: [url: string, pattern: string | undefined][] = [
      ['/plain', '/plain'],
      ['/orgs/7', '/orgs/:org'],
      ['/orgs/7/users/42', '/orgs/:org/users/:user'],
      ['/orgs/a%20b/users/42', '/orgs/:org/users/:user'],
      ['/orgs/42/users/42', '/orgs/:org/users/:user'],
      ['/orgs/7/deep/8/leaf/9', '/orgs/:org/deep/:id/leaf/:leaf'],
      ['/orgs/8/deep/8/leaf/8', '/orgs/:org/deep/:id/leaf/:leaf'],
      ['/orgs/7/fails', '/orgs/:org/fails'],
      ['/orgs/7/twins/8/leaf', '/orgs/:org/twins/:org/leaf'],
      ['/orgs/7/twins/7/leaf', '/orgs/:org/twins/:org/leaf'],
      ['/wild/7/files/a/b', `/wild/:id/files/${shown}`],
      ['/app/3/inner', '/app/:tenant/inner'],
      ['/nowhere', undefined],
      ['/orgs/7/nowhere', undefined],
    ];
    for (const [url, pattern] of table) {
      it(`have the pattern ${pattern ?? 'none'} for ${url}, from the first request on`, async () => {
        const seen = await patternsOf(appOf(express, wildcard), [url, '/plain', url]);
        expect(seen).to.deep.equal([pattern, '/plain', pattern]);
      });
    }
  });
}

function requestOf(members: {
  [Key in keyof RoutedRequest]?: RoutedRequest[Key] | undefined;
}): RoutedRequest {
  return members as RoutedRequest;
}

/** Routers in routers, parameters of the same value, one that fails, an app in an app. */
function appOf(express: typeof express5, wildcard: string): RequestListener {
  const app = express();
  const org = express.Router({ mergeParams: true });
  const deep = express.Router({ mergeParams: true });
  const twins = express.Router();
  const wild = express.Router();
  const inner = express();
  app.use((request, _, next) => {
    watchRoutes(request);
    next();
  });
  app.get('/plain', (_, response) => void response.end());
  app.use('/orgs/:org', org);
  org.get('/', (_, response) => void response.end());
  org.get('/users/:user', (_, response) => void response.end());
  org.use('/deep/:id', deep);
  org.use('/twins/:org', twins);
  app.use(`/wild/:id/files/${wildcard}`, wild);
  org.get('/fails', () => {
    throw new Error('as it should');
  });
  deep.get('/leaf/:leaf', (_, response) => void response.end());
  twins.get('/leaf', (_, response) => void response.end());
  wild.get('/', (_, response) => void response.end());
  inner.get('/inner', (_, response) => void response.end());
  app.use('/app/:tenant', inner);
  app.use((_, response) => void response.status(404).end());
  app.use(((_error, _request, response, _next) => {
    response.status(500).end();
  }) satisfies express5.ErrorRequestHandler);
  return app;
}

/** Returns, per URL, the pattern that is known when the response is finished. */
async function patternsOf(app: RequestListener, urls: string[]): Promise<unknown[]> {
  const seen: unknown[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    response.on('finish', () => seen.push(routePattern(request, true)));
    app(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  for (const url of urls) {
    const response = await fetch(`http://127.0.0.1:${port}${url}`);
    await response.arrayBuffer();
  }
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
  return seen;
}
