import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';

import { systemTime } from '../../src/flush/time.ts';
import { createMetrics, type MetricsSources } from '../../src/http/metrics.ts';
import { vitalsText } from '../../src/http/metrics-vitals.ts';
import { HashFault, type Store } from '../../src/sinks/store.ts';
import {
  BOUNDS,
  createLifetimeHistograms,
  type LifetimeHistograms,
} from '../../src/window/lifetime-histograms.ts';
import { createFakeStore } from '../support/fake-store.ts';
import { createFakeTime } from '../support/fake-time.ts';
import { keyOf, readPrometheus, runPromtool } from '../support/prometheus-text.ts';
import { VITALS } from './vitals.ts';

type Hashes = Record<string, [field: string, value: string][]>;

/** Names as nobody should choose them. */
const HOSTILE = [
  ...['', '__proto__', 'a b', 'a"b', 'a\\', 'a\nb', '}', 'a,le="1"', '\0', '\ud800', '\udc00x'],
  ...['a;k=v', 'a;K=v', 'a;k=', 'a;k=1;k=2', 'a;le=1', 'a;hostName=é', ';', ';;=', '名;名=名'],
  ...['statcol_timing_bucket', '# TYPE a counter', 'x'.repeat(5000), '"'.repeat(500)],
];

function storeOf(hashes: Hashes): Store {
  const read = (hash: string): Promise<[string, string][]> => Promise.resolve(hashes[hash] ?? []);
  return { ...createFakeStore(), read };
}

/** What Prometheus gets, where nothing else is said: vitals, no counters, no timings. */
async function textOf(sources: Partial<MetricsSources>): Promise<string> {
  const metrics = createMetrics({
    vitals: () => Promise.resolve(VITALS),
    hashes: () => [],
    collections: [],
    sets: () => Promise.resolve([]),
    store: storeOf({}),
    histograms: undefined,
    time: systemTime(),
    ...sources,
  });
  return [...(await metrics())].join('');
}

function histogramsOf(...samples: [string, number, number][]): LifetimeHistograms {
  const histograms = createLifetimeHistograms();
  for (const [name, value, times] of samples) histograms.addCounted(name, value, times);
  return histograms;
}

/** The values under names that begin so, by the names themselves. */
function valuesOf(text: string, prefix: string): Map<string, string> {
  const { samples } = readPrometheus(text);
  const found = samples.filter(({ name }) => name.startsWith(prefix));
  return new Map(found.map(({ name, labels, text: value }) => [keyOf(name, labels), value]));
}

describe('What Prometheus is told', () => {
  it('begins with the vitals', async () => {
    const text = await textOf({});
    expect(text.startsWith(vitalsText(VITALS))).to.equal(true);
    expect(valuesOf(text, 'statcol_timing_samples_left_out').size).to.equal(1);
  });

  it('of counters is what the store has: integers with all digits, names as they are', async () => {
    const store = storeOf({
      'statcol:stats': [
        ['api.hits', '3'],
        ['api_hits', '9223372036854775807'],
        ['back', '-12'],
        ['zero', '0'],
        ['checkout;zone=eu', '1'],
        ...['', ' 1', '01', '1.5', '1e3', 'x', '+1', '0x1', '9'.repeat(400)].map(
          (value, at): [string, string] => [`no.integer.${at}`, value],
        ),
      ],
      'foo_"total"': [['total', '5']],
    });
    const text = await textOf({ hashes: () => ['statcol:stats', 'foo_"total"'], store });
    expect([...valuesOf(text, 'statcol_counted')]).to.deep.equal([
      ['statcol_counted_total{collection="statcol:stats",name="api.hits"}', '3'],
      ['statcol_counted_total{collection="statcol:stats",name="api_hits"}', '9223372036854775807'],
      ['statcol_counted_total{collection="statcol:stats",name="back"}', '-12'],
      ['statcol_counted_total{collection="statcol:stats",name="zero"}', '0'],
      ['statcol_counted_total{collection="statcol:stats",name="checkout",tag_zone="eu"}', '1'],
      [String.raw`statcol_counted_total{collection="foo_\"total\"",name="total"}`, '5'],
    ]);
    expect(await runPromtool(text)).to.deep.equal({ code: 0, said: '' });
  });

  it('of timings is a cumulative histogram: all buckets, and +Inf that equals _count', async () => {
    const histograms = histogramsOf(['a', 3, 2], ['a', 0.5, 1], ['a', 1e6, 4], ['b', -1, 1]);
    const values = valuesOf(await textOf({ histograms }), 'statcol_timing_b');
    const of = (name: string): string[] =>
      [...BOUNDS.map(String), '+Inf'].map(
        (le) => values.get(keyOf('statcol_timing_bucket', { le, name })) ?? 'none',
      );
    expect(of('a').join(' ')).to.equal('0 0 1 1 1 3 3 3 3 3 3 3 3 3 3 3 3 3 7');
    expect(of('b').join(' ')).to.equal(Array(19).fill('1').join(' '));
    const text = await textOf({ histograms });
    expect([...valuesOf(text, 'statcol_timing_sum').values()]).to.deep.equal(['4000006.5', '-1']);
    expect([...valuesOf(text, 'statcol_timing_count').values()]).to.deep.equal(['7', '1']);
  });

  it('is what was counted and timed, whatever the names', async () => {
    const name = fc.oneof(
      fc.constantFrom(...HOSTILE),
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 6 }).map((units) => {
        return String.fromCharCode(...units);
      }),
    );
    const value = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
    const fields = fc.uniqueArray(fc.tuple(name, value), { selector: ([field]) => field });
    const timed = fc.array(fc.tuple(name, fc.double({ noNaN: true, noDefaultInfinity: true })));
    await fc.assert(
      fc.asyncProperty(fields, timed, async (counters, timings) => {
        const histograms = histogramsOf(
          ...timings.map(([one, ms]): [string, number, number] => [one, ms, 1]),
        );
        const sources = { hashes: () => ['h'], store: storeOf({ h: counters }), histograms };
        const text = await textOf(sources);
        const { samples } = readPrometheus(text);
        const counted = samples.filter((one) => one.name === 'statcol_counted_total');
        expect(counted.map((one) => one.text)).to.deep.equal(counters.map(([, total]) => total));
        const names = [...new Set(timings.map(([one]) => one))];
        const shown = (suffix: string): number[] => {
          const found = samples.filter((one) => one.name === `statcol_timing_${suffix}`);
          return found.map((one) => one.value);
        };
        const valuesBy = names.map((one) =>
          timings.filter(([other]) => other === one).map(([, ms]) => ms),
        );
        expect(shown('count')).to.deep.equal(valuesBy.map((values) => values.length));
        expect(shown('bucket')).to.deep.equal(
          valuesBy.flatMap((values) => [
            ...BOUNDS.map((bound) => values.filter((ms) => ms <= bound).length),
            values.length,
          ]),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('passes promtool without a word, with hostile names, and with none', async () => {
    const histograms = histogramsOf(
      ...HOSTILE.map((name): [string, number, number] => [name, 1, 1]),
    );
    histograms.addCounted('beyond', Number.MAX_VALUE, 2 ** 50);
    const fields = HOSTILE.map((name): [string, string] => [name, '1']);
    const receiver = { configured: true, samples: 7, leftOut: 2 };
    const trap = { ...VITALS.trap, lastPushMs: 0.25 };
    const text = await textOf({
      vitals: () => Promise.resolve({ ...VITALS, receiver, trap, version: 'a"b\\c\nd' }),
      hashes: () => ['h', '"\n'],
      collections: ['h', '"\n'],
      sets: () => Promise.resolve([['h', fields]]),
      store: storeOf({ h: fields, '"\n': fields, 'h:gauges': fields, '"\n:gauges': fields }),
      histograms,
    });
    const { values } = readPrometheus(text);
    expect(values.size).to.be.above(HOSTILE.length * 25);
    expect(text).to.include(String.raw`version="a\"b\\c\nd"`);
    expect(await runPromtool(text)).to.deep.equal({ code: 0, said: '' });
    expect(await runPromtool(await textOf({}))).to.deep.equal({ code: 0, said: '' });
    // It does say something where there is something to be said.
    expect((await runPromtool('# TYPE aB counter\naB 1\n')).code).not.to.equal(0);
  });
});

describe('What Prometheus is told when the store is away', () => {
  const histograms = histogramsOf(['a', 3, 2]);

  function expectTheRest(text: string): void {
    const { values } = readPrometheus(text);
    expect(text).not.to.include('statcol_counted_total');
    expect(values.get('statcol_store_up{}')).to.equal(0);
    expect(values.get('statcol_samples_total{kind="counter"}')).to.equal(700);
    expect(values.get('statcol_timing_count{name="a"}')).to.equal(2);
  }

  it('is the rest, at once where it refuses', async () => {
    const read = (): Promise<never> => Promise.reject(new Error('LOADING'));
    const store = { ...storeOf({}), read };
    expectTheRest(await textOf({ hashes: () => ['h'], store, histograms }));
  });

  it('is the rest, after two seconds where it does not answer, and no more hashes are asked for', async () => {
    const time = createFakeTime();
    const asked: string[] = [];
    let answer: (fields: [string, string][]) => void = () => {};
    const read = (hash: string): Promise<[string, string][]> => {
      asked.push(hash);
      return new Promise((resolve) => (answer = resolve));
    };
    const store = { ...storeOf({}), read };
    let text: string | undefined;
    const done = textOf({ hashes: () => ['h', 'i'], store, histograms, time }).then((all) => {
      text = all;
    });
    await time.pass(1999);
    expect(text).to.equal(undefined);
    await time.pass(1);
    await done;
    expectTheRest(text!);
    answer([['late', '1']]);
    await time.pass(10);
    expect([asked, time.waiting]).to.deep.equal([['h'], 0]);
  });

  it('is all but the hash that is of another type', async () => {
    const read = (hash: string): Promise<[string, string][]> =>
      hash === 'bad' ? Promise.reject(new HashFault('WRONGTYPE')) : Promise.resolve([['a', '1']]);
    const store = { ...storeOf({}), read };
    const text = await textOf({ hashes: () => ['bad', 'good'], store });
    expect([...valuesOf(text, 'statcol_counted')]).to.deep.equal([
      ['statcol_counted_total{collection="good",name="a"}', '1'],
    ]);
    expect(readPrometheus(text).values.get('statcol_store_up{}')).to.equal(1);
  });

  for (const [what, sets] of [
    ['refused', () => Promise.reject(new Error('NOPERM'))],
    ['late', () => new Promise<never>(() => {})],
  ] as const) {
    it(`is all but the sets where those alone are ${what}`, async () => {
      const time = createFakeTime();
      const store = storeOf({ h: [['a', '1']] });
      const reading = textOf({ hashes: () => ['h'], store, sets, time });
      await time.pass(2000);
      const text = await reading;
      expect([...valuesOf(text, 'statcol_counted')]).to.deep.equal([
        ['statcol_counted_total{collection="h",name="a"}', '1'],
      ]);
      expect(readPrometheus(text).values.get('statcol_store_up{}')).to.equal(1);
    });
  }
});
