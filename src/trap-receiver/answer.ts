import type { IncomingMessage, ServerResponse } from 'node:http';

/** How long, and for how many bytes, a body that nobody wants is still let in. */
const LINGER_MS = 2000;
const LINGER_BYTES = 4 * 1024 * 1024;

/**
 * Answers, with JSON or with nothing, and closes the connection.
 *
 * Where the body is still on its way, the answer goes out at once, and for a while what comes is
 * read and thrown away: to close on a sender that still sends makes it lose the answer.
 */
export function answer(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  more: { body?: unknown; headers?: Record<string, string> | undefined } = {},
): void {
  if (response.headersSent || response.destroyed) return;
  const bytes = more.body === undefined ? undefined : Buffer.from(JSON.stringify(more.body));
  response.writeHead(status, {
    ...(bytes === undefined
      ? {}
      : { 'Content-Type': 'application/json', 'Content-Length': bytes.length }),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...more.headers,
    Connection: 'close',
  });
  if (request.complete || bytes === undefined) {
    response.end(bytes);
    return;
  }
  response.write(bytes);
  let left = LINGER_BYTES;
  let isDone = false;
  const done = (): void => {
    if (isDone) return;
    isDone = true;
    clearTimeout(timer);
    response.end(() => {
      if (!request.complete) request.destroy();
    });
  };
  const timer = setTimeout(done, LINGER_MS);
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) done();
  });
  request.once('end', done).once('close', done).resume();
}
