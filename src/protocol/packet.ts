/** Memory that datagrams lie in, readable by bytes and by words. */
export interface PacketMemory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** The longest a datagram can be: UDP has 16 bits for its length. */
export const PACKET_BYTES_MAX = 65_536;

/**
 * Bytes that have to follow a datagram in its memory: readers look at whole words, and at a few
 * bytes more, before they compare where they are with the datagram's end.
 */
export const PACKET_PADDING = 64;

/** Returns memory with room for a number of bytes and the padding behind them. */
export function createPacketMemory(size: number): PacketMemory {
  const bytes = new Uint8Array(size + PACKET_PADDING);
  return { bytes, view: new DataView(bytes.buffer) };
}
