import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { ErrorCode, errorText, StatcolError } from '../errors.ts';
import type { Log } from '../flush/health.ts';
import { hostPort } from '../ingest/address.ts';
import type { TrapReceiver } from '../trap-receiver/handler.ts';
import { type Access, createAccess } from './access.ts';
import { type Answer, send, sendHead } from './sending.ts';

export type { Answer } from './sending.ts';

/** A request, as far as routes care. */
export interface Asked {
  /** Behind the path of a route that takes more; percent-decoded. */
  rest: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
}

/** An answer without an end. */
export interface Streaming {
  type: string;
  headers?: Record<string, string>;
  /** Takes the response over, whose head was sent, until it closes. */
  start: (response: ServerResponse) => void;
}

/** A route: GET only. Rejecting is answered 500, with the error in the log. */
export interface Route {
  path: string;
  /** What comes behind the path, in a word; absent where nothing does. */
  rest?: string;
  /** Whether token and Host are asked for. */
  guarded: boolean;
  /** Its answers are open for long, and so limited by themselves. */
  streams?: boolean;
  answer: (asked: Asked) => Answer | Streaming | Promise<Answer>;
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
  /** Who does not read for so long is not waited for; 30 s, but for tests. */
  silenceMs?: number;
}

/** Many browsers and scrapers, and no more than a process has descriptors for. */
const CONNECTIONS_MAX = 500;
/** A request that takes longer to arrive is an attack or a mistake: none has a body worth it. */
const REQUEST_TIMEOUT_MS = 10_000;
/** A stream's address may name 16 things of 512 bytes, most of them percent-encoded. */
const HEAD_BYTES_MAX = 64 << 10;
const SILENCE_MS = 30_000;
/** Answers being made or on their way: each may be megabytes, and is made on this one thread. */
const ANSWERS_MAX = 32;
/** A page has one. */
const STREAMS_MAX = 32;
/** And how large those on their way may be together. */
const UNSENT_BYTES_MAX = 64 << 20;

const INTERNAL_ERROR = 'internal error; the log of the collector says more';

/** Returns a JSON answer. */
export function json(status: number, value: unknown): Answer {
  return { status, type: 'application/json', body: JSON.stringify(value) };
}

/** Creates the server; it is bound by `listen`. */
export function createHttpServer(options: HttpOptions): HttpServer {
  const { host, port, token, receiver, log } = options;
  const access = createAccess(token);
  const server = createServer({
    // A submission may be large, and its sender slow: the receiver sees to that.
    requestTimeout: receiver === undefined ? REQUEST_TIMEOUT_MS : 0,
    headersTimeout: REQUEST_TIMEOUT_MS,
    maxHeaderSize: HEAD_BYTES_MAX,
  });
  server.maxConnections = CONNECTIONS_MAX;
  // Requests in a row, without the answers being read, would pile answers up.
  server.maxRequestsPerSocket = 1;
  server.setTimeout(options.silenceMs ?? SILENCE_MS);
  const answers = new Set<ServerResponse>();
  const streams = new Set<ServerResponse>();
  // Pieces made ahead of their readers alone must not keep others from being answered.
  const hasRoom = (): boolean => unsentBytes(answers) <= UNSENT_BYTES_MAX / 2;
  server.on('request', (request, response) => {
    if (receiver?.handles(request.url ?? '') === true) {
      receiver.handle(request, response);
      return;
    }
    const target = targetOf(request.url ?? '', options.routes);
    const isStream = target.route?.streams === true;
    const open = isStream ? streams : answers;
    const isBusy = isStream
      ? streams.size >= STREAMS_MAX
      : answers.size >= ANSWERS_MAX || unsentBytes(answers) > UNSENT_BYTES_MAX;
    open.add(response);
    response.once('close', () => open.delete(response));
    const outlet = { request, response, hasRoom };
    const fail = (error: unknown): Promise<void> => {
      log('error', `http ${target.path}: ${errorText(error)}`);
      if (response.headersSent)
        response.destroy(); // cut short, so that nobody takes it for whole
      else return send(outlet, json(500, { error: INTERNAL_ERROR }));
      return Promise.resolve();
    };
    const reply = async (): Promise<void> => {
      const answer = await respond(request, target, { access, routes: options.routes, isBusy });
      if (!('start' in answer)) return send(outlet, answer);
      sendHead(outlet, { status: 200, ...answer });
      if (request.method === 'HEAD') response.end();
      else answer.start(response);
    };
    void reply().catch(fail);
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

/** What a request is for. */
interface Target {
  path: string;
  query: string;
  /** Undefined: there is none. */
  route: Route | undefined;
}

function targetOf(url: string, routes: readonly Route[]): Target {
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? '' : url.slice(mark + 1);
  const route = routes.find((one) => {
    return one.rest === undefined ? one.path === path : path.startsWith(one.path);
  });
  return { path, query, route };
}

interface Serving {
  access: Access;
  routes: readonly Route[];
  /** Only the small answers are given now. */
  isBusy: boolean;
}

async function respond(
  request: IncomingMessage,
  { path, query, route }: Target,
  { access, routes, isBusy }: Serving,
): Promise<Answer | Streaming> {
  if (route?.guarded === true) {
    const barred = access.check(request, path, query);
    if (barred !== undefined)
      return { ...json(barred.status, barred.body), headers: barred.headers };
  }
  if (route === undefined) {
    return json(404, { error: `no such path; there are ${routes.map(shown).join(', ')}` });
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    const refusal = json(405, { error: `${shown(route)} takes GET, not ${request.method}` });
    return { ...refusal, headers: { Allow: 'GET, HEAD' } };
  }
  const rest = decoded(path.slice(route.path.length));
  if (rest === undefined) {
    return json(400, {
      error: `${shown(route)}: expected UTF-8 in percent-encoding; write % as %25`,
    });
  }
  if (isBusy && route.guarded) return tooBusy(route);
  return route.answer({ rest, query: new URLSearchParams(query), headers: request.headers });
}

/** A route's path as people write it. */
function shown({ path, rest }: Route): string {
  return rest === undefined ? path : `${path}<${rest}>`;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function tooBusy({ streams }: Route): Answer {
  const error =
    streams === true
      ? `${STREAMS_MAX} streams are open already, which is all there may be; close one, or try again`
      : 'too many answers are on their way to readers who do not read; try again';
  return { ...json(503, { error }), headers: { 'Retry-After': '1' } };
}

/** How many bytes wait to be read. */
function unsentBytes(responses: Iterable<ServerResponse>): number {
  let bytes = 0;
  for (const { writableLength } of responses) bytes += writableLength;
  return bytes;
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
