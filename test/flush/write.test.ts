import { expect } from 'chai';
import { describe, it } from 'mocha';
import { HashFault } from '../../src/sinks/store.ts';
import { settle } from '../support/fake-time.ts';
import { createRig, type Rig } from './rig.ts';

describe('The counter flusher, told to write,', () => {
  it('writes what is in the book, and resolves when it is there', async () => {
    const rig = createRig();
    rig.add('a', 2);
    await rig.flusher.write();
    expect(rig.store.value('h', 'a')).to.equal(2);
    expect(rig.flusher.tally.delivered).to.equal(1);
    rig.check();
  });

  it('resolves where there is nothing to write', async () => {
    const rig = createRig();
    await rig.flusher.write();
    expect(rig.store.sent).to.deep.equal([]);
  });

  it('keeps fractions in the book', async () => {
    const rig = createRig();
    rig.add('a', 1.75);
    await rig.flusher.write();
    expect(rig.store.value('h', 'a')).to.equal(1);
    expect([...rig.book.amounts()]).to.deep.equal([['a', 0.75]]);
  });

  it('waits for a batch in flight, and writes what came behind it', async () => {
    const { rig, answer } = slowRig();
    rig.add('a', 1);
    await rig.flush();
    rig.add('a', 10);
    const write = outcomeOf(rig.flusher.write());
    await answer();
    expect([write.said, rig.store.value('h', 'a')]).to.deep.equal(['pending', 1]);
    await answer();
    expect([write.said, rig.store.value('h', 'a')]).to.deep.equal(['resolved', 11]);
    expect(rig.store.sent).to.deep.equal(['h#1 a=1', 'h#2 a=10']);
  });

  it('does not resolve for one call before what came ahead of it is there', async () => {
    const { rig, answer } = slowRig();
    rig.add('a', 1);
    const first = outcomeOf(rig.flusher.write());
    rig.add('b', 1);
    const second = outcomeOf(rig.flusher.write());
    await answer();
    expect([first.said, second.said]).to.deep.equal(['resolved', 'pending']);
    await answer();
    expect([second.said, rig.store.value('h', 'b')]).to.deep.equal(['resolved', 1]);
  });

  it('rejects with what the try failed of; all is kept and tried again by itself', async () => {
    const rig = createRig();
    rig.store.decide = () => 'lost-before';
    rig.add('a', 1);
    const write = outcomeOf(rig.flusher.write());
    await settle();
    expect(write.said).to.equal('Error: connection lost');
    expect(rig.flusher.health.up).to.equal(false);
    rig.check();
    rig.store.decide = () => 'ok';
    await rig.time.pass(100);
    expect([rig.store.value('h', 'a'), rig.flusher.pendingSamples]).to.deep.equal([1, 0]);
  });

  it('rejects with why there is no connection', async () => {
    const rig = createRig();
    rig.store.connected = false;
    rig.store.connectError = 'refused';
    rig.add('a', 1);
    const write = outcomeOf(rig.flusher.write());
    await settle();
    expect(write.said).to.equal('Error: refused');
  });

  it('tries at once, though a pause after a failure is under way', async () => {
    const rig = createRig();
    rig.store.decide = () => 'lost-after';
    rig.add('a', 1);
    await rig.flush();
    rig.add('a', 10);
    rig.store.decide = () => 'ok';
    await rig.flusher.write();
    expect([rig.store.value('h', 'a'), rig.time.waiting]).to.deep.equal([11, 0]);
    expect(rig.store.sent).to.deep.equal(['h#1 a=1', 'h#1 a=1', 'h#2 a=10']);
  });

  it('rejects where a hash refuses, when the others have taken it', async () => {
    const rig = createRig({ collections: ['bad', 'good'] });
    rig.store.decide = ({ hash }) => (hash === 'bad' ? 'hash-fault' : 'ok');
    rig.add('a', 1);
    const failure = await rig.flusher.write().catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(HashFault);
    expect((failure as Error).message).to.equal('bad refuses: WRONGTYPE');
    expect(rig.store.value('good', 'a')).to.equal(1);
    rig.check();
  });

  it('rejects as long as the hash refuses, also with nothing new; then resolves', async () => {
    const rig = createRig({ collections: ['bad', 'good'] });
    rig.store.decide = ({ hash }) => (hash === 'bad' ? 'hash-fault' : 'ok');
    rig.add('a', 1);
    await rig.flush();
    const again = outcomeOf(rig.flusher.write());
    await settle();
    expect(again.said).to.equal('HashFault: bad refuses: WRONGTYPE');
    rig.store.decide = () => 'ok';
    await rig.time.pass(1000);
    await rig.flusher.write();
    expect(rig.store.value('bad', 'a')).to.equal(1);
  });

  it('rejects when it is stopped, before or meanwhile, and keeps the rest pending', async () => {
    const { rig, answer } = slowRig();
    rig.add('a', 1);
    await rig.flush();
    rig.add('a', 10, 2);
    const meanwhile = outcomeOf(rig.flusher.write());
    rig.flusher.stop();
    await answer();
    const after = outcomeOf(rig.flusher.write());
    await settle();
    const stopped = 'Error: it was stopped';
    expect([meanwhile.said, after.said]).to.deep.equal([stopped, stopped]);
    expect(rig.flusher.pendingSamples + rig.book.pendingSamples).to.equal(2);
    expect(rig.store.sent).to.deep.equal(['h#1 a=1']);
  });

  it('writes a name that was registered with no samples, once, as 0', async () => {
    const rig = createRig({ collections: ['one', 'two'] });
    rig.add('a', 0, 0);
    await rig.flusher.write();
    rig.add('a', 0, 0);
    await rig.flusher.write();
    expect(rig.store.sent).to.deep.equal(['one#1 a=0', 'two#1 a=0']);
    expect([rig.flusher.tally.delivered, rig.flusher.pendingSamples]).to.deep.equal([0, 0]);
  });
});

describe('The counter flusher has settled', () => {
  it('when the try under way has ended, whatever came of it', async () => {
    for (const outcome of ['ok', 'lost-before', 'hash-fault'] as const) {
      const { rig, answer } = slowRig(outcome);
      await rig.flusher.settled();
      rig.add('a', 1);
      rig.flusher.flush();
      const settled = outcomeOf(rig.flusher.settled());
      await settle();
      expect(settled.said).to.equal('pending');
      await answer();
      expect(settled.said).to.equal('resolved');
    }
  });
});

describe('The last flush of counters, once more,', () => {
  it('delivers what came since', async () => {
    const rig = createRig();
    for (const [sum, value] of [
      [1.6, 2],
      [0.6, 3],
    ] as const) {
      rig.add('a', sum);
      await rig.flusher.flushLast();
      expect(rig.store.value('h', 'a')).to.equal(value);
    }
    expect([rig.flusher.pendingSamples, rig.time.waiting]).to.deep.equal([0, 0]);
  });

  it('leaves fractions to ordinary flushes in between', async () => {
    const rig = createRig();
    await rig.flusher.flushLast();
    rig.add('a', 1.75);
    await rig.flush();
    expect(rig.store.value('h', 'a')).to.equal(1);
    expect([...rig.book.amounts()]).to.deep.equal([['a', 0.75]]);
  });

  it('while one is under way, lets both resolve', async () => {
    const { rig, answer } = slowRig();
    rig.add('a', 1);
    const first = outcomeOf(rig.flusher.flushLast());
    rig.add('a', 10);
    const second = outcomeOf(rig.flusher.flushLast());
    await answer();
    await answer();
    expect(rig.store.value('h', 'a')).to.equal(11);
    expect([first.said, second.said]).to.deep.equal(['resolved', 'resolved']);
  });
});

/** A rig whose store answers when told to. */
function slowRig(outcome: 'ok' | 'lost-before' | 'hash-fault' = 'ok'): {
  rig: Rig;
  answer: () => Promise<void>;
} {
  const rig = createRig();
  let resolve = (): void => {};
  rig.store.decide = () => new Promise((onAnswer) => (resolve = () => onAnswer(outcome)));
  return {
    rig,
    answer() {
      resolve();
      return settle();
    },
  };
}

/** What has become of a promise so far. */
function outcomeOf(promise: Promise<void>): { readonly said: string } {
  const outcome = { said: 'pending' };
  promise.then(
    () => (outcome.said = 'resolved'),
    (error: unknown) => (outcome.said = String(error)),
  );
  return outcome;
}
