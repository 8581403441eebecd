import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setImmediate, setTimeout } from 'node:timers/promises';

import { createPacketMemory, PACKET_BYTES_MAX } from '../protocol/packet.ts';
import { hostPort } from './address.ts';
import { readUdpSocket } from './proc-net-udp.ts';
import { muteHost, MUTE_PORT, type Receiver, type ReceiverOptions } from './receiver.ts';

/** How long a socket must be silent to count as empty where the kernel does not tell. */
const SILENCE_MS = 50;

/**
 * Opens a UDP socket with `node:dgram`: the receiver that works everywhere.
 *
 * The address is taken for this socket alone, so that a second collector on the same port is told
 * so instead of sharing it in silence. Socket errors after the bind are passed over: on UDP they
 * are echoes of other people's packets, and receiving goes on.
 */
export async function openDgramReceiver(options: ReceiverOptions): Promise<Receiver> {
  const { host, port, receiveBufferBytes, onPacket } = options;
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  // Node gives each datagram memory of its own; the hot path wants some behind it.
  const memory = createPacketMemory(PACKET_BYTES_MAX);
  let sender: RemoteInfo | undefined;
  let lastPacketMs = 0;

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
    memory.bytes.set(packet);
    onPacket(memory, 0, packet.length);
  });
  const bound = socket.address();

  return {
    kind: 'dgram',
    wakeFd: undefined,
    address: bound.address,
    port: bound.port,
    receiveBufferBytes: socket.getRecvBufferSize(),
    source: () => (sender === undefined ? '' : hostPort(sender.address, sender.port)),
    async drain(timeoutMs) {
      const startMs = performance.now();
      await refuseMore(socket);
      // Bound to any address, it has a certain one from now on.
      const local = socket.address();
      while (performance.now() - startMs < timeoutMs) {
        const state = readUdpSocket(local.address, local.port);
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
    kernelDrops() {
      const local = socket.address();
      return readUdpSocket(local.address, local.port)?.drops ?? null;
    },
    close: () => void socket.close(),
  };
}

/** Connects the socket to the mute peer. */
async function refuseMore(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => {
    socket.once('error', () => resolve()); // then it is as it would be without
    socket.connect(MUTE_PORT, muteHost(socket.address().address), () => resolve());
  });
}
