import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Why a request is not let in, as an answer. */
export interface Barred {
  status: number;
  body: { error: string };
  headers: Record<string, string>;
}

/** Decides who may see what the collector knows. */
export interface Access {
  /** Returns undefined for a request that may go on. */
  check(request: IncomingMessage, path: string, query: string): Barred | undefined;
}

const COOKIE = 'statcol_token';

/**
 * Creates the rule of access.
 *
 * With a token, it is asked for as `Authorization: Bearer …` or as the cookie that `/?token=…`
 * sets. Without one, only a Host header that names this machine is let in, so that no page from
 * elsewhere, having its own name point here, can read along (DNS rebinding).
 */
export function createAccess(token: string | undefined): Access {
  return {
    check(request, path, query) {
      if (token === undefined) {
        return isLoopbackHost(request.headers.host) ? undefined : wrongHost();
      }
      const offered = new URLSearchParams(query.replaceAll('+', '%2B')).get('token');
      if (path === '/' && offered !== null && isSame(offered, token)) return setCookie(token);
      const { authorization = '', cookie = '' } = request.headers;
      const bearer = /^Bearer +(.+)$/i.exec(authorization)?.[1];
      const fromCookie = cookieValue(cookie);
      const known = [bearer, fromCookie].some((one) => one !== undefined && isSame(one, token));
      return known ? undefined : noToken();
    },
  };
}

function isLoopbackHost(header: string | undefined): boolean {
  const host = (header ?? '').replace(/:\d+$/, '').toLowerCase();
  return host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Compares without telling by the time it takes how much is right. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

function cookieValue(header: string): string | undefined {
  for (const part of header.split(';')) {
    const [name, value] = part.trim().split('=', 2);
    if (name === COOKIE && value !== undefined) return decodeSafely(value);
  }
  return undefined;
}

function decodeSafely(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

function setCookie(token: string): Barred {
  const value = encodeURIComponent(token);
  return {
    status: 303,
    body: { error: 'go on to /' },
    headers: {
      Location: '/',
      'Set-Cookie': `${COOKIE}=${value}; HttpOnly; SameSite=Strict; Path=/; Max-Age=31536000`,
    },
  };
}

function wrongHost(): Barred {
  const error =
    'without --http-token this is served to loopback names only: use http://127.0.0.1 or http://localhost';
  return { status: 403, body: { error }, headers: {} };
}

function noToken(): Barred {
  const error = 'send the token as "Authorization: Bearer <token>", or open /?token=<token> once';
  return { status: 401, body: { error }, headers: { 'WWW-Authenticate': 'Bearer' } };
}
