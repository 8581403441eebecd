import { NO_LIBC } from './libc.ts';

/** An address, as the one is told who gave it. */
export interface ListenPlace {
  /** Such as `udp 127.0.0.1:8125`. */
  address: string;
  /** The flag that says where; and, if it is another, the one that chooses the host. */
  flag: string;
  hostFlag?: string;
}

/** Returns what to tell the one whose address could not be bound, by the system's code. */
export function listenFault(
  code: string,
  message: string,
  { address, flag, hostFlag = flag }: ListenPlace,
): string {
  if (code === NO_LIBC) return `${message}; or leave it to --receiver auto, or dgram`;
  if (code === 'EADDRINUSE') {
    return `${address} is in use: stop the program that holds it, or choose another with ${flag}`;
  }
  if (code === 'EACCES') {
    return `${address} may not be bound: ports below 1024 need rights; choose another with ${flag}`;
  }
  if (code === 'EADDRNOTAVAIL') {
    return `${address} is no address of this machine: choose one of its own with ${hostFlag}`;
  }
  return `${address} could not be bound: ${message}`;
}
