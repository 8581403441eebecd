import { createServer as createHttp2Server, connect as connectHttp2 } from 'node:http2';
import { once } from 'node:events';
import { type RequestListener, ServerResponse } from 'node:http';
import { type AddressInfo, connect as connectTo, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { expect } from 'chai';
import connect from 'connect';
import { afterEach, beforeEach, describe, it } from 'mocha';

import { StatCollector } from '../../src/index.ts';
import { EXPRESSES, serve, type Web } from '../support/web.ts';

type Request = Parameters<RequestListener>[0];
type Response = Parameters<RequestListener>[1] & {
  jsend: (status: string, data?: unknown) => void;
};
type Handler = (request: Request, response: Response) => unknown;

/** Routes that end in every way; the same for each kind of server, by path. */
const HANDLERS: Record<string, Handler> = {
  '/plain': (_request, response) => response.end('plain'),
  '/jsend': (_request, response) => response.jsend('success', { é: 1 }),
  '/stream': (_request, response) => {
    void pipeline(Readable.from(['a', 'b', 'c']), response);
  },
  '/endless': (_request, response) => response.write('something'),
  '/upload': (request, response) => {
    request.on('error', () => {});
    request.resume().on('end', () => response.end('taken'));
  },
  '/large': (_request, response) => response.end(Buffer.alloc(50_000_000)),
  '/empty': (_request, response) => {
    response.statusCode = 304;
    response.end();
  },
  '/cut': (_request, response) => {
    response.write('half');
    response.destroy();
  },
};

/** Ways to serve: Express 5 and 4, Connect, and a server of node:http by itself. */
const SERVERS: [name: string, make: (collector: StatCollector) => RequestListener][] = [
  ...EXPRESSES.map(([name, express]): (typeof SERVERS)[0] => [
    name,
    (collector) => {
      const app = express();
      app.use(collector.middleware());
      for (const [path, handler] of Object.entries(HANDLERS)) app.all(path, handler as never);
      return app;
    },
  ]),
  [
    'Connect',
    (collector) => {
      const app = connect();
      app.use(collector.middleware());
      for (const [path, handler] of Object.entries(HANDLERS)) {
        app.use(path, (request, response) => void handler(request, response as Response));
      }
      return app;
    },
  ],
  [
    'node:http',
    (collector) => (request, response) => {
      collector.middleware()(request, response, () => {
        const handler = HANDLERS[request.url ?? ''];
        if (handler === undefined) {
          response.statusCode = 404;
          response.end();
        } else handler(request, response as Response);
      });
    },
  ],
];

for (const [name, make] of SERVERS) {
  describe(`${name}: whatever becomes of a response, it is counted once`, () => {
    let collector: StatCollector;
    let web: Web;
    beforeEach(async () => {
      collector = new StatCollector({ queryCounter: {} });
      web = await serve(make(collector));
    });
    afterEach(async () => {
      await web.close();
      await collector.stop();
    });

    /** Returns, per kind, what was counted; zeros left out. */
    async function counted(): Promise<Record<string, Record<string, string>>> {
      await web.idle();
      await collector.stop();
      const hashes = Object.entries(await collector.getAll()).map(([kind, fields]) => {
        const some = Object.entries(fields).filter(([, value]) => value !== '0');
        return [kind, Object.fromEntries(some)] as const;
      });
      return Object.fromEntries(hashes.filter(([, fields]) => Object.keys(fields).length > 0));
    }

    /** What one response gives, sent or not. */
    function once1(uri: string, ...kinds: string[]): Record<string, Record<string, string>> {
      const fields = { [uri]: '1', total: '1' };
      return Object.fromEntries(['requestTotal', ...kinds].map((kind) => [kind, fields]));
    }

    it('a plain response', async () => {
      expect(await web.get('/plain')).to.deep.equal({ status: 200, text: 'plain' });
      expect(await counted()).to.deep.equal(once1('/plain', 'responseTotal', '2xx'));
    });

    it('a body of jsend, with the right length in bytes', async () => {
      const answer = await web.raw('GET /jsend HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
      expect(answer).to.match(/content-type: application\/json; charset=utf-8/i);
      expect(answer).to.match(/content-length: 36\r\n/i);
      expect(answer.split('\r\n\r\n')[1]).to.equal(
        Buffer.from('{"status":"success","data":{"é":1}}').toString('utf8'),
      );
      expect(await counted()).to.deep.equal(once1('/jsend', 'responseTotal', '2xx', 'success'));
    });

    it('a HEAD, without a body', async () => {
      expect(await web.get('/jsend', { method: 'HEAD' })).to.deep.equal({ status: 200, text: '' });
      expect(await counted()).to.deep.equal(once1('/jsend', 'responseTotal', '2xx', 'success'));
    });

    it('a streamed response', async () => {
      expect((await web.get('/stream')).text).to.equal('abc');
      expect(await counted()).to.deep.equal(once1('/stream', 'responseTotal', '2xx'));
    });

    it('a status without a body', async () => {
      expect((await web.get('/empty')).status).to.equal(304);
      expect(await counted()).to.deep.equal(once1('/empty', 'responseTotal', '3xx'));
    });

    it('what nobody answers for', async () => {
      expect((await web.get('/none')).status).to.equal(404);
      expect(await counted()).to.deep.equal(once1('(unmatched)', 'responseTotal', '4xx'));
    });

    it('many over one connection that is kept', async () => {
      const requests = Array.from({ length: 50 }, (_, at) => {
        const last = at === 49 ? 'Connection: close\r\n' : '';
        return `GET /plain HTTP/1.1\r\nHost: x\r\n${last}\r\n`;
      });
      const answer = await web.raw(requests.join(''));
      expect(answer.match(/HTTP\/1.1 200/g)).to.have.length(50);
      const fields = { '/plain': '50', total: '50' };
      expect(await counted()).to.deep.equal({
        ...{ requestTotal: fields, responseTotal: fields, '2xx': fields },
      });
    });

    it('a client that goes away in the middle of a response', async () => {
      const socket = connectTo(web.port, '127.0.0.1');
      socket.write('GET /endless HTTP/1.1\r\nHost: x\r\n\r\n');
      await once(socket, 'data');
      socket.destroy();
      expect(await counted()).to.deep.equal(once1('/endless', 'aborted'));
    });

    it('a client that goes away when all is written, but not yet sent', async () => {
      const socket = connectTo(web.port, '127.0.0.1');
      socket.write('GET /large HTTP/1.1\r\nHost: x\r\n\r\n');
      await once(socket, 'data');
      socket.destroy();
      expect(await counted()).to.deep.equal(once1('/large', 'aborted'));
    });

    it('a client that goes away in the middle of its upload', async () => {
      const socket = connectTo(web.port, '127.0.0.1');
      const came = once(web.server, 'request');
      socket.write('POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nsome');
      await came;
      socket.destroy();
      expect(await counted()).to.deep.equal(once1('/upload', 'aborted'));
    });

    it('a server that breaks its response off', async () => {
      const answer = await web.raw('GET /cut HTTP/1.1\r\nHost: x\r\n\r\n').catch(() => '');
      expect(answer).to.not.include('\r\n0\r\n\r\n');
      expect(await counted()).to.deep.equal(once1('/cut', 'aborted'));
    });

    it('requests that wait behind one that is never answered, when the client goes away', async () => {
      const socket = connectTo(web.port, '127.0.0.1');
      let requests = 0;
      const came = new Promise<void>((resolve) => {
        web.server.on('request', () => (++requests === 3 ? resolve() : undefined));
      });
      const endless = 'GET /endless HTTP/1.1\r\nHost: x\r\n\r\n';
      socket.write(endless + 'GET /plain HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2));
      await came;
      socket.destroy();
      const hashes = await counted();
      expect(hashes['aborted']).to.deep.equal({ '/endless': '1', '/plain': '2', total: '3' });
      expect(hashes['responseTotal']).to.equal(undefined);
    });
  });
}

describe('Made by the application: whatever becomes of a response, it is counted once', () => {
  it('an answer to an upgrade, and one that is broken off', async () => {
    const collector = new StatCollector({ queryCounter: {} });
    const web = await serve((_request, response) => void response.end());
    let answered = 0;
    web.server.on('upgrade', (request, socket) => {
      const response = new ServerResponse(request);
      response.assignSocket(socket as Socket);
      response.on('finish', () => socket.end());
      collector.middleware()(request, response, () => {
        if (++answered === 1) response.writeHead(401).end();
        else socket.destroy();
      });
    });
    const upgrade = 'GET /ws HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: ws\r\n\r\n';
    expect(await web.raw(upgrade)).to.match(/^HTTP\/1.1 401/);
    await web.raw(upgrade).catch(() => '');
    while (collector.vitals().counters!.samples < 5) await new Promise(setImmediate);
    await web.close();
    await collector.stop();
    const all = await collector.getAll();
    expect(all['4xx']).to.deep.equal({ '/ws': '1', total: '1' });
    expect(all['aborted']).to.deep.equal({ '/ws': '1', total: '1' });
    expect(all['requestTotal']).to.deep.equal({ '/ws': '2', total: '2' });
  });
});

describe('HTTP/2: whatever becomes of a response, it is counted once', () => {
  it('a stream that ends, and one that the client resets', async () => {
    const collector = new StatCollector({ queryCounter: {} });
    const server = createHttp2Server((request, response) => {
      collector.middleware()(request as never, response as never, () => {
        if (request.url === '/plain') response.end('x');
        else response.write('something');
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const plain = session.request({ ':path': '/plain' });
    await once(plain.resume(), 'end');
    const endless = session.request({ ':path': '/endless' });
    await once(endless, 'data');
    endless.close(8);
    await once(endless, 'close');
    session.close();
    server.close();
    await once(server, 'close');
    await collector.stop();
    const all = await collector.getAll();
    expect(all['responseTotal']).to.include({ '/plain': '1', total: '1' });
    expect(all['aborted']).to.include({ '/endless': '1', total: '1' });
  });
});
