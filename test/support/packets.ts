import type { OnPacket } from '../../src/ingest/pipeline.ts';
import { createPacketMemory, PACKET_PADDING } from '../../src/protocol/packet.ts';

/**
 * Hands bytes to a pipeline as a receiver does: in the middle of a larger memory in which others
 * have been before. What they have left there goes on wherever a datagram may end.
 */
export function hand(onPacket: OnPacket, bytes: Uint8Array, length = bytes.length): void {
  handed++;
  const start = handed % 7; // words are not always aligned
  const memory = createPacketMemory(start + length);
  for (let at = 0; at < memory.bytes.length; at++) {
    memory.bytes[at] = LEFT_BEHIND.charCodeAt((at + handed) % LEFT_BEHIND.length);
  }
  memory.bytes.set(bytes.subarray(0, length), start);
  if (memory.bytes.length !== start + length + PACKET_PADDING) throw new Error('no padding');
  onPacket(memory, start, length);
}

const LEFT_BEHIND = '7.5|ms\nleft:1|c|@0.5|#a:b\n0:2';
let handed = 0;
