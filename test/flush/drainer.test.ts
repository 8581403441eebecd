import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';

import { createGaugeBook } from '../../src/flush/gauge-book.ts';
import { type CounterBook, createCounterBook } from '../../src/flush/counter-book.ts';
import { createDrainer, type Drainer } from '../../src/flush/drainer.ts';
import { createSetBook } from '../../src/flush/set-book.ts';
import { createTally, type Tally } from '../../src/flush/tally.ts';
import { createTimingBook, type TimingBook } from '../../src/flush/timing-book.ts';
import { createIngest, type Ingest } from '../../src/ingest/ingest.ts';
import { plainLedgers } from '../../src/ingest/kept-ledger.ts';
import { createWindow } from '../../src/window/window.ts';
import { sendUdp } from '../support/udp.ts';
import { windowClockOf } from '../support/window-clock.ts';

const MINUTE_MS = 60_000;

describe('the drainer', () => {
  let ingest: Ingest;
  let drainer: Drainer;
  let counters: CounterBook;
  let timings: TimingBook;
  let tally: Tally;
  let port: number;
  let nowMs: number;
  let said: string[];

  beforeEach(async () => {
    nowMs = 0;
    said = [];
    const limits = { entriesMax: 20, nameBytesMax: 10_000, timingsMax: 1000 };
    ingest = createIngest(
      {
        host: '127.0.0.1',
        names: 'statsd',
        createLedger: plainLedgers(limits),
        hashSeed: 7,
        receiveBufferBytes: 1 << 20,
        receiver: 'auto',
      },
      { onHalfFull: () => {}, onDeath: () => {} },
    );
    ({ port } = await ingest.start(0));
    counters = createCounterBook(20);
    timings = createTimingBook('n', 1 << 20);
    tally = createTally();
    const clock = windowClockOf(() => nowMs);
    drainer = createDrainer({
      ingests: [ingest],
      namesMax: 20,
      counters,
      gauges: createGaugeBook(),
      sets: createSetBook(),
      setTally: createTally(),
      wallNowMs: () => 0,
      timings,
      clock,
      window: createWindow({ windowSeconds: 10, budgetBytes: 1 << 20, clock }),
      gaugeTally: createTally(),
      counterTally: createTally(),
      timingTally: tally,
      hasTrap: true,
      log: (_level, message) => said.push(message),
      nowMs: () => nowMs,
    });
  });
  afterEach(() => ingest.end());

  /** Sends lines and drains until they are all in. */
  async function count(...lines: string[]): Promise<void> {
    const { received } = drainer;
    const datagrams = received.datagrams + 1;
    await sendUdp(port, lines.join('\n'));
    do await drainer.drain();
    while (received.datagrams < datagrams);
  }

  function cut(): Record<string, number> {
    return Object.fromEntries(counters.cut().map(({ name, amount }) => [name, amount]));
  }

  it('knows when the last line came, taken or refused', async () => {
    const { received } = drainer;
    expect(received.lastLineMs).to.equal(undefined);
    nowMs = 5;
    await count('');
    expect(received.lastLineMs).to.equal(undefined);
    await count('a:1|c');
    expect(received.lastLineMs).to.equal(5);
    nowMs = 9;
    await drainer.drain();
    expect(received.lastLineMs).to.equal(5);
    await count('bad');
    expect(received.lastLineMs).to.equal(9);
  });

  it('forgets names idle for a period, keeps those in use, and loses no count or remainder', async () => {
    await count('busy:1.5|c', 'idle:2|c', 'third:0.3|c', 'slow:1|ms', 'gone:1|ms');
    expect(cut()).to.deep.equal({ busy: 1, idle: 2, third: 0 });
    nowMs += 11 * MINUTE_MS;
    await count('busy:1|c', 'slow:2|ms'); // the period ends here; all were used in it
    timings.cut();
    expect(counters.size + timings.size).to.equal(5);
    nowMs += 11 * MINUTE_MS;
    await count('busy:1|c', 'slow:3|ms'); // and here another, in which only these were
    timings.cut();
    nowMs += 11 * MINUTE_MS;
    await count('busy:1|c', 'slow:4|ms');
    expect(counters.size).to.equal(2); // busy, and third for its remainder
    expect(timings.size).to.equal(1);
    expect(cut()).to.deep.equal({ busy: 3 });
    await count('idle:5|c', 'third:0.7|c', 'busy:0.5|c');
    expect(cut()).to.deep.equal({ idle: 5, third: 1, busy: 1 });
  });

  it('when names run out, idle ones go after a minute, and new ones find room again', async () => {
    const flood = Array.from({ length: 30 }, (_, at) => `flood.${at}:1|c`);
    await count('busy:1|c', ...flood);
    expect(drainer.received.linesRejected.get('key_limit')).to.equal(11);
    for (let minute = 0; minute < 3; minute++) {
      nowMs += MINUTE_MS;
      await count('busy:1|c');
      counters.cut();
    }
    expect(counters.size).to.equal(1);
    await count('busy:1|c', 'new:1|c');
    expect(cut()).to.deep.equal({ busy: 1, new: 1 });
    expect(drainer.received.linesRejected.get('key_limit')).to.equal(11);
  });

  it('timings that find the log full are dropped and counted', async () => {
    const many = Array<string>(600).fill('1').join(':');
    await sendUdp(port, `slow:${many}|ms`, `slow:${many}|ms`);
    do await drainer.drain();
    while (drainer.received.datagrams < 2);
    expect(drainer.received.timingSamples).to.equal(1200);
    // They may have come between two flips or not: what is lost is counted in either case.
    const { timing_log_full: full = 0 } = Object.fromEntries(tally.dropped);
    expect(full + timings.pendingSamples).to.equal(1200);
  });

  it('says what it had to drop, and that a refused line went on', async () => {
    await count('big:1e300|c', 'x'.repeat(250));
    expect(said).to.include('1 counter samples dropped: overflow');
    expect(said.some((line) => line.endsWith(`${'x'.repeat(200)}" and more`))).to.equal(true);
  });

  it('says one refused line per reason and second, safe for a terminal', async () => {
    await count('bad \u001b[31mline', 'x:1|zzz');
    await count('worse', 'y:1|zzz');
    nowMs += 1000;
    await count('last');
    expect(said).to.have.length(3);
    expect(said[0]).to.match(
      /^refused \(no_separator\) from "127\.0\.0\.1:\d+": "bad \\u001b\[31mline"$/,
    );
    expect(said[1]).to.match(/^refused \(bad_type\) from .*: "x:1\|zzz"$/);
    expect(said[2]).to.match(/"last"$/);
  });
});
