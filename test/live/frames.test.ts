import { expect } from 'chai';
import { describe, it } from 'mocha';

import type {
  Frame,
  WatchedCounter,
  WatchedHeld,
  WatchedPrefix,
  WatchedTiming,
} from '../../src/live/frame.ts';
import { BEGIN_SECOND, createLiveRig, openFrames } from './rig.ts';

function timingIn(frame: Frame, at = 0): WatchedTiming {
  return frame.watched[at] as WatchedTiming;
}

function counterIn(frame: Frame, at = 0): WatchedCounter {
  return frame.watched[at] as WatchedCounter;
}

describe('Frames', () => {
  it('have at first all that there is, and then what is new', async () => {
    const rig = createLiveRig();
    rig.measure('t', 1, 1, 25);
    rig.count('c', 5);
    await rig.pass();
    rig.count('c', -2);
    await rig.pass(2);
    const { next, close } = openFrames(rig, 't=0:t&c=0:c');
    const first = await next();
    expect(first.second).to.equal(BEGIN_SECOND + 2);
    expect(first.countersFrom).to.equal(BEGIN_SECOND);
    expect(first).to.deep.include({ instance: 'rig-1', udp: 'udp://127.0.0.1:8125', problems: [] });
    expect(first).to.not.have.property('reset');
    expect(timingIn(first)).to.deep.equal({
      kind: 'timing',
      name: 't',
      summary: { count: 3, min: 1, max: 25, mean: 9, p50: 1.05, p90: 25, p99: 25 },
      isLong: false,
      columns: [
        {
          second: BEGIN_SECOND,
          span: 1,
          weight: 3,
          min: 1,
          max: 25,
          weightedSum: 27,
          bins: [11_521, 2, 11_626, 1],
        },
      ],
    });
    expect(counterIn(first, 1)).to.deep.equal({
      kind: 'counter',
      name: 'c',
      hash: 'h',
      field: 'c',
      otherHashes: 0,
      total: null,
      isLong: false,
      points: [
        [BEGIN_SECOND, 1, 5],
        [BEGIN_SECOND + 1, 1, -2],
      ],
    });
    rig.measure('t', 2);
    await rig.pass();
    const second = await next();
    expect(timingIn(second).columns.map((column) => column.second)).to.deep.equal([
      BEGIN_SECOND + 3,
    ]);
    expect(counterIn(second, 1).points).to.deep.equal([]);
    close();
  });

  it('tell of names that nobody has sent yet, and of values that are no numbers', async () => {
    const rig = createLiveRig();
    rig.measure('nan', NaN);
    rig.memory.window.add('huge', Float64Array.of(1e300), Float64Array.of(1e300));
    await rig.pass();
    const { next, close } = openFrames(rig, 't=0:nobody&c=0:__proto__&p=0:x&t=0:nan&t=0:huge');
    const frame = await next();
    expect(timingIn(frame)).to.deep.include({ summary: null, columns: [], isLong: false });
    expect(counterIn(frame, 1)).to.deep.include({ total: null, points: [], field: '__proto__' });
    expect(frame.watched[2]).to.deep.equal({
      kind: 'prefix',
      prefix: 'x',
      matching: 0,
      counters: [],
    });
    expect(timingIn(frame, 3).columns).to.deep.equal([
      {
        second: BEGIN_SECOND,
        span: 1,
        weight: 0,
        min: null,
        max: null,
        weightedSum: 0,
        bins: [-32_768, 1],
      },
    ]);
    expect(timingIn(frame, 4).columns[0]!.weightedSum).to.equal(Number.MAX_VALUE);
    close();
  });

  it('go on from the second that a reader says he has', async () => {
    const rig = createLiveRig();
    for (let second = 0; second < 5; second++) {
      rig.count('c');
      rig.measure('t', second);
      await rig.pass();
    }
    const seconds = async (query: string, last?: number): Promise<number[][]> => {
      const { next, close } = openFrames(rig, query, last);
      const frame = await next();
      close();
      return [
        timingIn(frame).columns.map(({ second }) => second - BEGIN_SECOND),
        counterIn(frame, 1).points.map(([second]) => second - BEGIN_SECOND),
      ];
    };
    const [two, three] = [BEGIN_SECOND + 2, BEGIN_SECOND + 3];
    expect(await seconds(`t=${two}:t&c=${two}:c`)).to.deep.equal([
      [3, 4],
      [3, 4],
    ]);
    // The event's id that a browser sends by itself counts for all.
    expect(await seconds(`t=${two}:t&c=0:c`, three)).to.deep.equal([[4], [4]]);
    // One that has not come yet is no id of ours.
    expect(await seconds(`t=${two}:t&c=${three}:c`, three + 100)).to.deep.equal([[3, 4], [4]]);
    expect(await seconds(`t=${two}:t&c=${three}:c`, 0)).to.deep.equal([[3, 4], [4]]);
  });

  it('begin anew for a reader whose clock was another, and when the clock is set', async () => {
    const rig = createLiveRig();
    rig.count('c');
    await rig.pass();
    const future = openFrames(rig, `c=${BEGIN_SECOND + 1000}:c`);
    const first = await future.next();
    expect(first.reset).to.equal(true);
    expect(counterIn(first).points).to.have.length(1);
    await rig.pass();
    expect(await future.next()).to.not.have.property('reset');
    rig.hand.aheadMs = 1000; // as much as clocks are set by, now and then
    await rig.pass();
    const second = await future.next();
    expect(second.second).to.equal(BEGIN_SECOND + 3);
    expect(second).to.not.have.property('reset');
    rig.hand.aheadMs = 3_600_000;
    await rig.pass();
    const third = await future.next();
    expect(third.second).to.equal(BEGIN_SECOND + 3 + 3600);
    expect(third.reset).to.equal(true);
    expect(counterIn(third).points).to.deep.equal([[BEGIN_SECOND + 3600, 1, 1]]);
    await rig.pass();
    expect(await future.next()).to.not.have.property('reset');
    future.close();
  });

  it('tell all anew when names were deleted, and nothing of those', async () => {
    const rig = createLiveRig();
    for (const name of ['a', 'b']) {
      rig.count(name, 3);
      rig.measure(name, 12);
    }
    rig.store.countFields = () => Promise.resolve(2);
    rig.store.read = () => Promise.resolve([['a', '3']]);
    await rig.pass();
    const { next, close } = openFrames(rig, 'c=0:a&t=0:a&c=0:b');
    expect((await next()).watched[2])
      .to.have.property('points')
      .with.length(1);
    await rig.pass();
    rig.memory.trace.remove('a');
    rig.memory.window.remove('a');
    rig.live.tellAnew();
    const { reset, watched } = await next();
    expect(reset).to.equal(true);
    expect(watched[0]).to.deep.include({ name: 'a', points: [] });
    expect(watched[1]).to.deep.include({ name: 'a', summary: null, columns: [] });
    expect(watched[2]).to.have.property('points').with.length(1);
    await rig.pass();
    expect(await next()).to.not.have.property('reset');
    close();
  });

  it('show the busiest 24 of a prefix, by name, for some seconds the same', async () => {
    const rig = createLiveRig();
    for (let at = 10; at < 50; at++) rig.count(`a.${at}`, at);
    rig.count('b.1', 1000);
    await rig.pass();
    const { next, close } = openFrames(rig, 'p=0:a.');
    const names = async (): Promise<string[]> => {
      const prefix = (await next()).watched[0] as WatchedPrefix;
      expect(prefix.matching).to.be.within(40, 41);
      return prefix.counters.map(({ name }) => name);
    };
    const expected = Array.from({ length: 24 }, (_, at) => `a.${26 + at}`);
    expect(await names()).to.deep.equal(expected);
    rig.count('a.new', 10_000);
    await rig.pass();
    expect(await names()).to.deep.equal(expected);
    await rig.pass(5);
    await names(); // finds that it is time
    await rig.pass();
    expect(await names()).to.deep.equal([...expected.slice(1), 'a.new']);
    close();
  });

  for (const [layout, name, place, texts] of [
    ['flat', 'a.b', { hash: 'h', field: 'a.b', otherHashes: 1 }, ['12']],
    ['split', 'a.b', { hash: 'ha', field: 'b', otherHashes: 1 }, ['12']],
    ['split', 'a', { hash: 'ha', field: 'total', otherHashes: 1 }, ['9007199254740993']],
  ] as const) {
    it(`have a counter’s total from its first place: ${layout}, ${name}`, async () => {
      const rig = createLiveRig({ layout, hashes: ['h', 'g'] });
      const asked: string[][] = [];
      rig.store.readField = (hash, field) => {
        asked.push([hash, field]);
        return Promise.resolve(texts[0]);
      };
      await rig.pass();
      const { next, close } = openFrames(rig, `c=0:${name}&c=0:${name}`);
      expect(counterIn(await next())).to.deep.include({ ...place, total: texts[0] });
      await next(); // within the same second it is not asked for again
      expect(asked).to.deep.equal([[place.hash, place.field]]);
      close();
    });
  }

  it('reach back two hours for the busiest, and are told again as they grow', async () => {
    const rig = createLiveRig();
    const tick = async (seconds: number): Promise<void> => {
      for (let one = 0; one < seconds; one++) {
        rig.count('c', 2);
        rig.measure('t', 1);
        rig.write('gauges', 'g', one % 10);
        await rig.pass();
      }
    };
    await tick(400);
    const { next, close } = openFrames(rig, 't=0:t&c=0:c&g=0:g&span=7200');
    const first = await next();
    expect([timingIn(first).isLong, counterIn(first, 1).isLong]).to.deep.equal([true, true]);
    const { columns } = timingIn(first);
    expect(columns[0]!.second).to.be.at.most(BEGIN_SECOND + 30);
    expect(columns.every((one) => one.span === 30)).to.equal(true);
    expect(columns.at(-1)).to.include({ second: BEGIN_SECOND + 390, weight: 10 });
    expect(counterIn(first, 1).points.at(-1)).to.deep.equal([BEGIN_SECOND + 390, 30, 20]);
    await tick(1);
    const second = await next();
    expect(timingIn(second).columns).to.have.length(1);
    expect(timingIn(second).columns[0]).to.include({ second: BEGIN_SECOND + 390, weight: 11 });
    expect(counterIn(second, 1).points).to.deep.equal([[BEGIN_SECOND + 390, 30, 22]]);
    expect((second.watched[2] as WatchedHeld).points).to.deep.equal([
      [BEGIN_SECOND + 390, 30, 0, 0, 9],
    ]);
    close();
  });
});
