import type * as redis from 'redis';

let loaded: typeof redis | undefined;

/**
 * Loads node-redis, once. That takes longer than all else of a start, and who counts in memory, or
 * only sends, needs nothing of it.
 */
export async function loadRedis(): Promise<typeof redis> {
  return (loaded ??= await import('redis'));
}

/** Returns whether Redis itself has said that: the connection is in order then. */
export function isErrorReply(error: unknown): error is Error {
  return loaded !== undefined && error instanceof loaded.ErrorReply;
}
