import { expect } from 'chai';
import { describe, it } from 'mocha';

import { createStoreNames, type StoreNames } from '../../src/live/store-names.ts';
import { createFakeTime, settle } from '../support/fake-time.ts';
import { createLiveRig, openFrames } from './rig.ts';

type Fields = readonly (readonly [string, string])[];

async function known(names: StoreNames): Promise<string[]> {
  for (let turn = 0; turn < 3; turn++) await settle();
  return [...names.names()];
}

describe('Names that the store knows', () => {
  it('are read again after a minute, and stay when that fails', async () => {
    const time = createFakeTime();
    let reads = 0;
    let read = (): Promise<Fields[]> =>
      Promise.resolve([
        [['a', '1']],
        [
          ['b', '2'],
          ['a', '3'],
        ],
      ]);
    const nowMs = (): number => time.nowMs();
    const names = createStoreNames({ read: () => (reads++, read()), nowMs });
    expect([...names.names()]).to.deep.equal([]);
    names.refresh();
    names.refresh();
    expect(await known(names)).to.deep.equal(['a', 'b']);
    const { version } = names;
    await time.pass(59_999);
    names.refresh();
    expect(reads).to.equal(1);
    await time.pass(1);
    read = () => Promise.reject(new Error('away'));
    names.refresh();
    expect(await known(names)).to.deep.equal(['a', 'b']);
    expect([reads, names.version]).to.deep.equal([2, version]);
    await time.pass(60_000);
    read = () => Promise.resolve([[['c', '1']]]);
    names.refresh();
    expect(await known(names)).to.deep.equal(['c']);
    expect(names.version).to.not.equal(version);
    names.clear();
    expect([...names.names()]).to.deep.equal([]);
  });

  it('are 200,000 at most', async () => {
    const many = Array.from({ length: 200_010 }, (_, at): [string, string] => [`n${at}`, '1']);
    const names = createStoreNames({ read: () => Promise.resolve([many]), nowMs: () => 0 });
    names.refresh();
    while (names.version === 0) await settle();
    expect(names.names().size).to.equal(200_000);
  });

  it('are in the list beside those that were counted here, also as members of a prefix', async () => {
    const rig = createLiveRig();
    let reads = 0;
    rig.hand.setNames = ['z.set'];
    rig.store.read = (hash) => {
      if (hash === 'h:gauges') return Promise.resolve([['y.gauge', '0.5']]);
      reads++;
      return Promise.resolve([
        ['a.stored', '5'],
        ['a.counted', '6'],
      ]);
    };
    rig.count('a.counted');
    await rig.pass(100);
    expect(reads).to.equal(0);
    rig.count('a.counted');
    await rig.pass();
    const first = openFrames(rig, 'p=0:a.');
    await first.next();
    await rig.pass(7);
    await first.next();
    await rig.pass();
    const { list, watched } = await first.next();
    expect(list.rows.map(({ name, rate }) => [name, rate])).to.deep.equal([
      ['a.counted', 0.1],
      ['a.stored', 0],
      ['y.gauge', 0],
      ['z.set', 0],
    ]);
    expect(watched[0]).to.include({ matching: 2 });
    const second = openFrames(rig, '');
    expect((await second.next()).list.total).to.equal(4);
    expect(reads).to.equal(1);
    first.close();
    second.close();
    // While nobody looks they are not read.
    await rig.pass(70);
    expect(reads).to.equal(1);
    const third = openFrames(rig, '');
    await third.next();
    expect(reads).to.equal(2);
    third.close();
  });

  it('that were being read when they were forgotten are read again', async () => {
    const time = createFakeTime();
    let answer: (fields: Fields[]) => void = () => {};
    let reads = 0;
    const read = (): Promise<Fields[]> => {
      reads++;
      return new Promise((resolve) => (answer = resolve));
    };
    const names = createStoreNames({ read, nowMs: () => time.nowMs() });
    names.refresh();
    names.clear();
    answer([[['deleted', '1']]]);
    expect(await known(names)).to.deep.equal([]);
    names.refresh();
    answer([[['a', '1']]]);
    expect(await known(names)).to.deep.equal(['a']);
    expect(reads).to.equal(2);
  });

  it('are not read out of a hash so large that it would hold the store up', async () => {
    for (const [fields, reads] of [
      [100_000, 1],
      [100_001, 0],
    ] as const) {
      const rig = createLiveRig();
      let read = 0;
      rig.store.countFields = () => Promise.resolve(fields);
      rig.store.read = (hash) => {
        if (hash === 'h') read++;
        return Promise.resolve([['a', '1']]);
      };
      await rig.pass();
      const { next, close } = openFrames(rig, '');
      await next();
      expect(read, `of ${fields}`).to.equal(reads);
      close();
    }
  });

  it('are none where fields are not names', async () => {
    const rig = createLiveRig({ layout: 'split' });
    rig.store.read = () => Promise.reject(new Error('nobody should read'));
    await rig.pass();
    const { next, close } = openFrames(rig, '');
    expect((await next()).list.total).to.equal(0);
    close();
  });
});
