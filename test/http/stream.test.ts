import { once } from 'node:events';
import { connect } from 'node:net';

import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';

import type { WatchedCounter, WatchedTiming } from '../../src/live/frame.ts';
import { BEGIN_SECOND } from '../live/rig.ts';
import { ask } from './rig.ts';
import { readStream, startStreams, type StreamReader, type StreamRig } from './stream-rig.ts';

const STREAMS_MAX = 32;

describe('GET /api/stream', () => {
  let rig: StreamRig;
  const readers: StreamReader[] = [];

  beforeEach(async () => (rig = await startStreams()));
  afterEach(async () => {
    await rig.server.close();
    for (const reader of readers.splice(0)) reader.close();
    await idle();
    // Nobody is there any more: nothing is left of them.
    expect(rig.listeners()).to.equal(1);
    expect(rig.time.waiting).to.equal(1);
    expect(rig.said).to.deep.equal([]);
  });

  async function open(query = '', headers?: Record<string, string>): Promise<StreamReader> {
    const reader = await readStream(rig, query, headers);
    readers.push(reader);
    return reader;
  }

  /** Resolves when the server has noticed that all have gone. */
  async function idle(): Promise<void> {
    while (rig.live.streams > 0) await new Promise(setImmediate);
  }

  function pointsIn({ frame }: { frame: { watched: unknown[] } }): number[] {
    return (frame.watched[0] as WatchedCounter).points.map(([second]) => second - BEGIN_SECOND);
  }

  it('answers at once with a frame, as an event with its second as id, and then each second', async () => {
    rig.count('c', 3);
    await rig.pass();
    const { response, next, others } = await open('c=0:c');
    expect(response.statusCode).to.equal(200);
    expect(response.headers).to.include({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    expect(response.headers['content-security-policy']).to.match(/^default-src 'none'/);
    const first = await next();
    expect(others).to.deep.equal(['retry: 1000']);
    expect(first.id).to.equal(String(BEGIN_SECOND));
    expect(first.frame.second).to.equal(BEGIN_SECOND);
    expect(pointsIn(first)).to.deep.equal([0]);
    for (let second = 1; second <= 3; second++) {
      rig.count('c');
      await rig.pass();
      const event = await next();
      expect(event.id).to.equal(String(BEGIN_SECOND + second));
      expect(pointsIn(event)).to.deep.equal([second]);
    }
  });

  it('is asked for what is wrong: 400 and every fault', async () => {
    const { status, body } = await ask(rig, '/api/stream?t=x&rows=1000');
    expect(status).to.equal(400);
    const { error } = JSON.parse(body) as { error: string };
    expect(error).to.equal(
      't: expected <second>:<name>, the second a whole number, got "x"; ' +
        'rows: expected a whole number from 0 to 200, got "1000"',
    );
    expect(rig.live.streams).to.equal(0);
  });

  it('goes on behind the last event that a browser has', async () => {
    for (let second = 0; second < 5; second++) {
      rig.count('c');
      await rig.pass();
    }
    const headers = (id: string): Record<string, string> => ({ 'Last-Event-ID': id });
    for (const [id, expected] of [
      [String(BEGIN_SECOND + 2), [3, 4]],
      [String(BEGIN_SECOND + 4), []],
      ['0', [2, 3, 4]],
      ['nonsense', [2, 3, 4]],
      [String(BEGIN_SECOND + 1000), [2, 3, 4]],
    ] as const) {
      const { next } = await open(`c=${BEGIN_SECOND + 1}:c`, headers(id));
      expect(pointsIn(await next()), id).to.deep.equal(expected);
    }
  });

  it('passes names on as they are', async () => {
    const names = ['__proto__', 'a\n\ndata: {}\n\n', '"\\', '\u2028é😀', '</script>', ' '];
    for (const name of names) rig.count(name);
    await rig.pass();
    const wishes = names.map((name) => `c=${encodeURIComponent(`0:${name}`)}`);
    const { next, others } = await open(wishes.join('&'));
    const { frame } = await next();
    expect(frame.list.rows.map(({ name }) => name)).to.have.members(names);
    const watched = frame.watched.map((one) => (one as WatchedCounter).name);
    expect(watched).to.deep.equal(names);
    expect(others).to.have.length(1);
  });

  it('tells one who read slowly all that he missed, in one frame', async () => {
    const values = Array.from({ length: 40_000 }, (_, at) => 1.1 ** (at % 700) / 1e20);
    const names = Array.from({ length: 16 }, (_, at) => `t${at}`);
    const { next, response } = await open(names.map((name) => `t=0:${name}`).join('&'));
    const seconds = new Set<number>();
    const take = async (): Promise<number> => {
      const { frame } = await next();
      for (const { second } of (frame.watched[0] as WatchedTiming).columns) {
        expect(seconds.has(second), String(second)).to.equal(false);
        seconds.add(second);
      }
      return frame.second - BEGIN_SECOND;
    };
    await take();
    response.pause();
    let frames = 0;
    for (let second = 0; second < 150; second++) {
      for (const name of names) rig.measure(name, ...values.slice(0, 700));
      await rig.pass();
      // Frames are made in turns, and written to one who does not read.
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    }
    response.resume();
    for (let second = 0; second < 149; frames++) second = await take();
    expect(seconds.size).to.equal(150);
    // What the kernel took beforehand came one by one.
    expect(frames).to.be.below(140);
  });

  it('cuts off one who reads nothing at all', async () => {
    await rig.server.close();
    rig = await startStreams({ silenceMs: 200 });
    const names = Array.from({ length: 16 }, (_, at) => `t${at}`);
    const socket = connect(rig.port, '127.0.0.1').pause();
    socket.on('error', () => {});
    const query = names.map((name) => `t=0:${name}`).join('&');
    socket.write(`GET /api/stream?${query} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    while (rig.live.streams === 0) await new Promise(setImmediate);
    const values = Array.from({ length: 700 }, (_, at) => 1.1 ** at / 1e20);
    while (rig.live.streams > 0) {
      for (const name of names) rig.measure(name, ...values);
      await rig.pass();
      await new Promise((resolve) => void setTimeout(resolve, 5));
    }
    socket.destroy();
  });

  it(`is open ${STREAMS_MAX} times at most, which keeps no other answer from being given`, async () => {
    await rig.pass();
    const all = await Promise.all(Array.from({ length: STREAMS_MAX }, () => open('rows=1')));
    for (const { next } of all) await next();
    expect(rig.live.streams).to.equal(STREAMS_MAX);
    const { status, headers, body } = await ask(rig, '/api/stream');
    expect([status, headers['retry-after']]).to.deep.equal([503, '1']);
    expect(body).to.include('32 streams are open already');
    expect((await ask(rig, '/api/heatmap/none')).status).to.equal(404);
    all[0]!.close();
    while (rig.live.streams === STREAMS_MAX) await new Promise(setImmediate);
    const again = await open();
    expect((await again.next()).frame.second).to.equal(BEGIN_SECOND);
    await rig.pass();
    for (const { next } of all.slice(1)) {
      expect((await next()).frame.second).to.equal(BEGIN_SECOND + 1);
    }
  });

  it('answers HEAD with the head alone, other methods with 405', async () => {
    const head = await ask(rig, '/api/stream?rows=1', { method: 'HEAD' });
    expect([head.status, head.body]).to.deep.equal([200, '']);
    expect(head.headers['content-type']).to.equal('text/event-stream');
    expect((await ask(rig, '/api/stream', { method: 'POST' })).status).to.equal(405);
    expect(rig.live.streams).to.equal(0);
  });

  it('is given to loopback names alone, or for the token', async () => {
    const evil = { headers: { host: 'evil.example' } };
    expect((await ask(rig, '/api/stream', evil)).status).to.equal(403);
    await rig.server.close();
    rig = await startStreams({ token: 'secret' });
    expect((await ask(rig, '/api/stream')).status).to.equal(401);
    expect(rig.live.streams).to.equal(0);
    const { next } = await open('', { Cookie: 'statcol_token=secret' });
    await rig.pass();
    await next();
  });

  it('costs nothing and leaves nothing when readers come and go, whenever they go', async () => {
    for (let at = 0; at < 300; at++) rig.count(`name${at}`);
    await rig.pass();
    const quick = Array.from({ length: 60 }, async (_, at) => {
      const reader = await open('p=0:name&sort=rate&c=0:name1');
      for (let turn = 0; turn < at % 7; turn++) await new Promise(setImmediate);
      if (at % 3 === 0) await reader.next().catch(() => {});
      reader.close();
    });
    await Promise.allSettled(quick);
    await idle();
    // Who has hung up before he could be answered.
    const socket = connect(rig.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write('GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n', () => socket.destroy());
    expect((await ask(rig, '/api/heatmap/none')).status).to.equal(404);
    await idle();
  });

  it('ends when the collector does', async () => {
    const reader = await open();
    await reader.next();
    const over = reader.closed();
    await rig.server.close();
    await over;
    expect(rig.live.streams).to.equal(0);
  });

  it('never makes two frames of one stream at a time, and one late frame instead of many', async () => {
    rig.store.readField = () => new Promise(() => {}); // does not answer
    const { next, close } = await open('c=0:c');
    for (let second = 0; second < 5; second++) {
      rig.count('c');
      // Each frame waits half a second for the store.
      await rig.time.pass(400);
      await rig.time.pass(600);
    }
    const seen: number[] = [];
    let isOver = false;
    const passing = (async () => {
      while (!isOver) await rig.time.pass(100);
    })();
    while (seen.length < 5) {
      const event = await next();
      seen.push(...pointsIn(event));
      expect((event.frame.watched[0] as WatchedCounter).total).to.equal(null);
    }
    isOver = true;
    await passing;
    close();
    while (rig.live.streams > 0) await new Promise(setImmediate);
    await rig.time.pass(600); // the one who waited for the store was told off
    expect(seen).to.deep.equal([0, 1, 2, 3, 4]);
  });
});
