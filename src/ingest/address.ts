import { isIPv6 } from 'node:net';

/** Returns `127.0.0.1:8125` or, for IPv6, `[::1]:8125`. */
export function hostPort(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}
