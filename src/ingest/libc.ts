import { isIPv6 } from 'node:net';
import { endianness } from 'node:os';

import { addressBytes } from './proc-net-udp.ts';

/** Memory that C reads or writes. Keep a reference for as long as C may: it does not. */
export type CMemory = Uint8Array | Uint32Array;

/** The calls of the C library that a receiver makes. Each returns -1 on an error; see `errno`. */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  setsockopt(fd: number, level: number, name: number, value: CMemory, length: number): number;
  getsockopt(fd: number, level: number, name: number, value: CMemory, length: CMemory): number;
  bind(fd: number, address: CMemory, length: number): number;
  connect(fd: number, address: CMemory, length: number): number;
  shutdown(fd: number, how: number): number;
  getsockname(fd: number, address: CMemory, length: CMemory): number;
  recvmmsg(fd: number, headers: CMemory, count: number, flags: number, timeout: null): number;
  poll(descriptors: CMemory, count: number, timeoutMs: number): number;
  eventfd(initial: number, flags: number): number;
  read(fd: number, into: CMemory, length: number): number;
  close(fd: number): number;
  /** Returns where the mapping is; of one that failed, an address that no mapping has. */
  mmap(
    address: bigint,
    length: number,
    protection: number,
    flags: number,
    fd: number,
    offset: number,
  ): bigint;
  munmap(address: bigint, length: number): number;
  /** Returns 0, or an error's number; `errno` has nothing to do with it. */
  posix_fallocate(fd: number, offset: number, length: number): number;
  flock(fd: number, operation: number): number;
  /** Of the calling thread, if `which` and `who` are 0: on Linux each has its own. */
  setpriority(which: number, who: number, nice: number): number;
  /** Why the last call failed. */
  errno(): number;
  /** Where memory stands. */
  address(of: CMemory): bigint;
  /** Memory that C knows, as an array's. It is not kept: it is there for as long as C has it. */
  view(address: bigint, length: number): ArrayBuffer;
}

/** Numbers of Linux, the same on x64 and arm64, with glibc and with musl. Source: linux/socket.h. */
export const LINUX = {
  AF_UNIX: 1,
  AF_INET: 2,
  AF_INET6: 10,
  SOCK_DGRAM: 2,
  SOCK_CLOEXEC: 0o2000000,
  EFD_CLOEXEC: 0o2000000,
  EFD_NONBLOCK: 0o4000,
  SOL_SOCKET: 1,
  SO_RCVBUF: 8,
  SO_REUSEPORT: 15,
  SO_RCVBUFFORCE: 33,
  SO_MEMINFO: 55,
  MSG_TRUNC: 0x20,
  MSG_DONTWAIT: 0x40,
  SHUT_RD: 0,
  POLLIN: 1,
  PROT_RW: 3,
  MAP_SHARED: 0x01,
  MAP_PRIVATE: 0x02,
  MAP_FIXED: 0x10,
  MAP_ANONYMOUS: 0x20,
  MAP_NORESERVE: 0x4000,
  LOCK_EX: 2,
  LOCK_NB: 4,
  EPERM: 1,
  ENOENT: 2,
  EAGAIN: 11,
  EBADF: 9,
  EACCES: 13,
  EFAULT: 14,
  EINVAL: 22,
  ENOTSOCK: 88,
  EPROTOTYPE: 91,
  ECONNREFUSED: 111,
} as const;

/** The names that Node gives to what calls fail of. */
const ERROR_NAMES: Readonly<Record<number, string>> = {
  1: 'EPERM',
  2: 'ENOENT',
  5: 'EIO',
  13: 'EACCES',
  20: 'ENOTDIR',
  22: 'EINVAL',
  23: 'ENFILE',
  24: 'EMFILE',
  28: 'ENOSPC',
  30: 'EROFS',
  95: 'EOPNOTSUPP',
  97: 'EAFNOSUPPORT',
  98: 'EADDRINUSE',
  99: 'EADDRNOTAVAIL',
  122: 'EDQUOT',
};

/** Returns an error of a call, with a `code` as Node's own have it. */
export function callError(call: string, errno: number): Error {
  const code = ERROR_NAMES[errno] ?? `errno ${errno}`;
  return Object.assign(new Error(`${call}: ${code}`), { code });
}

/** The code of {@link NoLibc} between the threads. */
export const NO_LIBC = 'NO_LIBC';

/** The C library cannot be called; the message says why, and what to do. */
export class NoLibc extends Error {
  override readonly name = 'NoLibc';
}

/**
 * Loads the C library through koffi. Rejects with {@link NoLibc} where it cannot be had: not Linux,
 * not a 64-bit machine of the usual byte order, or no koffi.
 */
export async function loadLibc(): Promise<Libc> {
  const { arch, platform } = process;
  if (platform !== 'linux' || !['x64', 'arm64'].includes(arch) || endianness() !== 'LE') {
    throw new NoLibc(`recvmmsg needs Linux on x64 or arm64, this is ${platform} on ${arch}`);
  }
  const { default: koffi } = await import('koffi').catch(() => {
    throw new NoLibc('recvmmsg needs koffi, which is not installed: npm install koffi');
  });
  const library = koffi.load(null); // what the process itself is linked to
  const declare = (prototype: string): never => library.func(prototype) as never;
  const value = 'int fd, int level, int name, void *value';
  const mmap: (...args: unknown[]) => number | bigint = declare(
    'uintptr_t mmap(uintptr_t address, uint64_t length, int protection, int flags, int fd, int64_t offset)',
  );
  return {
    socket: declare('int socket(int domain, int type, int protocol)'),
    setsockopt: declare(`int setsockopt(${value}, uint32_t length)`),
    getsockopt: declare(`int getsockopt(${value}, void *length)`),
    bind: declare('int bind(int fd, void *address, uint32_t length)'),
    connect: declare('int connect(int fd, void *address, uint32_t length)'),
    shutdown: declare('int shutdown(int fd, int how)'),
    getsockname: declare('int getsockname(int fd, void *address, void *length)'),
    recvmmsg: declare(
      'int recvmmsg(int fd, void *headers, uint32_t count, int flags, void *timeout)',
    ),
    poll: declare('int poll(void *descriptors, uint64_t count, int timeoutMs)'),
    eventfd: declare('int eventfd(uint32_t initial, int flags)'),
    read: declare('int64_t read(int fd, void *into, uint64_t length)'),
    close: declare('int close(int fd)'),
    mmap: (...args) => BigInt(mmap(...args)),
    munmap: declare('int munmap(uintptr_t address, uint64_t length)'),
    posix_fallocate: declare('int posix_fallocate(int fd, int64_t offset, int64_t length)'),
    flock: declare('int flock(int fd, int operation)'),
    setpriority: declare('int setpriority(int which, uint32_t who, int nice)'),
    errno: () => koffi.errno(),
    address: (of) => koffi.address(of),
    view: (address, length) => koffi.view(address, length),
  };
}

/** The longest address that a socket of ours has: `sockaddr_in6`. */
export const ADDRESS_BYTES = 28;

/**
 * Returns an address as C has it.
 *
 *     sockaddr_in   family:2 port:2 address:4 zero:8
 *     sockaddr_in6  family:2 port:2 flow:4 address:16 scope:4
 *
 * The family is in the machine's byte order, the port in the network's.
 */
export function socketAddress(host: string, port: number): Buffer {
  const is6 = isIPv6(host);
  const bytes = Buffer.alloc(is6 ? ADDRESS_BYTES : 16);
  bytes.writeUInt16LE(is6 ? LINUX.AF_INET6 : LINUX.AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(addressBytes(host), is6 ? 8 : 4);
  return bytes;
}

/** The longest path of a unix socket: `sun_path` has 108 bytes, and a NUL at its end. */
export const UNIX_PATH_BYTES_MAX = 107;

/**
 * Returns the address of a unix socket as C has it.
 *
 *     sockaddr_un   family:2 path:108
 */
export function unixAddress(path: string): Buffer {
  const bytes = Buffer.alloc(2 + UNIX_PATH_BYTES_MAX + 1);
  bytes.writeUInt16LE(LINUX.AF_UNIX, 0);
  bytes.write(path, 2, UNIX_PATH_BYTES_MAX);
  return bytes;
}

/** Reads an address back: the host as Node writes it, and the port. */
export function readSocketAddress(bytes: Buffer, at = 0): { host: string; port: number } {
  const port = bytes.readUInt16BE(at + 2);
  if (bytes.readUInt16LE(at) === LINUX.AF_INET) {
    return { host: [...bytes.subarray(at + 4, at + 8)].join('.'), port };
  }
  const groups = Array.from({ length: 8 }, (_, one) =>
    bytes.readUInt16BE(at + 8 + 2 * one).toString(16),
  );
  // The URL parser writes addresses in their shortest form.
  return { host: new URL(`udp://[${groups.join(':')}]`).hostname.slice(1, -1), port };
}
