import { expect } from 'chai';
import { after, afterEach, before, describe, it } from 'mocha';
import { TimeoutError } from 'redis';

import { ErrorCode, StatcolError, type Stats } from '../../src/index.ts';
import { openPlace, type Place, PLACES } from '../support/stats-place.ts';

const HASH = 'test:stats';

type AnyCallback = (error: unknown, value?: unknown) => void;

for (const name of PLACES) {
  describe(`the stats buffer takes any name and number, in ${name}`, () => {
    let place: Place;
    const make = (...keys: string[]): Stats => {
      return place.stats({ keys: keys.length > 0 ? keys : [HASH] });
    };
    const hash = (stats: Stats): Promise<Record<string, string>> => place.hash(stats, HASH);

    before(async () => {
      place = await openPlace(name);
    });
    afterEach(() => place.clear());
    after(() => place.close());

    it('texts of any kind are names, each for itself', async () => {
      const stats = make();
      const names = [
        'thing:stuff',
        'actions:processedActions:status',
        '__proto__',
        'constructor',
        'toString',
        '',
        ' ',
        'two\nlines',
        'null\0byte',
        'größe 📏',
        '7',
        'x'.repeat(100_000),
      ];
      for (const [at, one] of names.entries()) stats.increment(one, at + 1);
      const pending = names.map((one) => stats.pending[one]);
      expect(pending).to.deep.equal(names.map((_, at) => at + 1));
      await stats.write();
      const wanted = new Map(names.map((one, at) => [one, String(at + 1)]));
      expect(new Map(Object.entries(await hash(stats)))).to.deep.equal(wanted);
      const all = (await stats.getAll())[HASH]!;
      expect(new Map(Object.entries(all))).to.deep.equal(wanted);
      for (const [at, one] of names.entries()) {
        expect(await stats.get(one)).to.equal(String(at + 1));
      }
    });

    it('a name that is in no hash gives null, be it one that every object has', async () => {
      const stats = make();
      for (const one of ['__proto__', 'constructor', 'hasOwnProperty', '']) {
        expect(stats.pending[one]).to.equal(undefined);
        expect(await stats.get(one)).to.equal(null);
      }
    });

    it('hashes may be called __proto__ or constructor too', async () => {
      const stats = make('__proto__', 'constructor');
      stats.increment('thing', 2);
      await stats.write();
      // Not as objects: an object in braces has no member called __proto__.
      expect(Object.entries(await stats.getAll())).to.deep.equal([
        ['__proto__', { thing: '2' }],
        ['constructor', { thing: '2' }],
      ]);
    });

    it('a hash that is given twice counts once', async () => {
      const stats = make(HASH, HASH);
      stats.increment('thing', 2);
      await stats.write();
      expect(await stats.getAll()).to.deep.equal({ [HASH]: { thing: '2' } });
    });

    it('negative counts are subtracted, beyond zero too', async () => {
      const stats = make();
      stats.increment('down', -3);
      stats.increment('gone', 2);
      await stats.write();
      stats.increment('down', -4);
      stats.increment('gone', -2);
      await stats.write();
      expect(await hash(stats)).to.deep.equal({ down: '-7', gone: '0' });
    });

    it('sums beyond 2^53 are exact in the hash', async () => {
      const stats = make();
      for (let n = 0; n < 3; n++) {
        stats.increment('large', Number.MAX_SAFE_INTEGER);
        stats.increment('small', -Number.MAX_SAFE_INTEGER);
        await stats.write();
      }
      const wanted = 3n * BigInt(Number.MAX_SAFE_INTEGER);
      expect(await hash(stats)).to.deep.equal({ large: `${wanted}`, small: `${-wanted}` });
    });

    it('numbers as texts are numbers', async () => {
      const stats = make();
      for (const count of ['3', '-1', '1e2', ' 4 ', '0.5', '+0.5']) {
        stats.increment('thing', count as unknown as number);
      }
      await stats.write();
      expect(await stats.get('thing')).to.equal('107');
    });

    it('a fraction waits until it makes a whole one, and is rounded at the end', async () => {
      const stats = make();
      for (const field of ['tenths', 'low', 'high', 'negative']) stats.increment(field, 0);
      for (let n = 0; n < 10; n++) stats.increment('tenths', 0.1);
      stats.increment('low', 1.25);
      stats.increment('high', 1.75);
      stats.increment('negative', -1.75);
      await stats.write();
      const whole = { tenths: '1', low: '1', high: '1', negative: '-1' };
      expect(await hash(stats)).to.deep.equal(whole);
      expect(stats.pending).to.deep.include({ low: 0.25, high: 0.75, negative: -0.75 });
      expect(stats.vitals()).to.deep.include({ samples: 17, delivered: 17, pending: 0 });
      stats.increment('low', 0.875);
      await stats.write();
      expect(await stats.get('low')).to.equal('2');
      expect(await stats.stop()).to.equal(0);
      const rounded = { tenths: '1', low: '2', high: '2', negative: '-2' };
      expect(await hash(stats)).to.deep.equal(rounded);
      expect(stats.pending).to.deep.equal({});
    });

    const noCounts: [string, unknown][] = [
      ['a word', 'many'],
      ['an empty text', ''],
      ['a blank', ' '],
      ['a line break', '\n'],
      ['half a number', '12 apples'],
      ['NaN', NaN],
      ['"NaN"', 'NaN'],
      ['Infinity', Infinity],
      ['"-Infinity"', '-Infinity'],
      ['2^53', 2 ** 53],
      ['"9007199254740992"', '9007199254740992'],
      ['null', null],
      ['true', true],
      ['a bigint', 1n],
      ['a symbol', Symbol('one')],
      ['a list', [1]],
      ['an object', { valueOf: () => 1 }],
      ['a function', () => 1],
    ];
    for (const [what, count] of noCounts) {
      it(`${what} is no count: a TypeError, and nothing is counted`, async () => {
        const stats = make();
        const wrong = count as number;
        expect(() => stats.increment('thing', wrong)).to.throw(TypeError, /"thing"/);
        expect(stats.pending).to.deep.equal({});
        expect(stats.vitals()).to.deep.include({ samples: 0, delivered: 0, pending: 0 });
        await stats.write();
        expect(await hash(stats)).to.deep.equal({});
      });
    }

    it('what is no text is no name: a TypeError, and nothing is counted', () => {
      const stats = make();
      for (const key of [undefined, null, 7, Symbol('key'), ['thing'], {}] as unknown[]) {
        expect(() => stats.increment(key as string)).to.throw(TypeError, /text/);
      }
      expect(stats.vitals().samples).to.equal(0);
    });

    it('`pending` is a copy', () => {
      const stats = make();
      stats.increment('thing', 2);
      stats.pending['thing'] = 100;
      delete stats.pending['thing'];
      expect(stats.pending).to.deep.equal({ thing: 2 });
    });

    it('every call takes a callback instead of giving a promise', async () => {
      const stats = make();
      stats.increment('thing', 2);
      const calls: [(callback: AnyCallback) => unknown, unknown][] = [
        [(callback) => stats.write(callback), undefined],
        [(callback) => stats.get('thing', callback), '2'],
        [(callback) => stats.get('thing', undefined, callback), '2'],
        [(callback) => stats.get('thing', 'none', callback), null],
        [(callback) => stats.getAll(callback), { [HASH]: { thing: '2' } }],
        [(callback) => stats.getAll(undefined, callback), { [HASH]: { thing: '2' } }],
        [(callback) => stats.getAll(['none'], callback), { none: {} }],
        [(callback) => stats.stop(callback), 0],
      ];
      for (const [call, wanted] of calls) {
        const called = new Promise<unknown[]>((resolve) => {
          expect(call((...given: unknown[]) => resolve(given))).to.equal(undefined);
        });
        const [error, value] = await called;
        expect(error).to.equal(null);
        expect(value).to.deep.equal(wanted);
      }
    });

    if (name !== 'memory') {
      it('what Redis does not give is an error: of the promise, or of the callback', async () => {
        const stats = make();
        await place.server!.command('SET', HASH, 'not a hash');
        const readings: ((callback: AnyCallback) => void)[] = [
          (callback) => void stats.get('thing').then(undefined, callback),
          (callback) => stats.get('thing', callback),
          (callback) => void stats.getAll().then(undefined, callback),
          (callback) => stats.getAll(callback),
        ];
        for (const read of readings) {
          const error = await new Promise<unknown>(read);
          expect(error).to.be.instanceOf(StatcolError);
          expect((error as StatcolError).code).to.equal(ErrorCode.ERR_SOURCE);
          expect((error as StatcolError).message).to.match(/WRONGTYPE/);
        }
        stats.increment('thing');
        const refusal = await new Promise<unknown>((resolve) => stats.write(resolve));
        expect((refusal as StatcolError).code).to.equal(ErrorCode.ERR_NOT_WRITTEN);
        await place.server!.command('DEL', HASH);
      });
    }
  });
}

describe('the stats buffer says why', () => {
  // node-redis gives its TimeoutError no message: that of a command which waited in its queue.
  it('a client whose error has no message is understood all the same', async () => {
    const open = await openPlace('memory');
    const client = {
      isOpen: true,
      isReady: true,
      eval: () => Promise.reject(new TimeoutError()),
    };
    const stats = open.stats({ redis: client, stopTimeout: 0 });
    stats.increment('thing');
    const refusal = await stats.write().catch((error: unknown) => (error as Error).message);
    expect(refusal).to.match(/time/i);
    expect(stats.vitals().lastError).to.match(/time/i);
    expect(await stats.stop()).to.equal(1);
  });
});
