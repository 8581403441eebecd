import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';

import { createGaugeBook } from '../../src/flush/gauge-book.ts';
import { createSetBook } from '../../src/flush/set-book.ts';
import { type CounterBook, createCounterBook } from '../../src/flush/counter-book.ts';
import { createDrainer, type Drainer } from '../../src/flush/drainer.ts';
import { createTally } from '../../src/flush/tally.ts';
import { createTimingBook, type TimingBook } from '../../src/flush/timing-book.ts';
import { createFoldedLog } from '../../src/ingest/folded-log.ts';
import { createIngest, type Ingest } from '../../src/ingest/ingest.ts';
import { plainLedgers } from '../../src/ingest/kept-ledger.ts';
import type { TagDialect } from '../../src/protocol/dialects.ts';
import { createWindow } from '../../src/window/window.ts';
import { seededRandom } from '../support/random.ts';
import { openSender, type Sender } from '../support/udp.ts';
import { windowClockOf } from '../support/window-clock.ts';

const PERIOD_MS = 10 * 60_000;
const MOST = 4;

describe('A limit of sets of tags, with a thread and its ledgers', () => {
  let ingest: Ingest;
  let drainer: Drainer;
  let sender: Sender;
  let counters: CounterBook;
  let timings: TimingBook;
  let nowMs: number;
  let said: string[];

  beforeEach(() => begin());
  afterEach(end);

  async function begin(dialect?: TagDialect): Promise<void> {
    nowMs = 0;
    said = [];
    const limits = { entriesMax: 5000, nameBytesMax: 1 << 20, timingsMax: 5000 };
    const log = (level: string, message: string): void => void said.push(`${level}: ${message}`);
    ingest = createIngest(
      {
        host: '127.0.0.1',
        names: 'statsd',
        dialect,
        tagSetsMax: MOST,
        createLedger: plainLedgers(limits),
        hashSeed: 7,
        receiveBufferBytes: 1 << 20,
        receiver: 'auto',
        onFolded: createFoldedLog(MOST, log),
      },
      { onHalfFull: () => {}, onDeath: () => {} },
    );
    const { port } = await ingest.start(0);
    sender = openSender(port);
    counters = createCounterBook(5000);
    timings = createTimingBook('n', 1 << 20);
    const clock = windowClockOf(() => nowMs);
    drainer = createDrainer({
      ingests: [ingest],
      namesMax: 5000,
      counters,
      timings,
      gauges: createGaugeBook(),
      sets: createSetBook(),
      gaugeTally: createTally(),
      setTally: createTally(),
      wallNowMs: () => 0,
      clock,
      window: createWindow({ windowSeconds: 10, budgetBytes: 1 << 20, clock }),
      counterTally: createTally(),
      timingTally: createTally(),
      hasTrap: true,
      log,
      nowMs: () => nowMs,
    });
  }

  async function end(): Promise<void> {
    sender.close();
    await ingest.end();
  }

  /** Sends lines and drains until they are all in. */
  async function count(lines: string[]): Promise<void> {
    const { received } = drainer;
    const datagrams = received.datagrams + 1;
    await sender.send(lines.join('\n'));
    do await drainer.drain();
    while (received.datagrams < datagrams);
  }

  function cut(): Map<string, number> {
    return new Map(counters.cut().map(({ name, amount }) => [name, amount]));
  }

  /** Ends a period: a fresh ledger has the names of the last one. */
  async function renew(): Promise<void> {
    nowMs += PERIOD_MS;
    await drainer.drain();
  }

  it('leaves room again when old sets have gone idle', async () => {
    const ids = (from: number, to: number): string[] => {
      return Array.from({ length: to - from }, (_, at) => `a:1|c|#id:${from + at}`);
    };
    await count(ids(0, 6));
    expect([...cut()]).to.deep.equal([
      ['a;id=0', 1],
      ['a;id=1', 1],
      ['a;id=2', 1],
      ['a;id=3', 1],
      ['a;other=true', 2],
    ]);
    expect(drainer.received.tagSetsFolded).to.equal(2);
    await renew(); // all were in use
    await count(['a:1|c|#id:1', 'a:1|c|#id:9']);
    expect([...cut()]).to.deep.equal([['a;id=1', 1], ['a;other=true', 1]]); // prettier-ignore
    await renew(); // the others were not
    await count(ids(6, 11));
    expect([...cut().keys()].toSorted()).to.deep.equal(
      ['a;id=6', 'a;id=7', 'a;id=8', 'a;other=true'], // prettier-ignore
    );
    expect(drainer.received.tagSetsFolded).to.equal(5);
  });

  it('is told once of each name, with what to do', async () => {
    for (const name of ['a', 'a', 'b\u0001', 'a']) {
      await count([0, 1, 2, 3, 4, 5].map((id) => `${name}:1|c|#id:${Math.random()}${id}`));
    }
    const told = said.filter((line) => line.includes('sets of tags'));
    expect(told).to.deep.equal(
      ['a', 'b'].map(
        (name) =>
          `warn: "${name}" has 4 sets of tags: further ones are counted as "${name};other=true"; ` +
          'keep ids and times out of tags, or raise --tag-sets-per-name',
      ),
    );
  });

  it('is that of a naive model, over names, sets, kinds and renewed ledgers', async () => {
    const random = seededRandom(20_261);
    const pick = (below: number): number => Math.floor(random() * below);
    let known = new Set<string>(); // `c name` of this ledger
    let used = new Set<string>();
    let folded = 0;
    for (let round = 0; round < 60; round++) {
      const wanted = new Map<string, number>();
      const lines: string[] = [];
      for (let at = 0; at < 20; at++) {
        const name = 'abc'[pick(3)]!;
        const set = random() < 0.1 ? '' : `k=${pick(8)}`;
        const kind = random() < 0.7 ? 'c' : 'ms';
        lines.push(`${name}:1|${kind}${set === '' ? '' : `|#${set.replace('=', ':')}`}`);
        const sets = new Set(
          [...known]
            .map((one) => one.split(' ')[1]!.split(';'))
            .filter(([bare, tags]) => bare === name && tags !== undefined && tags !== 'other=true')
            .map(([, tags]) => tags!),
        );
        const isFolded = set !== '' && !sets.has(set) && sets.size >= MOST;
        folded += Number(isFolded);
        const full = set === '' ? name : `${name};${isFolded ? 'other=true' : set}`;
        known.add(`${kind} ${full}`);
        used.add(`${kind} ${full}`);
        wanted.set(`${kind} ${full}`, (wanted.get(`${kind} ${full}`) ?? 0) + 1);
      }
      await count(lines);
      const found = new Map<string, number>();
      for (const [name, amount] of cut()) found.set(`c ${name}`, amount);
      for (const { name, samples } of timings.cut()?.taken ?? []) found.set(`ms ${name}`, samples);
      expect(found, `round ${round}`).to.deep.equal(wanted);
      expect(drainer.received.tagSetsFolded).to.equal(folded);
      if (random() < 0.3) {
        await renew();
        known = used;
        used = new Set();
      }
    }
    expect(folded).to.be.above(50);
  });

  it('counts under what a line means now, not what its bytes meant before', async () => {
    await end();
    await begin('influx');
    // Taken over from a process that kept commas.
    counters.add(counters.entry('a,k=v'), 1, 1);
    await renew();
    await count(['a,k=v:1|c']);
    expect([...cut()]).to.deep.equal([['a,k=v', 1], ['a;k=v', 1]]); // prettier-ignore
  });

  it('shows which names grow, and of each ledger only what is new', async () => {
    await count('abcdefgh'.split('').map((id) => `checkout.time:1|ms|#id:${id}`));
    await count(['api.hits:1|c', 'api.time:1|ms']);
    const top = [
      { name: 'checkout.time', keys: 5 },
      { name: 'api.', keys: 2 },
    ];
    expect(drainer.growth.top()).to.deep.equal(top);
    nowMs += 30_000;
    await count(['api.hits:1|c', 'checkout.time:1|ms|#id:z']);
    expect(drainer.growth.top()).to.deep.equal(top);
    await renew();
    await count(['api.hits:1|c']);
    expect(drainer.growth.top()).to.deep.equal([]);
  });
});
