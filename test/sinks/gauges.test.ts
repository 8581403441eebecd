import { expect } from 'chai';
import fc from 'fast-check';
import { after, before, describe, it } from 'mocha';
import { systemTime } from '../../src/flush/time.ts';
import { createMemoryStore } from '../../src/sinks/memory.ts';
import { createOwnAccess } from '../../src/sinks/redis-access.ts';
import { createRedisStore } from '../../src/sinks/redis.ts';
import { type ChunkPart, HashFault, plainDecimal, type Store } from '../../src/sinks/store.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';

const HASH = 'h:gauges';

describe('A gauge as a plain decimal', () => {
  const table: [value: number, text: string][] = [
    [0, '0'],
    [-0, '0'],
    [0.1, '0.1'],
    [-3, '-3'],
    [1e21, '1000000000000000000000'],
    [-1.5e21, '-1500000000000000000000'],
    [123456789012345680000, '123456789012345680000'],
    [1e-7, '0.0000001'],
    [-1.25e-7, '-0.000000125'],
    [5e-324, `0.${'0'.repeat(323)}5`],
    [Number.MAX_VALUE, `17976931348623157${'0'.repeat(292)}`],
  ];
  for (const [value, text] of table) {
    it(`is ${text.slice(0, 40)} for ${value}`, () => expect(plainDecimal(value)).to.equal(text));
  }

  it('has no exponent, and reads back the same', () => {
    const property = fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(plainDecimal(value)).to.match(/^-?\d+(\.\d+)?$/);
      expect(Number(plainDecimal(value))).to.equal(value + 0);
    });
    fc.assert(property, { numRuns: 2000 });
  });
});

describe('Gauges in Redis', () => {
  let redis: RedisServer;
  let store: Store;
  let seq = 0;
  before(async () => {
    redis = await startRedis();
    const time = systemTime();
    const address = { url: redis.url };
    const access = createOwnAccess({ address, time, timeoutMs: 5000, onLost: () => {} });
    store = createRedisStore(access, () => 'me');
    await store.connect();
  });
  after(async () => {
    store.close();
    await redis.stop();
  });

  /** Applies parts, each of which may set or change. */
  async function apply(to: Store, ...parts: ChunkPart[]): Promise<[number, string][]> {
    return [...(await to.apply({ hash: HASH, seq: ++seq, parts, total: false }))];
  }
  const set = (field: string, amount: number): ChunkPart => ({ field, amount, gauge: 'set' });
  const change = (field: string, amount: number): ChunkPart => ({ field, amount, gauge: 'change' });

  it('are set and changed, in order, exactly once', async () => {
    await redis.command('FLUSHALL');
    const parts = [change('a', 3), set('b', 1.5), change('b', 0.25), set('', -0), change('a', -5)];
    const chunk = { hash: HASH, seq: ++seq, parts, total: true };
    const told: [number, number][] = [];
    for (let times = 0; times < 3; times++) {
      const faults = await store.apply(chunk, (part, value) => told.push([part, value]));
      expect([...faults]).to.deep.equal([]);
    }
    // Only when they were changed: what is answered again may be something else by now.
    expect(told).to.deep.equal([
      [0, 3],
      [2, 1.75],
      [4, -2],
    ]);
    expect([...(await redis.hash(HASH))]).to.deep.equal([
      ['a', '-2'],
      ['b', '1.75'],
      ['', '0'],
    ]);
    expect(await redis.command('GET', `{${HASH}}:applied:me`)).to.equal(String(seq));
  });

  it('are what the memory store has, for any numbers', async () => {
    const value = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.double({ noNaN: true, min: -1e6, max: 1e6 }),
      fc.integer(),
      fc.integer({ min: -1074, max: 1023 }).map((power) => 2 ** power),
      fc.constantFrom(0.1, 0.2, -0.3, 1e15, 1e21, 1e22, 2 ** 53, 5e-324, 2.3e-308, 1e308),
    );
    const part = fc.record({
      field: fc.constantFrom('a', 'b', '__proto__'),
      amount: value,
      gauge: fc.constantFrom('set' as const, 'change' as const, 'change' as const),
    });
    const chunks = fc.array(fc.array(part, { minLength: 1, maxLength: 20 }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(chunks, async (all) => {
        await redis.command('FLUSHALL');
        const memory = createMemoryStore();
        for (const parts of all) {
          seq++;
          const answers = await Promise.all(
            [store, memory].map(async (one) => {
              const told: [number, number][] = [];
              const chunk = { hash: HASH, seq, parts, total: false };
              const faults = await one.apply(chunk, (at, stands) => told.push([at, stands + 0]));
              return { faults: [...faults], told };
            }),
          );
          expect(answers[0]).to.deep.equal(answers[1]);
        }
        const numbers = (fields: [string, string][]): unknown =>
          new Map(fields.map(([field, text]) => [field, Number(text)]));
        const found = await store.read(HASH);
        expect(numbers(found)).to.deep.equal(numbers(await memory.read(HASH)));
        for (const [, text] of found) {
          expect(text).to.match(/^-?\d+(\.\d+)?$/);
          expect(text.length).to.be.at.most(plainDecimal(Number(text)).length + 1);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('that hold no number are left, and their neighbours written', async () => {
    await redis.command('FLUSHALL');
    const texts = ['x', '', ' 1', '0x10', 'inf', '-nan', '1e999', '1,5', '1 ', '1e', '.', '--1'];
    for (const [at, text] of texts.entries()) await redis.command('HSET', HASH, `bad${at}`, text);
    const parts = texts.flatMap((_, at) => [change(`bad${at}`, 1), change('good', 1)]);
    const faults = texts.map((_, at) => [2 * at, 'not_number']);
    expect(await apply(store, ...parts)).to.deep.equal(faults);
    expect((await redis.hash(HASH)).get('good')).to.equal(String(texts.length));
    expect((await redis.hash(HASH)).get('bad3')).to.equal('0x10');
    expect(await apply(store, ...texts.map((_, at) => set(`bad${at}`, at)))).to.deep.equal([]);
    expect((await redis.hash(HASH)).get('bad3')).to.equal('3');
  });

  it('go on from any number that others have written', async () => {
    await redis.command('FLUSHALL');
    const texts = ['1e3', '+5', '.5', '5.', '1E-2', '0010', '-0', '1e21'];
    for (const text of texts) await redis.command('HSET', HASH, text, text);
    expect(await apply(store, ...texts.map((text) => change(text, 0)))).to.deep.equal([]);
    expect([...(await redis.hash(HASH)).values()]).to.deep.equal(
      texts.map((text) => plainDecimal(Number(text))),
    );
  });

  it('beyond all numbers are left as they are', async () => {
    await redis.command('FLUSHALL');
    await apply(store, set('a', 1e308));
    expect(await apply(store, change('a', 1e308), change('b', 1))).to.deep.equal([[0, 'overflow']]);
    expect(Number((await redis.hash(HASH)).get('a'))).to.equal(1e308);
    expect((await redis.hash(HASH)).get('b')).to.equal('1');
  });

  it('of a hash of another type are refused, once and for all', async () => {
    await redis.command('FLUSHALL');
    await redis.command('SET', HASH, 'x');
    const refused = apply(store, set('a', 1));
    await refused.then(
      () => expect.fail('it was taken'),
      (error: unknown) => expect(error).to.be.instanceOf(HashFault),
    );
    await redis.command('DEL', HASH);
    seq--;
    const again = apply(store, set('a', 1));
    await again.then(
      () => expect.fail('it was taken'),
      (error: unknown) => expect(error).to.be.instanceOf(HashFault),
    );
  });

  it('and counters of one hash do not get in each other’s way', async () => {
    await redis.command('FLUSHALL');
    const parts: ChunkPart[] = [
      { field: 'n', amount: 2 },
      set('g', 0.5),
      { field: null, amount: 3 },
    ];
    expect([...(await store.apply({ hash: HASH, seq: ++seq, parts, total: true }))]).to.eql([]);
    expect(Object.fromEntries(await redis.hash(HASH))).to.deep.equal({
      ...{ n: '2', total: '5', g: '0.5' },
    });
  });
});
