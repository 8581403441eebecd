import { isIPv6 } from 'node:net';
import { performance } from 'node:perf_hooks';

import { hostPort } from './address.ts';
import {
  ADDRESS_BYTES,
  callError,
  type CMemory,
  type Libc,
  LINUX,
  readSocketAddress,
  socketAddress,
} from './libc.ts';
import { createBatch } from './recvmmsg-batch.ts';
import {
  muteHost,
  MUTE_PORT,
  READ_FIRST_MAX,
  type Receiver,
  type ReceiverOptions,
} from './receiver.ts';

/**
 * How long datagrams may gather when a batch came back short: fewer calls and wake-ups. The longer
 * one saves 6 % of the processor time at 300,000 a second; it needs room for what comes meanwhile.
 */
const REST_MS = 0.2;
const LONG_REST_MS = 1;
/** The granted buffer from which on there is that room: 10,000 small datagrams. */
const LONG_REST_BUFFER_BYTES = 8 << 20;
/**
 * From so many datagrams in a batch on, the kernel is not asked who sent them: that is 10 % of its
 * work. Until a line is refused, then it is for as long as anything more of that might come.
 */
const NAMELESS_FROM = 64;
const NAMED_FOR_MS = 10_000;
/** After so many rests in a row with nothing to read, it sleeps until something comes. */
const RESTS_MAX = 10;
/** How long it sleeps at most, unless something comes, or somebody wakes it. */
const SLEEP_MS = 1000;
/**
 * The thread's niceness, where the system lets it have one below 0: when many threads want a core,
 * such as those that collect the main thread's garbage, datagrams must not wait for all of them.
 */
const NICE = -10;
/** How long it reads before the thread looks at what it is asked for. */
const TURN_MS = 2;

/**
 * Opens a UDP socket that is read with `recvmmsg`, 256 datagrams a call; or reads a unix socket
 * that is bound. For a thread of its own: it sleeps in the kernel until something comes or somebody
 * wakes it. Throws the system's error where the socket cannot be bound.
 */
export function openRecvmmsgReceiver(libc: Libc, options: ReceiverOptions): Receiver {
  const fd = options.adopt?.socketFd ?? openSocket(libc, options);
  libc.setpriority(0, 0, NICE);
  const batch = createBatch(libc);
  const { path, onPacket, onCut } = options;
  const local = path === undefined ? localAddress(libc, fd) : { host: path, port: 0 };
  const wakeFd = options.adopt?.wakeFd ?? libc.eventfd(0, LINUX.EFD_CLOEXEC | LINUX.EFD_NONBLOCK);
  const wakes = Buffer.alloc(8);
  const descriptors = Buffer.alloc(16); // struct pollfd: int fd, short events, short revents
  for (const [at, one] of [fd, wakeFd].entries()) {
    descriptors.writeInt32LE(one, 8 * at);
    descriptors.writeInt16LE(LINUX.POLLIN, 8 * at + 4);
  }
  const rest = new Int32Array(new SharedArrayBuffer(4));
  const receiveBufferBytes = option(libc, fd, LINUX.SO_RCVBUF);
  const buffered = receiveBufferBytes >= LONG_REST_BUFFER_BYTES ? LONG_REST_MS : REST_MS;
  // Who finds some ten datagrams unread in a unix socket (net.unix.max_dgram_qlen) has to wait.
  const restMs = path === undefined ? buffered : 0;
  let isOpen = true;
  let rests = 0;
  let headers = path === undefined ? batch.headers.named : batch.headers.nameless;
  let namedUntilMs = 0;
  let turn: NodeJS.Immediate | undefined = setImmediate(readOn);

  return {
    kind: 'recvmmsg',
    descriptors: { socketFd: fd, wakeFd },
    address: local.host,
    port: local.port,
    isShared: options.sharing !== 'alone',
    receiveBufferBytes,
    source() {
      if (path !== undefined) return `unix:${path}`; // they are seldom bound to a name
      namedUntilMs = performance.now() + NAMED_FOR_MS;
      const from = batch.source();
      return from === undefined ? '' : hostPort(from.host, from.port);
    },
    readFirst(then) {
      for (let left = READ_FIRST_MAX; left > 0; left -= batch.size) {
        const count = receive();
        if (count >= 0 && count < batch.size) break; // it was seen empty
      }
      then();
    },
    drain(timeoutMs) {
      const deadlineMs = performance.now() + timeoutMs;
      if (path === undefined) refuseMore(libc, fd, local.host);
      else libc.shutdown(fd, LINUX.SHUT_RD); // senders get EPIPE; what lies in it can be read
      while (performance.now() < deadlineMs) {
        if (receive() === 0) return Promise.resolve(true);
      }
      return Promise.resolve(false);
    },
    kernelDrops: () => (path === undefined ? readDrops(libc, fd) : null),
    close() {
      isOpen = false;
      clearImmediate(turn);
      turn = undefined;
    },
  };

  /** Reads for a while, then lets the thread look at its messages, and goes on. */
  function readOn(): void {
    const untilMs = performance.now() + TURN_MS;
    do {
      const count = receive();
      rests = count <= 0 ? rests + 1 : 0;
      if (rests >= RESTS_MAX) {
        libc.poll(descriptors, 2, SLEEP_MS); // a signal wakes it too, which does no harm
        libc.read(wakeFd, wakes, wakes.length); // sets it back
        break;
      }
      if (count < batch.size && restMs > 0) Atomics.wait(rest, 0, 0, restMs);
    } while (performance.now() < untilMs);
    if (isOpen) turn = setImmediate(readOn);
  }

  /** Reads a batch; returns how many datagrams it had; -1 if it could not be seen. */
  function receive(): number {
    const count = libc.recvmmsg(fd, headers, batch.size, LINUX.MSG_DONTWAIT, null);
    if (count >= 0) {
      batch.handOver(count, headers, onPacket, onCut);
      if (path !== undefined) return count;
      const { named, nameless } = batch.headers;
      headers = count < NAMELESS_FROM || performance.now() < namedUntilMs ? named : nameless;
      return count;
    }
    const errno = libc.errno();
    if (DEFECTS.has(errno)) throw callError('recvmmsg', errno);
    return errno === LINUX.EAGAIN ? 0 : -1; // a signal, an echo of others' packets: it goes on
  }
}

/** These would come again and again: they are mistakes of ours, not of the network. */
const DEFECTS: ReadonlySet<number> = new Set([
  LINUX.EBADF,
  LINUX.EFAULT,
  LINUX.EINVAL,
  LINUX.ENOTSOCK,
]);

function openSocket(libc: Libc, options: ReceiverOptions): number {
  const { host, port, receiveBufferBytes, sharing } = options;
  const domain = isIPv6(host) ? LINUX.AF_INET6 : LINUX.AF_INET;
  const fd = libc.socket(domain, LINUX.SOCK_DGRAM | LINUX.SOCK_CLOEXEC, 0);
  if (fd < 0) throw callError('socket', libc.errno());
  const wanted = Uint32Array.of(receiveBufferBytes);
  // The first is allowed to those who may; the second grants what net.core.rmem_max allows.
  const { SOL_SOCKET, SO_RCVBUFFORCE, SO_RCVBUF } = LINUX;
  if (libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, wanted, 4) !== 0) {
    libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, wanted, 4);
  }
  const share = (): void => {
    libc.setsockopt(fd, SOL_SOCKET, LINUX.SO_REUSEPORT, Uint32Array.of(1), 4);
  };
  if (sharing === 'next') share();
  const address = socketAddress(host, port);
  if (libc.bind(fd, address, address.length) === 0) {
    if (sharing === 'first') share();
    return fd;
  }
  const error = callError('bind', libc.errno());
  libc.close(fd);
  throw error;
}

function localAddress(libc: Libc, fd: number): { host: string; port: number } {
  const address = Buffer.alloc(ADDRESS_BYTES);
  const length = Uint32Array.of(address.length);
  if (libc.getsockname(fd, address, length) !== 0) throw callError('getsockname', libc.errno());
  return readSocketAddress(address);
}

function option(libc: Libc, fd: number, name: number): number {
  const value = new Uint32Array(1);
  readOption(libc, fd, name, value);
  return value[0]!;
}

function readOption(libc: Libc, fd: number, name: number, value: CMemory): boolean {
  const length = Uint32Array.of(value.byteLength);
  return libc.getsockopt(fd, LINUX.SOL_SOCKET, name, value, length) === 0;
}

/** Source: Linux, SK_MEMINFO_DROPS, the ninth word of SO_MEMINFO. */
function readDrops(libc: Libc, fd: number): number | null {
  const words = new Uint32Array(9);
  return readOption(libc, fd, LINUX.SO_MEMINFO, words) ? words[8]! : null;
}

/** Connects the socket to the mute peer. */
function refuseMore(libc: Libc, fd: number, host: string): void {
  const peer = socketAddress(muteHost(host), MUTE_PORT);
  libc.connect(fd, peer, peer.length);
}
