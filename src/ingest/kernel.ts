import type { Log } from '../flush/health.ts';
import { readUdpSocket } from './proc-net-udp.ts';

/** Asked of the kernel: a second of 20,000 small datagrams, by its own way of counting. */
export const RECEIVE_BUFFER_BYTES: number = 16 << 20;

/** How many datagrams the kernel threw away because the receive buffer was full. */
export interface KernelDrops {
  /** Asks the kernel, and logs a growth, at most once in 10 s. Null where it does not tell. */
  read(): number | null;
  /** Takes the number that was read last of all, before the socket was closed, and logs it. */
  close(drops: number | null): void;
}

const SAY_EVERY_MS = 10_000;

/** Creates a reader of the drops of a socket. The last number seen stays when it is closed. */
export function createKernelDrops(
  { address, port }: { address: string; port: number },
  { nowMs, log }: { nowMs: () => number; log: Log },
): KernelDrops {
  let drops: number | null = null;
  let said = 0;
  let saidMs = -Infinity;

  return {
    read() {
      see(readUdpSocket(address, port)?.drops);
      if ((drops ?? 0) > said && nowMs() - saidMs >= SAY_EVERY_MS) say();
      return drops;
    },
    close(last) {
      see(last);
      if ((drops ?? 0) > said) say();
    },
  };

  function see(found: number | null | undefined): void {
    if (found !== undefined && found !== null && found >= (drops ?? 0)) drops = found;
  }

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
