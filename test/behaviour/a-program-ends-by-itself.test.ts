import { expect } from 'chai';
import { after, afterEach, before, describe, it } from 'mocha';

import { runProgram } from '../support/program.ts';
import { openPlace, type Place, PLACES } from '../support/stats-place.ts';

// So that the end of a program is what writes.
const SELDOM = 'writeFrequency: 600_000';

const SHOW_AT_EXIT = `process.on('exit', () => {
  const { delivered, pending } = stats.vitals();
  console.log(delivered, 'delivered', pending, 'pending');
});`;

for (const name of PLACES) {
  describe(`a program with a stats buffer in ${name} ends by itself`, () => {
    let place: Place;

    before(async () => {
      place = await openPlace(name);
    });
    afterEach(() => place.clear());
    after(() => place.close());

    /** Runs a program that makes stats buffers; expects that it ends well and says nothing. */
    async function ends(source: string, exitCode = 0): Promise<string> {
      const ended = await runProgram(`
        import { Stats } from 'statcol';
        ${place.program}
        redis?.unref?.(); // an application's client would keep the program alive
        const newStats = (options) => new Stats({ redis, keys: ['hash'], ...options });
        ${source}`);
      expect(ended.stderr).to.equal('');
      expect(ended.code).to.equal(exitCode);
      return ended.stdout;
    }

    /** Expects what was written: in Redis; a memory has gone with its program. */
    async function written(wanted: Record<string, string>): Promise<void> {
      if (place.server === undefined) return;
      expect(await place.hash(place.stats(), 'hash')).to.deep.equal(wanted);
    }

    it('what is left is written, by each buffer, and nothing is printed', async () => {
      const stdout = await ends(`
        const stats = newStats({ ${SELDOM} });
        stats.increment('thing', 2);
        stats.increment('thing', 2);
        stats.increment('rounded', 0.75);
        newStats({ writeFrequency: 0 }).increment('thing', 10);
        newStats({ ${SELDOM} });
        ${SHOW_AT_EXIT}`);
      expect(stdout).to.equal('3 delivered 0 pending\n');
      await written({ thing: '14', rounded: '1' });
    });

    it('one that writes all the while keeps nothing alive, and no exit code is changed', async () => {
      const source = `
        const stats = newStats({ writeFrequency: 1 });
        for (let n = 0; n < 20; n++) {
          stats.increment('thing');
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        // It fires only if something else keeps the program alive until then.
        setTimeout(() => console.log('still here'), 5000).unref();
        process.exitCode = 3;`;
      expect(await ends(source, 3)).to.equal('');
      await written({ thing: '20' });
    });

    for (const options of ['writeFrequency: 10', 'writeFrequency: 0']) {
      it(`start() keeps it alive until stop(), ${options}`, async () => {
        const stdout = await ends(`
          const stats = newStats({ ${options} });
          stats.start();
          setTimeout(async () => {
            stats.increment('late');
            console.log('still here', await stats.stop());
          }, 150).unref();`);
        expect(stdout).to.equal('still here 0\n');
        await written({ late: '1' });
      });
    }

    it('a top-level await of write, get, getAll and stop settles', async () => {
      const stdout = await ends(`
        const stats = newStats({ ${SELDOM} });
        const say = (...values) => console.log(...values.map((one) => JSON.stringify(one)));
        stats.increment('thing');
        await stats.write();
        say(await stats.get('thing'), stats.pending);
        stats.increment('thing');
        say(await stats.getAll());
        say(await stats.stop());
        say(await stats.get('thing'), await stats.getAll(['none']));
        say(await stats.stop(), await stats.write());`);
      expect(stdout.split('\n')).to.deep.equal([
        '"1" {}',
        '{"hash":{"thing":"1"}}',
        '0',
        '"2" {"none":{}}',
        '0 undefined',
        '',
      ]);
    });
  });
}

describe('what beforeExit handlers of an application count is written too', () => {
  let place: Place;

  before(async () => {
    place = await openPlace('a Redis by URL');
  });
  afterEach(() => place.clear());
  after(() => place.close());

  const make = `const stats = new Stats({ redis, keys: ['hash'], ${SELDOM} });`;
  const handlers: [what: string, source: string, delivered: number][] = [
    [
      'registered before the buffer was made',
      `process.once('beforeExit', () => stats.increment('thing', 2));
      ${make}
      stats.increment('thing');`,
      2,
    ],
    [
      'registered after it',
      `${make}
      stats.increment('thing');
      process.once('beforeExit', () => stats.increment('thing', 2));`,
      2,
    ],
    [
      'that alone has something to write',
      `${make}
      process.once('beforeExit', () => stats.increment('thing', 3));`,
      1,
    ],
    [
      'that waits for something first',
      `${make}
      stats.increment('thing');
      process.once('beforeExit', async () => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        stats.increment('thing', 2);
      });`,
      2,
    ],
    [
      'that counts on while it is written',
      `${make}
      stats.increment('thing');
      process.once('beforeExit', async () => {
        for (let n = 1; n <= 200; n++) {
          stats.increment('thing', n % 100 === 0 ? 1 : 0);
          await new Promise(setImmediate);
        }
      });`,
      201,
    ],
  ];
  for (const [what, source, delivered] of handlers) {
    it(`one ${what}`, async () => {
      const ended = await runProgram(`
        import { Stats } from 'statcol';
        ${place.program}
        ${source}
        ${SHOW_AT_EXIT}`);
      expect(ended.stderr).to.equal('');
      expect(ended.stdout).to.equal(`${delivered} delivered 0 pending\n`);
      expect(ended.code).to.equal(0);
      expect(await place.hash(place.stats(), 'hash')).to.deep.equal({ thing: '3' });
    });
  }
});
