import { expect } from 'chai';

import { type CollectorProcess, startCollector } from './collector-process.ts';
import { openSender } from './udp.ts';

/** One in the slots of each of three masters. */
export const THREE_HASHES: readonly string[] = ['a', 'b', 'c'];

/** A real collector that counts into {@link THREE_HASHES}, and what was sent to it. */
export interface SteadyCounts {
  readonly collector: CollectorProcess;
  /** What was sent, by name, as Redis should have it in the end. */
  sent(): Record<string, string>;
  /** Counts until something has happened, and a while beyond. */
  during(event: Promise<unknown>): Promise<void>;
  /** Waits until everything is delivered, and compares: exact, per hash and name. */
  expectExact(hashOf: (name: string) => Promise<Map<string, string>>): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a collector with further arguments. */
export async function startSteadyCounts(...args: string[]): Promise<SteadyCounts> {
  const collector = await startCollector([
    ...['--counter-interval', '20', '--log-level', 'warn'],
    ...THREE_HASHES.flatMap((hash) => ['--collection', hash]),
    ...args,
  ]);
  const sender = openSender(collector.udpPort);
  const sums = new Map<string, number>();
  let lines = 0;
  const sent = (): Record<string, string> => {
    return Object.fromEntries([...sums].map(([name, sum]) => [name, String(sum)]));
  };
  return {
    collector,
    sent,
    async during(event) {
      let isOver = false;
      const over = event.finally(() => (isOver = true));
      over.catch(() => {}); // seen below
      for (let beyond = 0; beyond < 5; beyond += isOver ? 1 : 0) {
        for (let n = 0; n < 20; n++, lines++) {
          const name = `name.${lines % 30}`;
          sums.set(name, (sums.get(name) ?? 0) + 1 + (n % 7));
          await sender.send(`${name}:${1 + (n % 7)}|c`);
        }
        // Paced by the collector: a datagram that the kernel drops would be missed in Redis too.
        await collector.until(({ samples }) => samples.counters === lines);
      }
      await over;
    },
    async expectExact(hashOf) {
      await collector.until(({ counters }) => counters.pending === 0);
      for (const hash of THREE_HASHES) {
        expect(Object.fromEntries(await hashOf(hash)), hash).to.deep.equal(sent());
      }
    },
    async stop() {
      sender.close();
      await collector.stop();
    },
  };
}
