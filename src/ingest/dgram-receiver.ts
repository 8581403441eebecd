import { createSocket, type RemoteInfo, type Socket, type SocketType } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setImmediate, setTimeout } from 'node:timers/promises';

import { createPacketMemory, PACKET_BYTES_MAX } from '../protocol/packet.ts';
import { hostPort } from './address.ts';
import { readUdpSocket, type UdpSocketState } from './proc-net-udp.ts';
import {
  muteHost,
  MUTE_PORT,
  READ_FIRST_MAX,
  type Receiver,
  type ReceiverOptions,
} from './receiver.ts';

/** How long a socket must be silent to count as empty where the kernel does not tell. */
const SILENCE_MS = 50;

/** Whether this Node can share a port, and this system. Source: Node's documentation of dgram. */
const REUSES_PORTS = process.platform === 'linux' && hasReusePort(process.versions.node);

/**
 * Opens a UDP socket with `node:dgram`: the receiver that works everywhere.
 *
 * The address is taken for this socket alone, so that a second collector on the same port is told
 * so instead of sharing it in silence. Socket errors after the bind are passed over: on UDP they
 * are echoes of other people's packets, and receiving goes on.
 */
export async function openDgramReceiver(options: ReceiverOptions): Promise<Receiver> {
  const { host, receiveBufferBytes, sharing, onPacket } = options;
  const isShared = sharing !== 'alone' && REUSES_PORTS;
  const type = isIPv6(host) ? 'udp6' : 'udp4';
  // Node gives each datagram memory of its own; the hot path wants some behind it.
  const memory = createPacketMemory(PACKET_BYTES_MAX);
  let sender: RemoteInfo | undefined;
  let lastPacketMs = 0;
  let packets = 0;

  const { port } = isShared && sharing === 'first' ? await freePort(type, options) : options;
  // Known to Node from 22.12 on; its types here are older.
  const socket = createSocket({ type, ...(isShared && { reusePort: true }) });
  socket.bind({ address: host, port, exclusive: true });
  await once(socket, 'listening'); // rejects on 'error'
  socket.on('error', () => {});
  try {
    socket.setRecvBufferSize(receiveBufferBytes);
  } catch {
    // The kernel refused the size outright: what it gave before stays, and is reported.
  }
  socket.on('message', (packet, from) => {
    sender = from;
    lastPacketMs = performance.now();
    packets++;
    memory.bytes.set(packet);
    onPacket(memory, 0, packet.length);
  });
  const bound = socket.address();

  return {
    kind: 'dgram',
    descriptors: undefined,
    address: bound.address,
    port: bound.port,
    isShared,
    receiveBufferBytes: socket.getRecvBufferSize(),
    source: () => (sender === undefined ? '' : hostPort(sender.address, sender.port)),
    readFirst: (then) => void readAhead().then(then),
    async drain(timeoutMs) {
      const startMs = performance.now();
      await refuseMore(socket);
      while (performance.now() - startMs < timeoutMs) {
        const state = readState();
        if (state?.rxQueueBytes === 0) return true;
        if (state !== undefined) {
          await setImmediate(); // one turn of the loop reads what has come
          continue;
        }
        const silentMs = performance.now() - Math.max(startMs, lastPacketMs);
        if (silentMs >= SILENCE_MS) return true;
        await setTimeout(SILENCE_MS - silentMs);
      }
      return false;
    },
    kernelDrops: () => readState()?.drops ?? null,
    close: () => void socket.close(),
  };

  /**
   * Lets the loop look at the socket until it has found nothing there. Between two immediates it
   * looks once, and takes 32 datagrams at most; before the first one it may have looked already.
   * Source: libuv, `uv_run`, `uv__udp_recvmsg`.
   */
  async function readAhead(): Promise<void> {
    const end = packets + READ_FIRST_MAX;
    await setImmediate();
    let before: number;
    do {
      before = packets;
      await setImmediate();
    } while (packets !== before && packets < end);
  }

  /** Of all sockets that share the port: those that are drained already have an address of their own. */
  function readState(): UdpSocketState | undefined {
    const addresses = new Set([bound.address, socket.address().address]);
    const states = [...addresses].map((address) => readUdpSocket(address, bound.port));
    const known = states.filter((state) => state !== undefined);
    return known.length === 0 ? undefined : known.reduce(addStates);
  }
}

/**
 * Returns a port that nobody holds, or the one asked for if nobody does: Node can only ask for a
 * shared port before it binds, when nobody would be told that another program has it.
 */
async function freePort(
  type: SocketType,
  { host, port }: ReceiverOptions,
): Promise<{ port: number }> {
  const probe = createSocket(type);
  probe.bind({ address: host, port, exclusive: true });
  await once(probe, 'listening');
  const found = probe.address();
  probe.close();
  await once(probe, 'close');
  return found;
}

/** Connects the socket to the mute peer. */
async function refuseMore(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => {
    socket.once('error', () => resolve()); // then it is as it would be without
    socket.connect(MUTE_PORT, muteHost(socket.address().address), () => resolve());
  });
}

function addStates(a: UdpSocketState, b: UdpSocketState): UdpSocketState {
  return { rxQueueBytes: a.rxQueueBytes + b.rxQueueBytes, drops: a.drops + b.drops };
}

/** Node 22.12, 23.1, and all later ones. */
function hasReusePort(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);
}
