/** Bytes of one token, kept up to a limit and counted beyond it. */
export interface TextBuffer {
  clear(): void;
  add(byte: number): void;
  /** Adds the bytes from `from` up to, not with, `to`. */
  addAll(chunk: Uint8Array, from: number, to: number): void;
  /** Adds the UTF-8 bytes of a code point, of a lone half of a pair too. */
  addCodePoint(code: number): void;
  /** Returns the bytes that are kept, one character (U+0000 to U+00FF) per byte. */
  take(): string;
  /** How many bytes were added since `clear`, kept or not. */
  readonly bytes: number;
}

/** Most tokens fit, and need no further memory. */
const CAPACITY_MIN = 256;
/** How many arguments a call may safely have. */
const ARGUMENTS_MAX = 8192;
/** Up to here it is faster to put the characters together one by one. */
const SHORT_MAX = 24;
const CHARACTERS = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));

/** Creates an empty buffer. Memory: up to twice `bytesMax` while it grows, `bytesMax` after. */
export function createTextBuffer(bytesMax: number): TextBuffer {
  let kept = new Uint8Array(Math.min(CAPACITY_MIN, bytesMax));
  let bytes = 0;

  return {
    clear() {
      bytes = 0;
    },
    add,
    addAll(chunk, from, to) {
      const end = bytes + to - from;
      const fits = Math.min(end, bytesMax) - bytes;
      if (fits > 0) {
        reserve(bytes + fits);
        if (fits > 32) kept.set(chunk.subarray(from, from + fits), bytes);
        else for (let at = 0; at < fits; at++) kept[bytes + at] = chunk[from + at]!;
      }
      bytes = end;
    },
    addCodePoint(code) {
      if (code < 0x80) return add(code);
      if (code < 0x800) {
        add(0xc0 | (code >> 6));
      } else {
        if (code < 0x10000) {
          add(0xe0 | (code >> 12));
        } else {
          add(0xf0 | (code >> 18));
          add(0x80 | ((code >> 12) & 0x3f));
        }
        add(0x80 | ((code >> 6) & 0x3f));
      }
      add(0x80 | (code & 0x3f));
    },
    take() {
      const used = Math.min(bytes, bytesMax);
      if (used <= SHORT_MAX) {
        let short = '';
        for (let at = 0; at < used; at++) short += CHARACTERS[kept[at]!]!;
        return short;
      }
      const pieces: string[] = [];
      for (let at = 0; at < used; at += ARGUMENTS_MAX) {
        const piece = kept.subarray(at, Math.min(used, at + ARGUMENTS_MAX));
        // Typed arrays are taken as they are; to spread one would cost ten times as much.
        pieces.push(String.fromCharCode.apply(null, piece as unknown as number[]));
      }
      return pieces.join('');
    },
    get bytes() {
      return bytes;
    },
  };

  function add(byte: number): void {
    if (bytes < bytesMax) {
      reserve(bytes + 1);
      kept[bytes] = byte;
    }
    bytes++;
  }

  function reserve(size: number): void {
    if (size <= kept.length) return;
    const grown = new Uint8Array(Math.min(bytesMax, Math.max(size, 2 * kept.length)));
    grown.set(kept);
    kept = grown;
  }
}
