import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A trap that counts what it is sent and keeps none of it. */
export interface CountingTrap {
  readonly url: string;
  /** Timings taken; those of a body that came twice count once. */
  readonly samples: number;
  /** Bodies that it had taken before, and that came again. */
  readonly repeated: number;
  /**
   * Changes what it does: take, refuse with 503, or hold every request without an answer. Those
   * held are cut when it changes again.
   */
  mode(mode: 'takes' | 'refuses' | 'hangs'): void;
  close(): Promise<void>;
}

type Body = Record<string, { _type: string; _value: unknown[] }>;

/** Starts a trap on a free port. */
export async function startCountingTrap(): Promise<CountingTrap> {
  let mode: Parameters<CountingTrap['mode']>[0] = 'takes';
  let samples = 0;
  let repeated = 0;
  // The collector has one body under way, so that only the last one can come again.
  let lastKey: unknown;
  const held = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy()); // a request that was cut
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/soak`,
    get samples() {
      return samples;
    },
    get repeated() {
      return repeated;
    },
    mode(next) {
      mode = next;
      for (const response of held) response.destroy();
      held.clear();
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    if (mode === 'hangs') {
      held.add(response);
      response.once('close', () => held.delete(response));
      return;
    }
    response.setHeader('Connection', 'close');
    if (mode === 'takes') take(request.headers['idempotency-key'], Buffer.concat(pieces));
    response.writeHead(mode === 'takes' ? 200 : 503).end('{}');
  }

  function take(key: unknown, body: Buffer): void {
    if (key === lastKey) repeated++;
    else samples += samplesOf(JSON.parse(body.toString()) as Body);
    lastKey = key;
  }
}

/** What has waited for long comes as a histogram: `H[1.2e+01]=3` stands for three. */
function samplesOf(body: Body): number {
  let samples = 0;
  for (const { _type: type, _value: list } of Object.values(body)) {
    if (type !== 'h') samples += list.length;
    else for (const bin of list) samples += Number(String(bin).split('=')[1]);
  }
  return samples;
}
