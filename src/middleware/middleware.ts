import type { IncomingMessage, ServerResponse } from 'node:http';

import { addJsend, type JsendResponse } from './jsend.ts';
import type { Keys } from './keys.ts';
import { UNMATCHED } from './keys.ts';
import { jsendKind, type Kind, statusKind } from './kinds.ts';
import { pathOf, routePattern, type RoutedRequest, watchRoutes } from './route.ts';

/** Middleware for Express, Connect, or a plain server of `node:http`. Synchronous. */
export type Middleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next?: (error?: unknown) => void,
) => void;

/** `route`: the pattern of the route that matched, else the path. `path`: always the path. */
export type KeyRule = 'route' | 'path';

/** Where a middleware's observations go. */
export interface Observer {
  /** Something of this kind happened to this key. */
  counted(kind: Kind, key: string): void;
  /** A response was sent; whole milliseconds from the request's coming in. */
  timed(key: string, ms: number): void;
}

/** What a middleware is made with. */
export interface MiddlewareParts {
  keyRule: KeyRule;
  keys: Keys;
  observer: Observer;
  nowMs: () => number;
}

/** A request that has come in, on its response until that has ended. */
interface Passage {
  readonly request: RoutedRequest;
  readonly startMs: number;
  /** Known from the start by path, at the end by route. */
  key: string | undefined;
  isOpen: boolean;
}

/**
 * Creates a middleware. Each request is counted once, however often it passes; its response too,
 * when the last of it was handed to the system (`finish`), or as aborted when the client was gone
 * before (`close`).
 *
 * Cost: one object, one property and two listeners a request (`npm run bench:middleware`).
 */
export function createMiddleware(parts: MiddlewareParts): Middleware {
  const { keyRule, keys, observer, nowMs } = parts;
  const PASSAGE = Symbol('passage');
  type Passing = JsendResponse & { [PASSAGE]?: Passage };

  return (request, response: Passing, next) => {
    if (response[PASSAGE] === undefined) observe(request, response);
    next?.();
  };

  function observe(request: RoutedRequest, response: Passing): void {
    addJsend(response);
    const passage: Passage = { request, startMs: nowMs(), key: undefined, isOpen: true };
    response[PASSAGE] = passage;
    if (keyRule === 'path') {
      passage.key = keys.admit(pathOf(request));
      observer.counted('requestTotal', passage.key);
    } else {
      watchRoutes(request);
    }
    response.on('finish', onFinish);
    response.on('close', onClose);
    // Behind another on its connection, a response has no socket yet, and may never see it close.
    if (response.socket === null) request.once('aborted', () => end(response, false));
  }

  function onFinish(this: Passing): void {
    end(this, wasSent(this));
  }

  function onClose(this: Passing): void {
    end(this, false);
  }

  function end(response: Passing, isSent: boolean): void {
    const passage = response[PASSAGE];
    if (passage?.isOpen !== true) return;
    passage.isOpen = false;
    const { request, startMs } = passage;
    let { key } = passage;
    if (key === undefined) {
      key = keys.admit(routeKey(request, response));
      observer.counted('requestTotal', key);
    }
    if (isSent) sent(key, response, nowMs() - startMs);
    else observer.counted('aborted', key);
  }

  function sent(key: string, response: JsendResponse, ms: number): void {
    observer.counted('responseTotal', key);
    const ofStatus = statusKind(response.statusCode);
    if (ofStatus !== undefined) observer.counted(ofStatus, key);
    const ofJsend = jsendKind(response.jsendStatusSent);
    if (ofJsend !== undefined) observer.counted(ofJsend, key);
    observer.timed(key, Math.round(ms));
  }
}

/** Some of what finishes has not gone out. */
function wasSent({ req: request, writableEnded }: ServerResponse): boolean {
  // Over HTTP/2, a stream that its client has reset.
  if (request.httpVersionMajor >= 2) return writableEnded;
  // In Node 20, what was still to be written when the client went away.
  return !request.socket.destroyed;
}

function routeKey(request: RoutedRequest, response: ServerResponse): string {
  const pattern = routePattern(request);
  if (pattern !== undefined) return pattern;
  return response.statusCode === 404 ? UNMATCHED : pathOf(request);
}
