import { once } from 'node:events';
import { connect } from 'node:net';

import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';

import type { Pieces } from '../../src/http/sending.ts';
import { createHttpServer, type HttpServer, json, type Route } from '../../src/http/server.ts';
import { ask, type HttpRig, sendRaw } from './rig.ts';

const TYPE = 'application/json';

describe('An answer in pieces', () => {
  const said: string[] = [];
  let server: HttpServer;

  afterEach(async () => {
    await server.close();
    said.length = 0;
  });

  async function serve(routes: Route[], silenceMs?: number): Promise<HttpRig> {
    const log = (level: string, message: string): void => void said.push(`${level}: ${message}`);
    const options = { host: '127.0.0.1', port: 0, token: undefined, receiver: undefined };
    server = createHttpServer({ ...options, routes, log, ...(silenceMs && { silenceMs }) });
    const url = await server.listen();
    return { server, url, port: Number(new URL(url).port) } as HttpRig;
  }

  function route(path: string, body: () => Pieces): Route {
    return { path, guarded: true, answer: () => ({ status: 200, type: TYPE, body: body() }) };
  }

  function* many(pieces: number, length = 1000): Generator<string> {
    for (let at = 0; at < pieces; at++) yield String.fromCharCode(97 + (at % 26)).repeat(length);
  }

  async function* slowly(pieces: Iterable<string>): AsyncGenerator<string> {
    for (const piece of pieces) {
      await new Promise(setImmediate);
      yield piece;
    }
  }

  it('is all of them, whether they come at once or later', async () => {
    const rig = await serve([
      route('/many', () => many(5000)),
      route('/slow', () => slowly(many(200))),
      route('/list', () => ['ä', '', '€', '😀'.repeat(50_000)]),
    ]);
    const [all, slow, list] = [
      await ask(rig, '/many'),
      await ask(rig, '/slow'),
      await ask(rig, '/list'),
    ];
    expect(all.body).to.equal([...many(5000)].join(''));
    expect(all.headers['transfer-encoding']).to.equal('chunked');
    expect(all.headers['content-type']).to.equal(TYPE);
    expect(all.headers['content-security-policy']).to.match(/^default-src 'none'/);
    expect(slow.body).to.equal([...many(200)].join(''));
    expect(list.body).to.equal(`ä€${'😀'.repeat(50_000)}`);
  });

  it('has a length if it is short, like any other', async () => {
    const rig = await serve([
      route('/short', () => slowly(['{"ä":', '1', '}'])),
      route('/none', () => []),
    ]);
    const { headers, body } = await ask(rig, '/short');
    expect([headers['content-length'], body]).to.deep.equal(['8', '{"ä":1}']);
    expect((await ask(rig, '/short', { method: 'HEAD' })).headers['content-length']).to.equal('8');
    expect((await ask(rig, '/none')).headers['content-length']).to.equal('0');
  });

  it('is not made to its end for HEAD, nor for a reader who goes away', async () => {
    let made = 0;
    let ended = 0;
    let notify = (): void => {};
    function* endless(): Generator<string> {
      try {
        for (;;) {
          made++;
          yield 'x'.repeat(10_000);
        }
      } finally {
        ended++;
        notify();
      }
    }
    const rig = await serve([route('/endless', endless)]);
    const head = await ask(rig, '/endless', { method: 'HEAD' });
    expect([head.status, head.body, ended]).to.deep.equal([200, '', 1]);
    expect(made).to.be.below(10);
    const reader = connect(rig.port, '127.0.0.1');
    reader.write('GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(reader, 'data');
    const gone = new Promise<void>((resolve) => (notify = resolve));
    reader.destroy();
    await gone;
    expect(ended).to.equal(2);
    expect(said).to.deep.equal([]);
  });

  it('waits for a reader who does not read, holding little, and not for ever', async () => {
    let made = 0;
    let notify = (): void => {};
    const over = new Promise<void>((resolve) => (notify = resolve));
    function* endless(): Generator<string> {
      try {
        for (; ; made++) yield 'x'.repeat(1 << 20);
      } finally {
        notify();
      }
    }
    const rig = await serve([route('/endless', endless)], 300);
    const reader = connect(rig.port, '127.0.0.1').pause();
    reader.on('error', () => {});
    reader.write('GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await over;
    // What the kernel takes, and 64 MiB.
    expect(made).to.be.within(2, 90);
    reader.destroy();
  });

  it('leaves others their turn while it is made', async () => {
    let isOver = false;
    function* long(): Generator<string> {
      const endMs = performance.now() + 300;
      while (performance.now() < endMs) yield 'x';
      isOver = true;
    }
    const rig = await serve([
      route('/long', long),
      { path: '/short', guarded: true, answer: () => json(200, { isOver }) },
    ]);
    const reading = ask(rig, '/long');
    const replies: string[] = [];
    while (!isOver) replies.push((await ask(rig, '/short')).body);
    await reading;
    expect(replies.filter((one) => one === '{"isOver":false}').length).to.be.above(5);
  });

  it('that fails at first is answered 500, and one that fails later is cut short', async () => {
    function* failing(pieces: number): Generator<string> {
      yield* many(pieces);
      throw new Error('inner detail');
    }
    const rig = await serve([
      route('/first', () => failing(1)),
      route('/later', () => failing(2000)),
    ]);
    const first = await ask(rig, '/first');
    expect(first.status).to.equal(500);
    expect(first.body).to.not.include('inner');
    const later = await sendRaw(rig, 'GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect(later).to.match(/^HTTP\/1\.1 200 .*aaa/s);
    expect(later.endsWith('\r\n0\r\n\r\n')).to.equal(false);
    const errors = ['error: http /first: inner detail', 'error: http /later: inner detail'];
    expect(said).to.deep.equal(errors);
  });
});

describe('A route that takes more', () => {
  let server: HttpServer;
  afterEach(() => server.close());

  async function serve(): Promise<HttpRig> {
    const options = { host: '127.0.0.1', port: 0, token: undefined, receiver: undefined };
    const routes: Route[] = [
      { path: '/a', guarded: true, answer: () => json(200, 'a') },
      {
        path: '/a/',
        rest: 'name',
        guarded: true,
        answer: ({ rest, query }) => json(200, [rest, [...query]]),
      },
    ];
    server = createHttpServer({ ...options, routes, log: () => {} });
    const url = await server.listen();
    return { server, url, port: Number(new URL(url).port) } as HttpRig;
  }

  for (const [path, rest, query] of [
    ['/a/b', 'b', []],
    ['/a/', '', []],
    ['/a/b/c', 'b/c', []],
    ['/a/%2F%3F%25%C3%A9', '/?%é', []],
    ['/a/..', '..', []],
    [
      '/a/b?x=1&y=%20+?&z',
      'b',
      [
        ['x', '1'],
        ['y', '  ?'],
        ['z', ''],
      ],
    ],
    ['/a/__proto__?__proto__=1', '__proto__', [['__proto__', '1']]],
  ] as const) {
    it(`reads ${path}`, async () => {
      const { status, body } = await ask(await serve(), path);
      expect([status, JSON.parse(body)]).to.deep.equal([200, [rest, query]]);
    });
  }

  for (const path of ['/a/%', '/a/%zz', '/a/%ff', '/a/%C3', '/a/b%']) {
    it(`refuses ${path} with 400 and what is expected`, async () => {
      const { status, body } = await ask(await serve(), path);
      expect(status).to.equal(400);
      const error = '/a/<name>: expected UTF-8 in percent-encoding; write % as %25';
      expect(JSON.parse(body)).to.deep.equal({ error });
    });
  }

  it('is listed with what it takes, and leaves the path without it to another', async () => {
    const rig = await serve();
    expect((await ask(rig, '/a')).body).to.equal('"a"');
    expect((await ask(rig, '/b')).body).to.include('there are /a, /a/<name>');
    const { status, body } = await ask(rig, '/a/b', { method: 'PUT' });
    expect(status).to.equal(405);
    expect(body).to.include('/a/<name> takes GET, not PUT');
    expect((await ask(rig, '/a/%', { headers: { host: 'evil.example' } })).status).to.equal(403);
  });
});
