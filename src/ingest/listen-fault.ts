import { NO_LIBC } from './libc.ts';

/** Returns what to tell the one whose address could not be bound, by the system's code. */
export function listenFault(code: string, message: string, at: string): string {
  const address = `udp ${at}`;
  if (code === NO_LIBC) return `${message}; or leave it to --receiver auto, or dgram`;
  if (code === 'EADDRINUSE') {
    return `${address} is in use: stop the program that holds it, or choose another with --port`;
  }
  if (code === 'EACCES') {
    return `${address} may not be bound: ports below 1024 need rights; choose another with --port`;
  }
  if (code === 'EADDRNOTAVAIL') {
    return `${address} is no address of this machine: choose one of its own with --host`;
  }
  return `${address} could not be bound: ${message}`;
}
