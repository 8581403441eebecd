import { readUdpSocket } from './proc-net-udp.ts';

/**
 * Returns a reader of how many datagrams the kernel threw away for a socket because its receive
 * buffer was full; null where the system does not tell. The kernel forgets the number with the
 * socket: the last one seen stays.
 */
export function createKernelDrops(address: string, port: number): () => number | null {
  let drops: number | null = null;
  return () => (drops = readUdpSocket(address, port)?.drops ?? drops);
}

/**
 * Returns what to do about a receive buffer that is smaller than was asked for, or undefined where
 * it is not.
 */
export function receiveBufferAdvice(askedBytes: number, grantedBytes: number): string | undefined {
  // Linux tells twice what it was asked for: it counts its own overhead in.
  const fullBytes = process.platform === 'linux' ? 2 * askedBytes : askedBytes;
  if (grantedBytes >= fullBytes) return undefined;
  return (
    `receive buffer: the kernel granted ${grantedBytes} bytes of ${fullBytes}, and may drop ` +
    `datagrams in a burst. To allow more: sysctl -w net.core.rmem_max=${askedBytes}`
  );
}
