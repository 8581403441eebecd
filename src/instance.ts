import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

import { readInstance } from './option-readers.ts';

/**
 * Returns a name that no other process, and nothing else in this one, has: the host's, or one that
 * was given, and 64 random bits. It names who sends in markers and keys.
 */
export function newInstance(given = ''): string {
  const name = readInstance(given, { hostName: hostname() }) ?? 'statcol';
  return `${name}-${randomBytes(8).toString('hex')}`;
}
