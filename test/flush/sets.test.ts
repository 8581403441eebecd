import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import {
  createSetBook,
  dayOf,
  SET_BYTES_MAX,
  SET_MEMBERS_MAX,
  type SetItem,
} from '../../src/flush/set-book.ts';
import { createSetSender } from '../../src/flush/set-sender.ts';
import { createMemorySets } from '../../src/sinks/memory-sets.ts';
import type { SetChunk, SetFaults, SetStore } from '../../src/sinks/set-store.ts';
import { droppedOf } from './rig.ts';

type OnCount = Parameters<SetStore['addMembers']>[1];
type Outcome = 'ok' | 'lost-before' | 'lost-after' | 'wrong_type' | 'sets_full';
const DAY_MS = 86_400_000;

/** A sender with everything around it in the test's hand. */
function createSetRig(collections = ['h']) {
  const hand = { wallMs: 0, outcomes: [] as Outcome[] };
  const sets = createMemorySets(() => hand.wallMs);
  const sent: (readonly SetChunk[])[] = [];
  const gone: SetItem[] = [];
  const told = new Map<string, number>();
  const book = createSetBook();
  const store = {
    ...sets,
    connected: true,
    connect: () => Promise.resolve(),
    async addMembers(chunks: readonly SetChunk[], onCount?: OnCount): Promise<SetFaults> {
      sent.push(chunks);
      const outcome = hand.outcomes.shift() ?? 'ok';
      if (outcome === 'lost-before') throw new Error('away');
      if (outcome === 'lost-after') {
        await sets.addMembers(chunks);
        throw new Error('no answer');
      }
      if (outcome === 'ok') return sets.addMembers(chunks, onCount);
      await sets.addMembers(chunks.slice(1)); // the first of them alone is refused
      return new Map([[0, outcome]]);
    },
  };
  const sender = createSetSender({
    ...{ book, store, layout: { collections } },
    memory: { membersGone: (item) => void gone.push(item) },
    onCount: (name, unique) => void told.set(name, unique),
    ...{ wallNowMs: () => hand.wallMs, nowMs: () => 0, log: () => {} },
  });
  const add = (name: string, member: string): boolean =>
    book.add(book.entry(name), dayOf(hand.wallMs), member);
  const send = (): Promise<boolean> => sender.send(() => false);
  return { hand, sent, gone, told, book, store, sender, add, send };
}

describe('Sets on their way to the store', () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        name: fc.constantFrom('a', '__proto__'),
        member: fc.constantFrom('x', 'y', 'z', '\xff'),
      }),
    },
    { weight: 3, arbitrary: fc.constant('send' as const) },
    { weight: 1, arbitrary: fc.constant('tomorrow' as const) },
  );
  const outcome = fc.constantFrom<Outcome>('ok', 'ok', 'lost-before', 'lost-after');

  it('are all there in the end, each day by itself, and every sample is accounted for', async () => {
    const run = fc.record({
      steps: fc.array(step, { maxLength: 40 }),
      outcomes: fc.array(outcome, { maxLength: 20 }),
    });
    await fc.assert(
      fc.asyncProperty(run, async ({ steps, outcomes }) => {
        const { hand, gone, book, store, sender, add, send } = createSetRig(['h', 'i']);
        hand.outcomes = outcomes;
        const model = new Map<string, Set<string>>();
        let samples = 0;
        const check = (): void => {
          const pending = book.pendingSamples + sender.pendingSamples;
          expect(sender.tally.delivered + pending).to.equal(samples);
        };
        for (const one of steps) {
          if (one === 'send') await send().catch(() => {});
          else if (one === 'tomorrow') hand.wallMs += DAY_MS;
          else {
            expect(add(one.name, one.member)).to.equal(true);
            const key = `${one.name}:${dayOf(hand.wallMs)}`;
            model.set(key, (model.get(key) ?? new Set()).add(one.member));
            samples++;
          }
          check();
        }
        hand.outcomes = [];
        await send();
        check();
        expect([book.pendingSamples, sender.pendingSamples]).to.deep.equal([0, 0]);
        hand.wallMs = 0; // nothing has expired then
        for (const [key, members] of model) {
          for (const collection of ['h', 'i']) {
            expect(await store.countMembers(`${collection}:set:${key}`)).to.equal(members.size);
          }
        }
        expect(gone.reduce((sum, item) => sum + item.samples, 0)).to.equal(samples);
      }),
      { numRuns: 300 },
    );
  });

  it('go out once each, a thousand members a call, for 8 days from the write', async () => {
    const { hand, sent, told, add, send, sender } = createSetRig();
    hand.wallMs = 10 * DAY_MS;
    for (let at = 0; at < 4000; at++) add('a', String(at % 2000));
    await send();
    expect(sent.map((call) => call.map(({ members }) => members.length))).to.deep.equal([
      [1000],
      [1000],
    ]);
    expect(sent[0]![0]).to.include({ key: 'h:set:a:1970-01-11', expireAt: 18 * 86_400 });
    expect(sender.tally.delivered).to.equal(4000);
    expect(told.get('a')).to.be.within(1980, 2020);
    expect(sender.today()).to.deep.equal({ day: '1970-01-11', names: ['a'] });
    hand.wallMs += DAY_MS;
    expect(sender.today()).to.deep.equal({ day: '1970-01-12', names: [] });
  });

  it('are counted as they are written, up to a thousand names a batch', async () => {
    const { told, add, send } = createSetRig(['h', 'i']);
    for (let at = 0; at < 3000; at++) add(`n${at}`, 'x');
    await send();
    expect([told.size, told.get('n0'), told.has('n2999')]).to.deep.equal([1000, 1, false]);
    add('n2999', 'y');
    await send();
    expect(told.get('n2999')).to.equal(2);
  });

  it('of many names go out together, a call for each collection', async () => {
    const { sent, add, send, store } = createSetRig(['h', 'i']);
    for (let at = 0; at < 2500; at++) add(`n${at % 500}`, String(at));
    await send();
    const lengths = (call: readonly SetChunk[]): number =>
      call.reduce((sum, { members }) => sum + members.length, 0);
    expect(sent.map(lengths)).to.deep.equal([1000, 1000, 1000, 1000, 500, 500]);
    for (const key of ['h:set:n0', 'i:set:n499']) {
      expect(await store.countMembers(`${key}:1970-01-01`)).to.equal(5);
    }
  });

  for (const reason of ['wrong_type', 'sets_full'] as const) {
    it(`are dropped under ${reason} where one key cannot take them; others go on`, async () => {
      const { hand, add, send, sender, store } = createSetRig();
      hand.outcomes = [reason];
      add('a', 'x');
      add('a', 'x');
      add('b', 'y');
      await send();
      expect([...sender.tally.dropped]).to.deep.equal([[reason, 2]]);
      expect(sender.tally.delivered).to.equal(1);
      expect(await store.countMembers('h:set:b:1970-01-01')).to.equal(1);
    });
  }

  it('stop when they are told to, and keep the rest', async () => {
    const { add, sender, sent } = createSetRig();
    for (let at = 0; at < 3000; at++) add(`n${at % 3}`, String(at));
    expect(await sender.send(() => sent.length === 2)).to.equal(false);
    expect([sender.tally.delivered, sender.pendingSamples]).to.deep.equal([2000, 1000]);
    expect(await sender.send(() => false)).to.equal(true);
    expect(sender.pendingSamples).to.equal(0);
  });
});

describe('A set book', () => {
  it('says when half of its room is taken, by members or by their bytes, until some are gone', async () => {
    const { book, add, send } = createSetRig();
    for (let at = 0; at < SET_MEMBERS_MAX / 2; at++) add('a', String(at));
    expect(book.isHalfFull).to.equal(false);
    add('a', 'one more');
    expect(book.isHalfFull).to.equal(true);
    await send();
    expect(book.isHalfFull).to.equal(false);
    add('a', 'x'.repeat(SET_BYTES_MAX / 2));
    expect(book.isHalfFull).to.equal(false);
    add('a', 'y');
    expect(book.isHalfFull).to.equal(true);
  });

  it('has an end: beyond it members are refused, those that are there are not', async () => {
    const { add, send, sender } = createSetRig();
    const long = 'x'.repeat(SET_BYTES_MAX / 4 - 1);
    for (let at = 0; at < 4; at++) expect(add('a', `${at}${long}`)).to.equal(true);
    expect([add('a', 'more'), add('a', `0${long}`)]).to.deep.equal([false, true]);
    await send();
    expect(sender.tally.delivered).to.equal(5);
    expect(add('a', 'more')).to.equal(true);
    expect(droppedOf(sender.tally)).to.equal(0);
  });

  it('takes back what was remembered, and forgets idle names', () => {
    const book = createSetBook();
    book.addAll({ name: 'a', day: '2026-01-01', members: ['x', 'y'], samples: 5 });
    book.addAll({ name: 'a', day: '2026-01-02', members: ['x'], samples: 1 });
    expect(book.pendingSamples).to.equal(6);
    book.takeOut('a', '2026-01-01');
    expect([...book.waiting()]).to.deep.equal([
      { name: 'a', day: '2026-01-02', members: ['x'], samples: 1 },
    ]);
    expect(book.nextPeriod()).to.deep.equal(['a']);
    expect([book.nextPeriod(), book.has('a')]).to.deep.equal([[], true]);
    expect(book.cut()).to.have.length(1);
    expect([book.nextPeriod(), book.has('a'), book.pendingSamples]).to.deep.equal([[], false, 0]);
  });
});
