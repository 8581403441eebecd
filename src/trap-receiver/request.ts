import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** An answer without its body being read. */
export interface Refusal {
  status: number;
  error: string;
  headers?: Record<string, string>;
}

/** What the head of a request says of the submission. */
export interface Head {
  /** Of the `Idempotency-Key`, within the check; undefined where there is none. */
  key: string | undefined;
  isGzip: boolean;
  /** How long the body will be, where that is said and means the body itself. */
  announcedBytes: number;
}

/** Where a trap receiver is. */
export const TRAP_PATH = '/module/httptrap';
/** The methods, as an `Allow` header. */
export const TRAP_METHODS = 'POST, PUT, OPTIONS';

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;
/** 1 to 200 printable ASCII characters. */
const KEY = /^[ -~]{1,200}$/;

/**
 * Reads the head of a submission; returns why it is refused, or what is to be known of it.
 *
 *     PUT /module/httptrap/0b1c2d3e-0000-4000-8000-123456789abc/secret/anything?at=all
 *         ^^^^^^^^^^^^^^^^ ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ ^^^^^^
 *         path             check: any UUID                      as it is, or percent-encoded
 */
export function readHead(
  request: IncomingMessage,
  secret: string,
  bodyBytesMax: number,
): Head | Refusal {
  const { method, headers } = request;
  if (method !== 'PUT' && method !== 'POST') {
    const error = `a trap takes PUT and POST, not ${method}`;
    return { status: 405, error, headers: { Allow: TRAP_METHODS } };
  }
  const [path = ''] = (request.url ?? '').split('?', 1);
  const [uuid = '', offered] = path.slice(TRAP_PATH.length + 1).split('/', 2);
  if (offered === undefined) return { status: 404, error: 'bad uri' };
  if (!UUID.test(uuid)) return { status: 404, error: 'uuid parse error' };
  if (!isSecret(offered, secret)) return { status: 403, error: 'secret mismatch' };
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  const isGzip = encoding === 'gzip' || encoding === 'x-gzip';
  if (!isGzip && encoding !== 'identity' && encoding !== '') {
    const error = 'of content encodings, gzip is known here';
    return { status: 415, error, headers: { 'Accept-Encoding': 'gzip, identity' } };
  }
  const key = headers['idempotency-key'];
  if (key !== undefined && !(typeof key === 'string' && KEY.test(key))) {
    return { status: 400, error: 'an Idempotency-Key has 1 to 200 printable ASCII characters' };
  }
  const announced = Number(headers['content-length'] ?? 0);
  if (announced > bodyBytesMax) return tooLarge(bodyBytesMax);
  return {
    key: key === undefined ? undefined : `${uuid.toLowerCase()} ${key}`,
    isGzip,
    announcedBytes: isGzip ? 0 : announced,
  };
}

/** Returns the refusal of a body that is too long. */
export function tooLarge(bodyBytesMax: number): Refusal {
  return { status: 413, error: `a body may have ${bodyBytesMax} bytes, after gunzip too` };
}

function isSecret(offered: string, secret: string): boolean {
  // Both are compared whatever the first one gives.
  const asIs = isSame(offered, secret);
  return isSame(decodeSafely(offered), secret) || asIs;
}

/** Compares without telling by the time it takes how much is right. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

function decodeSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
