import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';

import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';

import { type CollectorProcess, startCollector } from '../support/collector-process.ts';
import { openSender } from '../support/udp.ts';

describe('observers do not disturb counting', () => {
  let collector: CollectorProcess;
  const readers: Socket[] = [];

  afterEach(async () => {
    for (const reader of readers.splice(0)) reader.destroy();
    collector.signal('SIGKILL');
    await collector.exited();
  });

  function residentMegabytes(): number {
    const status = readFileSync(`/proc/${collector.pid}/status`, 'latin1');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
  }

  /** Asks for all counters, `requests` times in a row, and reads nothing of the answers. */
  async function askAndNotRead(requests: number): Promise<void> {
    const reader = connect(Number(new URL(collector.httpUrl).port), '127.0.0.1').pause();
    readers.push(reader);
    reader.on('error', () => {});
    await once(reader, 'connect');
    reader.write('GET /api/counters HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'.repeat(requests));
  }

  it('readers who ask for much and read nothing cost little memory and no counting', async () => {
    collector = await startCollector(['--counter-interval', '50']);
    const sender = openSender(collector.udpPort);
    const padding = 'x'.repeat(60);
    for (let n = 0; n < 30_000; n += 20) {
      const lines = Array.from({ length: 20 }, (_, at) => `${padding}.${n + at}:1|c`);
      await sender.send(lines.join('\n'));
      if (n % 1000 === 0) await collector.until(({ samples }) => samples.counters === n + 20);
    }
    await collector.until(({ counters }) => counters.delivered === 30_000);
    // 2 MB an answer: 200 of them would be 400 MB.
    await Promise.all(Array.from({ length: 100 }, () => askAndNotRead(2)));
    let health: Response;
    do health = await fetch(new URL('healthz', collector.httpUrl));
    while (health.status !== 200);
    await sender.send('late:1|c');
    sender.close();
    for (const reader of readers.splice(0)) reader.destroy();
    await collector.until(({ counters }) => counters.delivered === 30_001);
    expect(residentMegabytes()).to.be.below(450);
  });

  it('what the kernel drops is logged by itself, and at the end', async () => {
    collector = await startCollector(['--counter-interval', '20']);
    const { udp } = await collector.vitals();
    const sender = openSender(collector.udpPort);
    collector.signal('SIGSTOP');
    const sent = 100 * Math.ceil(udp.receiveBufferBytes / 76_800) + 1000;
    for (let n = 0; n < sent; n += 100) await sender.send(...Array<string>(100).fill('a:1|c'));
    sender.close();
    collector.signal('SIGCONT');
    while (!collector.stderr().includes('the kernel dropped')) await new Promise(setImmediate);
    expect(await collector.stop()).to.equal(0);
    expect(collector.stderr()).to.match(/the kernel dropped \d+ datagrams .*sysctl -w net\.core/);
  });
});
