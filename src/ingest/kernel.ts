import type { Log } from '../flush/health.ts';

/** Asked of the kernel: a second of 20,000 small datagrams, by its own way of counting. */
export const RECEIVE_BUFFER_BYTES: number = 16 << 20;

/** How many datagrams the kernel threw away because the receive buffer was full. */
export interface KernelDrops {
  /** Returns the number, and logs a growth, at most once in 10 s. Null where none is known. */
  read(): number | null;
  /** Logs a growth that was not said yet: the sockets are closed. */
  close(): void;
}

const SAY_EVERY_MS = 10_000;

/**
 * Creates a reader of the drops.
 *
 * @param count returns the number as the kernel told it last.
 */
export function createKernelDrops(
  count: () => number | null,
  { nowMs, log }: { nowMs: () => number; log: Log },
): KernelDrops {
  let drops: number | null = null;
  let said = 0;
  let saidMs = -Infinity;

  return {
    read() {
      drops = count();
      if ((drops ?? 0) > said && nowMs() - saidMs >= SAY_EVERY_MS) say();
      return drops;
    },
    close() {
      drops = count();
      if ((drops ?? 0) > said) say();
    },
  };

  function say(): void {
    log(
      'warn',
      `the kernel dropped ${(drops ?? 0) - said} datagrams that found the receive buffer full ` +
        `(${drops} since the start); a larger one helps: sysctl -w net.core.rmem_max=${RECEIVE_BUFFER_BYTES}`,
    );
    said = drops ?? 0;
    saidMs = nowMs();
  }
}

/**
 * Returns what to do about a receive buffer that is smaller than was asked for, or undefined where
 * it is not.
 */
export function receiveBufferAdvice(grantedBytes: number): string | undefined {
  const askedBytes = RECEIVE_BUFFER_BYTES;
  // Linux tells twice what it was asked for: it counts its own overhead in.
  const fullBytes = process.platform === 'linux' ? 2 * askedBytes : askedBytes;
  if (grantedBytes >= fullBytes) return undefined;
  return (
    `receive buffer: asked for ${askedBytes} bytes, ` +
    `granted ${(grantedBytes * askedBytes) / fullBytes}; a burst beyond it is dropped. To allow more: sysctl -w net.core.rmem_max=${askedBytes}`
  );
}
