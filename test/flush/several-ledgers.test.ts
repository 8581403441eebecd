import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';

import { createGaugeBook } from '../../src/flush/gauge-book.ts';
import { type CounterBook, createCounterBook } from '../../src/flush/counter-book.ts';
import { createDrainer, type Drainer } from '../../src/flush/drainer.ts';
import { createSetBook } from '../../src/flush/set-book.ts';
import { createTally, type Tally } from '../../src/flush/tally.ts';
import { createTimingBook } from '../../src/flush/timing-book.ts';
import { createIngest, type Ingest } from '../../src/ingest/ingest.ts';
import { plainLedgers } from '../../src/ingest/kept-ledger.ts';
import { createWindow } from '../../src/window/window.ts';
import { sendUdp } from '../support/udp.ts';
import { windowClockOf } from '../support/window-clock.ts';

const NAMES_MAX = 20;

describe('a drainer of several ledgers', () => {
  let ingests: Ingest[];
  let ports: number[];
  let drainer: Drainer;
  let counters: CounterBook;
  let tally: Tally;
  let nowMs = 0;
  let said: string[];

  beforeEach(async () => {
    said = [];
    const limits = { entriesMax: NAMES_MAX, nameBytesMax: 10_000, timingsMax: 100 };
    ingests = [1, 2].map((hashSeed) =>
      createIngest(
        {
          ...{ host: '127.0.0.1', names: 'statsd', createLedger: plainLedgers(limits), hashSeed },
          ...{ receiveBufferBytes: 1 << 20, receiver: 'auto' },
        },
        { onHalfFull: () => {}, onDeath: () => {} },
      ),
    );
    ports = [];
    for (const ingest of ingests) ports.push((await ingest.start(0)).port);
    counters = createCounterBook(NAMES_MAX);
    tally = createTally();
    const clock = windowClockOf(() => nowMs);
    drainer = createDrainer({
      ingests,
      namesMax: NAMES_MAX,
      counters,
      gauges: createGaugeBook(),
      sets: createSetBook(),
      setTally: createTally(),
      wallNowMs: () => 0,
      timings: createTimingBook('n', 1 << 20),
      clock,
      window: createWindow({ windowSeconds: 10, budgetBytes: 1 << 20, clock }),
      gaugeTally: createTally(),
      counterTally: tally,
      timingTally: createTally(),
      hasTrap: true,
      log: (_level, message) => said.push(message),
      nowMs: () => nowMs,
    });
  });
  afterEach(() => Promise.all(ingests.map((ingest) => ingest.end())));

  /** Sends names to one of the sockets, and drains until they are all in. */
  async function count(which: number, ...names: string[]): Promise<void> {
    const datagrams = drainer.received.datagrams + 1;
    await sendUdp(ports[which]!, names.map((name) => `${name}:1|c`).join('\n'));
    do await drainer.drain();
    while (drainer.received.datagrams < datagrams);
  }

  function cut(): Record<string, number> {
    return Object.fromEntries(counters.cut().map(({ name, amount }) => [name, amount]));
  }

  it('adds what several have counted of a name', async () => {
    await count(0, 'a', 'a', 'b');
    await count(1, 'a', 'c');
    expect(cut()).to.deep.equal({ a: 3, b: 1, c: 1 });
  });

  it('takes no more names than one would, says so, and knows those it has everywhere in time', async () => {
    const firsts = Array.from({ length: 15 }, (_, at) => `a${at}`);
    const others = Array.from({ length: NAMES_MAX }, (_, at) => `b${at}`);
    await count(0, ...firsts);
    await count(1, ...others);
    expect(counters.size).to.equal(NAMES_MAX);
    expect(tally.dropped.get('key_limit')).to.equal(15);
    expect(said).to.deep.equal(['15 counter samples dropped: key_limit; see --max-keys']);
    cut();
    // The second table is full of names that were not taken.
    await count(1, 'a0');
    expect(drainer.received.linesRejected.get('key_limit')).to.equal(1);
    nowMs += 61_000;
    await count(0, ...firsts); // here the tables are made anew
    cut();
    await count(1, 'a0', 'a14');
    expect(cut()).to.deep.equal({ a0: 1, a14: 1 });
  });
});
