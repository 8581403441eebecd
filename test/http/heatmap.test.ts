import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';

import { BEGIN_SECOND } from '../live/rig.ts';
import { ask } from './rig.ts';
import { startStreams, type StreamRig } from './stream-rig.ts';

interface Heatmap {
  name: string;
  from: number;
  to: number;
  columns: {
    second: number;
    span: number;
    count: number;
    bins: [number, number, number][];
    notANumber?: number;
  }[];
}

describe('GET /api/heatmap/<name>', () => {
  let rig: StreamRig;
  beforeEach(async () => (rig = await startStreams()));
  afterEach(() => rig.server.close());

  async function heatmap(path: string): Promise<Heatmap> {
    const { status, body, headers } = await ask(rig, `/api/heatmap/${path}`);
    expect(status, body).to.equal(200);
    expect(headers['content-type']).to.equal('application/json');
    return JSON.parse(body) as Heatmap;
  }

  async function refusal(path: string): Promise<[status: number, error: string]> {
    const { status, body } = await ask(rig, `/api/heatmap/${path}`);
    return [status, (JSON.parse(body) as { error: string }).error];
  }

  it('tells the bins of each second of the live window', async () => {
    rig.measure('t', 12.5, 12.9, 100, -3.05, 0, NaN);
    await rig.pass();
    rig.memory.window.add('t', Float64Array.of(7), Float64Array.of(2.5));
    await rig.pass(2);
    expect(await heatmap('t')).to.deep.equal({
      name: 't',
      from: BEGIN_SECOND + 3 - 300,
      to: BEGIN_SECOND + 3,
      columns: [
        {
          second: BEGIN_SECOND,
          span: 1,
          count: 5,
          min: -3.05,
          max: 100,
          mean: (12.5 + 12.9 + 100 - 3.05) / 5,
          bins: [
            [-3.1, -3, 1],
            [0, 0, 1],
            [12, 13, 2],
            [100, 110, 1],
          ],
          notANumber: 1,
        },
        {
          second: BEGIN_SECOND + 1,
          span: 1,
          count: 3,
          min: 7,
          max: 7,
          mean: 7,
          bins: [[7, 7.1, 2]],
        },
      ],
    });
  });

  it('tells of the part of the past that is asked for', async () => {
    for (let second = 0; second < 20; second++) {
      rig.measure('t', second);
      await rig.pass();
    }
    const seconds = async (query: string): Promise<number[]> => {
      return (await heatmap(`t?${query}`)).columns.map(({ second }) => second - BEGIN_SECOND);
    };
    expect(await seconds('from=-3')).to.deep.equal([17, 18, 19]);
    expect(await seconds('from=-3&to=-1')).to.deep.equal([17, 18]);
    expect(await seconds(`from=${BEGIN_SECOND + 4}&to=${BEGIN_SECOND + 6}`)).to.deep.equal([4, 5]);
    expect(await seconds('from=0')).to.have.length(20);
    expect(await seconds(`from=0&to=${BEGIN_SECOND + 1}`)).to.deep.equal([0]);
    expect(await seconds(`from=${BEGIN_SECOND + 100}&to=${BEGIN_SECOND + 200}`)).to.deep.equal([]);
  });

  it('reaches back two hours for the busiest, every second told once', async () => {
    for (let second = 0; second < 700; second++) {
      rig.measure('t', 1, 2);
      await rig.pass();
    }
    const { columns } = await heatmap('t?from=0');
    expect(columns[0]).to.include({ second: BEGIN_SECOND, span: 30, count: 60 });
    let next = BEGIN_SECOND;
    for (const { second, span, count } of columns) {
      expect([second, count]).to.deep.equal([next, 2 * span]);
      next = second + span;
    }
    expect(next).to.equal(BEGIN_SECOND + 700);
    expect(columns.filter(({ span }) => span === 1).length).to.be.above(265);
    // A part of a long column is all of it.
    const { columns: some } = await heatmap(`t?from=${BEGIN_SECOND + 29}&to=${BEGIN_SECOND + 31}`);
    expect(some.map(({ second }) => second - BEGIN_SECOND)).to.deep.equal([0, 30]);
  });

  it('tells each second of a new name, in whatever part of a half minute it began', async () => {
    await rig.pass(47);
    for (let second = 0; second < 60; second++) {
      rig.measure('new', 1);
      await rig.pass();
    }
    const { columns } = await heatmap('new');
    expect(columns.map(({ second, span }) => [second - BEGIN_SECOND, span])).to.deep.equal(
      Array.from({ length: 60 }, (_, at) => [47 + at, 1]),
    );
  });

  for (const name of ['__proto__', 'a/b', '%', '?', 'é😀', '</script>', '..', 'a;b=c', ' ']) {
    it(`takes the name ${JSON.stringify(name)}`, async () => {
      rig.measure(name, 1);
      await rig.pass();
      const { name: told, columns } = await heatmap(encodeURIComponent(name));
      expect([told, columns.length]).to.deep.equal([name, 1]);
    });
  }

  it('says of an unknown name where names are', async () => {
    rig.count('counter');
    await rig.pass();
    const [status, error] = await refusal('nobody');
    expect(status).to.equal(404);
    expect(error).to.match(/^"nobody" was not timed of late; \/api\/timings has the names of all/);
    expect((await refusal('counter'))[1]).to.match(
      /^"counter" is a counter: see \/api\/counters; /,
    );
    expect((await refusal(''))[1]).to.match(
      /^expected the name of a timing behind \/api\/heatmap\/; /,
    );
  });

  for (const [query, ...faults] of [
    [
      'from=x',
      'from: expected a whole number, seconds of Unix time or below zero before now, got "x"',
    ],
    [
      'to=1.5',
      'to: expected a whole number, seconds of Unix time or below zero before now, got "1.5"',
    ],
    ['from=', /^from: .*, got nothing$/],
    ['from=1e3', /^from: /],
    ['from=9999999999999999', /^from: /],
    ['from=5&to=5', 'expected from to be before to, got 5 and 5'],
    ['from=-1&to=-2', /^expected from to be before to, got \d+ and \d+$/],
    ['from=x&to=y', /^from: .*; to: /],
  ] as const) {
    it(`refuses ${query} and says what is expected`, async () => {
      rig.measure('t', 1);
      await rig.pass();
      const [status, error] = await refusal(`t?${query}`);
      expect(status).to.equal(400);
      for (const fault of faults) {
        if (typeof fault === 'string') expect(error).to.equal(fault);
        else expect(error).to.match(fault);
      }
    });
  }

  it('is given to loopback names alone', async () => {
    const headers = { host: 'evil.example' };
    expect((await ask(rig, '/api/heatmap/t', { headers })).status).to.equal(403);
  });
});
