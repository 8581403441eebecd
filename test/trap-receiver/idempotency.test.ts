import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';

import { begin, PATH, put, startTrap, type TrapRig, until, UUID } from './rig.ts';

const BODY = '{"a":{"_type":"n","_value":[12,7]},"b":1}';
const KEY = { 'Idempotency-Key': 'instance/1' };

describe('A submission with a key', () => {
  let rig: TrapRig;
  beforeEach(async () => (rig = await startTrap()));
  afterEach(() => rig.close());

  for (const key of ['instance/1', 'a key of no form']) {
    it(`is added once, however often it is sent: ${key}`, async () => {
      for (let turn = 0; turn < 3; turn++) {
        const { status, body } = await put(rig, BODY, { headers: { 'Idempotency-Key': key } });
        expect([status, body]).to.deep.equal([200, { stats: 3, filtered: 0 }]);
      }
      expect(rig.sink.samples).to.have.length(2);
    });
  }

  it('is another one with another key, and at another check', async () => {
    await put(rig, BODY, { headers: KEY });
    await put(rig, BODY, { headers: { 'Idempotency-Key': 'instance/2' } });
    await put(rig, BODY, { headers: KEY, path: PATH.replace(UUID, UUID.replaceAll('b', 'd')) });
    expect(rig.sink.samples).to.have.length(6);
    await put(rig, BODY, { headers: KEY, path: PATH.replace(UUID, UUID.toUpperCase()) });
    expect(rig.sink.samples).to.have.length(6);
  });

  it('is added once when it is cut, at any byte, and sent again', async () => {
    for (let at = 0; at < BODY.length; at++) {
      const headers = { 'Idempotency-Key': `instance/${at}` };
      const sender = begin(rig, BODY.length, headers);
      sender.write(BODY.slice(0, at));
      await new Promise((resolve) => setTimeout(resolve, 2));
      sender.cut();
      let status = 503;
      while (status === 503) ({ status } = await put(rig, BODY, { headers }));
      expect(status).to.equal(200);
      expect(rig.sink.samples, `cut at ${at}`).to.have.length(2 * (at + 1));
    }
  });

  it('is added once when it comes twice at a time: 503, until the first is decided', async () => {
    const first = begin(rig, BODY.length, KEY);
    first.write(BODY.slice(0, 20));
    await new Promise((resolve) => setTimeout(resolve, 20));
    const second = await put(rig, BODY, { headers: KEY });
    expect([second.status, second.headers['retry-after']]).to.deep.equal([503, '1']);
    expect(rig.sink.samples).to.deep.equal([]);
    first.write(BODY.slice(20));
    expect(await first.answer).to.match(/^HTTP\/1\.1 200 /);
    expect((await put(rig, BODY, { headers: KEY })).status).to.equal(200);
    expect(rig.sink.samples).to.have.length(2);
  });

  it('is added once when many send it at once', async () => {
    const sent = Array.from({ length: 40 }, () => put(rig, BODY, { headers: KEY }));
    const statuses = (await Promise.all(sent)).map(({ status }) => status);
    expect(statuses).to.include(200);
    expect(new Set([...statuses, 200, 503])).to.deep.equal(new Set([200, 503]));
    expect(rig.sink.samples).to.have.length(2);
  });

  it('is added by the second where the first is cut', async () => {
    const first = begin(rig, BODY.length, KEY);
    first.write(BODY.slice(0, 20));
    await new Promise((resolve) => setTimeout(resolve, 20));
    first.cut();
    let status = 503;
    while (status === 503) ({ status } = await put(rig, BODY, { headers: KEY }));
    expect(status).to.equal(200);
    expect(rig.sink.samples).to.have.length(2);
  });

  it('adds nothing with an error in it, and may be sent again', async () => {
    expect((await put(rig, `${BODY}!`, { headers: KEY })).status).to.equal(406);
    expect(rig.sink.samples).to.deep.equal([]);
    expect((await put(rig, BODY, { headers: KEY })).status).to.equal(200);
    expect(rig.sink.samples).to.have.length(2);
  });

  it('adds nothing when it is too slow, and may be sent again', async () => {
    await rig.close();
    rig = await startTrap({ silenceMs: 30 });
    const sender = begin(rig, BODY.length + 1, KEY);
    sender.write(BODY);
    expect(await sender.answer).to.match(/^HTTP\/1\.1 408 /);
    expect(rig.sink.samples).to.deep.equal([]);
    expect((await put(rig, BODY, { headers: KEY })).status).to.equal(200);
    expect(rig.sink.samples).to.have.length(2);
  });

  it('is added whole, however large', async () => {
    const values = Array.from({ length: 30_000 }, (_, at) => at);
    const metrics = [0, 1, 2, 3, 4].map((n) => `"${n}":{"_type":"n","_value":[${values.join()}]}`);
    const sending = put(rig, `{${metrics.join()}}`, { headers: KEY });
    await until(() => rig.sink.samples.length > 0);
    const again = await put(rig, BODY, { headers: KEY });
    expect([again.status, again.body.stats]).to.deep.equal([200, 150_000]);
    expect((await sending).body.stats).to.equal(150_000);
    expect(rig.sink.samples).to.have.length(150_000);
    expect(
      rig.sink.samples.filter(([name, value]) => name === '4' && value === 29_999),
    ).to.have.length(1);
  });
});
