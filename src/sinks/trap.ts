import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

import type { Time } from '../flush/time.ts';

/** How long a push may take. */
export const TRAP_TIMEOUT_MS = 10_000;

/** What a trap is made with. */
export interface TrapOptions {
  /** `http://` or `https://`; what stands in the path may be a secret and is never shown. */
  url: string;
  /** PEM text of the CA that the trap's certificate must come from; the system's when absent. */
  ca: string | undefined;
  /** The name the certificate must bear; the URL's host when absent. */
  servername: string | undefined;
  /** How long the whole exchange may take; most often {@link TRAP_TIMEOUT_MS}. */
  timeoutMs: number;
  time: Time;
  /** Whether a push does not keep the process alive; by default it does. */
  isBackground?: boolean;
}

/** What a trap made of a body. Every other outcome is a rejection: send it again. */
export type TrapAnswer =
  /** Taken. `note` is what the trap remarked, such as metrics it filtered. */
  | { taken: true; note: string | undefined }
  /** Refused for good. */
  | { taken: false; status: number };

/** An HTTP trap that takes timings. */
export interface Trap {
  /** What it is called in the log: its origin. Holds no secret. */
  readonly label: string;
  /**
   * Sends a body. Rejects on a network error, when the time is up, and on 408, 429 and 5xx: the
   * same body is then to be sent again under the same key.
   *
   * @param key names the body: a trap that has taken it takes it no second time.
   */
  push(body: string, key: string): Promise<TrapAnswer>;
  /** Cuts what is under way; its push rejects. */
  close(): void;
}

/** An answer says more than this only by mistake. */
const ANSWER_BYTES_MAX = 64 * 1024;

/**
 * Creates a trap.
 *
 * A connection per body: a trap closes after each answer, and a body sent into a connection that
 * is just being closed would have to be sent twice. The certificate is always verified.
 */
export function createTrap(options: TrapOptions): Trap {
  const { url, ca, servername, timeoutMs, time, isBackground } = options;
  const target = new URL(url);
  const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
  let current: ClientRequest | undefined;

  return {
    label: `trap ${target.origin}`,
    push,
    close: () => void current?.destroy(new Error('the collector stops')),
  };

  async function push(body: string, key: string): Promise<TrapAnswer> {
    const bytes = Buffer.from(body);
    const request = send(target, {
      method: 'PUT',
      agent: false,
      headers: {
        'Content-Type': 'application/json',
        'Content-Length': bytes.length,
        'Idempotency-Key': key,
        Connection: 'close',
      },
      ...(ca === undefined ? {} : { ca }),
      ...(servername === undefined ? {} : { servername }),
    });
    current = request;
    if (isBackground === true) request.once('socket', (socket) => socket.unref());
    const cancelTimeout = time.after(timeoutMs, () => {
      request.destroy(new Error(`no answer within ${timeoutMs / 1000} s`));
    });
    try {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        request.once('response', resolve).on('error', reject);
        request.end(bytes);
      });
      return await judge(response);
    } finally {
      cancelTimeout();
      request.destroy();
      current = undefined;
    }
  }
}

async function judge(response: IncomingMessage): Promise<TrapAnswer> {
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) {
    return { taken: true, note: remark(await readAnswer(response)) };
  }
  if (status === 408 || status === 429 || status >= 500) throw new Error(`answered ${status}`);
  return { taken: false, status };
}

/** The status has decided already: an answer that is cut, late or too long is just not read. */
async function readAnswer(response: IncomingMessage): Promise<string> {
  let text = '';
  try {
    response.setEncoding('utf8');
    for await (const piece of response) {
      text += piece as string;
      if (text.length > ANSWER_BYTES_MAX) return '';
    }
  } catch {
    return '';
  }
  return text;
}

/** Returns what a trap's `{"stats":n,"filtered":m,"error":"…"}` has to complain about. */
function remark(answer: string): string | undefined {
  try {
    const { error, filtered } = JSON.parse(answer) as { error?: unknown; filtered?: unknown };
    if (typeof error === 'string') return error.slice(0, 200);
    return typeof filtered === 'number' && filtered > 0
      ? `${filtered} metrics filtered`
      : undefined;
  } catch {
    return undefined; // not JSON, or none at all: a status is answer enough
  }
}
