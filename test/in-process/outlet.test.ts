import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';
import { createHold, type Hold } from '../../src/in-process/hold.ts';
import { createOutlet, type Outlet, type OutletParts } from '../../src/in-process/outlet.ts';
import { createRig, type Rig } from '../flush/rig.ts';
import { settle } from '../support/fake-time.ts';

describe('An outlet', () => {
  it('flushes at its interval, the first time after one', async () => {
    const { rig } = createOutletRig();
    rig.add('a', 1);
    await rig.time.pass(99);
    expect(rig.store.sent).to.deep.equal([]);
    await rig.time.pass(1);
    rig.add('a', 10);
    await rig.time.pass(100);
    expect(rig.store.sent).to.deep.equal(['h#1 a=1', 'h#2 a=10']);
  });

  it('counts the interval from the end of a flush', async () => {
    const { rig } = createOutletRig();
    const sentMs: number[] = [];
    rig.store.decide = async () => {
      sentMs.push(rig.time.nowMs() - 1000);
      await new Promise<void>((resolve) => rig.time.after(30, resolve));
      return 'ok' as const;
    };
    for (let turn = 0; turn < 3; turn++) {
      rig.add('a', 1);
      await rig.time.pass(130);
    }
    expect(sentMs).to.deep.equal([100, 230, 360]);
  });

  it('does, before each flush by the interval, what it is told to', async () => {
    const order: string[] = [];
    const { rig } = createOutletRig({ beforeFlush: () => void order.push('before') });
    rig.store.decide = () => {
      order.push('sent');
      return 'ok';
    };
    rig.add('a', 1);
    await rig.time.pass(200);
    expect(order).to.deep.equal(['before', 'sent', 'before']);
  });

  it('with an interval of 0 flushes only when told to', async () => {
    const { rig, outlet } = createOutletRig({ intervalMs: 0 });
    rig.add('a', 1);
    await rig.time.pass(100_000);
    expect([rig.store.sent, rig.time.waiting]).to.deep.equal([[], 0]);
    await outlet.stop();
    expect(rig.store.sent).to.deep.equal(['h#1 a=1']);
  });
});

describe('An outlet that is stopped', () => {
  it('delivers what is left, fractions rounded, then closes, and leaves no timer', async () => {
    const { rig, outlet, calls } = createOutletRig();
    rig.add('a', 1.6);
    await outlet.stop();
    expect(rig.store.value('h', 'a')).to.equal(2);
    expect([calls, rig.time.waiting]).to.deep.equal([['close'], 0]);
  });

  it('closes once, however often it is stopped', async () => {
    const { outlet, calls } = createOutletRig();
    const stops = [outlet.stop(), outlet.stop()];
    expect(stops[1]).to.equal(stops[0]);
    await Promise.all(stops);
    await outlet.stop();
    expect(calls).to.deep.equal(['close']);
  });

  it('gives up at the deadline, closes, and says what could not be delivered', async () => {
    const { rig, outlet, calls } = createOutletRig({ stopTimeoutMs: 300 });
    rig.store.decide = () => 'lost-before';
    rig.add('a', 1);
    let stopped = false;
    void outlet.stop().then(() => (stopped = true));
    await rig.time.pass(299);
    expect([stopped, calls]).to.deep.equal([false, []]);
    await rig.time.pass(1);
    expect([stopped, calls]).to.deep.equal([true, ['close', 'undelivered']]);
    expect(rig.time.waiting).to.equal(0);
    rig.check();
  });

  it('does not try what is in vain', async () => {
    const { rig, outlet, calls } = createOutletRig({ isHopeless: () => true });
    rig.add('a', 1);
    await outlet.stop();
    expect(rig.store.sent).to.deep.equal([]);
    expect(calls).to.deep.equal(['close', 'undelivered']);
  });

  it('keeps the process alive while it delivers, and no longer', async () => {
    const { rig, outlet, isHeld } = createOutletRig();
    let answer = (): void => {};
    rig.store.decide = () => new Promise((resolve) => (answer = () => resolve('ok')));
    rig.add('a', 1);
    expect(isHeld()).to.equal(false);
    const stop = outlet.stop();
    await settle();
    expect(isHeld()).to.equal(true);
    answer();
    await stop;
    expect(isHeld()).to.equal(false);
  });
});

describe('A program that comes to its natural end', () => {
  it('delivers what is left', async () => {
    const { rig, calls, isHeld } = createOutletRig();
    rig.add('a', 1.6);
    await beforeExit();
    expect(isHeld()).to.equal(true);
    await settle();
    expect([rig.store.value('h', 'a'), isHeld()]).to.deep.equal([2, false]);
    expect(calls, 'it may go on').to.deep.equal([]);
  });

  it('begins nothing where nothing is left, so that it ends', async () => {
    const { rig, isHeld } = createOutletRig();
    rig.add('a', 1);
    await beforeExit();
    await settle();
    const sent = [...rig.store.sent];
    const timers = rig.time.waiting;
    await beforeExit();
    expect([isHeld(), rig.time.waiting]).to.deep.equal([false, timers]);
    expect(rig.store.sent).to.deep.equal(sent);
  });

  it('delivers again what was counted since', async () => {
    const { rig } = createOutletRig();
    for (const value of [1, 2]) {
      rig.add('a', 1);
      await beforeExit();
      await settle();
      expect(rig.store.value('h', 'a')).to.equal(value);
    }
  });

  it('tries until the deadline, then says what is left and ends', async () => {
    const others = ofOutlets().length; // of other tests in this process
    const { rig, calls, isHeld } = createOutletRig({ stopTimeoutMs: 300 });
    rig.store.decide = () => 'lost-before';
    rig.add('a', 1);
    await beforeExit();
    await rig.time.pass(299);
    expect([isHeld(), calls]).to.deep.equal([true, []]);
    await rig.time.pass(1);
    expect([isHeld(), calls, rig.time.waiting]).to.deep.equal([false, ['close', 'undelivered'], 0]);
    expect(ofOutlets(), 'it is not asked again').to.have.length(others);
  });

  it('ends at once where trying is in vain', async () => {
    const { rig, calls, isHeld } = createOutletRig({ isHopeless: () => true });
    rig.add('a', 1);
    await beforeExit();
    await settle();
    expect([isHeld(), calls, rig.store.sent]).to.deep.equal([false, ['close', 'undelivered'], []]);
  });

  it('asks every outlet that is open, through one listener, and none once all are stopped', async () => {
    const others = ofOutlets().length;
    const rigs = [createOutletRig(), createOutletRig()];
    expect(ofOutlets()).to.have.length(1);
    for (const { rig } of rigs) rig.add('a', 1);
    await beforeExit();
    await settle();
    for (const { rig } of rigs) expect(rig.store.value('h', 'a')).to.equal(1);
    await rigs[0]!.outlet.stop();
    expect(ofOutlets()).to.have.length(1);
    await rigs[1]!.outlet.stop();
    expect(ofOutlets()).to.have.length(others);
  });

  it('and is stopped at that moment is not kept until the deadline', async () => {
    const { rig, outlet, calls, isHeld } = createOutletRig();
    let answer = (): void => {};
    rig.store.decide = () => new Promise((resolve) => (answer = () => resolve('ok')));
    rig.add('a', 1);
    await beforeExit();
    const stop = outlet.stop();
    await settle();
    answer();
    await stop;
    await settle();
    expect(rig.store.value('h', 'a')).to.equal(1);
    expect(calls).to.deep.equal(['close']);
    expect([isHeld(), rig.time.waiting]).to.deep.equal([false, 0]);
  });
});

interface OutletRig {
  readonly rig: Rig;
  readonly outlet: Outlet;
  readonly calls: string[];
  /** Whether what the outlet's timers and sockets do would keep the process alive. */
  isHeld(): boolean;
}

const opened: Outlet[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.stop()));
});

/** An outlet of a counter flusher, over a fake store and a clock that stands still. */
function createOutletRig(options: Partial<OutletParts> = {}): OutletRig {
  const rig = createRig();
  const calls: string[] = [];
  const { hold, isHeld } = countingHold();
  const outlet = createOutlet({
    flusher: rig.flusher,
    time: rig.time,
    hold,
    intervalMs: 100,
    stopTimeoutMs: 10_000,
    isWaiting: () => {
      return (
        rig.book.amounts().size > 0 || rig.book.pendingSamples + rig.flusher.pendingSamples > 0
      );
    },
    isHopeless: () => false,
    close: () => void calls.push('close'),
    onUndelivered: () => void calls.push('undelivered'),
    ...options,
  });
  opened.push(outlet);
  return { rig, outlet, calls, isHeld };
}

function countingHold(): { hold: Hold; isHeld: () => boolean } {
  const hold = createHold();
  let taken = 0;
  const during: Hold['during'] = async (work) => {
    taken++;
    return hold.during(work).finally(() => taken--);
  };
  return { hold: { ...hold, during }, isHeld: () => taken > 0 };
}

/** The listener of outlets; test runners have listeners too. */
function ofOutlets(): (() => void)[] {
  const all = process.listeners('beforeExit') as (() => void)[];
  return all.filter((one) => one.name === 'onBeforeExit');
}

/** What Node does when nothing is left to do. */
async function beforeExit(): Promise<void> {
  const listeners = ofOutlets();
  expect(listeners).to.have.length(1);
  listeners[0]!();
  await new Promise<void>((resolve) => process.nextTick(resolve));
}
