/** Bytes that grow at their end. All numbers are little-endian. */
export interface ByteWriter {
  readonly length: number;
  u8(value: number): void;
  u32(value: number): void;
  f64(value: number): void;
  /** A text as UTF-8: its length in bytes as u32, then the bytes. */
  text(value: string): void;
  doubles(values: ArrayLike<number>, start?: number): void;
  /** Writes over a u32 that stands at an earlier place. */
  setU32(at: number, value: number): void;
  /** The bytes so far; lent until the next call. */
  bytes(): Uint8Array;
  /** Begins again with none. Memory beyond a mebibyte is given back. */
  clear(): void;
}

const FIRST_BYTES = 4096;
const KEPT_BYTES = 1 << 20;

/** Creates a writer of no bytes yet. */
export function createByteWriter(): ByteWriter {
  let buffer = Buffer.alloc(FIRST_BYTES);
  let length = 0;
  return {
    get length() {
      return length;
    },
    u8(value) {
      grow(1);
      buffer[length++] = value;
    },
    u32(value) {
      grow(4);
      length = buffer.writeUInt32LE(value, length);
    },
    f64(value) {
      grow(8);
      length = buffer.writeDoubleLE(value, length);
    },
    text(value) {
      const most = 3 * value.length; // UTF-8 has at most so many for a UTF-16 unit
      grow(4 + most);
      const bytes = buffer.write(value, length + 4, 'utf8');
      buffer.writeUInt32LE(bytes, length);
      length += 4 + bytes;
    },
    doubles(values, start = 0) {
      grow(8 * (values.length - start));
      for (let at = start; at < values.length; at++) {
        length = buffer.writeDoubleLE(values[at]!, length);
      }
    },
    setU32: (at, value) => void buffer.writeUInt32LE(value, at),
    bytes: () => buffer.subarray(0, length),
    clear() {
      length = 0;
      if (buffer.length > KEPT_BYTES) buffer = Buffer.alloc(FIRST_BYTES);
    },
  };

  function grow(more: number): void {
    if (length + more <= buffer.length) return;
    const larger = Buffer.alloc(Math.max(2 * buffer.length, length + more));
    buffer.copy(larger, 0, 0, length);
    buffer = larger;
  }
}

/** Reads what a {@link ByteWriter} has written. Each call throws a RangeError beyond the end. */
export interface ByteReader {
  readonly atEnd: boolean;
  u8(): number;
  u32(): number;
  f64(): number;
  text(): string;
  doubles(count: number): Float64Array;
}

/** Creates a reader of bytes. */
export function createByteReader(from: Uint8Array): ByteReader {
  const buffer = Buffer.from(from.buffer, from.byteOffset, from.byteLength);
  let at = 0;
  const step = (bytes: number): number => {
    if (at + bytes > buffer.length) throw new RangeError('the record goes beyond its frame');
    at += bytes;
    return at - bytes;
  };
  const u32 = (): number => buffer.readUInt32LE(step(4));
  return {
    get atEnd() {
      return at === buffer.length;
    },
    u8: () => buffer[step(1)]!,
    u32,
    f64: () => buffer.readDoubleLE(step(8)),
    text() {
      const bytes = u32();
      const start = step(bytes);
      return buffer.toString('utf8', start, start + bytes);
    },
    doubles(count) {
      const start = step(8 * count);
      const values = new Float64Array(count);
      for (let one = 0; one < count; one++) values[one] = buffer.readDoubleLE(start + 8 * one);
      return values;
    },
  };
}
