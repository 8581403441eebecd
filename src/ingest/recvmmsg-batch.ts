import { createPacketMemory, PACKET_BYTES_MAX, PACKET_PADDING } from '../protocol/packet.ts';
import { ADDRESS_BYTES, type CMemory, type Libc, LINUX, readSocketAddress } from './libc.ts';
import type { OnPacket } from './pipeline.ts';

/** Memory for what one call of `recvmmsg` reads. */
export interface Batch {
  /** How many datagrams it has room for. */
  readonly size: number;
  /** What the call is given, if senders are to be known; and if not, which costs the kernel less. */
  readonly headers: { readonly named: Buffer; readonly nameless: Buffer };
  /** Hands the first `count` datagrams over, in order; to `onCut` those that had no room. */
  handOver(count: number, headers: Buffer, onPacket: OnPacket, onCut?: OnPacket): void;
  /** Who sent the datagram being handed over; undefined if that was not asked for. */
  source(): { host: string; port: number } | undefined;
  /** Memory that the headers point to: for as long as the batch is there, so is this. */
  readonly kept: readonly CMemory[];
}

const SIZE = 256;
/**
 * The first bytes of a datagram: most are no longer. They lie close together, in few pages, and an
 * odd number of cache lines apart: a page for each, as the longest need, costs 5 % of the processor
 * time of a short datagram (`npm run bench`, with both in turns).
 */
const HEAD_BYTES = 384;
const HEAD_STRIDE = HEAD_BYTES + PACKET_PADDING;
/** What is longer is put together in a place of its own, of which memory is taken when it is used. */
const WHOLE_STRIDE = PACKET_BYTES_MAX + PACKET_PADDING;
const WHOLE_AT = SIZE * HEAD_STRIDE;

/*
 *     struct mmsghdr, 64 bytes                         struct iovec, 16 bytes; two for each
 *      0  name *  → addresses + 28 × n, or none         0  base *  → head n
 *      8  name length:4, padding:4                      8  length
 *     16  iov *   → iovecs + 32 × n                    16  base *  → whole n + HEAD_BYTES
 *     24  iov length: 2                                24  length
 *     32  control *, 40 control length: none
 *     48  flags:4, padding:4
 *     56  length of the datagram:4, padding:4
 *
 * The same with glibc and musl, on x64 and arm64. Source: recvmmsg(2), bits/socket.h.
 */
const HEADER_BYTES = 64;
const IOVEC_BYTES = 32;
const FLAGS_AT = 48;
const LENGTH_AT = 56;

/** Creates a batch. All of its memory lives as long as it does. */
export function createBatch(libc: Libc): Batch {
  const data = createPacketMemory(WHOLE_AT + SIZE * WHOLE_STRIDE);
  const addresses = Buffer.alloc(SIZE * ADDRESS_BYTES);
  const iovecs = Buffer.alloc(SIZE * IOVEC_BYTES);
  const dataAt = libc.address(data.bytes);
  const addressesAt = libc.address(addresses);
  const iovecsAt = libc.address(iovecs);
  const named = Buffer.alloc(SIZE * HEADER_BYTES);
  for (let at = 0; at < SIZE; at++) {
    const iovec = at * IOVEC_BYTES;
    const tailAt = WHOLE_AT + at * WHOLE_STRIDE + HEAD_BYTES;
    iovecs.writeBigUInt64LE(dataAt + BigInt(at * HEAD_STRIDE), iovec);
    iovecs.writeBigUInt64LE(BigInt(HEAD_BYTES), iovec + 8);
    iovecs.writeBigUInt64LE(dataAt + BigInt(tailAt), iovec + 16);
    iovecs.writeBigUInt64LE(BigInt(PACKET_BYTES_MAX - HEAD_BYTES), iovec + 24);
    const header = at * HEADER_BYTES;
    named.writeBigUInt64LE(addressesAt + BigInt(at * ADDRESS_BYTES), header);
    // The kernel writes here how long it was, always the same for a socket: it stays right.
    named.writeUInt32LE(ADDRESS_BYTES, header + 8);
    named.writeBigUInt64LE(iovecsAt + BigInt(iovec), header + 16);
    named.writeBigUInt64LE(2n, header + 24);
  }
  const nameless = Buffer.from(named);
  for (let at = 0; at < SIZE; at++) nameless.fill(0, at * HEADER_BYTES, at * HEADER_BYTES + 12);
  const namedWords = wordsOf(named);
  const namelessWords = wordsOf(nameless);
  let current = 0;
  let isNamed = true;
  return {
    size: SIZE,
    headers: { named, nameless },
    handOver(count, headers, onPacket, onCut = onPacket) {
      isNamed = headers === named;
      const words = isNamed ? namedWords : namelessWords;
      for (current = 0; current < count; current++) {
        const length = words[(current * HEADER_BYTES + LENGTH_AT) / 4]!;
        const head = current * HEAD_STRIDE;
        if (length <= HEAD_BYTES) onPacket(data, head, length);
        else {
          const whole = WHOLE_AT + current * WHOLE_STRIDE;
          data.bytes.copyWithin(whole, head, head + HEAD_BYTES);
          const flags = words[(current * HEADER_BYTES + FLAGS_AT) / 4]!;
          ((flags & LINUX.MSG_TRUNC) === 0 ? onPacket : onCut)(data, whole, length);
        }
      }
    },
    source: () => (isNamed ? readSocketAddress(addresses, current * ADDRESS_BYTES) : undefined),
    // C alone knows these two, and does not keep them alive.
    kept: [iovecs, data.bytes],
  };
}

function wordsOf(bytes: Buffer): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}
