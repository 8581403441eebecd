import type { IncomingMessage, ServerResponse } from 'node:http';

import { type Passage, watchEnding, type Watcher } from './endings.ts';
import { addJsend, type JsendResponse } from './jsend.ts';
import type { Keys } from './keys.ts';
import { UNMATCHED } from './keys.ts';
import { jsendKind, type Kind, statusKind } from './kinds.ts';
import { pathOf, routePattern, type RoutedRequest, watchRoutes } from './route.ts';

declare global {
  // Where @types/express is in use, its responses have what the middleware puts on them.
  namespace Express {
    interface Response {
      /** Sends `{"status":…,"data":…}`; success, error and fail are counted. */
      jsend(status: string, data?: unknown): unknown;
    }
  }
}

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

/** A request that has come in. */
interface Timed extends Passage<RoutedRequest> {
  readonly response: JsendResponse;
  readonly startMs: number;
  /** Known from the start by path, at the end by route. */
  readonly key: string | undefined;
  /** The patterns of mounts are known. */
  readonly isWatched: boolean;
}

/**
 * Creates a middleware. Each request is counted once, however often it passes; its response too,
 * when the last of it was handed to the system (`finish`), or as aborted when the client was gone
 * before (`close`). Cost: see `npm run bench:middleware`.
 */
export function createMiddleware(parts: MiddlewareParts): Middleware {
  const { keyRule, keys, observer, nowMs } = parts;
  const watcher: Watcher<RoutedRequest> = {
    ended: (passage, isSent) => end(passage as Timed, isSent),
  };

  return (request, response, next) => {
    observe(request, response);
    next?.();
  };

  function observe(request: RoutedRequest, response: JsendResponse): void {
    const startMs = nowMs();
    addJsend(response);
    const key = keyRule === 'path' ? keys.admit(pathOf(request), true) : undefined;
    const isWatched = key === undefined && watchRoutes(request);
    const passage: Timed = { request, response, watcher, startMs, key, isWatched };
    if (!watchEnding(passage)) return;
    if (key !== undefined) observer.counted('requestTotal', key);
  }

  function end(passage: Timed, isSent: boolean): void {
    const { response, startMs, key } = passage;
    const known = key ?? keyOf(passage);
    if (key === undefined) observer.counted('requestTotal', known);
    if (isSent) sent(known, response, nowMs() - startMs);
    else observer.counted('aborted', known);
  }

  function keyOf({ request, response, isWatched }: Timed): string {
    const pattern = routePattern(request, isWatched);
    if (pattern !== undefined) return keys.admit(pattern, true);
    return keys.admit(response.statusCode === 404 ? UNMATCHED : pathOf(request), false);
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
