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

/**
 * Creates a middleware. Each request is counted once, however often it passes; its response too,
 * when the last of it was handed to the system (`finish`), or as aborted when the client was gone
 * before (`close`).
 */
export function createMiddleware(parts: MiddlewareParts): Middleware {
  const { keyRule, keys, observer, nowMs } = parts;
  const passed = Symbol('passed');

  return (request, response, next) => {
    if (!(passed in response)) observe(request, response);
    next?.();
  };

  function observe(request: RoutedRequest, response: JsendResponse): void {
    (response as unknown as Record<symbol, boolean>)[passed] = true;
    addJsend(response);
    const startMs = nowMs();
    let key: string | undefined;
    let isOpen = true;
    if (keyRule === 'path') {
      key = keys.admit(pathOf(request));
      observer.counted('requestTotal', key);
    } else {
      watchRoutes(request);
    }
    const end = (wasSent: boolean): void => {
      if (!isOpen) return;
      isOpen = false;
      if (key === undefined) {
        key = keys.admit(routeKey(request, response));
        observer.counted('requestTotal', key);
      }
      if (wasSent) sent(key, response, nowMs() - startMs);
      else observer.counted('aborted', key);
    };
    const onClose = (): void => end(false);
    // Over HTTP/2 a stream that was reset finishes too, without having been ended.
    response.on('finish', () => end(response.writableEnded));
    response.on('close', onClose);
    // Behind another on its connection, a response has no socket yet, and may never see it close.
    if (response.socket === null) request.once('aborted', onClose);
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

function routeKey(request: RoutedRequest, response: ServerResponse): string {
  const pattern = routePattern(request);
  if (pattern !== undefined) return pattern;
  return response.statusCode === 404 ? UNMATCHED : pathOf(request);
}
