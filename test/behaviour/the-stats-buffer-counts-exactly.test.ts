import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { expect } from 'chai';
import { after, afterEach, before, describe, it } from 'mocha';

import { ErrorCode, StatcolError, type Stats } from '../../src/index.ts';
import { runProgram } from '../support/program.ts';
import {
  drained,
  openPlace,
  type Place,
  PLACES,
  untilAway,
  untilReady,
  writeAll,
} from '../support/stats-place.ts';

const HASH = 'test:stats';

for (const name of PLACES) {
  describe(`the stats buffer counts exactly, in ${name}`, () => {
    let place: Place;
    const make = (keys: readonly string[] = [HASH], writeFrequency = 0): Stats => {
      return place.stats({ keys, writeFrequency });
    };
    const hash = (stats: Stats, key = HASH): Promise<Record<string, string>> => {
      return place.hash(stats, key);
    };

    before(async () => {
      place = await openPlace(name);
    });
    afterEach(() => place.clear());
    after(() => place.close());

    it('AH1 stats is an object with increment, get and getAll', () => {
      const stats = make();
      expect(stats).to.be.an('object');
      for (const method of ['increment', 'get', 'getAll'] as const) {
        expect(stats[method]).to.be.a('function');
      }
    });

    it('AH2 increments wait in `pending`, and nothing is in Redis yet', async () => {
      const stats = make();
      stats.increment('thing', 1);
      stats.increment('thing');
      stats.increment('Otherthing', -1);
      expect(stats.pending['thing']).to.equal(2);
      expect(stats.pending['Otherthing']).to.equal(-1);
      expect(await hash(stats)).to.deep.equal({});
    });

    it('AH3 what is written is in the hash', async () => {
      const stats = make();
      stats.increment('thing', 1);
      await stats.write();
      expect(await hash(stats)).to.deep.equal({ thing: '1' });
      expect(stats.pending).to.deep.equal({});
    });

    it('AH4 get gives what was written', async () => {
      const stats = make();
      stats.increment('thing', 1);
      expect(await stats.get('thing')).to.equal(null);
      await stats.write();
      expect(await stats.get('thing')).to.equal('1');
    });

    it('AH5 getAll gives every field, negative ones too', async () => {
      const stats = make();
      stats.increment('thing', 1);
      stats.increment('otherThing', -1);
      await stats.write();
      expect(await stats.getAll()).to.deep.equal({ [HASH]: { thing: '1', otherThing: '-1' } });
    });

    it('AH6 several hashes get every count, and getAll returns them all', async () => {
      const stats = make(['test:stats1', 'test:stats2']);
      stats.increment('somethingElse', 1);
      await stats.write();
      const one = { somethingElse: '1' };
      expect(await hash(stats, 'test:stats1')).to.deep.equal(one);
      expect(await hash(stats, 'test:stats2')).to.deep.equal(one);
      expect(await stats.getAll()).to.deep.equal({ 'test:stats1': one, 'test:stats2': one });
      expect(await stats.getAll(['test:stats2'])).to.deep.equal({ 'test:stats2': one });
      expect(await stats.get('somethingElse', 'test:stats2')).to.equal('1');
    });

    it('AH7 a status route of an application can show the stats', async () => {
      const stats = make([HASH], 1);
      const server = createServer((_, response) => {
        stats.increment('actions:totalProcessedActions');
        void stats.getAll().then((all) => {
          const status = { id: 'server-1', uptime: process.uptime(), stats: all };
          response.end(JSON.stringify(status));
        });
      });
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/status`;
      let requests = 0;
      for (;;) {
        const answer = (await (await fetch(url)).json()) as Record<string, unknown>;
        expect(answer).to.have.all.keys('id', 'uptime', 'stats');
        const shown = (answer['stats'] as Record<string, Record<string, string>>)[HASH]!;
        // Each request shows those before it, as soon as they are written.
        if (Number(shown['actions:totalProcessedActions'] ?? 0) >= 3) break;
        expect(++requests).to.be.below(1000);
      }
      server.close();
      server.closeAllConnections();
    });

    it('AH8 getAll of hashes that do not exist gives {} for each', async () => {
      const stats = make();
      expect(await stats.getAll()).to.deep.equal({ [HASH]: {} });
      const twice = ['no:such', 'nor:this', 'no:such'];
      expect(await stats.getAll(twice)).to.deep.equal({ 'no:such': {}, 'nor:this': {} });
      expect(await stats.get('thing', 'no:such')).to.equal(null);
    });

    it('AH9 increments add to what is there: both hashes rise by exactly 2', async () => {
      const stats = make(['a', 'b']);
      for (const count of [2, 3, -1]) stats.increment('myCount', count);
      await stats.write();
      expect(await stats.get('myCount')).to.equal('4');
      stats.increment('myCount', 2);
      await stats.write();
      expect(await hash(stats, 'a')).to.deep.equal({ myCount: '6' });
      expect(await hash(stats, 'b')).to.deep.equal({ myCount: '6' });
    });

    it('AH10 processes that share a key add up, and a key of each holds its own', async () => {
      const program = (count: number): string => `
        import { Stats } from 'statcol';
        ${place.program}
        const keys = ['shared', '{pid}:stats'];
        const stats = new Stats({ redis, keys, writeFrequency: 1 });
        for (let n = 0; n < 200; n++) {
          stats.increment('thing', ${count});
          await stats.write();
        }
        await stats.stop();
        console.log(JSON.stringify(await stats.getAll([process.pid + ':stats'])));
        await quit();`;
      const ended = await Promise.all([runProgram(program(2)), runProgram(program(3))]);
      for (const [at, { code, pid, stdout, stderr }] of ended.entries()) {
        expect(stderr).to.equal('');
        expect(code).to.equal(0);
        const own = { [`${pid}:stats`]: { thing: ['400', '600'][at] } };
        expect(JSON.parse(stdout)).to.deep.equal(own);
      }
      // In memory, nothing is shared.
      const shared = name === 'memory' ? {} : { thing: '1000' };
      expect(await hash(make(), 'shared')).to.deep.equal(shared);
    });

    if (name !== 'memory') {
      it('AH11 a Redis that was killed loses nothing', async () => {
        const stats = make();
        stats.increment('thing', 2);
        await stats.write();
        await Promise.all([place.server!.kill(), untilAway(place.client)]);
        stats.increment('thing', 3);
        await isRefused(stats, /ECONNREFUSED|closed|not connected/i);
        stats.increment('thing', 1);
        expect(stats.pending).to.deep.equal({ thing: 4 });
        await place.server!.restart();
        await untilReady(place.client);
        await writeAll(stats);
        expect(await hash(stats)).to.deep.equal({ thing: '6' });
        expect(stats.pending).to.deep.equal({});
        expect(stats.vitals()).to.deep.include({ samples: 3, delivered: 3, pending: 0, up: true });
      });

      it('AH11 a Redis whose memory is full loses nothing', async () => {
        const stats = make(['a', 'b']);
        await place.server!.command('CONFIG', 'SET', 'maxmemory', '1');
        stats.increment('thing', 2);
        await isRefused(stats, /OOM/);
        await isRefused(stats, /OOM/);
        expect(stats.pending).to.deep.equal({ thing: 2 });
        await place.server!.command('CONFIG', 'SET', 'maxmemory', '0');
        await stats.write();
        expect(await stats.getAll()).to.deep.equal({ a: { thing: '2' }, b: { thing: '2' } });
      });

      it('AH11 a key that is no hash holds back its own part, and the others go on', async () => {
        const stats = make(['a', 'bad', 'c'], 10);
        await place.server!.command('SET', 'bad', 'not a hash');
        stats.increment('thing', 2);
        await isRefused(stats, /bad.*WRONGTYPE/);
        stats.increment('thing', 3);
        await isRefused(stats, /bad.*WRONGTYPE/);
        expect(stats.pending).to.deep.equal({ thing: 5 });
        expect(stats.vitals()).to.deep.include({ samples: 2, delivered: 0, pending: 2 });
        expect(await hash(stats, 'a')).to.deep.equal({ thing: '5' });
        expect(await hash(stats, 'c')).to.deep.equal({ thing: '5' });
        await place.server!.command('DEL', 'bad');
        await drained(stats);
        for (const key of ['a', 'bad', 'c']) {
          expect(await hash(stats, key)).to.deep.equal({ thing: '5' });
        }
      });

      it('AH11 a write as soon as a key is a hash again writes what was held back', async () => {
        const stats = make(['a', 'bad']);
        await place.server!.command('SET', 'bad', 'not a hash');
        stats.increment('thing', 2);
        await isRefused(stats, /bad.*WRONGTYPE/);
        await place.server!.command('DEL', 'bad');
        await stats.write();
        expect(await stats.getAll()).to.deep.equal({ a: { thing: '2' }, bad: { thing: '2' } });
      });
    }

    it('AH12 stop writes what is left; what comes after is dropped, and counted so', async () => {
      const stats = make([HASH], 600_000);
      stats.increment('thing', 2);
      stats.increment('other');
      expect(await stats.stop()).to.equal(0);
      stats.increment('late');
      expect(await stats.stop()).to.equal(0);
      expect(await hash(stats)).to.deep.equal({ thing: '2', other: '1' });
      expect(await stats.get('thing')).to.equal('2');
      expect(await stats.getAll()).to.deep.equal({ [HASH]: { thing: '2', other: '1' } });
      const { samples, delivered, pending, dropped } = stats.vitals();
      expect([samples, delivered, pending]).to.deep.equal([3, 2, 0]);
      expect(dropped).to.deep.equal({ stopped: 1 });
    });

    it('AH13 without keys nothing is stored', async () => {
      const stats = make([]);
      for (let n = 0; n < 1000; n++) stats.increment(`thing.${n}`);
      await stats.write();
      expect(stats.pending).to.deep.equal({});
      expect(await stats.get('thing.1')).to.equal(null);
      expect(await stats.getAll()).to.deep.equal({});
      expect(await stats.stop()).to.equal(0);
      if (place.server) expect(await place.server.command('DBSIZE')).to.equal(0);
    });

    it('AH14 a count of 0 adds 0', async () => {
      const stats = make();
      stats.increment('thing', 0);
      await stats.write();
      expect(await hash(stats)).to.deep.equal({ thing: '0' });
      stats.increment('thing', 7);
      stats.increment('thing', 0);
      await stats.write();
      expect(await stats.get('thing')).to.equal('7');
    });
  });
}

/** Expects that a write fails for a reason, and that the reason is its cause. */
async function isRefused(stats: Stats, reason: RegExp): Promise<void> {
  const error = await stats.write().then(
    () => expect.fail('it was written'),
    (refusal: unknown) => refusal as StatcolError,
  );
  expect(error).to.be.instanceOf(StatcolError);
  expect(error.code).to.equal(ErrorCode.ERR_NOT_WRITTEN);
  expect(error.message).to.match(reason);
  expect(error.cause).to.be.instanceOf(Error);
}
