import { setTimeout } from 'node:timers/promises';

import { expect } from 'chai';
import { describe, it } from 'mocha';

import { createCollector } from '../../src/collector.ts';
import type { Frame, WatchedCounter, WatchedTiming } from '../../src/live/frame.ts';
import { openSender } from '../support/udp.ts';

const PACKETS = 500;
const EVERY_MS = 5;

describe('rates are those of their second', () => {
  it('what the seconds of a live stream hold adds up to what was sent, each of them once', async () => {
    const collector = createCollector({ port: 0, http: 0 });
    const { udp, http } = await collector.start();
    const leaving = new AbortController();
    try {
      const query = 'c=0:steady&t=0:steady';
      const { body } = await fetch(`${http}api/stream?${query}`, { signal: leaving.signal });
      const startSecond = Math.floor(Date.now() / 1000);
      let endSecond = Infinity;
      const sending = (async () => {
        const sender = openSender(Number(udp.split(':').at(-1)));
        for (let packet = 0; packet < PACKETS; packet++) {
          await sender.send('steady:2|c\nsteady:5|ms');
          await setTimeout(EVERY_MS);
        }
        sender.close();
        // What was sent last has been read, for it is counted.
        while ((await collector.vitals()).samples.timings < PACKETS);
        endSecond = Math.floor(Date.now() / 1000);
      })();
      const points = new Map<number, number>();
      const weights = new Map<number, number>();
      for await (const { second, watched } of framesOf(body!)) {
        const [counter, timing] = watched as [WatchedCounter, WatchedTiming];
        for (const [at, , sum] of counter.points) points.set(at, sum);
        for (const { second: at, weight } of timing.columns) weights.set(at, weight);
        expect(Math.max(0, ...points.keys(), ...weights.keys())).to.be.at.most(second);
        if (second > endSecond) break;
      }
      await sending;
      const sum = (of: Map<number, number>): number => [...of.values()].reduce((a, b) => a + b, 0);
      expect([sum(points), sum(weights)]).to.deep.equal([2 * PACKETS, PACKETS]);
      for (const second of [...points.keys(), ...weights.keys()]) {
        expect(second).to.be.within(startSecond - 1, endSecond + 1);
      }
    } finally {
      leaving.abort();
      await collector.stop();
    }
  });
});

async function* framesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Frame> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const bytes of body) {
    const events = (text + decoder.decode(bytes, { stream: true })).split('\n\n');
    text = events.pop()!;
    for (const event of events) {
      const data = event.split('\n').filter((line) => line.startsWith('data: '));
      if (data.length > 0) yield JSON.parse(data.map((line) => line.slice(6)).join('\n')) as Frame;
    }
  }
}
