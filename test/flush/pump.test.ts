import { expect } from 'chai';
import { describe, it } from 'mocha';
import { createBackoff } from '../../src/flush/backoff.ts';
import { createPump, type Pump } from '../../src/flush/pump.ts';
import { createFakeTime, type FakeTime, settle } from '../support/fake-time.ts';

describe('A turn of the pump that has left something', () => {
  it('is followed by another at once, without a pause', async () => {
    const time = createFakeTime();
    const left = ['again', 'again', undefined] as const;
    let turns = 0;
    const pump = createPump({
      work: () => Promise.resolve(left[turns++]),
      onFailure: () => expect.fail('nothing fails'),
      backoff: createBackoff(100, 5000, () => 0.5),
      time,
    });
    pump.kick();
    await settle();
    expect([turns, pump.busy, time.delays]).to.deep.equal([3, false, []]);
  });

  it('is not, once it was stopped', async () => {
    let turns = 0;
    const pump = createPump({
      work: () => {
        if (++turns === 3) pump.stop();
        return Promise.resolve('again');
      },
      onFailure: () => expect.fail('nothing fails'),
      backoff: createBackoff(100, 5000, () => 0.5),
      time: createFakeTime(),
    });
    pump.kick();
    await settle();
    expect(turns).to.equal(3);
  });
});

describe('A turn of the pump', () => {
  it('begins at once, and resolves with its end', async () => {
    const rig = createRig();
    const turn = outcomeOf(rig.pump.turn());
    expect(rig.begun).to.equal(1);
    await settle();
    expect(turn.said).to.equal('pending');
    await rig.end();
    expect(turn.said).to.equal('resolved');
    expect(rig.pump.busy).to.equal(false);
  });

  it('that is under way is shared by all who ask', async () => {
    const rig = createRig();
    rig.pump.kick();
    const turns = [outcomeOf(rig.pump.turn()), outcomeOf(rig.pump.turn())];
    expect(rig.begun).to.equal(1);
    await rig.end();
    expect(turns.map(({ said }) => said)).to.deep.equal(['resolved', 'resolved']);
    expect(rig.begun).to.equal(1);
  });

  it('rejects with what it failed of, and is tried again after a pause all the same', async () => {
    const rig = createRig();
    const turn = outcomeOf(rig.pump.turn());
    await rig.end(new Error('away'));
    expect(turn.said).to.equal('rejected: away');
    expect([rig.failures, rig.time.delays]).to.deep.equal([['away'], [75]]);
    expect(rig.pump.busy).to.equal(true);
    await rig.time.pass(75);
    expect(rig.begun).to.equal(2);
  });

  it('does not wait for what is left of a pause, nor is there another turn at its end', async () => {
    const rig = createRig();
    rig.pump.kick();
    await rig.end(new Error('away'));
    const turn = outcomeOf(rig.pump.turn());
    expect([rig.begun, rig.time.waiting]).to.deep.equal([2, 0]);
    await rig.end();
    expect(turn.said).to.equal('resolved');
    await rig.time.pass(10_000);
    expect(rig.begun).to.equal(2);
  });

  it('tells of its own failure, not of the one before', async () => {
    const rig = createRig();
    rig.pump.kick();
    await rig.end(new Error('first'));
    const turn = outcomeOf(rig.pump.turn());
    await rig.end(new Error('second'));
    expect(turn.said).to.equal('rejected: second');
    expect(rig.failures).to.deep.equal(['first', 'second']);
  });

  it('rejects with an error also where it failed of something else', async () => {
    const rig = createRig();
    const turn = outcomeOf(rig.pump.turn());
    await rig.end('a text');
    expect(turn.said).to.equal('rejected: a text');
  });

  it('is refused by a pump that was stopped', async () => {
    const rig = createRig();
    rig.pump.stop();
    const turn = outcomeOf(rig.pump.turn());
    await settle();
    expect([turn.said, rig.begun]).to.deep.equal(['rejected: it was stopped', 0]);
  });

  it('that is under way when the pump is stopped has its end', async () => {
    const rig = createRig();
    const turn = outcomeOf(rig.pump.turn());
    rig.pump.stop();
    const late = outcomeOf(rig.pump.turn());
    await rig.end();
    expect([turn.said, late.said]).to.deep.equal(['resolved', 'resolved']);
    expect(rig.begun).to.equal(1);
  });

  it('that fails after a stop is not tried again, and logged nowhere', async () => {
    const rig = createRig();
    const turn = outcomeOf(rig.pump.turn());
    rig.pump.stop();
    await rig.end(new Error('away'));
    expect(turn.said).to.equal('rejected: away');
    expect([rig.failures, rig.time.waiting, rig.pump.busy]).to.deep.equal([[], 0, false]);
  });
});

describe('A pump has settled', () => {
  it('at once where no turn is under way, be it before the first or in a pause', async () => {
    const rig = createRig();
    await rig.pump.settled();
    rig.pump.kick();
    await rig.end(new Error('away'));
    expect(rig.pump.busy).to.equal(true);
    await rig.pump.settled();
    expect(rig.begun).to.equal(1);
  });

  for (const [how, failure] of [
    ['well', undefined],
    ['badly', new Error('away')],
  ] as const) {
    it(`when the turn under way has ended, be it ${how}`, async () => {
      const rig = createRig();
      rig.pump.kick();
      const settled = outcomeOf(rig.pump.settled());
      await settle();
      expect(settled.said).to.equal('pending');
      await rig.end(failure);
      expect(settled.said).to.equal('resolved');
    });
  }
});

describe('A pump that is to finish', () => {
  it('may finish again for what came since', async () => {
    const rig = createRig();
    for (const begun of [1, 2]) {
      const finish = outcomeOf(rig.pump.finish(() => undefined));
      await rig.end();
      expect([finish.said, rig.begun]).to.deep.equal(['resolved', begun]);
    }
  });

  it('asks after each turn how long the next is to wait', async () => {
    const rig = createRig();
    const waits = [0, 300, undefined];
    const finish = outcomeOf(rig.pump.finish(() => waits.shift()));
    await rig.end();
    expect(rig.begun).to.equal(2);
    await rig.end();
    await rig.time.pass(299);
    expect(rig.begun).to.equal(2);
    await rig.time.pass(1);
    expect(rig.begun).to.equal(3);
    await rig.end();
    expect(finish.said).to.equal('resolved');
  });

  it('does not go on by itself once it has finished', async () => {
    const rig = createRig();
    void rig.pump.finish(() => undefined);
    await rig.end();
    rig.pump.kick();
    await rig.end();
    expect([rig.begun, rig.pump.busy, rig.time.waiting]).to.deep.equal([2, false, 0]);
  });

  it('resolves for everyone who waits for it', async () => {
    const rig = createRig();
    const finishes = [1, 2].map(() => outcomeOf(rig.pump.finish(() => undefined)));
    await rig.end();
    expect(finishes.map(({ said }) => said)).to.deep.equal(['resolved', 'resolved']);
  });

  it('resolves for everyone who waits for it also when it is stopped', async () => {
    const rig = createRig();
    const finishes = [1, 2].map(() => outcomeOf(rig.pump.finish(() => 0)));
    rig.pump.stop();
    await rig.end();
    expect(finishes.map(({ said }) => said)).to.deep.equal(['resolved', 'resolved']);
  });
});

interface PumpRig {
  readonly pump: Pump;
  readonly time: FakeTime;
  readonly failures: string[];
  /** How many turns have begun. */
  readonly begun: number;
  /** Ends the turn that is under way, with a failure if there is one. */
  end(failure?: unknown): Promise<void>;
}

function createRig(): PumpRig {
  const time = createFakeTime();
  const failures: string[] = [];
  let begun = 0;
  let endTurn: (failure: unknown) => void = () => {};
  const work = (): Promise<void> => {
    begun++;
    return new Promise((resolve, reject) => {
      endTurn = (failure) => {
        if (failure === undefined) resolve();
        // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- may be anything
        else reject(failure);
      };
    });
  };
  const onFailure = (error: unknown): void => {
    failures.push(error instanceof Error ? error.message : String(error));
  };
  const backoff = createBackoff(100, 5000, () => 0.5);
  return {
    pump: createPump({ work, onFailure, backoff, time }),
    time,
    failures,
    get begun() {
      return begun;
    },
    async end(failure) {
      endTurn(failure);
      await settle();
    },
  };
}

/** What has become of a promise so far. */
function outcomeOf(promise: Promise<void>): { readonly said: string } {
  const outcome = { said: 'pending' };
  promise.then(
    () => (outcome.said = 'resolved'),
    (error: Error) => (outcome.said = `rejected: ${error.message}`),
  );
  return outcome;
}
