import type { ServerResponse } from 'node:http';

import { prototypeOfApp } from './express-app.ts';

/** A response with what the middleware puts on it. */
export interface JsendResponse extends ServerResponse {
  /** Sends `{"status":…,"data":…}` and remembers the status. */
  jsend?: typeof jsend;
  /** The status that was sent by `jsend`; counted if it is success, error or fail. */
  jsendStatusSent?: unknown;
  /** Express has it. */
  json?: (body: unknown) => unknown;
}

/** Gives a response its `jsend`; in Express all of an application's at once, which costs less. */
export function addJsend(response: JsendResponse): void {
  if (response.jsend === jsend) return;
  const prototype = prototypeOfApp(response);
  if (prototype !== undefined) {
    const common = { writable: true, configurable: true };
    Object.defineProperties(prototype, {
      jsend: { ...common, value: jsend },
      jsendStatusSent: { ...common, value: undefined }, // found at once, where none is set
    });
  }
  if (response.jsend !== jsend) response.jsend = jsend;
}

/**
 * Sends a JSend body with the status code that is set (200 if none is): the `jsend` of a response.
 * Any status is sent; `success`, `error` and `fail`, in whatever case, are counted.
 */
function jsend(this: JsendResponse, status: string, data?: unknown): JsendResponse {
  const body = { status, data };
  if (typeof this.json === 'function') {
    this.json(body);
    this.jsendStatusSent = status; // not where that has thrown: nothing, or something else, is sent
    return this;
  }
  const bytes = Buffer.from(JSON.stringify(body));
  if (!this.hasHeader('Content-Type')) {
    this.setHeader('Content-Type', 'application/json; charset=utf-8');
  }
  this.setHeader('Content-Length', bytes.length);
  this.end(bytes);
  this.jsendStatusSent = status;
  return this;
}
