import { isIPv6 } from 'node:net';

/** An IPv4 address as an IPv6 socket has it (RFC 4291, 2.5.5.2), in both spellings. */
const MAPPED = /^::ffff:(?:(\d+\.\d+\.\d+\.\d+)|([\da-f]{1,4}):([\da-f]{1,4}))$/i;

/** Returns `127.0.0.1:8125`, also of `::ffff:7f00:1`; or, for any other IPv6, `[::1]:8125`. */
export function hostPort(host: string, port: number): string {
  if (!isIPv6(host)) return `${host}:${port}`;
  const [isMapped, dotted, high = '', low = ''] = MAPPED.exec(host) ?? [];
  if (isMapped === undefined) return `[${host}]:${port}`;
  const bytes = [high, low].flatMap((hex) => {
    const word = parseInt(hex, 16);
    return [word >> 8, word & 255];
  });
  return `${dotted ?? bytes.join('.')}:${port}`;
}
