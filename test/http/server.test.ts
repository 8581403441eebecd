import { expect } from 'chai';
import { after, before, beforeEach, describe, it } from 'mocha';
import { createHttpServer } from '../../src/http/server.ts';
import { StatcolError } from '../../src/errors.ts';
import { ask, type HttpRig, type Reply, sendRaw, startHttp } from './rig.ts';

const JSON_TYPE = 'application/json';
const TYPES = new Map([
  ['/', 'text/html; charset=utf-8'],
  ['/healthz', JSON_TYPE],
  ['/api/vitals', JSON_TYPE],
  ['/api/counters', JSON_TYPE],
  ['/api/gauges', JSON_TYPE],
  ['/api/sets', JSON_TYPE],
  ['/api/timings', JSON_TYPE],
  ['/metrics', 'text/plain; version=0.0.4; charset=utf-8'],
]);

describe('The HTTP server', () => {
  let rig: HttpRig;
  before(async () => (rig = await startHttp()));
  after(() => rig.server.close());
  beforeEach(() => {
    rig.said.length = 0;
    rig.store.read = () => Promise.resolve([]);
    rig.sources.reasons = () => [];
    rig.sources.hashes = () => [];
    rig.sources.timings = () => Promise.resolve([]);
  });

  for (const [path, type] of TYPES) {
    describe(path, () => {
      it('answers GET with 200', async () => {
        const response = await fetch(new URL(path, rig.url));
        expect(response.status).to.equal(200);
        expect(response.headers.get('content-type')).to.equal(type);
        const text = await response.text();
        if (type === JSON_TYPE) expect(JSON.parse(text)).to.be.an('object');
      });

      it('answers HEAD as GET, without the body', async () => {
        const [head, get] = [await ask(rig, path, { method: 'HEAD' }), await ask(rig, path)];
        expect([head.status, head.body]).to.deep.equal([200, '']);
        for (const name of ['content-type', 'content-length', 'cache-control']) {
          expect(head.headers[name]).to.equal(get.headers[name]);
        }
        expect(Number(get.headers['content-length'])).to.equal(Buffer.byteLength(get.body));
      });

      for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE']) {
        it(`answers ${method} with 405 and what is allowed`, async () => {
          const { status, headers, body } = await ask(rig, path, { method });
          expect([status, headers['allow']]).to.deep.equal([405, 'GET, HEAD']);
          expect(errorOf(body)).to.equal(`${path} takes GET, not ${method}`);
        });
      }

      it('does not mind a query', async () => {
        for (const query of ['?', '?a=b', '?a?b', '?%zz', '?token=x']) {
          expect((await ask(rig, path + query)).status).to.equal(200);
        }
      });
    });
  }

  for (const path of ['/nothing', '/api', '/api/', '/api/counters/', '//', '/healthz%20', '/%zz']) {
    it(`answers ${path} with 404 and what there is`, async () => {
      for (const method of ['GET', 'POST']) {
        const { status, body } = await ask(rig, path, { method });
        expect(status).to.equal(404);
        for (const known of [...TYPES.keys()]) expect(errorOf(body)).to.include(known);
      }
    });
  }

  it('shows nothing of a path that it does not know', async () => {
    const { body } = await ask(rig, '/%3Cscript%3E?<x>'.replace('<x>', '%3Cx%3E'));
    expect(body).to.not.match(/script/i);
  });

  it('sends security headers with every answer', async () => {
    const replies = [
      await ask(rig, '/healthz'),
      await ask(rig, '/api/counters'),
      await ask(rig, '/nothing'),
      await ask(rig, '/', { method: 'PUT' }),
      await ask(rig, '/', { headers: { host: 'evil.example' } }),
    ];
    for (const { headers } of replies) {
      expect(headers['x-content-type-options']).to.equal('nosniff');
      expect(headers['content-security-policy']).to.match(/^default-src 'none'; .*frame-anc/);
      expect(headers['referrer-policy']).to.equal('no-referrer');
      expect(headers['cache-control']).to.equal('no-store');
      expect(headers['access-control-allow-origin']).to.equal(undefined);
    }
  });

  describe('/healthz', () => {
    it('says ok, or 503 and why not', async () => {
      expect(JSON.parse((await ask(rig, '/healthz')).body)).to.deep.equal({ status: 'ok' });
      rig.sources.reasons = () => ['redis has failed'];
      const { status, body } = await ask(rig, '/healthz');
      expect(status).to.equal(503);
      expect(JSON.parse(body)).to.deep.equal({ status: 'degraded', reasons: ['redis has failed'] });
    });
  });

  describe('/api/counters', () => {
    it('shows names such as __proto__ and digits beyond 2^53 as they are', async () => {
      rig.sources.hashes = () => ['h', '__proto__'];
      rig.store.read = (hash) =>
        Promise.resolve([
          ['__proto__', '1'],
          ['constructor', '-2'],
          ['big', '9223372036854775807'],
          ['of', hash === 'h' ? '5' : '6'],
        ]);
      const fields = (of: number): string =>
        `{"__proto__":1,"constructor":-2,"big":9223372036854775807,"of":${of}}`;
      const { body } = await ask(rig, '/api/counters');
      expect(body).to.equal(`{"h":${fields(5)},"__proto__":${fields(6)}}`);
      expect(JSON.parse(body)).to.be.an('object');
    });

    it('shows what is no integer as text', async () => {
      rig.sources.hashes = () => ['h'];
      const values = ['x', '', '1.5', '007', '+1', '1e3', '"', '-', ' 1', '0', '-0', '1,"b":2'];
      rig.store.read = () => Promise.resolve(values.map((value, at) => [`f${at}`, value]));
      const { h } = JSON.parse((await ask(rig, '/api/counters')).body) as {
        h: Record<string, unknown>;
      };
      expect(Object.values(h).map(String)).to.deep.equal(
        values.map((one) => one.replace('-0', '0')),
      );
      expect(Object.values(h).filter((one) => typeof one === 'number')).to.have.length(2);
    });

    it('keeps names that are HTML inside JSON', async () => {
      const name = '</script><img src=x onerror=alert(1)>"\\\u2028\n';
      rig.sources.hashes = () => [name];
      rig.store.read = () => Promise.resolve([[name, '1']]);
      const { body, headers } = await ask(rig, '/api/counters');
      expect(JSON.parse(body)).to.deep.equal({ [name]: { [name]: 1 } });
      expect(headers['content-type']).to.equal('application/json');
      expect((await ask(rig, '/')).body).to.not.include('onerror');
    });

    it('answers 503 and why while the store does not', async () => {
      rig.sources.hashes = () => ['h'];
      rig.store.read = () => Promise.reject(new Error('connection refused'));
      const { status, body } = await ask(rig, '/api/counters');
      expect(status).to.equal(503);
      expect(errorOf(body)).to.match(/^fake store does not answer: connection refused; counts are/);
    });
  });

  it('shows timings by name, __proto__ too', async () => {
    const summary = { count: 1, min: 2, max: 2, mean: 2, p50: 2, p90: 2, p99: 2 };
    rig.sources.timings = () =>
      Promise.resolve([
        ['__proto__', summary],
        ['<b>', summary],
      ]);
    const { body } = await ask(rig, '/api/timings');
    const text = JSON.stringify(summary);
    expect(body).to.equal(`{"__proto__":${text},"<b>":${text}}`);
  });

  it('answers 500 for an error of its own, with the error in the log alone', async () => {
    rig.sources.timings = () => Promise.reject(new Error('inner detail'));
    const { status, body } = await ask(rig, '/api/timings?token=secret');
    expect(status).to.equal(500);
    expect(errorOf(body)).to.not.include('inner');
    expect(rig.said).to.deep.equal(['error: http /api/timings: inner detail']);
  });

  describe('what is no request', () => {
    for (const text of [
      'nonsense\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      'GET\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: many\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: localhost\r\nbad header\r\n\r\n',
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
      `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    ]) {
      it(`is answered 400 and closed: ${JSON.stringify(text.slice(0, 40))}`, async () => {
        const answer = await sendRaw(rig, text);
        expect(answer).to.match(/^HTTP\/1\.1 400 /);
        const body = answer.slice(answer.indexOf('\r\n\r\n') + 4);
        expect(answer).to.include(`Content-Length: ${body.length}\r\n`);
        expect(errorOf(body)).to.be.a('string');
      });
    }

    it('of HTTP/1.1 without a Host is answered 400', async () => {
      expect(await sendRaw(rig, 'GET / HTTP/1.1\r\n\r\n')).to.match(/^HTTP\/1\.1 400 /);
    });
  });

  describe('a body that does not end', () => {
    const head = (method: string, rest: string): string =>
      `${method} /healthz HTTP/1.1\r\nHost: localhost\r\n${rest}\r\n\r\n`;
    for (const [what, method, pieces] of [
      ['with a length never reached', 'POST', ['Content-Length: 1000000', '{']],
      ['in chunks', 'POST', ['Transfer-Encoding: chunked', '5\r\nhello\r\n']],
      ['of a megabyte at once', 'PUT', ['Content-Length: 99999999', 'x'.repeat(1 << 20)]],
      ['of a GET', 'GET', ['Content-Length: 1000', 'x']],
    ] as const) {
      it(`is not waited for: ${what}`, async () => {
        const answer = await sendRaw(rig, head(method, pieces[0]), pieces[1]);
        // The answer may be lost to one who is still sending; the connection is closed.
        if (what !== 'of a megabyte at once' || answer !== '') {
          expect(answer).to.match(method === 'GET' ? /^HTTP\/1\.1 200 / : /^HTTP\/1\.1 405 /);
        }
        expect((await ask(rig, '/healthz')).status).to.equal(200);
      });
    }
  });
});

describe('The HTTP server’s address', () => {
  it('in use: rejects with ERR_LISTEN, the address, the cause and what to do', async () => {
    const rig = await startHttp();
    const options = {
      host: '127.0.0.1',
      port: rig.port,
      token: undefined,
      receiver: undefined,
      routes: [],
    };
    const second = createHttpServer({ ...options, log: () => {} });
    const error = await failureOf(second.listen());
    expect(error.code).to.equal('ERR_LISTEN');
    expect(error.message).to.equal(
      `http 127.0.0.1:${rig.port} is in use: stop the program that holds it, ` +
        'or choose another with --http',
    );
    expect((error.cause as NodeJS.ErrnoException).code).to.equal('EADDRINUSE');
    await rig.server.close();
    expect(await second.listen()).to.equal(rig.url);
    await second.close();
  });

  it('not of this machine: rejects with ERR_LISTEN too', async () => {
    const options = {
      host: '192.0.2.1',
      port: 0,
      token: undefined,
      receiver: undefined,
      routes: [],
      log: () => {},
    };
    const error = await failureOf(createHttpServer(options).listen());
    expect(error.code).to.equal('ERR_LISTEN');
    expect(error.message).to.match(/^http 192\.0\.2\.1:0 could not be bound: .*EADDRNOTAVAIL/);
  });

  it('is free again after close, which also ends connections under way', async () => {
    const rig = await startHttp();
    rig.sources.timings = () => new Promise(() => {});
    let asked = (): void => {};
    const arrived = new Promise<void>((resolve) => (asked = resolve));
    rig.sources.timings = () => {
      asked();
      return new Promise(() => {});
    };
    const reply = ask(rig, '/api/timings').then(
      (): Reply | string => 'answered',
      () => 'cut',
    );
    await arrived;
    await rig.server.close();
    expect(await reply).to.equal('cut');
  });
});

function errorOf(body: string): string {
  const parsed = JSON.parse(body) as { error: string };
  expect(Object.keys(parsed)).to.deep.equal(['error']);
  return parsed.error;
}

async function failureOf(promise: Promise<unknown>): Promise<StatcolError> {
  try {
    await promise;
  } catch (error) {
    expect(error).to.be.instanceOf(StatcolError);
    return error as StatcolError;
  }
  throw new Error('nothing was rejected');
}
