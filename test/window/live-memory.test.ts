import { expect } from 'chai';
import { describe, it } from 'mocha';

import { createLiveMemory, type LiveMemory } from '../../src/window/live-memory.ts';
import { createFakeTime, type FakeTime, settle } from '../support/fake-time.ts';

const START = 1_800_000_000;

describe('The live memory', () => {
  it('drains at the end of each second, and then tells that it is over', async () => {
    const { memory, time, happened } = createRig();
    memory.start();
    await time.pass(749);
    expect(happened).to.deep.equal([]);
    await time.pass(1);
    expect(happened).to.deep.equal(['drain', START]);
    expect(memory.clock.complete()).to.equal(START);
    await time.pass(2500);
    expect(happened).to.deep.equal(
      [START, START + 1, START + 2].flatMap((second) => ['drain', second]),
    );
  });

  it('is not late by more and more: each end is that of the clock', async () => {
    const { memory, time } = createRig({ drainMs: 40 });
    memory.start();
    for (let second = 0; second < 50; second++) {
      await time.passToNext(); // the end of a second
      await time.passToNext(); // of its drain
    }
    const [first, ...others] = time.delays.filter((delay) => delay !== 40);
    expect(first).to.equal(750);
    expect(new Set(others)).to.deep.equal(new Set([960]));
  });

  it('goes on when a timer goes off too early, and tells no second twice', async () => {
    const { memory, time, happened } = createRig({ earlyMs: 0.75 });
    memory.start();
    await time.pass(3000);
    expect(time.delays.slice(0, 2)).to.deep.equal([749.25, 0.25]);
    expect(happened).to.deep.equal(
      [START, START + 1, START + 2].flatMap((second) => ['drain', second]),
    );
  });

  it('after a hold-up it tells the last second that is over, once', async () => {
    const { memory, time, happened } = createRig({ drainMs: 4200 });
    memory.start();
    await time.pass(750 + 4200);
    expect(happened).to.deep.equal(['drain', START]);
    await time.pass(800 + 4200);
    expect(happened).to.deep.equal(['drain', START, 'drain', START + 5]);
  });

  it('has all that was drained in the window and the trace when it tells', async () => {
    const { memory, time } = createRig({
      onDrain({ clock, window, trace }) {
        clock.at(START * 1000 + 600, () => {
          window.addCounted('t', 5, 3);
          trace.add(trace.of('c'), 7);
        });
      },
    });
    const found: unknown[] = [];
    memory.subscribe((second) => {
      found.push(
        second,
        memory.window.columnsSince('t', 0)[0]!.weight,
        memory.trace.points('c', 0),
      );
    });
    memory.start();
    await time.pass(750);
    expect(found).to.deep.equal([START, 3, [[START, 7]]]);
  });

  it('a listener that fails stops no other, and it is told of', async () => {
    const { memory, time, faults, happened } = createRig();
    memory.subscribe(() => {
      throw new Error('planted');
    });
    const second: number[] = [];
    const end = memory.subscribe((over) => second.push(over));
    memory.start();
    await time.pass(1750);
    end();
    end();
    await time.pass(1000);
    expect(second).to.deep.equal([START, START + 1]);
    expect(faults).to.deep.equal(Array(3).fill('error: the live page: planted'));
    expect(happened).to.have.length(6);
  });

  it('when it is stopped it does nothing more, and leaves no timer', async () => {
    const { memory, time, happened } = createRig({ drainMs: 10 });
    memory.start();
    await time.pass(750);
    memory.stop();
    await time.pass(5000);
    expect(happened).to.deep.equal(['drain']);
    expect(time.waiting).to.equal(0);
    const other = createRig();
    other.memory.start();
    other.memory.stop();
    expect(other.time.waiting).to.equal(0);
    memory.stop();
  });

  it('minds its own: old columns go, idle counters are forgotten, the history goes on', async () => {
    const { memory, time } = createRig();
    const { window, trace, history } = memory;
    window.addCounted('t', 5, 3);
    trace.add(trace.of('c'), 7);
    memory.start();
    for (let second = 0; second < 60; second++) {
      await time.pass(1000);
      await settle();
    }
    expect([history.has('timing', 't'), history.has('counter', 'c')]).to.deep.equal([true, true]);
    for (let second = 0; second < 300; second++) {
      await time.pass(1000);
      await settle();
    }
    expect([window.has('t'), trace.has('c')]).to.deep.equal([false, false]);
    expect([history.has('timing', 't'), history.has('counter', 'c')]).to.deep.equal([true, true]);
    memory.stop();
  });
});

interface RigOptions {
  /** How much too early each timer goes off. */
  earlyMs?: number;
  /** How long a drain takes. */
  drainMs?: number;
  onDrain?: (memory: LiveMemory) => void;
}

interface Rig {
  memory: LiveMemory;
  time: FakeTime;
  /** Drains, and the seconds told. */
  happened: unknown[];
  faults: string[];
}

function createRig({ earlyMs = 0, drainMs, onDrain }: RigOptions = {}): Rig {
  const time = createFakeTime(START * 1000 + 250);
  const happened: unknown[] = [];
  const faults: string[] = [];
  const memory = createLiveMemory({
    time: {
      nowMs: () => time.nowMs(),
      after: (delayMs, callback) => time.after(delayMs - earlyMs, callback),
    },
    wallNowMs: () => time.nowMs(),
    async drain() {
      happened.push('drain');
      if (drainMs !== undefined) await new Promise<void>((done) => time.after(drainMs, done));
      onDrain?.(memory);
    },
    log: (level, message) => faults.push(`${level}: ${message}`),
  });
  memory.subscribe((second) => happened.push(second));
  return { memory, time, happened, faults };
}
