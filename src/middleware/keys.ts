import { sanitise } from '../protocol/names.ts';

/** Which URIs are counted each for itself. */
export interface Keys {
  /**
   * Returns the key that a URI is counted under: itself, or `(other)` when there are too many.
   *
   * @param isRoute it is a route's pattern, or was registered: there are as many as the program
   *   has. Paths come from clients, and leave half of the room to the others.
   */
  admit(uri: string, isRoute: boolean): string;
  /** All keys so far, in order of first sight. */
  all(): Iterable<string>;
}

/** What keys tell. */
export interface KeysEvents {
  /** Called with each new key before it is first returned. */
  onNew: (key: string) => void;
  /** Called once, with why, when the first URI finds no room. */
  onFull: (why: string) => void;
}

/** How many URIs are counted each for itself, unless another number is given. */
export const MAX_KEYS = 10_000;
/** Where requests are counted that matched nothing. */
export const UNMATCHED = '(unmatched)';
/** Where the URIs are counted that came after `maxKeys` others, or are too long. */
export const OTHER = '(other)';
/** With what stands before it in a line, it is still a name that a collector takes. */
const KEY_BYTES_MAX = 400;

/** Creates a set of keys. */
export function createKeys(maxKeys: number, { onNew, onFull }: KeysEvents): Keys {
  const keys = new Set<string>();
  const pathsMax = Math.ceil(maxKeys / 2);
  let paths = 0;
  let isFull = false;
  return { admit, all: () => keys };

  function admit(uri: string, isRoute: boolean): string {
    return keys.has(uri) ? uri : admitNew(uri, isRoute);
  }

  function admitNew(uri: string, isRoute: boolean): string {
    const isOwn = uri === OTHER || uri === UNMATCHED;
    const hasRoom = keys.size < maxKeys && (isRoute || paths < pathsMax);
    if (!isOwn && (!hasRoom || Buffer.byteLength(uri) > KEY_BYTES_MAX)) {
      if (!hasRoom && !isFull) sayFull(isRoute);
      return admit(OTHER, true);
    }
    const key = sanitise(uri, 'keep');
    if (key !== uri) return admit(key, isRoute);
    if (!isRoute && !isOwn) paths++;
    keys.add(uri);
    onNew(uri);
    return uri;
  }

  function sayFull(isRoute: boolean): void {
    isFull = true;
    const what = isRoute ? `${maxKeys} URIs` : `${pathsMax} paths without a route`;
    onFull(`more than ${what}: further ones are counted as ${OTHER}; see maxKeys`);
  }
}
