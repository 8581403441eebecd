/** How many slots a Redis Cluster has. */
const SLOTS = 16_384;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** Returns the cluster slot of a key: that of its tag where it has one, see `hasTag`. */
export function keySlot(key: string): number {
  const bytes = Buffer.from(key);
  const open = bytes.indexOf(OPEN);
  const close = open < 0 ? -1 : bytes.indexOf(CLOSE, open);
  return crc16(close > open + 1 ? bytes.subarray(open + 1, close) : bytes) % SLOTS;
}

/** The CRC16 of XMODEM, bit by bit: it is asked for once per chunk. */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
    crc &= 0xffff;
  }
  return crc;
}
