import { expect } from 'chai';
import { describe, it } from 'mocha';

import type { Frame, WatchedHeld } from '../../src/live/frame.ts';
import { BEGIN_SECOND, createLiveRig, openFrames } from './rig.ts';

describe('Frames of gauges and sets', () => {
  it('have what gauges and sets stand at: what the store holds, and how it became that', async () => {
    const rig = createLiveRig({ layout: 'split', hashes: ['h', 'g'] });
    const heldIn = (frame: Frame): WatchedHeld[] => frame.watched as WatchedHeld[];
    const asked: string[][] = [];
    rig.store.readField = (hash, field) => {
      asked.push([hash, field]);
      return Promise.resolve('-0.5');
    };
    rig.store.unique.set('h:set:u.v:2027-01-15', 7);
    rig.write('gauges', 'a.b', 3);
    rig.write('gauges', 'a.b', 1e300);
    await rig.pass(2);
    rig.write('gauges', 'a.b', NaN);
    rig.write('sets', 'u.v', 7);
    await rig.pass();
    const { next, close } = openFrames(rig, 'g=0:a.b&s=0:u.v&g=0:__proto__');
    const [gauge, set, none] = heldIn(await next());
    expect(gauge).to.deep.equal({
      ...{ kind: 'gauge', name: 'a.b', hash: 'h:gauges', field: 'a.b', otherHashes: 1 },
      ...{ total: '-0.5', rate: 1, writtenSecond: BEGIN_SECOND + 2, isLong: false },
      points: [
        [BEGIN_SECOND, 1, 1e300, 1e300, 1e300],
        [BEGIN_SECOND + 2, 1, null, null, null],
      ],
    });
    expect(set).to.deep.equal({
      ...{ kind: 'set', name: 'u.v', hash: 'h:set:u.v:2027-01-15', field: null, otherHashes: 1 },
      ...{
        total: '7',
        rate: 1 / 3,
        writtenSecond: BEGIN_SECOND + 2,
        isLong: false,
        points: [[BEGIN_SECOND + 2, 1, 7, 7, 7]],
      },
    });
    expect(none).to.deep.include({ field: '__proto__', rate: 0, writtenSecond: null, points: [] });
    expect(asked).to.deep.equal([
      ['h:gauges', 'a.b'],
      ['h:gauges', '__proto__'],
    ]);
    await rig.pass();
    expect(heldIn(await next())[0]!.points).to.deep.equal([]);
    close();
  });

  it('have what held long before they began', async () => {
    const rig = createLiveRig();
    rig.write('gauges', 'g', 5);
    await rig.pass(1000);
    rig.write('gauges', 'g', 6);
    await rig.pass();
    const { next, close } = openFrames(rig, 'g=0:g');
    const [gauge] = (await next()).watched as WatchedHeld[];
    expect(gauge!.points.map(([at, , value]) => [at - BEGIN_SECOND, value])).to.deep.equal([
      [0, 5],
      [1000, 6],
    ]);
    close();
  });
});
