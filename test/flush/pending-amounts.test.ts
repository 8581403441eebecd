import { expect } from 'chai';
import { describe, it } from 'mocha';
import { createBackoff } from '../../src/flush/backoff.ts';
import type { Held, Lane, LaneChunk, LanePart, Share } from '../../src/flush/lanes.ts';
import { newShare, pendingAmounts } from '../../src/flush/lanes.ts';
import { createRig, type Rig } from './rig.ts';

describe('Pending amounts', () => {
  it('of nothing are none', () => {
    expect(pendingAmounts([], [])).to.deep.equal(new Map());
  });

  it('count a share once, in however many hashes it is to be written', () => {
    const share = shareOf('a');
    const batch = ['one', 'two'].map((hash) => chunk(hash, part('a', 3, share)));
    expect([...pendingAmounts(batch, [])]).to.deep.equal([['a', 3]]);
  });

  it('add up the shares of a name', () => {
    const batch = [chunk('one', part('a', 3), part('b', 1), part('a', 4))];
    expect([...pendingAmounts(batch, [])]).to.deep.equal([
      ['a', 7],
      ['b', 1],
    ]);
  });

  it('are those of the hash that lacks most, held back and in flight', () => {
    const [one, two] = [chunk('one'), chunk('two', part('a', 3))];
    const lanes = [one.lane, two.lane];
    for (const [name, held] of heldOf({ a: 8 })) one.lane.held.set(name, held);
    for (const [name, held] of heldOf({ a: 6, b: 2 })) two.lane.held.set(name, held);
    const batch = [two, chunk('three', part('a', 3), part('c', 1))];
    expect([...pendingAmounts(batch, lanes)]).to.deep.equal([
      ['a', 9],
      ['b', 2],
      ['c', 1],
    ]);
  });
});

describe('The counter flusher’s pending amounts', () => {
  it('are what is in flight, until it is answered', async () => {
    const rig = createRig({ collections: ['one', 'two'] });
    const seen = watch(rig);
    rig.add('a', 2.5);
    await rig.flush();
    expect(seen).to.deep.equal(['one: a=2', 'two: a=2']);
    expect([...rig.flusher.pendingAmounts()]).to.deep.equal([]);
  });

  it('are still there when a reply was lost', async () => {
    const rig = createRig();
    rig.store.decide = () => 'lost-after';
    rig.add('a', 2);
    await rig.flush();
    expect([...rig.flusher.pendingAmounts()]).to.deep.equal([['a', 2]]);
    rig.store.decide = () => 'ok';
    await rig.time.pass(1000);
    expect(rig.flusher.pendingAmounts().size).to.equal(0);
  });

  it('are a copy', async () => {
    const rig = createRig();
    rig.store.decide = () => 'lost-before';
    rig.add('a', 2);
    await rig.flush();
    rig.flusher.pendingAmounts().set('a', 9);
    expect([...rig.flusher.pendingAmounts()]).to.deep.equal([['a', 2]]);
  });

  it('name a field that is to be written with 0', async () => {
    const rig = createRig();
    rig.store.decide = () => 'lost-before';
    rig.add('a', 0, 0);
    await rig.flush();
    expect([...rig.flusher.pendingAmounts()]).to.deep.equal([['a', 0]]);
  });

  it('are what a refusing hash lacks, be it held back or on its way', async () => {
    const rig = createRig({ collections: ['bad', 'good'] });
    rig.store.decide = ({ hash }) => (hash === 'bad' ? 'hash-fault' : 'ok');
    rig.add('a', 5);
    await rig.flush();
    rig.add('a', 3);
    expect([...rig.flusher.pendingAmounts()]).to.deep.equal([['a', 5]]);
    await rig.time.pass(1000);
    const seen = watch(rig);
    await rig.flush();
    expect(seen).to.deep.equal(['bad: a=8', 'good: a=3']);
    expect(rig.flusher.pendingAmounts().size).to.equal(0);
  });

  it('are what the worst of two hashes lacks, when both are tried again at once', async () => {
    const rig = createRig({ collections: ['one', 'two'] });
    rig.store.decide = ({ hash }) => (hash === 'two' ? 'hash-fault' : 'ok');
    rig.add('a', 3);
    await rig.flush();
    rig.store.decide = () => 'hash-fault';
    rig.add('a', 5);
    await rig.flush();
    expect([...rig.flusher.pendingAmounts()]).to.deep.equal([['a', 8]]);
    await rig.time.pass(10_000);
    const seen = watch(rig);
    await rig.flush();
    expect(seen).to.deep.equal(['one: a=8', 'two: a=8']);
  });

  it('are what the worst of two hashes lacks, when it alone is tried again', async () => {
    // Pauses of 50 ms for `one`, nearly 100 ms for `two`.
    const randoms = [0, 0.9];
    const rig = createRig({ collections: ['one', 'two'], random: () => randoms.shift() ?? 0.5 });
    rig.store.decide = ({ hash }) => (hash === 'one' ? 'hash-fault' : 'ok');
    rig.add('a', 3);
    await rig.flush();
    rig.store.decide = () => 'hash-fault';
    rig.add('a', 5);
    await rig.flush();
    expect([...rig.flusher.pendingAmounts()]).to.deep.equal([['a', 8]]);
    await rig.time.pass(60);
    const seen = watch(rig);
    await rig.flush();
    expect(seen).to.deep.equal(['one: a=8']);
    expect([...rig.flusher.pendingAmounts()], 'two lacks 5 still').to.deep.equal([['a', 5]]);
  });
});

/** From now on all is taken; notes before each call what is pending. */
function watch(rig: Rig): string[] {
  const seen: string[] = [];
  rig.store.decide = ({ hash }) => {
    const amounts = Array.from(rig.flusher.pendingAmounts(), (one) => one.join('='));
    seen.push(`${hash}: ${amounts.join(' ')}`);
    return 'ok';
  };
  return seen;
}

function chunk(hash: string, ...parts: LanePart[]): LaneChunk {
  const backoff = createBackoff(1, 2, () => 0);
  const lane: Lane = { hash, seq: 0, held: new Map(), backoff, retryAtMs: 0 };
  return { lane, seq: 1, total: false, parts };
}

function part(name: string, amount: number, share = shareOf(name)): LanePart {
  return { field: name, amount, share };
}

function shareOf(name: string): Share {
  return Object.assign(newShare(name, 1), { open: 2 });
}

function heldOf(amounts: Record<string, number>): Map<string, Held> {
  const entries = Object.entries(amounts);
  const held = { gauge: undefined, samples: 1 };
  return new Map(entries.map(([name, amount]) => [name, { name, field: name, amount, ...held }]));
}
