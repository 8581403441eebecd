import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { ErrorCode, errorText, StatcolError } from '../errors.ts';
import type { Log } from '../flush/health.ts';
import { hostPort } from '../ingest/address.ts';
import type { TrapReceiver } from '../trap-receiver/handler.ts';
import { type Access, createAccess } from './access.ts';
import type { PROMETHEUS_TEXT } from './metrics.ts';

/** What a route answers. */
export interface Answer {
  status: number;
  type: 'application/json' | 'text/html; charset=utf-8' | typeof PROMETHEUS_TEXT;
  body: string;
}

/** A route: GET only. Rejecting is answered 500, with the error in the log. */
export interface Route {
  path: string;
  /** Whether token and Host are asked for. */
  guarded: boolean;
  answer: () => Answer | Promise<Answer>;
}

/** The HTTP server. */
export interface HttpServer {
  /** Binds; resolves with the URL. Rejects with `ERR_LISTEN` where the address is not to be had. */
  listen(): Promise<string>;
  /** Closes the socket and every connection. */
  close(): Promise<void>;
}

/** What the server is made with. */
export interface HttpOptions {
  host: string;
  port: number;
  token: string | undefined;
  /** Takes other collectors' timings, if it is on. It has limits and a secret of its own. */
  receiver: TrapReceiver | undefined;
  routes: readonly Route[];
  log: Log;
}

/** Many browsers and scrapers, and no more than a process has descriptors for. */
const CONNECTIONS_MAX = 500;
/** A request that takes longer to arrive is an attack or a mistake: none has a body worth it. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Who does not read for this long is not waited for. */
const SILENCE_MS = 30_000;
/** Answers being made or on their way: each may be megabytes, made whole on this one thread. */
const ANSWERS_MAX = 32;
/** And how large those on their way may be together. */
const UNSENT_BYTES_MAX = 64 << 20;

/** Returns a JSON answer. */
export function json(status: number, value: unknown): Answer {
  return { status, type: 'application/json', body: JSON.stringify(value) };
}

/** Creates the server; it is bound by `listen`. */
export function createHttpServer(options: HttpOptions): HttpServer {
  const { host, port, token, receiver, log } = options;
  const access = createAccess(token);
  const routes = new Map(options.routes.map((route) => [route.path, route]));
  const server = createServer({
    // A submission may be large, and its sender slow: the receiver sees to that.
    requestTimeout: receiver === undefined ? REQUEST_TIMEOUT_MS : 0,
    headersTimeout: REQUEST_TIMEOUT_MS,
  });
  server.maxConnections = CONNECTIONS_MAX;
  // Requests in a row, without the answers being read, would pile answers up.
  server.maxRequestsPerSocket = 1;
  server.setTimeout(SILENCE_MS);
  let unsentBytes = 0;
  let answers = 0;
  server.on('request', (request, response) => {
    if (receiver?.handles(request.url ?? '') === true) {
      receiver.handle(request, response);
      return;
    }
    const busy = answers >= ANSWERS_MAX || unsentBytes > UNSENT_BYTES_MAX;
    answers++;
    response.once('close', () => answers--);
    void respond(request, { access, routes, busy })
      .catch((error: unknown) => {
        log('error', `http ${request.url?.split('?')[0] ?? ''}: ${errorText(error)}`);
        return json(500, { error: 'internal error; the log of the collector says more' });
      })
      .then((answer) => {
        const bytes = send(request, response, answer);
        if (response.closed) return; // the reader has gone
        unsentBytes += bytes;
        response.once('close', () => (unsentBytes -= bytes));
      });
  });
  server.on('clientError', (_error, socket) => {
    const body = JSON.stringify({ error: 'this is no HTTP request' });
    const head = `HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
    if (socket.writable) socket.end(`${head}\r\nConnection: close\r\n\r\n${body}`);
    else socket.destroy();
  });

  return {
    async listen() {
      await bind(server, host, port);
      const { port: bound } = server.address() as AddressInfo;
      return `http://${hostPort(host, bound)}/`;
    },
    close: () =>
      new Promise((resolve) => {
        receiver?.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Reply extends Answer {
  headers?: Record<string, string>;
}

interface Serving {
  access: Access;
  routes: ReadonlyMap<string, Route>;
  /** Only the small answers are given now. */
  busy: boolean;
}

async function respond(
  request: IncomingMessage,
  { access, routes, busy }: Serving,
): Promise<Reply> {
  const [path = '', query = ''] = (request.url ?? '').split('?', 2);
  const route = routes.get(path);
  if (route?.guarded === true) {
    const barred = access.check(request, path, query);
    if (barred !== undefined)
      return { ...json(barred.status, barred.body), headers: barred.headers };
  }
  if (route === undefined) {
    const known = [...routes.keys()].join(', ');
    return json(404, { error: `no such path; there are ${known}` });
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    const refusal = json(405, { error: `${path} takes GET, not ${request.method}` });
    return { ...refusal, headers: { Allow: 'GET, HEAD' } };
  }
  return busy && route.guarded ? tooBusy() : route.answer();
}

function tooBusy(): Reply {
  const error = 'too many answers are on their way to readers who do not read; try again';
  return { ...json(503, { error }), headers: { 'Retry-After': '1' } };
}

/** Sends an answer; returns how many bytes wait to be read until the response closes. */
function send(request: IncomingMessage, response: ServerResponse, reply: Reply): number {
  const bytes = Buffer.from(reply.body);
  response.writeHead(reply.status, {
    'Content-Type': reply.type,
    'Content-Length': bytes.length,
    'Cache-Control': 'no-store',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    ...reply.headers,
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
  // A body that was sent along is not waited for.
  if (!request.complete) response.once('finish', () => request.destroy());
  return bytes.length;
}

function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const address = `http ${hostPort(host, port)}`;
      const message =
        cause.code === 'EADDRINUSE'
          ? `${address} is in use: stop the program that holds it, or choose another with --http`
          : `${address} could not be bound: ${errorText(cause)}; choose another with --http`;
      reject(new StatcolError(ErrorCode.ERR_LISTEN, message, { cause }));
    });
    server.listen({ host, port, exclusive: true }, resolve);
  });
}
