import { expect } from 'chai';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';

import { createCounterBook } from '../../src/flush/counter-book.ts';
import { createCounterFlusher, type CounterFlusher } from '../../src/flush/counter-flusher.ts';
import { createLayout } from '../../src/flush/layout.ts';
import { systemTime, type Time } from '../../src/flush/time.ts';
import { createOwnAccess } from '../../src/sinks/redis-access.ts';
import { createRedisStore } from '../../src/sinks/redis.ts';
import { APPLY_CHUNK } from '../../src/sinks/redis-script.ts';
import type { Store } from '../../src/sinks/store.ts';
import { type Piece, type Proxy, startProxy, type Verdict } from '../support/proxy.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';

/** What one connection begins with. */
const PING_BYTES = '*1\r\n$4\r\nPING\r\n'.length;

/** What Redis answers: one field was refused. */
const REPLY = '$3\r\n 1n\r\n';

describe('counts survive a cut at any byte', () => {
  let redis: RedisServer;
  let proxy: Proxy;
  let store: Store;
  let flusher: CounterFlusher;
  let runs = 0;
  let sum = 0;
  let add: (amount: number) => void;

  before(async () => {
    redis = await startRedis();
    proxy = await startProxy(redis.port);
  });
  after(async () => {
    await proxy.close();
    await redis.stop();
  });

  beforeEach(async () => {
    await redis.command('FLUSHALL');
    await redis.command('HSET', 'h', 'text', 'x');
    sum = 0;
  });

  afterEach(() => {
    proxy.decide(() => 'pass');
    flusher.stop();
    store.close();
  });

  function start(timeoutMs: number): void {
    const real = systemTime();
    const time: Time = { nowMs: () => real.nowMs(), after: (_ms, call) => real.after(0, call) };
    const address = { url: `redis://127.0.0.1:${proxy.port}` };
    const access = createOwnAccess({ address, time: real, timeoutMs, onLost: () => {} });
    const name = `run-${runs++}`;
    store = createRedisStore(access, () => name);
    const book = createCounterBook(10);
    flusher = createCounterFlusher({
      ...{ book, store, layout: createLayout('flat', ['h']), time, random: () => 0.5 },
      ...{ log: () => {}, lanesMax: 10 },
    });
    add = (amount) => {
      sum += amount;
      book.add(book.entry('sum'), amount, 1);
      book.add(book.entry('text'), 1, 1); // so that the answer says something
      book.add(book.entry('chunks'), 1, 1);
    };
  }

  /** Writes, again and again until it is done; returns how many tries failed. */
  async function written(): Promise<number> {
    for (let failed = 0; ; failed++) {
      try {
        await flusher.write();
        return failed;
      } catch {
        expect(failed).to.be.below(20);
      }
    }
  }

  async function expectExact(chunks: number): Promise<void> {
    expect(Object.fromEntries(await redis.hash('h'))).to.deep.equal({
      text: 'x',
      sum: String(sum),
      chunks: String(chunks),
    });
    const dropped = flusher.tally.dropped.get('not_integer') ?? 0;
    expect([flusher.tally.delivered, dropped]).to.deep.equal([2 * chunks, chunks]);
  }

  /** Cuts the connection at a byte of what goes one way for a chunk, once; tells if it did. */
  function cutAt(direction: Piece['direction'], byte: number): () => boolean {
    let passed = 0;
    let isCut = false;
    let isChunk = false;
    proxy.decide((piece): Verdict => {
      const isPing = piece.bytesBefore === 0 && piece.length <= PING_BYTES;
      if (piece.direction === 'request') isChunk = !isPing;
      if (isCut || !isChunk || piece.direction !== direction) return 'pass';
      const within = byte - passed;
      passed += piece.length;
      if (within > piece.length) return 'pass';
      isCut = true;
      return { cutAfter: within };
    });
    return () => isCut;
  }

  for (const direction of ['request', 'reply'] as const) {
    it(`of its ${direction}: each chunk is there once`, async () => {
      start(5000);
      const failed: number[] = [];
      for (let wasCut = true; wasCut;) {
        const isCut = cutAt(direction, failed.length);
        add(1 + (failed.length % 9));
        failed.push(await written());
        wasCut = isCut();
      }
      // The last was not cut; and of a reply its text is enough, without what ends it.
      const noDoubt = direction === 'request' ? failed.length - 1 : REPLY.length - 2;
      expect(new Set(failed.slice(0, noDoubt))).to.deep.equal(new Set([1]));
      const bytes = failed.length - 2;
      if (direction === 'request') expect(bytes).to.be.above(APPLY_CHUNK.length);
      else expect(bytes).to.equal(REPLY.length);
      await expectExact(failed.length);
    });
  }

  it('a reply that comes too late is taken for no other', async () => {
    start(60);
    for (let n = 1; n <= 5; n++) {
      const late = deferred();
      let isHeld = false;
      proxy.decide(({ direction, bytesBefore }) => {
        if (isHeld || direction === 'request' || bytesBefore === 0) return 'pass';
        isHeld = true;
        return { holdUntil: late.promise };
      });
      add(n);
      const failed = await written();
      late.resolve();
      expect([isHeld, failed]).to.deep.equal([true, 1]);
    }
    await expectExact(5);
  });

  it('a request that comes late, after it was sent again, does nothing', async () => {
    start(60);
    const late = deferred();
    let held = 0;
    for (let n = 1; n <= 5; n++) {
      const heldBefore = held;
      proxy.decide(({ direction, bytesBefore }) => {
        if (held > heldBefore || direction === 'reply' || bytesBefore === 0) return 'pass';
        held++;
        return { holdUntil: late.promise };
      });
      add(n);
      expect(await written(), 'tries that failed').to.equal(1);
    }
    expect(held).to.equal(5);
    await arrived(late, 5);
    await expectExact(5);
    add(6);
    await written();
    await expectExact(6);
  });

  it('a request that comes late, after its hash refused it, does nothing either', async () => {
    start(60);
    await redis.command('DEL', 'h');
    await redis.command('SET', 'h', 'no hash');
    const late = deferred();
    let isHeld = false;
    proxy.decide(({ direction, bytesBefore }) => {
      if (isHeld || direction === 'reply' || bytesBefore === 0) return 'pass';
      isHeld = true;
      return { holdUntil: late.promise };
    });
    add(1);
    await flusher.write().catch(() => {}); // too late
    const refused = String(await flusher.write().catch(String));
    expect(refused).to.match(/h refuses: WRONGTYPE h holds a string, not a hash/);
    await redis.command('DEL', 'h');
    await redis.command('HSET', 'h', 'text', 'x');
    await arrived(late, 1);
    expect(Object.fromEntries(await redis.hash('h'))).to.deep.equal({ text: 'x' });
    await written();
    expect(Object.fromEntries(await redis.hash('h'))).to.deep.equal({
      text: 'x',
      sum: '1',
      chunks: '1',
    });
  });

  /** Lets late requests go, and waits until Redis has run so many scripts more. */
  async function arrived(late: { resolve(): void }, requests: number): Promise<void> {
    const ranBefore = await scripts();
    late.resolve();
    while ((await scripts()) < ranBefore + requests);
  }

  async function scripts(): Promise<number> {
    const stats = String(await redis.command('INFO', 'commandstats'));
    return Number(/cmdstat_eval:calls=(\d+)/.exec(stats)?.[1]);
  }
});

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
