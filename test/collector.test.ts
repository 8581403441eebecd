import { expect } from 'chai';
import { describe, it } from 'mocha';

import { createCollector } from '../src/collector.ts';
import type { Collector } from '../src/collector-types.ts';
import { StatcolError } from '../src/errors.ts';
import { freePort } from './support/redis-server.ts';
import { sendUdp } from './support/udp.ts';

const FREE = { port: 0, http: 0 };

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof StatcolError) return error.code;
    throw error;
  }
  return 'no error';
}

async function count(collector: Collector, udp: string): Promise<void> {
  await sendUdp(Number(udp.split(':').at(-1)), 'hits:1|c\nslow:5|ms');
  while ((await collector.vitals()).samples.timings < 1);
}

describe('a collector as a library', () => {
  it('counts, tells its vitals, and stops with nothing undelivered', async () => {
    const collector = createCollector(FREE);
    const { udp, http } = await collector.start();
    expect(http).to.match(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    await count(collector, udp);
    expect(await collector.stop()).to.deep.equal({ counters: 0, timings: 0 });
    expect(await collector.stop()).to.deep.equal({ counters: 0, timings: 0 });
  });

  it('two in one process do not know of each other', async () => {
    const [one, two] = [createCollector(FREE), createCollector({ ...FREE, http: 'off' })];
    const first = await one.start();
    const second = await two.start();
    expect(second.http).to.equal(undefined);
    await count(one, first.udp);
    expect((await two.vitals()).samples).to.include({ counters: 0, timings: 0 });
    await Promise.all([one.stop(), two.stop()]);
  });

  it('starts once: a second start, at once or later, is refused and does no harm', async () => {
    const collector = createCollector(FREE);
    const starting = collector.start();
    expect(await codeOf(collector.start())).to.equal('ERR_STATE');
    const { udp } = await starting;
    expect(await codeOf(collector.start())).to.equal('ERR_STATE');
    await count(collector, udp);
    expect(await collector.stop()).to.deep.equal({ counters: 0, timings: 0 });
    expect(await codeOf(collector.start())).to.equal('ERR_STATE');
  });

  it('stopped before it was started it is over; stopped while it starts it stops after that', async () => {
    const never = createCollector(FREE);
    expect(await never.stop()).to.deep.equal({ counters: 0, timings: 0 });
    expect(await codeOf(never.start())).to.equal('ERR_STATE');
    const collector = createCollector(FREE);
    const starting = collector.start();
    const stopping = collector.stop();
    const { udp } = await starting;
    expect(udp).to.match(/^udp:/);
    await stopping;
  });

  it('a start that fails leaves nothing bound, and can be stopped', async () => {
    const first = createCollector(FREE);
    const { udp, http } = await first.start();
    const udpPort = Number(udp.split(':').at(-1));
    const httpPort = Number(new URL(http ?? '').port);
    const sameUdp = createCollector({ port: udpPort, http: 0 });
    expect(await codeOf(sameUdp.start())).to.equal('ERR_LISTEN');
    const free = await freePort();
    const sameHttp = createCollector({ port: free, http: httpPort });
    expect(await codeOf(sameHttp.start())).to.equal('ERR_LISTEN');
    expect(await sameHttp.stop()).to.deep.equal({ counters: 0, timings: 0 });
    const again = createCollector({ port: free, http: 0 });
    await again.start();
    await Promise.all([first.stop(), again.stop(), sameUdp.stop()]);
  });

  it('a start without the TCP port or the socket file it wants leaves nothing bound', async () => {
    const first = createCollector({ ...FREE, tcp: 0 });
    const { tcp } = await first.start();
    const [port, tcpPort] = [await freePort(), Number(tcp!.split(':').at(-1))];
    const sameTcp = createCollector({ port, http: 'off', tcp: tcpPort });
    expect(await codeOf(sameTcp.start())).to.equal('ERR_LISTEN');
    await first.stop();
    const noFile = createCollector({ port, http: 'off', tcp: tcpPort, unix: '/none/socket' });
    expect(await codeOf(noFile.start())).to.equal('ERR_LISTEN');
    const again = createCollector({ port, http: 'off', tcp: tcpPort });
    const { udp, tcp: sameAgain, unix } = await again.start();
    expect([udp, sameAgain, unix]).to.deep.equal([
      `udp://127.0.0.1:${port}`,
      `tcp://127.0.0.1:${tcpPort}`,
      undefined,
    ]);
    await again.stop();
  });

  it('a start without the port of the console leaves nothing bound', async () => {
    const first = createCollector({ ...FREE, admin: 0 });
    const { admin } = await first.start();
    expect(admin).to.match(/^admin:\/\/127\.0\.0\.1:\d+$/);
    const [port, adminPort] = [await freePort(), Number(admin!.split(':').at(-1))];
    const same = createCollector({ port, http: 'off', admin: adminPort });
    const error = await same.start().catch((cause: unknown) => cause);
    expect(error).to.include({
      code: 'ERR_LISTEN',
      message: `admin 127.0.0.1:${adminPort} is in use: stop the program that holds it, or choose another with --admin`,
    });
    const sameHttp = createCollector({ port, http: adminPort, admin: 0 });
    expect(await codeOf(sameHttp.start())).to.equal('ERR_LISTEN');
    await first.stop();
    const again = createCollector({ port, http: 'off', admin: adminPort });
    expect(await again.start()).to.include({ admin, http: undefined });
    await again.stop();
  });

  it('with Redis away and nothing to deliver, it stops at once', async () => {
    const redis = `redis://127.0.0.1:${await freePort()}`;
    const collector = createCollector({ ...FREE, redis, stopTimeout: 30_000 });
    await collector.start();
    const { store } = await collector.vitals();
    expect(store.up).to.equal(false);
    const startMs = performance.now();
    await collector.stop();
    expect(performance.now() - startMs).to.be.below(5000);
  });
});
