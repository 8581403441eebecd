/** Bytes, kept in blocks of one size. */
export interface Blocks {
  /** Copies them: a small piece may keep a large buffer alive. */
  add(bytes: Uint8Array): void;
  /** Returns all there is, in order. */
  all(): Uint8Array[];
}

/** As much as is read in about 5 ms. */
const BLOCK_BYTES = 64 * 1024;

/** Creates an empty store of bytes, which takes one block more than what is in it, at most. */
export function createBlocks(): Blocks {
  const blocks: Uint8Array[] = [];
  let used = BLOCK_BYTES; // of the last one

  return {
    add(bytes) {
      for (let at = 0; at < bytes.length;) {
        if (used === BLOCK_BYTES) {
          blocks.push(new Uint8Array(BLOCK_BYTES));
          used = 0;
        }
        const piece = bytes.subarray(at, at + BLOCK_BYTES - used);
        blocks.at(-1)!.set(piece, used);
        used += piece.length;
        at += piece.length;
      }
    },
    all() {
      return blocks.map((block, at) =>
        at === blocks.length - 1 ? block.subarray(0, used) : block,
      );
    },
  };
}
