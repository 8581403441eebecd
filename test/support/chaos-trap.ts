import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { ChaosBook } from './chaos-book.ts';

/** A trap that counts every key once, and answers as chance wants it. */
export interface ChaosTrap {
  readonly port: number;
  /** How often each value has arrived under different keys, and under which name. */
  readonly values: ReadonlyMap<number, { name: string; times: number }>;
  /** How many bodies were taken, and how many came again. */
  readonly taken: number;
  readonly again: number;
  close(): Promise<void>;
}

const STATUSES = [503, 500, 408, 429];
/** Longer than an answer is awaited. */
const UNANSWERED_MS = 10_500;

/** Starts a trap that does something else than to take and answer every so many milliseconds. */
export async function startChaosTrap(book: ChaosBook, everyMs: number): Promise<ChaosTrap> {
  const chance = book.chance('trap');
  const values = new Map<number, { name: string; times: number }>();
  const bodies = new Map<string, string>();
  let again = 0;
  let dueMs = performance.now() + everyMs;
  const kinds = ['answers an error', 'answers nothing', 'answer lost'] as const;
  const wanted = kinds.filter((kind) => book.wants(`trap: ${kind}`));
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('error', () => {});
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const key = String(request.headers['idempotency-key']);
      handle(key, Buffer.concat(pieces).toString(), response);
    });
  });
  server.on('clientError', (_, socket) => void socket.destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    port: (server.address() as AddressInfo).port,
    values,
    get taken() {
      return bodies.size;
    },
    get again() {
      return again;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };

  function handle(key: string, text: string, response: ServerResponse): void {
    const isDue = book.isOn && wanted.length > 0 && performance.now() > dueMs;
    if (!isDue) {
      take(key, text);
      response.setHeader('Connection', 'close');
      response.end('{"stats":1,"filtered":0}');
      return;
    }
    dueMs = performance.now() + chance.between(0.3, 1.7) * everyMs;
    const kind = chance.of(wanted);
    book.fault(`trap: ${kind}`, key);
    if (kind === 'answers an error') response.writeHead(chance.of(STATUSES)).end();
    else if (kind === 'answers nothing') leaveUnanswered(key, text, response);
    else {
      take(key, text);
      if (chance.yes(0.5)) response.destroy();
      else response.socket?.end('HTTP/1.1 20');
    }
  }

  function leaveUnanswered(key: string, text: string, response: ServerResponse): void {
    if (chance.yes(0.5)) take(key, text);
    const ms = chance.yes(0.1) ? UNANSWERED_MS : chance.between(50, 500);
    setTimeout(() => response.destroy(), ms).unref();
  }

  function take(key: string, text: string): void {
    const before = bodies.get(key);
    if (before !== undefined) {
      again++;
      if (before !== text) book.wrong(`${key} came again with another content`);
      return;
    }
    bodies.set(key, text);
    const body = JSON.parse(text) as Record<string, { _type: string; _value: number[] }>;
    for (const [name, { _type, _value }] of Object.entries(body)) {
      if (_type !== 'n') book.wrong(`${key} holds ${name} as ${_type}`);
      for (const value of _value) {
        const seen = values.get(value);
        if (seen === undefined) values.set(value, { name, times: 1 });
        else seen.times++;
      }
    }
  }
}
