import { once } from 'node:events';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** A submission as it arrived. */
export interface Submission {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  text: string;
}

/** What a trap does with a submission that has arrived whole. */
export type Behaviour = (response: ServerResponse, submission: Submission) => void;

/** An HTTP trap that remembers what it was sent and answers as it is told. */
export interface RecordingTrap {
  readonly url: string;
  readonly port: number;
  readonly submissions: readonly Submission[];
  /** Changes what it answers; 200 `{"stats":1,"filtered":0}` at first. */
  behave(behaviour: Behaviour): void;
  /** Returns every value of every name, in order of arrival; each key counts once. */
  values(): Map<string, number[]>;
  /** Resolves after `count` submissions in all. */
  received(count: number): Promise<void>;
  close(): Promise<void>;
}

/** Answers as a broker that took everything. */
export const takes: Behaviour = (response) => {
  response.setHeader('Connection', 'close');
  response.end('{"stats":1,"filtered":0}');
};

/** Returns a behaviour that answers a status. */
export function answers(status: number): Behaviour {
  return (response) => response.writeHead(status).end();
}

/** Starts a trap on a free port; with a key and a certificate, over TLS. */
export async function startTrap(tls?: { key: string; cert: string }): Promise<RecordingTrap> {
  const submissions: Submission[] = [];
  let behaviour = takes;
  let notify = (): void => {};
  const listener: RequestListener = (request, response) => {
    const pieces: Buffer[] = [];
    request.on('error', () => {});
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const submission = { method, url, headers, text: Buffer.concat(pieces).toString() };
      submissions.push(submission);
      notify();
      behaviour(response, submission);
    });
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    port,
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}/module/httptrap/check/secret`,
    submissions,
    behave(next) {
      behaviour = next;
    },
    values: () => valuesOf(submissions),
    async received(count) {
      while (submissions.length < count) {
        await new Promise<void>((resolve) => (notify = resolve));
      }
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function valuesOf(submissions: readonly Submission[]): Map<string, number[]> {
  const values = new Map<string, number[]>();
  const seen = new Set<unknown>();
  for (const { headers, text } of submissions) {
    if (seen.has(headers['idempotency-key'])) continue;
    seen.add(headers['idempotency-key']);
    const body = JSON.parse(text) as Record<string, { _type: string; _value: number[] }>;
    for (const [name, metric] of Object.entries(body)) {
      values.set(name, [...(values.get(name) ?? []), ...metric._value]);
    }
  }
  return values;
}
