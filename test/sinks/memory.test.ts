import { expect } from 'chai';
import { describe, it } from 'mocha';
import { createMemoryStore } from '../../src/sinks/memory.ts';
import { decimal, fitsInt64, type Store } from '../../src/sinks/store.ts';

describe('The memory store', () => {
  it('adds up, in the order in which fields came', async () => {
    const store = createMemoryStore();
    expect(await addTo(store, { b: 2, a: -3 })).to.deep.equal([]);
    expect(await addTo(store, { a: 1, c: 0 })).to.deep.equal([]);
    expect(await store.read('h')).to.deep.equal([
      ['b', '2'],
      ['a', '-2'],
      ['c', '0'],
    ]);
  });

  it('keeps hashes apart, and knows none that nothing was added to', async () => {
    const store = createMemoryStore();
    await addTo(store, { a: 1 }, { hash: 'one' });
    await addTo(store, { a: 2 }, { hash: 'two' });
    expect(await store.read('one')).to.deep.equal([['a', '1']]);
    expect(await store.read('two')).to.deep.equal([['a', '2']]);
    expect(await store.read('h')).to.deep.equal([]);
  });

  it('takes names such as __proto__ for hashes and fields', async () => {
    const store = createMemoryStore();
    const fields = Object.fromEntries([
      ['__proto__', 1],
      ['constructor', 2],
      ['', 3],
    ]);
    await addTo(store, fields, { hash: '__proto__' });
    expect(await store.read('__proto__')).to.deep.equal([
      ['__proto__', '1'],
      ['constructor', '2'],
      ['', '3'],
    ]);
    expect(await store.read('constructor')).to.deep.equal([]);
  });

  it('sums every part in total where it is asked to', async () => {
    const store = createMemoryStore();
    const parts = [
      { field: '/users', amount: 3 },
      { field: null, amount: 4 },
      { field: '/users', amount: -1 },
    ];
    await store.apply({ hash: 'h', seq: 1, parts, total: true });
    expect(await store.read('h')).to.deep.equal([
      ['/users', '2'],
      ['total', '6'],
    ]);
  });

  it('counts exactly beyond 2^53, to the limits of 64 bits', async () => {
    const store = createMemoryStore();
    await addTo(store, { up: 2 ** 53, down: -(2 ** 63) });
    await addTo(store, { up: 1 });
    await addTo(store, { up: 2 ** 63 - 1024 - 2 ** 53 });
    expect(Object.fromEntries(await store.read('h'))).to.deep.equal({
      up: (2n ** 63n - 1023n).toString(),
      down: (-(2n ** 63n)).toString(),
    });
  });

  it('refuses what would overflow, and writes its neighbours', async () => {
    const store = createMemoryStore();
    await addTo(store, { up: 2 ** 63 - 1024, down: -(2 ** 63) });
    expect(await addTo(store, { a: 1, up: 1024, down: -1, b: 2 })).to.deep.equal([
      [1, 'overflow'],
      [2, 'overflow'],
    ]);
    expect(await addTo(store, { up: 1023, down: 1 })).to.deep.equal([]);
    expect(Object.fromEntries(await store.read('h'))).to.deep.equal({
      up: (2n ** 63n - 1n).toString(),
      down: (-(2n ** 63n) + 1n).toString(),
      a: '1',
      b: '2',
    });
  });

  it('keeps a part that overflows out of total, and names one that total cannot take', async () => {
    const store = createMemoryStore();
    await addTo(store, { a: 2 ** 62, b: 2 ** 61 }, { total: true });
    expect(await addTo(store, { a: 2 ** 62, c: 2 ** 62, d: 1 }, { total: true })).to.deep.equal([
      [0, 'overflow'],
      [1, 'overflow'],
    ]);
    const fields = Object.fromEntries(await store.read('h'));
    expect(fields['a']).to.equal((2n ** 62n).toString());
    expect(fields['total']).to.equal((2n ** 62n + 2n ** 61n + 1n).toString());
  });

  it('is always connected', async () => {
    const store = createMemoryStore();
    expect([store.kind, store.connected]).to.deep.equal(['memory', true]);
    await store.connect();
    store.close();
  });
});

describe('decimal', () => {
  const table: [number, string][] = [
    [0, '0'],
    [-0, '0'],
    [-7, '-7'],
    [2 ** 53, '9007199254740992'],
    [1e18, '1000000000000000000'],
    [-(2 ** 63), '-9223372036854775808'],
    [1e21, '1000000000000000000000'],
  ];
  for (const [amount, text] of table) {
    it(`writes ${amount} as ${text}`, () => expect(decimal(amount)).to.equal(text));
  }
});

describe('fitsInt64', () => {
  it('is true from -2^63 to just below 2^63', () => {
    for (const amount of [0, -0, 1, -(2 ** 63), 2 ** 63 - 1024]) {
      expect(fitsInt64(amount), String(amount)).to.equal(true);
    }
    for (const amount of [2 ** 63, -(2 ** 63) - 2048, 1e300, Infinity, -Infinity, NaN]) {
      expect(fitsInt64(amount), String(amount)).to.equal(false);
    }
  });
});

async function addTo(
  store: Store,
  fields: Record<string, number>,
  { hash = 'h', total = false } = {},
): Promise<[number, string][]> {
  const parts = Object.entries(fields).map(([field, amount]) => ({ field, amount }));
  return [...(await store.apply({ hash, seq: 1, parts, total }))];
}
