import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';

import { createTurns } from '../live/turns.ts';

/** A body that is made while it is sent; in pieces of any size. */
export type Pieces = Iterable<string> | AsyncIterable<string>;

/** What a route answers. */
export interface Answer {
  status: number;
  /** The content type. */
  type: string;
  /** Pieces are asked for as the reader reads; one who goes away ends that (`return`). */
  body: string | Uint8Array | Pieces;
  /** Beside those that every answer has, or in their place. */
  headers?: Record<string, string> | undefined;
}

/** Where and how an answer is to go. */
export interface Outlet {
  request: IncomingMessage;
  response: ServerResponse;
  /** Whether there is room for what the reader has not read yet; without, he is waited for. */
  hasRoom: () => boolean;
}

/** What is written at once. A body no longer than this has a length; a longer one comes in chunks. */
const PIECE_LENGTH = 64 << 10;

/**
 * Sends an answer; resolves when all of it was written, or the reader has gone. Rejects with what
 * the making of a body failed of: while `headersSent` is false another answer can still be given.
 */
export async function send(outlet: Outlet, answer: Answer): Promise<void> {
  const { body } = answer;
  if (typeof body === 'string' || body instanceof Uint8Array) sendWhole(outlet, answer, body);
  else await sendPieces(outlet, answer, iteratorOf(body));
}

/** Begins an answer whose length is not known. */
export function sendHead(
  { request, response }: Pick<Outlet, 'request' | 'response'>,
  { status, type, headers }: Omit<Answer, 'body'>,
): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Cache-Control': 'no-store',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    ...headers,
  });
  // A body that was sent along is not waited for.
  if (!request.complete) response.once('finish', () => request.destroy());
}

function sendWhole(outlet: Outlet, answer: Answer, body: string | Uint8Array): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const length = { 'Content-Length': String(bytes.length) };
  sendHead(outlet, { ...answer, headers: { ...length, ...answer.headers } });
  outlet.response.end(outlet.request.method === 'HEAD' ? undefined : bytes);
}

async function sendPieces(outlet: Outlet, answer: Answer, source: Source): Promise<void> {
  const { request, response, hasRoom } = outlet;
  try {
    let piece = await gather(source, response);
    if (piece.isLast) return sendWhole(outlet, answer, piece.text);
    if (response.closed) return;
    sendHead(outlet, answer);
    while (request.method !== 'HEAD') {
      response.write(piece.text);
      if (piece.isLast) break;
      // While there is room it goes on: the source, which may hold much more, is done the sooner.
      await (response.writableNeedDrain && !hasRoom() ? drained(response) : setImmediate());
      if (response.closed) return;
      piece = await gather(source, response);
    }
    response.end();
  } finally {
    await source.return?.();
  }
}

/** Pieces, one by one. */
export type Source = Iterator<string, unknown> | AsyncIterator<string, unknown>;

/** Begins to ask for pieces; who does not ask for all of them ends that (`return`). */
export function iteratorOf(pieces: Pieces): Source {
  return Symbol.asyncIterator in pieces
    ? pieces[Symbol.asyncIterator]()
    : pieces[Symbol.iterator]();
}

/** Takes small pieces together, as long as somebody is there to read them. */
export async function gather(
  source: Source,
  response: Pick<Writable, 'closed'>,
): Promise<{ text: string; isLast: boolean }> {
  const turns = createTurns();
  let text = '';
  while (text.length < PIECE_LENGTH && !response.closed) {
    const step = source.next();
    const { done, value } = step instanceof Promise ? await step : step;
    if (done === true) return { text, isLast: true };
    text += value;
    if (turns.isOver()) await turns.next();
  }
  return { text, isLast: false };
}

/** Resolves when what was written has been taken, or the reader has gone. */
export function drained(response: Pick<Writable, 'closed' | 'on' | 'off'>): Promise<void> {
  return new Promise((resolve) => {
    if (response.closed) return resolve(); // which will not be told again
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}
