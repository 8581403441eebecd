import { sanitise } from '../protocol/names.ts';

/** Which URIs are counted each for itself. */
export interface Keys {
  /** Returns the key that a URI is counted under: itself, or `(other)` when there are too many. */
  admit(uri: string): string;
  /** All keys so far, in order of first sight. */
  all(): Iterable<string>;
}

/** How many URIs are counted each for itself, unless another number is given. */
export const MAX_KEYS = 10_000;
/** Where requests are counted that matched nothing. */
export const UNMATCHED = '(unmatched)';
/** Where the URIs are counted that came after `maxKeys` others, or are too long. */
export const OTHER = '(other)';
/** With what stands before it in a line, it is still a name that a collector takes. */
const KEY_BYTES_MAX = 400;

/**
 * Creates a set of keys.
 *
 * @param onNew called with each new key before it is first returned.
 */
export function createKeys(maxKeys: number, onNew: (key: string) => void): Keys {
  const keys = new Set<string>();
  return { admit, all: () => keys };

  function admit(uri: string): string {
    return keys.has(uri) ? uri : admitNew(uri);
  }

  function admitNew(uri: string): string {
    const isFull = keys.size >= maxKeys && uri !== UNMATCHED;
    const isRefused = isFull || Buffer.byteLength(uri) > KEY_BYTES_MAX;
    if (isRefused && uri !== OTHER) return admit(OTHER);
    const key = sanitise(uri, 'keep');
    if (key !== uri) return admit(key);
    keys.add(uri);
    onNew(uri);
    return uri;
  }
}
