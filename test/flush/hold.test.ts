import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { createHold, type Hold } from '../../src/flush/hold.ts';
import { systemTime } from '../../src/flush/time.ts';

describe('A hold', () => {
  it('that nobody has taken lets a timer in its care keep nothing alive', () => {
    const timer = timerIn(createHold());
    expect(timer.hasRef()).to.equal(false);
    clearTimeout(timer);
  });

  it('keeps alive what is in its care from the first take to the last release', () => {
    const hold = createHold();
    const timers = [timerIn(hold), timerIn(hold)];
    const states = (): boolean[] => timers.map((one) => one.hasRef());
    const first = hold.take();
    const second = hold.take();
    expect(states()).to.deep.equal([true, true]);
    first();
    expect(states()).to.deep.equal([true, true]);
    second();
    expect(states()).to.deep.equal([false, false]);
    const third = hold.take();
    expect(states()).to.deep.equal([true, true]);
    third();
    timers.forEach(clearTimeout);
  });

  it('counts a release once, however often it is called', () => {
    const hold = createHold();
    const timer = timerIn(hold);
    const first = hold.take();
    const second = hold.take();
    first();
    first();
    expect(timer.hasRef()).to.equal(true);
    second();
    expect(timer.hasRef()).to.equal(false);
    const third = hold.take();
    second();
    expect(timer.hasRef()).to.equal(true);
    third();
    clearTimeout(timer);
  });

  it('keeps alive what comes into its care while it is taken', () => {
    const hold = createHold();
    const release = hold.take();
    const timer = timerIn(hold);
    expect(timer.hasRef()).to.equal(true);
    release();
    expect(timer.hasRef()).to.equal(false);
    clearTimeout(timer);
  });

  it('leaves alone what it has let go of', () => {
    const hold = createHold();
    const timer = setTimeout(() => {}, 60_000);
    const letGo = hold.add(timer);
    letGo();
    letGo();
    hold.take();
    expect(timer.hasRef()).to.equal(false);
    clearTimeout(timer);
  });

  it('is taken during work, and gives back what comes of it', async () => {
    const hold = createHold();
    const timer = timerIn(hold);
    const seen = await hold.during(() => Promise.resolve(timer.hasRef()));
    expect([seen, timer.hasRef()]).to.deep.equal([true, false]);
    clearTimeout(timer);
  });

  for (const kind of ['rejects', 'throws']) {
    it(`is released also when work ${kind}`, async () => {
      const hold = createHold();
      const timer = timerIn(hold);
      const failure = new Error(kind);
      const work = (): Promise<never> => {
        if (kind === 'throws') throw failure;
        return Promise.reject(failure);
      };
      const outcome = await hold.during(work).catch((error: unknown) => error);
      expect([outcome, timer.hasRef()]).to.deep.equal([failure, false]);
      clearTimeout(timer);
    });
  }

  it('takes care of servers and sockets as of timers', async () => {
    const hold = createHold();
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const letGo = hold.add(server);
    expect(activeServers()).to.equal(0);
    const release = hold.take();
    expect(activeServers()).to.equal(1);
    release();
    expect(activeServers()).to.equal(0);
    letGo();
    server.close();
    await once(server, 'close');
  });
});

describe('The system’s time with a hold', () => {
  it('has timers that keep nothing alive, until the hold is taken', () => {
    const hold = createHold();
    const before = activeTimers();
    const cancel = systemTime(hold).after(60_000, () => {});
    expect(activeTimers()).to.equal(before);
    const release = hold.take();
    expect(activeTimers()).to.equal(before + 1);
    release();
    expect(activeTimers()).to.equal(before);
    cancel();
  });

  it('lets go of a timer that has fired or was cancelled', async () => {
    const { hold, cared } = recordingHold();
    const time = systemTime(hold);
    const cancel = time.after(60_000, () => {});
    expect(cared.size).to.equal(1);
    cancel();
    expect(cared.size).to.equal(0);
    hold.take();
    const atCall = await new Promise((resolve) => {
      time.after(1, () => resolve(cared.size));
    });
    expect([atCall, cared.size]).to.deep.equal([0, 0]);
  });
});

function timerIn(hold: Hold): NodeJS.Timeout {
  const timer = setTimeout(() => {}, 60_000);
  hold.add(timer);
  return timer;
}

/** A hold that shows what is in its care. */
function recordingHold(): { hold: Hold; cared: Set<unknown> } {
  const hold = createHold();
  const cared = new Set<unknown>();
  const add: Hold['add'] = (keeper) => {
    const letGo = hold.add(keeper);
    cared.add(keeper);
    return () => {
      cared.delete(keeper);
      letGo();
    };
  };
  return { hold: { ...hold, add }, cared };
}

/** Only what keeps the process alive is listed. */
function activeTimers(): number {
  return process.getActiveResourcesInfo().filter((one) => one === 'Timeout').length;
}

function activeServers(): number {
  return process.getActiveResourcesInfo().filter((one) => one === 'TCPServerWrap').length;
}
