import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';

import type { TimingSummary } from '../../src/window/window.ts';
import { type CollectorProcess, startCollector } from '../support/collector-process.ts';
import { seededRandom } from '../support/random.ts';
import { type RecordingTrap, startTrap } from '../support/recording-trap.ts';
import { openSender } from '../support/udp.ts';

/** Humps near 500 and 1,000 ms and a thin tail past 3,000, whose average is just below 1,000. */
function bimodal(count: number): number[] {
  const random = seededRandom(2012);
  const bell = (): number => random() + random() + random() - 1.5;
  return Array.from({ length: count }, () => {
    const which = random();
    if (which < 0.38) return Math.round(500 + 60 * bell());
    return which < 0.93 ? Math.round(1000 + 100 * bell()) : Math.round(3000 + 800 * random());
  });
}

/** Runs of bins that lie side by side, of those that hold a share of the samples. */
function runsOf(bins: Map<number, number>, share: number): number[][] {
  const total = [...bins.values()].reduce((sum, count) => sum + count, 0);
  const used = [...bins].filter(([, count]) => count >= share * total).map(([from]) => from);
  const runs: number[][] = [];
  for (const from of used.toSorted((a, b) => a - b)) {
    const last = runs.at(-1)?.at(-1);
    const width = 10 ** (Math.floor(Math.log10(last ?? from)) - 1);
    if (last !== undefined && from - last < 1.5 * width) runs.at(-1)!.push(from);
    else runs.push([from]);
  }
  return runs;
}

describe('latency shows its shape', () => {
  let trap: RecordingTrap;
  let collector: CollectorProcess;

  beforeEach(async () => {
    trap = await startTrap();
    const flags = ['--trap', trap.url, '--trap-type', 'h', '--timing-interval', '50'];
    collector = await startCollector(flags);
  });
  afterEach(async () => {
    collector.signal('SIGKILL');
    await collector.exited();
    await trap.close();
  });

  /** The bins that arrived at the trap, by their lower edge. */
  function binsOf(name: string): Map<number, number> {
    const bins = new Map<number, number>();
    for (const { text } of trap.submissions) {
      const body = JSON.parse(text) as Record<string, { _type: string; _value: string[] }>;
      for (const bin of body[name]?._value ?? []) {
        const [, from, count] = /^H\[(.+)\]=(\d+)$/.exec(bin)!;
        bins.set(Number(from), (bins.get(Number(from)) ?? 0) + Number(count));
      }
    }
    return bins;
  }

  it('where the average says "just below 1,000": percentiles within 5 %, two humps apart', async () => {
    const values = bimodal(20_000);
    const sender = openSender(collector.udpPort);
    for (let at = 0; at < values.length; at += 500) {
      await sender.send(`api.latency:${values.slice(at, at + 500).join(':')}|ms`);
      await collector.until(({ samples }) => samples.timings === at + 500);
    }
    sender.close();
    await collector.until(({ timings }) => timings.delivered === values.length);

    const sorted = values.toSorted((a, b) => a - b);
    const average = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
    expect(average).to.be.within(900, 1000);
    const shown = await collector.json<Record<string, TimingSummary>>('api/timings');
    const { count, min, max, mean, p50, p90, p99 } = shown['api.latency']!;
    expect({ count, min, max }).to.deep.equal({
      count: 20_000,
      min: sorted[0],
      max: sorted.at(-1),
    });
    expect(mean).to.be.closeTo(average, 1e-6);
    for (const [q, found] of [
      [0.5, p50],
      [0.9, p90],
      [0.99, p99],
    ] as const) {
      const exact = sorted[Math.ceil(q * sorted.length) - 1]!;
      expect(Math.abs(found - exact) / exact, `p${100 * q}`).to.be.at.most(0.05);
    }
    const bins = binsOf('api.latency');
    expect([...bins.values()].reduce((sum, one) => sum + one, 0)).to.equal(values.length);
    const humps = runsOf(bins, 0.005).filter((run) => run[0]! < 2000);
    expect(humps).to.have.length(2);
    const [low, high] = humps as [number[], number[]];
    expect([low[0]! <= 500, low.at(-1)! >= 500, low.at(-1)! < 700]).to.deep.equal([
      true,
      true,
      true,
    ]);
    expect([high[0]! > 700, high[0]! <= 1000, high.at(-1)! >= 1000]).to.deep.equal([
      true,
      true,
      true,
    ]);
    // No sample lies between the humps, where the average would have put them all.
    expect([...bins.keys()].filter((from) => from > low.at(-1)! + 50 && from < 800)).to.deep.equal(
      [],
    );
  });

  it('a sampled timing counts 1/rate times, the fraction carried, and never in a loop', async () => {
    const sender = openSender(collector.udpPort);
    await sender.send('s:5|ms|@0.3', 's:5|ms|@0.3', 's:5|ms|@0.3', 'huge:7|ms|@1e-9');
    sender.close();
    await collector.until(({ timings }) => timings.delivered === 4);
    expect(binsOf('s')).to.deep.equal(new Map([[5, 10]]));
    expect(binsOf('huge')).to.deep.equal(new Map([[7, 1e9]]));
    const shown = await collector.json<Record<string, TimingSummary>>('api/timings');
    expect(shown['huge']).to.deep.include({ count: 1e9, p50: 7 });
  });

  it('of type h no sample travels as a bare number, whatever it is (HT7)', async () => {
    const sender = openSender(collector.udpPort);
    await sender.send('e:1e-7:1e21:0:1e-300:-0.5|h');
    sender.close();
    await collector.until(({ timings }) => timings.delivered === 5);
    const text = trap.submissions[0]?.text ?? '';
    const bins = ['H[-5.0e-01]=1', 'H[0.0e+00]=2', 'H[1.0e-07]=1', 'H[1.0e+21]=1'];
    expect(JSON.parse(text)).to.deep.equal({ e: { _type: 'h', _value: bins } });
  });

  it('a tag that a broker cannot spell travels in base64', async () => {
    const sender = openSender(collector.udpPort);
    await sender.send('t:1|ms|#zone:eu,canary', 't:2|ms|#a:b');
    sender.close();
    await collector.until(({ timings }) => timings.delivered === 2);
    const names = trap.submissions.flatMap(({ text }) => Object.keys(JSON.parse(text) as object));
    expect(names.toSorted()).to.deep.equal(['t|ST[a:b]', 't|ST[canary:,zone:eu]']);
  });
});
