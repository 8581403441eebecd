/** How names become hashes and fields. */
export type LayoutName = 'flat' | 'split';

/** Where a name is counted. */
export interface Place {
  hash: string;
  /** The field; null where the name counts in the hash's `total` alone. */
  field: string | null;
}

/** The field that holds a split hash's sum. */
export const TOTAL_FIELD = 'total';

/** Returns the hash that the gauges of a collection go to. */
export function gaugeHash(collection: string): string {
  return `${collection}:gauges`;
}

/** Places names. */
export interface Layout {
  readonly name: LayoutName;
  /** Returns where a name is counted, one place per collection, in their order. */
  place(name: string): Place[];
  /** Returns where a gauge goes, likewise: whatever the layout, its field is its whole name. */
  placeGauge(name: string): Place[];
  /** Each once, in the order in which they were given. */
  readonly collections: readonly string[];
  /** The hashes that gauges go to, one per collection, in their order. */
  readonly gaugeHashes: readonly string[];
}

/**
 * Creates a layout.
 *
 * `flat`: the hash is the collection, the field is the name.
 *
 * `split`: the hash is the collection and the name up to its first `.`, the field is the rest, and
 * `total` holds the sum of all. A name without `.` (or with nothing behind it) counts in `total`
 * alone; a rest that is itself `total` is written `(total)`.
 *
 *     collection foo_     requestTotal./users      →  HINCRBY foo_requestTotal /users
 *                         ^^^^^^^^^^^^ ^^^^^^         HINCRBY foo_requestTotal total
 *                         hash         field
 */
export function createLayout(name: LayoutName, given: readonly string[]): Layout {
  const collections = [...new Set(given)]; // given twice, it would count twice
  const gaugeHashes = collections.map(gaugeHash);
  const placeGauge = (field: string): Place[] => gaugeHashes.map((hash) => ({ hash, field }));
  if (name === 'flat') {
    const place = (field: string): Place[] => collections.map((hash) => ({ hash, field }));
    return { name, place, placeGauge, collections, gaugeHashes };
  }
  return {
    name,
    placeGauge,
    collections,
    gaugeHashes,
    place(full) {
      const dot = full.indexOf('.');
      const first = (dot < 0 ? full : full.slice(0, dot)).replaceAll(/[{}]/g, '_');
      const rest = dot < 0 ? '' : full.slice(dot + 1);
      const field = rest === '' ? null : rest === TOTAL_FIELD ? `(${TOTAL_FIELD})` : rest;
      return collections.map((collection) => ({ hash: collection + first, field }));
    },
  };
}
