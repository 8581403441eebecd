import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { gzipSync } from 'node:zlib';

import { begin, PATH, put, SECRET, startTrap, type TrapRig, until, UUID } from './rig.ts';

const BODY = '{"a":{"_type":"n","_value":[12,7]},"b":1}';
const SAMPLES = [
  ['a', 12, 1],
  ['a', 7, 1],
];

describe('The trap receiver', () => {
  let rig: TrapRig;
  beforeEach(async () => (rig = await startTrap()));
  afterEach(() => rig.close());

  it('takes PUT and POST, answers with counts, and closes', async () => {
    for (const method of ['PUT', 'POST']) {
      const { status, headers, body } = await put(rig, BODY, { method });
      expect([status, body]).to.deep.equal([200, { stats: 3, filtered: 0 }]);
      expect(headers['connection']).to.equal('close');
      expect(headers['content-type']).to.equal('application/json');
    }
    expect(rig.sink.samples).to.deep.equal([...SAMPLES, ...SAMPLES]);
  });

  it('tells what is over-long, and takes the rest', async () => {
    const { status, body } = await put(rig, `{"${'n'.repeat(5000)}":1,${BODY.slice(1)}`);
    expect([status, body.stats]).to.deep.equal([200, 4]);
    expect(body.error).to.equal('at least one metric exceeded max name length');
    expect(rig.sink.samples).to.deep.equal(SAMPLES);
  });

  it('answers 406 to what is no submission, and keeps what came before', async () => {
    const { status, headers, body } = await put(rig, `${BODY} nonsense ${' '.repeat(300_000)}`);
    expect(status).to.equal(406);
    expect(body).to.deep.equal({
      error: 'lexical error: invalid string in json text. At byte 43.',
    });
    expect(headers['connection']).to.equal('close');
    expect(rig.sink.samples).to.deep.equal(SAMPLES);
  });

  it('answers OPTIONS with what it takes, and lets no page of another origin in', async () => {
    const { status, headers } = await put(rig, '', { method: 'OPTIONS' });
    expect(status).to.equal(204);
    expect(headers['allow']).to.equal('POST, PUT, OPTIONS');
    expect(headers).not.to.have.property('access-control-allow-origin');
  });

  for (const method of ['GET', 'DELETE', 'PATCH']) {
    it(`answers ${method} with 405`, async () => {
      const { status, headers, body } = await put(rig, '', { method });
      expect(status).to.equal(405);
      expect(headers['allow']).to.equal('POST, PUT, OPTIONS');
      expect(body.error).to.include(method);
    });
  }

  for (const [path, status, error] of [
    [`/module/httptrap/${UUID}/wrong`, 403, 'secret mismatch'],
    [`/module/httptrap/${UUID}/`, 403, 'secret mismatch'],
    [`/module/httptrap/${UUID}/${SECRET}x`, 403, 'secret mismatch'],
    [`/module/httptrap/${UUID}/${SECRET.toUpperCase()}`, 403, 'secret mismatch'],
    [`/module/httptrap/${UUID}/%zz`, 403, 'secret mismatch'],
    [`/module/httptrap/${UUID.slice(1)}/${SECRET}`, 404, 'uuid parse error'],
    [`/module/httptrap/x/${SECRET}`, 404, 'uuid parse error'],
    [`/module/httptrap/${UUID}`, 404, 'bad uri'],
    ['/module/httptrap', 404, 'bad uri'],
    ['/module/httptrap/', 404, 'bad uri'],
  ] as const) {
    it(`answers ${status} at ${path}`, async () => {
      const reply = await put(rig, BODY, { path });
      expect([reply.status, reply.body]).to.deep.equal([status, { error }]);
      expect(rig.sink.samples).to.deep.equal([]);
    });
  }

  for (const path of [
    `${PATH}/more/of?it=all`,
    `${PATH}?a=b`,
    PATH.replace(UUID, UUID.toUpperCase()),
    PATH.replace('s3cr3t', '%733cr3t'),
    PATH.replace(UUID, '00000000-0000-0000-0000-000000000000'),
  ]) {
    it(`takes ${path}`, async () => {
      expect((await put(rig, BODY, { path })).status).to.equal(200);
    });
  }

  it('says which paths are its own', () => {
    for (const path of ['/module/httptrap', PATH, `${PATH}?x`, '/module/httptrap/x']) {
      expect(rig.receiver.handles(path), path).to.equal(true);
    }
    for (const path of ['/', '/module', '/module/httptrapx', `/x${PATH}`]) {
      expect(rig.receiver.handles(path), path).to.equal(false);
    }
  });

  for (const encoding of ['gzip', 'x-gzip', 'GZIP', 'identity']) {
    it(`takes ${encoding}`, async () => {
      const bytes = encoding === 'identity' ? BODY : gzipSync(BODY);
      const { status } = await put(rig, bytes, { headers: { 'Content-Encoding': encoding } });
      expect(status).to.equal(200);
      expect(rig.sink.samples).to.deep.equal(SAMPLES);
    });
  }

  for (const encoding of ['deflate', 'br', 'gzip, gzip']) {
    it(`answers ${encoding} with 415`, async () => {
      const reply = await put(rig, BODY, { headers: { 'Content-Encoding': encoding } });
      expect(reply.status).to.equal(415);
      expect(reply.headers['accept-encoding']).to.equal('gzip, identity');
    });
  }

  it('answers 406 to gzip that is none, or is cut', async () => {
    for (const bytes of [Buffer.from(BODY), gzipSync(BODY).subarray(0, 30)]) {
      const reply = await put(rig, bytes, { headers: { 'Content-Encoding': 'gzip' } });
      expect(reply.status).to.equal(406);
      expect(reply.body.error).to.equal('Unable to read incoming payload');
    }
  });

  it('answers 413 to a body that is announced too long, though all of it is sent', async () => {
    const { status } = await put(rig, Buffer.alloc(16 * 1024 * 1024 + 1, ' '));
    expect(status).to.equal(413);
  });

  it('answers 413 to a bomb, and takes as much as may be', async () => {
    const headers = { 'Content-Encoding': 'gzip' };
    const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024, ' '));
    expect((await put(rig, bomb, { headers })).status).to.equal(413);
    const most = gzipSync(Buffer.alloc(16 * 1024 * 1024, ' '));
    expect((await put(rig, most, { headers })).status).to.equal(200);
  });

  it('answers 400 to a key that is no key', async () => {
    for (const key of ['', 'x'.repeat(201), 'caf\u00e9']) {
      const reply = await put(rig, BODY, { headers: { 'Idempotency-Key': key } });
      expect(reply.status, key).to.equal(400);
    }
    expect(rig.sink.samples).to.deep.equal([]);
  });

  it('keeps what came before a connection was cut', async () => {
    const sender = begin(rig, 1000);
    sender.write(BODY.slice(0, 36));
    await until(() => rig.sink.samples.length === 2);
    sender.cut();
    expect((await put(rig, BODY)).status).to.equal(200);
    expect(rig.sink.samples).to.deep.equal([...SAMPLES, ...SAMPLES]);
  });

  it('logs each kind of refusal once in a while, and never the secret', async () => {
    const path = PATH.replace(SECRET, `${SECRET}-but-wrong`);
    for (let turn = 0; turn < 3; turn++) await put(rig, BODY, { path });
    await put(rig, `nonsense ${SECRET}`);
    expect(rig.said).to.deep.equal([
      'warn: trap receiver: 403 secret mismatch, to 127.0.0.1',
      'warn: trap receiver: 406 lexical error: invalid string in json text. At byte 1., to 127.0.0.1',
    ]);
    rig.nowMs = 60_000;
    await put(rig, BODY, { path });
    expect(rig.said[2]).to.equal(
      'warn: trap receiver: 403 secret mismatch, to 127.0.0.1, and 2 more before',
    );
    expect(rig.said.join()).not.to.include(SECRET);
  });

  it('answers 500 where the sink fails, and goes on', async () => {
    const { sample } = rig.sink;
    rig.sink.sample = () => {
      throw new Error('no room');
    };
    for (const headers of [{}, { 'Idempotency-Key': 'a/1' }] as Record<string, string>[]) {
      const reply = await put(rig, BODY, { headers });
      expect([reply.status, reply.body]).to.deep.equal([500, { error: 'internal error' }]);
    }
    rig.sink.sample = sample;
    expect((await put(rig, BODY)).status).to.equal(200);
    expect(rig.said[0]).to.equal('error: trap receiver: internal error no room');
  });

  it('cuts what is open when it closes', async () => {
    const sender = begin(rig, 1000);
    sender.write(BODY);
    await until(() => rig.sink.samples.length === 2);
    rig.receiver.close();
    expect(await sender.answer).to.equal('');
    expect(await put(rig, BODY).catch((error: Error) => error.message)).to.match(/hang up|RESET/);
  });
});
