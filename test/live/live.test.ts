import { expect } from 'chai';
import { describe, it } from 'mocha';

import type { Frame } from '../../src/live/frame.ts';
import { BEGIN_SECOND, createLiveRig, type LiveRig, openFrames } from './rig.ts';

describe('The live page’s numbers', () => {
  async function frameOf(rig: LiveRig): Promise<Frame> {
    const { next, close } = openFrames(rig, 'rows=0');
    const frame = await next();
    close();
    return frame;
  }

  it('are known at the first frame, for nobody needs to look for them to be counted', async () => {
    const rig = createLiveRig();
    rig.received.linesRejected.set('bad_value', 7);
    rig.received.refusals.set('bad_value', { line: 'x:y|c', source: '10.0.0.1:5' });
    rig.received.linesAccepted = 13;
    rig.received.datagrams = 1;
    rig.received.unix.datagrams = 1;
    rig.hand.kernelDrops = 1;
    await rig.pass();
    await rig.pass(3);
    const { rates, problems } = await frameOf(rig);
    expect(rates).to.deep.equal({ datagrams: 0.5, lines: 5, rejected: 1.8, kernelDrops: 0.3 });
    expect(problems.map(({ about }) => about)).to.deep.equal(['drops', 'refused']);
    expect(problems[1]!.text).to.include('the last from 10.0.0.1:5: "x:y|c"');
    await rig.pass(61);
    const later = await frameOf(rig);
    expect(later.problems).to.deep.equal([]);
    expect(later.rates.lines).to.equal(0);
  });

  it('tell since when the store has been away, by the clock on the wall', async () => {
    const rig = createLiveRig();
    rig.hand.aheadMs = 60_000;
    await rig.pass(10);
    rig.health.failed('no route');
    await rig.time.pass(900); // what fails may succeed in a moment
    expect((await frameOf(rig)).problems).to.deep.equal([]);
    await rig.pass(2);
    const [problem, ...others] = (await frameOf(rig)).problems;
    expect(others).to.deep.equal([]);
    expect(problem).to.include({ about: 'store', text: 'fake store fails: no route' });
    expect(problem!.sinceMs).to.equal(1000 * (BEGIN_SECOND + 10) + 60_000);
  });
});
