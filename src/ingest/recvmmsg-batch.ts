import { createPacketMemory, PACKET_BYTES_MAX } from '../protocol/packet.ts';
import { ADDRESS_BYTES, type CMemory, type Libc, readSocketAddress } from './libc.ts';
import type { OnPacket } from './pipeline.ts';

/** Memory for what one call of `recvmmsg` reads. */
export interface Batch {
  /** How many datagrams it has room for. */
  readonly size: number;
  /** What the call is given. */
  readonly headers: Buffer;
  /** Hands the first `count` datagrams over, in order. */
  handOver(count: number, onPacket: OnPacket): void;
  /** Who sent the datagram being handed over. */
  source(): { host: string; port: number };
  /** Memory that the headers point to: for as long as the batch is there, so is this. */
  readonly kept: readonly CMemory[];
}

const SIZE = 256;
/**
 * From one datagram to the next: the largest and its padding have room, and an odd number of cache
 * lines lies between them, for at 64 KiB all would fall into the same few sets of the cache. Memory
 * that no datagram has reached costs nothing.
 */
const STRIDE = 1025 * 64;

/*
 *     struct mmsghdr, 64 bytes                         struct iovec, 16 bytes
 *      0  name *  → addresses + 28 × n                  0  base *  → data + STRIDE × n
 *      8  name length:4, padding:4                      8  length
 *     16  iov *   → iovecs + 16 × n
 *     24  iov length: 1
 *     32  control *, 40 control length: none
 *     48  flags:4, padding:4
 *     56  length of the datagram:4, padding:4
 *
 * The same with glibc and musl, on x64 and arm64. Source: recvmmsg(2), bits/socket.h.
 */
const HEADER_BYTES = 64;
const IOVEC_BYTES = 16;
const LENGTH_AT = 56;

/** Creates a batch. All of its memory lives as long as it does. */
export function createBatch(libc: Libc): Batch {
  const data = createPacketMemory(SIZE * STRIDE);
  const addresses = Buffer.alloc(SIZE * ADDRESS_BYTES);
  const iovecs = Buffer.alloc(SIZE * IOVEC_BYTES);
  const headers = Buffer.alloc(SIZE * HEADER_BYTES);
  const parts = [data.bytes, addresses, iovecs];
  const [dataAt, addressesAt, iovecsAt] = parts.map((one) => libc.address(one));
  for (let at = 0; at < SIZE; at++) {
    iovecs.writeBigUInt64LE(dataAt! + BigInt(at * STRIDE), at * IOVEC_BYTES);
    iovecs.writeBigUInt64LE(BigInt(PACKET_BYTES_MAX), at * IOVEC_BYTES + 8);
    const header = at * HEADER_BYTES;
    headers.writeBigUInt64LE(addressesAt! + BigInt(at * ADDRESS_BYTES), header);
    // The kernel writes here how long it was, always the same for a socket: it stays right.
    headers.writeUInt32LE(ADDRESS_BYTES, header + 8);
    headers.writeBigUInt64LE(iovecsAt! + BigInt(at * IOVEC_BYTES), header + 16);
    headers.writeBigUInt64LE(1n, header + 24);
  }
  const words = new Uint32Array(headers.buffer, headers.byteOffset, headers.byteLength / 4);
  let current = 0;
  return {
    size: SIZE,
    headers,
    handOver(count, onPacket) {
      for (current = 0; current < count; current++) {
        onPacket(data, current * STRIDE, words[(current * HEADER_BYTES + LENGTH_AT) / 4]!);
      }
    },
    source: () => readSocketAddress(addresses, current * ADDRESS_BYTES),
    // C alone knows these two, and does not keep them alive.
    kept: [iovecs, data.bytes],
  };
}
