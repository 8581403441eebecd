import { randomUUID } from 'node:crypto';

import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';

import { createWindow, type TimingSummary } from '../../src/window/window.ts';
import { type CollectorProcess, startCollector } from '../support/collector-process.ts';
import { seededRandom } from '../support/random.ts';
import { type Proxy, startProxy } from '../support/proxy.ts';
import { openSender } from '../support/udp.ts';
import { windowClockOf } from '../support/window-clock.ts';

const NAMES = ['api.latency', 'db.query;zone=eu', 'cache'];

describe('a collector is the trap of others', () => {
  let centre: CollectorProcess;
  let proxy: Proxy;
  let leaves: CollectorProcess[];

  beforeEach(async () => {
    centre = await startCollector(['--trap-secret', 's3cret']);
    proxy = await startProxy(Number(new URL(centre.httpUrl).port));
    leaves = [];
  });
  afterEach(async () => {
    for (const one of [...leaves, centre]) {
      one.signal('SIGKILL');
      await one.exited();
    }
    await proxy.close();
  });

  async function startLeaf(type: 'n' | 'h'): Promise<CollectorProcess> {
    const trap = `http://127.0.0.1:${proxy.port}/module/httptrap/${randomUUID()}/s3cret`;
    const leaf = await startCollector([
      '--trap',
      trap,
      '--trap-type',
      type,
      '--timing-interval',
      '20',
    ]);
    leaves.push(leaf);
    return leaf;
  }

  /** Sends latencies of every name to a leaf, and adds them to what the centre is to show. */
  async function feed(
    leaf: CollectorProcess,
    wanted: Map<string, number[]>,
    seed: number,
  ): Promise<void> {
    const random = seededRandom(seed);
    const sender = openSender(leaf.udpPort);
    for (let n = 0; n < 20; n++) {
      for (const name of NAMES) {
        const values = Array.from({ length: 10 }, () => Math.round(4000 * random() ** 3) + 1);
        wanted.set(name, [...(wanted.get(name) ?? []), ...values]);
        await sender.send(`${name}:${values.join(':')}|ms`);
      }
      await leaf.until(({ samples }) => samples.timings >= 30 * (n + 1));
    }
    sender.close();
    await leaf.until(({ timings }) => timings.pending === 0);
  }

  function summaryOf(values: readonly number[]): TimingSummary {
    const window = createWindow({
      windowSeconds: 300,
      budgetBytes: 1 << 20,
      clock: windowClockOf(() => 0),
    });
    const weights = new Float64Array(values.length).fill(1);
    window.add('all', Float64Array.from(values), weights);
    return window.summary('all')!;
  }

  /** What the centre shows: to the bin the merge of all that the leaves were sent. */
  async function expectShown(wanted: Map<string, number[]>): Promise<void> {
    const shown = await centre.json<Record<string, TimingSummary>>('api/timings');
    expect(Object.keys(shown)).to.have.length(NAMES.length);
    for (const [name, values] of wanted) {
      const key = name === 'db.query;zone=eu' ? 'db.query|ST[zone:eu]' : name;
      const { count, p50, p90, p99 } = summaryOf(values);
      expect(shown[key], key).to.deep.include({ count, p50, p90, p99 });
    }
  }

  for (const type of ['h', 'n'] as const) {
    it(`three leaves push ${type}: the centre shows the merge, whatever replies are lost`, async () => {
      const random = seededRandom(31);
      proxy.decide(({ direction, length }) => {
        if (direction === 'request' || random() > 0.5) return 'pass';
        return { cutAfter: Math.floor(random() * length) };
      });
      const wanted = new Map<string, number[]>();
      await Promise.all([startLeaf(type), startLeaf(type), startLeaf(type)]);
      await Promise.all(leaves.map((leaf, at) => feed(leaf, wanted, at + 1)));
      expect(proxy.cuts).to.be.above(2);
      await expectShown(wanted);
    });
  }

  it('leaves that are restarted lose and double nothing', async () => {
    const wanted = new Map<string, number[]>();
    for (let round = 0; round < 3; round++) {
      const leaf = await startLeaf('h');
      await feed(leaf, wanted, round + 10);
      // The next leaf has another instance, so its numbers begin anew.
      expect(await leaf.stop()).to.equal(0);
    }
    await expectShown(wanted);
  });

  it('a wrong secret is told to the leaf, which drops and counts', async () => {
    const trap = `${centre.httpUrl}module/httptrap/${randomUUID()}/wrong`;
    const leaf = await startCollector(['--trap', trap, '--timing-interval', '20']);
    leaves.push(leaf);
    const sender = openSender(leaf.udpPort);
    await sender.send('a:1|ms');
    sender.close();
    await leaf.until(({ timings }) => timings.dropped['trap_status_403'] === 1);
    expect(await centre.json('api/timings')).to.deep.equal({});
  });

  it('without --trap-secret there is no receiver', async () => {
    const plain = await startCollector();
    leaves.push(plain);
    const url = new URL(`module/httptrap/${randomUUID()}/x`, plain.httpUrl);
    const response = await fetch(url, { method: 'PUT', body: '{}' });
    expect(response.status).to.equal(404);
  });
});
