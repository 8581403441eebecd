import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';
import { gzipSync } from 'node:zlib';

import { begin, put, startTrap, type TrapRig, until } from './rig.ts';

const METRIC = '{"a":{"_type":"n","_value":1}}';
const MIB = 1024 * 1024;

describe('The trap receiver is not overrun', () => {
  let rig: TrapRig;
  afterEach(() => rig.close());

  it('takes 64 submissions at once, the next when one of them has ended', async () => {
    rig = await startTrap();
    const senders = Array.from({ length: 64 }, () => begin(rig, METRIC.length + 1));
    for (const sender of senders) sender.write(METRIC);
    await until(() => rig.sink.samples.length === 64);
    const refused = await put(rig, METRIC);
    expect(refused.status).to.equal(503);
    expect(refused.headers['retry-after']).to.equal('1');
    expect(refused.headers['connection']).to.equal('close');
    senders[0]!.write(' ');
    expect(await senders[0]!.answer).to.match(/^HTTP\/1\.1 200 .*"stats":1/s);
    expect((await put(rig, METRIC)).status).to.equal(200);
    senders[1]!.cut();
    await until(() => rig.sink.samples.length === 65);
    for (let tries = 0; (await put(rig, METRIC)).status === 503; tries++) {
      expect(tries).to.be.lessThan(100);
    }
    for (const sender of senders) sender.cut();
  });

  it('takes 128 MiB at once, the announced ones counted from the start', async () => {
    rig = await startTrap();
    const senders = Array.from({ length: 8 }, () => begin(rig, 16 * MIB));
    for (const sender of senders) sender.write(METRIC);
    await until(() => rig.sink.samples.length === 8);
    const refused = await put(rig, METRIC);
    expect([refused.status, refused.headers['retry-after']]).to.deep.equal([503, '1']);
    for (const sender of senders) sender.cut();
    for (let tries = 0; (await put(rig, METRIC)).status === 503; tries++) {
      expect(tries).to.be.lessThan(100);
    }
  });

  it('takes not more than that in what is unpacked', async () => {
    rig = await startTrap({ allBytes: 2 * MIB });
    const headers = { 'Content-Encoding': 'gzip', 'Idempotency-Key': 'a/1' };
    const refused = await put(rig, gzipSync(METRIC + ' '.repeat(3 * MIB)), { headers });
    expect(refused.status).to.equal(503);
    expect(rig.sink.samples).to.deep.equal([]);
    const taken = await put(rig, gzipSync(METRIC + ' '.repeat(MIB)), { headers });
    expect(taken.status).to.equal(200);
    expect(rig.sink.samples).to.have.length(1);
  });

  it('answers 408 to a sender that falls silent', async () => {
    rig = await startTrap({ silenceMs: 30 });
    const sender = begin(rig, 1000);
    sender.write(METRIC);
    expect(await sender.answer).to.match(/^HTTP\/1\.1 408 .*did not arrive in time/s);
    expect(rig.sink.samples).to.have.length(1);
  });

  it('answers 408 to a sender that never ends, though it is never silent', async () => {
    rig = await startTrap({ silenceMs: 1000, arrivalMs: 150 });
    const sender = begin(rig, 100_000, { 'Idempotency-Key': 'a/1' });
    const timer = setInterval(() => sender.write(METRIC), 10);
    const answer = await sender.answer;
    clearInterval(timer);
    expect(answer).to.match(/^HTTP\/1\.1 408 /);
    expect(rig.sink.samples).to.deep.equal([]);
  });

  it('answers 413 to empty parts of gzip without end', async () => {
    rig = await startTrap({ bodyBytes: 64 * 1024 });
    const parts = Buffer.concat(Array.from({ length: 10_000 }, () => gzipSync('')));
    const headers = { 'Content-Encoding': 'gzip', 'Transfer-Encoding': 'chunked' };
    expect((await put(rig, parts, { headers })).status).to.equal(413);
  });
});
