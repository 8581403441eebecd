import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';

import { createCollector } from '../../src/collector.ts';
import type { Collector, CollectorOptions } from '../../src/collector-types.ts';
import { binQuantiles } from '../../src/histogram-quantiles.ts';
import type {
  Frame,
  WatchedCounter,
  WatchedPrefix,
  WatchedTiming,
  WireColumn,
} from '../../src/live/frame.ts';
import type { TimingSummary } from '../../src/window/summary.ts';
import { readStream, type StreamReader } from '../http/stream-rig.ts';
import { openSender, type Sender } from '../support/udp.ts';

type Counters = Record<string, Record<string, number>>;
type Timings = Record<string, TimingSummary>;

describe('the stream tells what the API tells', () => {
  const said: string[] = [];
  let collector: Collector;
  let http: string;
  let sender: Sender;
  let reader: StreamReader | undefined;

  async function start(options: CollectorOptions = {}): Promise<void> {
    const onLog = (level: string, message: string): void => void said.push(`${level}: ${message}`);
    collector = createCollector({ port: 0, http: 0, ...options }, { onLog });
    const endpoints = await collector.start();
    http = endpoints.http!;
    sender = openSender(Number(new URL(endpoints.udp.replace('udp:', 'http:')).port));
  }

  beforeEach(() => void (said.length = 0));
  afterEach(async () => {
    reader?.close();
    reader = undefined;
    sender.close();
    await collector.stop();
  });

  async function open(query: string): Promise<StreamReader> {
    return (reader = await readStream({ port: Number(new URL(http).port) }, query));
  }

  async function json<Body>(path: string): Promise<Body> {
    return (await (await fetch(new URL(path, http))).json()) as Body;
  }

  /** Reads frames until one is as wanted. */
  async function until({ next }: StreamReader, wanted: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const { frame } = await next();
      if (wanted(frame)) return frame;
    }
  }

  it('timings, counters, totals and names agree, to the digit', async () => {
    await start({ counterInterval: 100, collection: ['one', 'two'] });
    const stream = await open('t=0:api.latency&c=0:api.hits&p=0:api.&rows=10&sort=rate');
    const columns: WireColumn[] = [];
    const points: number[] = [];
    let frames = 0;
    const take = (frame: Frame): Frame => {
      frames++;
      columns.push(...(frame.watched[0] as WatchedTiming).columns);
      points.push(...(frame.watched[1] as WatchedCounter).points.map(([, , sum]) => sum));
      return frame;
    };
    let sent = 0;
    let last = take((await stream.next()).frame);
    while (sent < 3000) {
      const lines = Array.from({ length: 100 }, (_, at) => {
        return `api.latency:${(sent + at) % 977}|ms\napi.hits:3|c\napi.other:1|c|@0.5`;
      });
      for (const line of lines) await sender.send(line);
      sent += lines.length;
      if (sent % 1000 === 0) last = take((await stream.next()).frame);
    }
    while (columns.reduce((sum, { weight }) => sum + weight, 0) < sent) {
      last = take((await stream.next()).frame);
    }
    // Then nothing comes any more, and all that there is is in one frame.
    const total = String(3 * sent);
    last = await until(stream, ({ watched, list }) => {
      const { counters } = watched[2] as WatchedPrefix;
      return counters.length === 2 && counters[0]!.total === total && list.rows.length === 3;
    });
    expect(frames).to.be.above(3);

    const timings = await json<Timings>('api/timings');
    const counters = await json<Counters>('api/counters');
    const [timing, counter, prefix] = last.watched as [
      WatchedTiming,
      WatchedCounter,
      WatchedPrefix,
    ];
    expect(timing.summary).to.deep.equal(timings['api.latency']);
    expect(counter).to.include({ hash: 'one', field: 'api.hits', otherHashes: 1 });
    expect(counters).to.deep.equal({
      one: { 'api.hits': 3 * sent, 'api.other': 2 * sent },
      two: { 'api.hits': 3 * sent, 'api.other': 2 * sent },
    });
    expect(prefix.counters.map(({ name, total: text }) => [name, text])).to.deep.equal([
      ['api.hits', total],
      ['api.other', String(2 * sent)],
    ]);
    expect(points.reduce((sum, one) => sum + one, 0)).to.equal(3 * sent);
    // The columns, taken together, are the summary.
    expect(summaryOf(columns)).to.deep.equal(timings['api.latency']);
    expect(last.list.rows.map(({ kind, name }) => `${kind} ${name}`)).to.have.members([
      'counter api.hits',
      'counter api.other',
      'timing api.latency',
    ]);
    expect(last.list.rows.find(({ kind }) => kind === 'timing')!.p99).to.equal(timing.summary!.p99);
    expect(last.vitals.samples).to.include({ counters: 2 * sent, timings: sent });
    const { uptimeSeconds: _, ...vitals } = await json<Frame['vitals']>('api/vitals');
    expect(last.vitals).to.deep.include({ lines: vitals.lines, udp: vitals.udp });
    const heatmap = await json<{ columns: { count: number }[] }>('api/heatmap/api.latency');
    expect(heatmap.columns.map(({ count }) => count)).to.deep.equal(
      columns.map(({ weight }) => weight),
    );
  });

  it('a frame comes each second, and one who comes again misses nothing', async () => {
    await start();
    const first = await open('c=0:hits');
    const ids: number[] = [];
    let sum = 0;
    const take = async (stream: StreamReader): Promise<void> => {
      const { id, frame } = await stream.next();
      ids.push(Number(id));
      for (const [, , one] of (frame.watched[0] as WatchedCounter).points) sum += one;
    };
    // A machine that has no time for it may have two seconds in one frame, now and then.
    const gaps = (): number[] => ids.slice(1).map((id, at) => id - ids[at]!);
    let sent = 0;
    while (!gaps().includes(1)) {
      await sender.send('hits:1|c');
      sent++;
      await take(first);
    }
    expect(Math.min(...gaps())).to.equal(1);
    first.close();
    await sender.send('hits:1|c');
    const port = Number(new URL(http).port);
    reader = await readStream({ port }, 'c=0:hits', { 'Last-Event-ID': String(ids.at(-1)) });
    while (sum < sent + 1) await take(reader);
    expect(sum).to.equal(sent + 1);
  });

  it('what is wrong is told while it is so: who sends what, and why it is refused', async () => {
    await start();
    const stream = await open('');
    expect((await stream.next()).frame.problems).to.deep.equal([]);
    await sender.send('no line', 'a:1|c', 'also:no|ms');
    const { problems, rates } = await until(stream, (frame) => frame.problems.length > 0);
    expect(problems).to.have.length(1);
    expect(problems[0]).to.include({ about: 'refused', level: 'warn' });
    expect(problems[0]!.text).to.match(
      /1 line \(no_separator, the last from 127\.0\.0\.1:\d+: "no line"\)/,
    );
    expect(problems[0]!.text).to.match(/1 line \(bad_value, the last from .*: "also:no\|ms"\)/);
    expect(rates.rejected).to.be.above(0);
  });

  it('a store that is away is told, and told no more when it is well', async () => {
    await start({ redis: 'redis://127.0.0.1:1' });
    const stream = await open('');
    const { problems } = await until(stream, (frame) => frame.problems.length > 0);
    expect(problems[0]).to.include({ about: 'store', level: 'bad' });
    expect(problems[0]!.text).to.match(/^redis 127\.0\.0\.1:1 fails: .*ECONNREFUSED/);
    expect(Math.abs(Date.now() - problems[0]!.sinceMs!)).to.be.below(20_000);
    await sender.send('x:1|c');
    await until(stream, ({ vitals }) => vitals.counters.pending === 1);
  });

  it('a stop ends it, and does not wait for readers', async () => {
    await start();
    const stream = await open('');
    await stream.next();
    expect(await collector.stop()).to.deep.equal({ counters: 0, timings: 0 });
    await stream.closed();
  });

  it('an address that others reach, without a token, is warned of once', async () => {
    await start({ http: '0.0.0.0:0' });
    const warnings = said.filter((one) => one.startsWith('warn: --http'));
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.match(/^warn: --http 0\.0\.0\.0:0 can be reached from elsewhere, but/);
    for (const options of [
      { http: 0 },
      { http: '0.0.0.0:0', httpToken: 'secret-enough' },
      { http: '[::1]:0' },
    ]) {
      await collector.stop();
      sender.close();
      said.length = 0;
      await start(options);
      expect(said.filter((one) => one.includes('--http'))).to.deep.equal([]);
    }
  });
});

/** What is to be said of all columns together. */
function summaryOf(columns: readonly WireColumn[]): TimingSummary {
  const bins = new Map<number, number>();
  for (const column of columns) {
    for (let at = 0; at < column.bins.length; at += 2) {
      const code = column.bins[at]!;
      bins.set(code, (bins.get(code) ?? 0) + column.bins[at + 1]!);
    }
  }
  const sorted = [...bins].toSorted(([one], [other]) => one - other);
  const [codes, counts] = [sorted.map(([code]) => code), sorted.map(([, count]) => count)];
  const [p50, p90, p99] = binQuantiles({ codes, counts, used: codes.length }, [0.5, 0.9, 0.99]);
  const sum = (of: (column: WireColumn) => number): number => {
    return columns.reduce((all, column) => all + of(column), 0);
  };
  const count = sum(({ weight }) => weight);
  return {
    count,
    min: Math.min(...columns.map(({ min }) => min!)),
    max: Math.max(...columns.map(({ max }) => max!)),
    mean: sum(({ weightedSum }) => weightedSum) / count,
    p50: p50!,
    p90: p90!,
    p99: p99!,
  };
}
