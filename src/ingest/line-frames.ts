import { createPacketMemory, PACKET_BYTES_MAX, type PacketMemory } from '../protocol/packet.ts';
import type { OnPacket } from './pipeline.ts';

/** The longest line that is read, without its LF: what is longer is refused. */
export const LINE_BYTES_MAX: number = PACKET_BYTES_MAX;
/** So much of what has come is looked at in one go. */
const PIECE_BYTES = 65_536;
/** A line whose end has not come is kept in memory of its own; more than this is given back. */
const KEPT_BYTES_IDLE = 4096;
const KEPT_BYTES_FIRST = 256;

/** What becomes of lines. */
export interface LineTargets {
  /** Takes whole lines, one or many; the last LF may be missing. */
  onLines: OnPacket;
  /** Takes the first {@link LINE_BYTES_MAX} bytes of a line that is longer. */
  onCut: OnPacket;
}

/**
 * Lines out of a stream of bytes, wherever it is cut into segments.
 *
 *     hits:1|c\nlatency:3        20|ms\r\nhits:2|c\n        hits:3
 *     ^^^^^^^^^ ^^^^^^^^^        ^^^^^^^ ^^^^^^^^^^          ^^^^^^
 *     read      kept             put behind it, read        kept; read if the stream ends here,
 *                                                           forgotten if it breaks off
 */
export interface LineFrames {
  /** Takes the next bytes, and hands over all lines that have ended. The bytes are not kept. */
  take(bytes: Uint8Array): void;
  /** The stream has ended properly: what is there is the last line. */
  end(): void;
}

/** Returns memory in which any number of streams put lines together, one at a time. */
export function createFrameMemory(): PacketMemory {
  return createPacketMemory(LINE_BYTES_MAX + PIECE_BYTES);
}

/**
 * Creates the lines of a stream.
 *
 * Cost: one copy of the bytes; memory for a line that has not ended, up to {@link LINE_BYTES_MAX}.
 */
export function createLineFrames(memory: PacketMemory, targets: LineTargets): LineFrames {
  // The beginning of a line whose end has not come: `kept[0…keptBytes)`.
  let kept = NOTHING;
  let keptBytes = 0;
  // The rest of a line that was too long is on its way.
  let isSkipping = false;

  return {
    take(bytes) {
      if (bytes.length <= PIECE_BYTES) return takePiece(bytes);
      for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
        takePiece(bytes.subarray(at, at + PIECE_BYTES));
      }
    },
    end() {
      if (keptBytes > 0) targets.onLines(memory, 0, layOut(NOTHING, 0, 0));
    },
  };

  function takePiece(piece: Uint8Array): void {
    let from = 0;
    if (isSkipping || keptBytes > 0) {
      const lineEnd = piece.indexOf(LF);
      if (lineEnd < 0) return isSkipping ? undefined : keep(piece, 0);
      if (isSkipping) from = lineEnd + 1;
      else if (keptBytes + lineEnd > LINE_BYTES_MAX) {
        cut(piece, 0);
        from = lineEnd + 1;
      }
      isSkipping = false;
    }
    const end = piece.lastIndexOf(LF) + 1;
    if (end > from) targets.onLines(memory, 0, layOut(piece, from, end));
    keep(piece, Math.max(from, end));
  }

  /** Keeps the rest of a piece, in which no line ends. */
  function keep(piece: Uint8Array, from: number): void {
    const bytes = keptBytes + piece.length - from;
    if (bytes > LINE_BYTES_MAX) {
      cut(piece, from);
      isSkipping = true;
      return;
    }
    if (bytes > kept.length) {
      const larger = new Uint8Array(
        Math.min(LINE_BYTES_MAX, Math.max(bytes, 2 * kept.length, KEPT_BYTES_FIRST)),
      );
      larger.set(kept.subarray(0, keptBytes));
      kept = larger;
    }
    if (bytes > keptBytes) kept.set(from === 0 ? piece : piece.subarray(from), keptBytes);
    keptBytes = bytes;
  }

  function cut(piece: Uint8Array, from: number): void {
    const end = Math.min(piece.length, from + LINE_BYTES_MAX - keptBytes);
    targets.onCut(memory, 0, layOut(piece, from, end));
  }

  /** Lays what was kept and what has come side by side; returns how many bytes that is. */
  function layOut(piece: Uint8Array, from: number, to: number): number {
    memory.bytes.set(kept.subarray(0, keptBytes));
    memory.bytes.set(piece.subarray(from, to), keptBytes);
    const bytes = keptBytes + to - from;
    keptBytes = 0;
    if (kept.length > KEPT_BYTES_IDLE) kept = NOTHING;
    return bytes;
  }
}

const NOTHING = new Uint8Array(0);
const LF = 0x0a;
