import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';

import { makeCertificate } from '../support/certificate.ts';
import { type CollectorProcess, startCollector } from '../support/collector-process.ts';
import { answers, type RecordingTrap, startTrap, takes } from '../support/recording-trap.ts';
import { openSender, sendUdp } from '../support/udp.ts';

describe('timings reach the trap', () => {
  let trap: RecordingTrap;
  let collector: CollectorProcess | undefined;

  beforeEach(async () => {
    trap = await startTrap();
  });
  afterEach(async () => {
    collector?.signal('SIGKILL');
    await collector?.exited();
    await trap.close();
    collector = undefined;
  });

  async function start(...args: string[]): Promise<CollectorProcess> {
    collector = await startCollector(['--trap', trap.url, '--timing-interval', '50', ...args]);
    return collector;
  }

  it('as PUT, typed n, with the length in bytes and a key that rises by one (HT1, HT10)', async () => {
    const { udpPort, until } = await start('--instance', 'blue', '--names', 'keep');
    await sendUdp(udpPort, '/foo:12|ms\n/foo:7|ms|@0.1\n/foo:940|ms\n/caf\u00e9:1.5|h\n_type:2|d');
    await until(({ timings }) => timings.delivered === 5);
    await sendUdp(udpPort, 'again:1|ms');
    await until(({ timings }) => timings.delivered === 6);
    const [first, ...more] = trap.submissions;
    expect(first).to.deep.include({ method: 'PUT', url: '/module/httptrap/check/secret' });
    expect(first?.headers).to.deep.include({
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(first?.text ?? '')),
    });
    const bodies = trap.submissions.map((one) => JSON.parse(one.text) as unknown);
    expect(Object.assign({}, ...bodies)).to.deep.equal({
      '/foo': { _type: 'n', _value: [12, 7, 940] },
      '/caf%C3%A9': { _type: 'n', _value: [1.5] },
      '%5Ftype': { _type: 'n', _value: [2] },
      again: { _type: 'n', _value: [1] },
    });
    const keys = [first, ...more].map((one) => String(one?.headers['idempotency-key']));
    expect(keys[0]).to.match(/^blue-[0-9a-f]{16}\/1$/);
    expect(keys.map((key) => Number(key.split('/')[1]))).to.deep.equal(keys.map((_, at) => at + 1));
  });

  it('a connection of its own for each body, closed after it (HT5)', async () => {
    const { udpPort, until } = await start();
    for (let n = 1; n <= 3; n++) {
      await sendUdp(udpPort, `a:${n}|ms`);
      await until(({ timings }) => timings.delivered === n);
    }
    const closes = trap.submissions.map(({ headers }) => headers.connection);
    expect(closes).to.deep.equal(['close', 'close', 'close']);
  });

  it('floats and exponents go typed, as the doubles they are (HT6)', async () => {
    const { udpPort, until } = await start();
    await sendUdp(udpPort, 'a:1e-7:0.1:1e21:9007199254740993|ms');
    await until(({ timings }) => timings.delivered === 4);
    expect(trap.submissions[0]?.text).to.equal(
      '{"a":{"_type":"n","_value":[1e-7,0.1,1e+21,9007199254740992]}}',
    );
  });

  it('nothing timed: nothing sent (HT11)', async () => {
    const { udpPort, until } = await start('--counter-interval', '50');
    await sendUdp(udpPort, 'hits:1|c');
    await until(({ counters }) => counters.delivered === 1);
    await sendUdp(udpPort, 'hits:1|c');
    await until(({ counters }) => counters.delivered === 2);
    expect(trap.submissions).to.have.length(0);
  });

  for (const status of [408, 429, 500, 503]) {
    it(`${status}: kept and sent again, the same body under the same key (HT4)`, async () => {
      const { udpPort, until } = await start();
      trap.behave(answers(status));
      await sendUdp(udpPort, 'a:1|ms');
      await trap.received(1);
      await sendUdp(udpPort, 'a:2|ms'); // waits behind it
      await trap.received(2);
      const vitals = await until(({ samples }) => samples.timings === 2);
      expect(vitals.trap).to.deep.include({ up: false, lastError: `answered ${status}` });
      expect(vitals.timings.pending).to.equal(2);
      trap.behave(takes);
      await until(({ timings }) => timings.delivered === 2);
      expect(trap.values()).to.deep.equal(new Map([['a', [1, 2]]]));
      const [one, two] = trap.submissions;
      expect(two).to.deep.equal(one);
    });
  }

  for (const status of [301, 302, 400, 403, 404, 406]) {
    it(`${status}: dropped, counted, said once, and not followed (HT3)`, async () => {
      const { udpPort, until, stderr } = await start();
      trap.behave((response) => response.writeHead(status, { Location: '/elsewhere' }).end());
      await sendUdp(udpPort, 'a:1:2|ms');
      await until(({ timings }) => timings.dropped[`trap_status_${status}`] === 2);
      await sendUdp(udpPort, 'a:3|ms');
      await until(({ timings }) => timings.dropped[`trap_status_${status}`] === 3);
      expect(trap.submissions.every((one) => one.url === '/module/httptrap/check/secret')).to.equal(
        true,
      );
      expect(
        stderr().match(new RegExp(`refuses timings with status ${status}`, 'g')),
      ).to.have.length(1);
      expect(stderr()).not.to.include('secret');
    });
  }

  it('a remark is said once and nothing is sent again (HT2)', async () => {
    const { udpPort, until, stderr } = await start();
    trap.behave((response) => response.end('{"stats":1,"filtered":3}'));
    await sendUdp(udpPort, 'a:1|ms');
    await until(({ timings }) => timings.delivered === 1);
    await sendUdp(udpPort, 'a:2|ms');
    await until(({ timings }) => timings.delivered === 2);
    expect(trap.submissions).to.have.length(2);
    expect(stderr().match(/3 metrics filtered/g)).to.have.length(1);
  });

  it('a connection reset before the answer: sent again under the same key', async () => {
    const { udpPort, until } = await start();
    trap.behave((response) => response.socket?.resetAndDestroy());
    await sendUdp(udpPort, 'a:1|ms');
    await trap.received(2);
    trap.behave(takes);
    await until(({ timings }) => timings.delivered === 1);
    const keys = trap.submissions.map((one) => one.headers['idempotency-key']);
    expect(new Set(keys).size).to.equal(1);
    expect(trap.values()).to.deep.equal(new Map([['a', [1]]]));
  });

  it('an answer that never ends, or is huge, costs no memory and ends the batch', async () => {
    const { udpPort, until } = await start();
    trap.behave((response) => {
      const piece = Buffer.alloc(65_536, 'x');
      const pour = (): void => {
        while (!response.destroyed && response.write(piece));
        if (!response.destroyed) response.once('drain', pour);
      };
      pour();
    });
    await sendUdp(udpPort, 'a:1|ms');
    await until(({ timings }) => timings.delivered === 1);
    expect(trap.submissions).to.have.length(1);
  });

  it('a body is at most 4 MiB, also of a single name, and everything arrives once', async () => {
    // While the trap refuses, samples gather to more than a body holds, but not to so many that
    // they are folded: each takes 22 bytes.
    const { udpPort, until } = await start();
    trap.behave(answers(503));
    const sender = openSender(udpPort);
    const values = Array.from({ length: 2800 }, (_, at) =>
      Number(`-1.${1234567890123456 + 10 * at}e-7`),
    );
    const datagram = `slow:${values.join(':')}|h`;
    for (let n = 1; n <= 70; n++) {
      await sender.send(datagram);
      await until(({ samples }) => samples.timings === values.length * n);
    }
    sender.close();
    trap.behave(takes);
    await until(({ timings }) => timings.pending === 0);
    const sizes = trap.submissions.map((one) => one.text.length);
    expect(Math.max(...sizes)).to.be.within(4 * 1024 * 1024 - 100, 4 * 1024 * 1024);
    const counts = new Map<number, number>();
    for (const value of trap.values().get('slow') ?? []) {
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    expect(counts).to.deep.equal(new Map(values.map((value) => [value, 70])));
  });

  describe('over TLS', () => {
    let folder: string;
    let secure: RecordingTrap;

    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), 'statcol-tls-'));
      secure = await startTrap(makeCertificate(folder, 'broker.example'));
    });
    afterEach(async () => {
      await secure.close();
      rmSync(folder, { recursive: true, force: true });
    });

    async function startSecure(...args: string[]): Promise<CollectorProcess> {
      collector = await startCollector(['--trap', secure.url, '--timing-interval', '50', ...args]);
      await sendUdp(collector.udpPort, 'a:1|ms');
      return collector;
    }

    it('a private CA and the name to verify make it work (HT12)', async () => {
      const ca = join(folder, 'ca.pem');
      const { until } = await startSecure('--trap-ca', ca, '--trap-servername', 'broker.example');
      await until(({ timings }) => timings.delivered === 1);
      expect(secure.values()).to.deep.equal(new Map([['a', [1]]]));
    });

    it('without the CA, or with another name, nothing is sent, and the reason is visible', async () => {
      const plain = await startSecure();
      const untrusted = await plain.until(({ trap: { up } }) => !up);
      expect(untrusted.trap.lastError).to.match(/self.signed|unable to verify|SELF_SIGNED/i);
      plain.signal('SIGKILL');
      await plain.exited();
      const ca = join(folder, 'ca.pem');
      const { until } = await startSecure('--trap-ca', ca, '--trap-servername', 'other.example');
      const misnamed = await until(({ trap: { up } }) => !up);
      expect(misnamed.trap.lastError).to.match(/ERR_TLS_CERT_ALTNAME_INVALID|does not match/);
      expect(secure.submissions).to.have.length(0);
    });
  });
});
