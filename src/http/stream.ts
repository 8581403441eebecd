import type { IncomingHttpHeaders, ServerResponse } from 'node:http';

import { errorText } from '../errors.ts';
import type { Log } from '../flush/health.ts';
import type { Live, LiveStream } from '../live/live.ts';
import { readView } from '../live/view.ts';
import { drained } from './sending.ts';
import { json, type Route } from './server.ts';

/** A browser that lost the connection tries again so much later. */
const RETRY_MS = 1000;
/** A frame is written in pieces, each when the reader has taken those before. */
const PIECE_BYTES = 64 << 10;

/**
 * Returns the route of server-sent events: a frame at once, and one after each second. Who reads
 * slowly gets the next frame when he has the last one, with all that came meanwhile; so no more
 * than one frame waits for him. Who reads nothing is cut off by the server's own limit.
 */
export function streamRoute(live: Live, log: Log): Route {
  return {
    path: '/api/stream',
    guarded: true,
    streams: true,
    answer({ query, headers }) {
      const view = readView(query);
      if (Array.isArray(view)) return json(400, { error: view.join('; ') });
      return {
        type: 'text/event-stream',
        // A proxy that waits for more before it passes a frame on would show the past.
        headers: { 'X-Accel-Buffering': 'no' },
        start(response) {
          if (response.closed) return; // he has gone, and that will not be told again
          const stream = live.open(view, lastEventOf(headers));
          void tell(stream, response, log);
        },
      };
    },
  };
}

/** Returns the last second that the reader has; 0 where he does not say. */
function lastEventOf(headers: IncomingHttpHeaders): number {
  const id = headers['last-event-id'];
  return typeof id === 'string' && /^\d{1,12}$/.test(id) ? Number(id) : 0;
}

/** Tells one frame after the other, until the reader goes away. Never rejects. */
async function tell(stream: LiveStream, response: ServerResponse, log: Log): Promise<void> {
  let notify = (): void => {};
  response.once('close', () => {
    stream.close();
    notify();
  });
  stream.onSecond(() => notify());
  try {
    response.write(`retry: ${RETRY_MS}\n\n`);
    let told = -Infinity;
    while (!response.closed) {
      const second = stream.second();
      if (second > told) {
        const frame = await stream.frame(second);
        await write(response, `id: ${frame.second}\ndata: ${frame.text}\n\n`);
        told = second;
      } else await new Promise<void>((resolve) => (notify = resolve));
    }
  } catch (error) {
    if (response.closed) return; // what was being made was given up
    log('error', `http /api/stream: ${errorText(error)}`);
    response.destroy();
  }
}

async function write(response: ServerResponse, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length && !response.closed; at += PIECE_BYTES) {
    if (!response.write(bytes.subarray(at, at + PIECE_BYTES))) await drained(response);
  }
}
