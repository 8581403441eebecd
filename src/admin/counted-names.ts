import { gaugeHash, type Layout, TOTAL_FIELD } from '../flush/layout.ts';
import { type HashFields, readHashes } from '../http/read-hashes.ts';
import type { Store } from '../sinks/store.ts';

/** Names and what the store holds of each, as its digits. */
export type Counted = Iterable<readonly [name: string, value: string]>;

/** Where counters and gauges are read from. */
export interface CountedParts {
  store: Store;
  layout: Layout;
  /** The hashes that counters are read from. */
  hashes: () => string[];
}

/** Returns the gauges of the first collection. Rejects where the store does not answer. */
export async function readGauges({ store, layout }: CountedParts): Promise<Counted> {
  const [found] = await readHashes(store, [gaugeHash(layout.collections[0]!)]);
  return found![1];
}

/**
 * Returns the counters of the first collection, under the names that lines have: of a split hash
 * `foo_requestTotal` the field `/users` is `requestTotal./users`, and what its `total` holds beyond
 * the other fields is `requestTotal`. Rejects where the store does not answer.
 */
export async function readCounters(
  { store, layout, hashes }: CountedParts,
  isWanted?: () => boolean,
): Promise<Counted> {
  const [collection = ''] = layout.collections;
  if (layout.name === 'flat') {
    const [found] = await readHashes(store, [collection]);
    return found![1];
  }
  return splitCounters(
    collection,
    await readHashes(store, hashesOfFirst(layout, hashes()), isWanted),
  );
}

/**
 * With collections `a` and `a_b` the hash `a_bx` may be either's: it is the first one's only if the
 * second one has its own of the same name, `a_b_bx`.
 */
function hashesOfFirst({ collections }: Layout, hashes: string[]): string[] {
  const [collection = '', ...others] = collections;
  const known = new Set(hashes);
  return hashes.filter((hash) => {
    const first = hash.slice(collection.length);
    return hash.startsWith(collection) && others.every((other) => known.has(other + first));
  });
}

function* splitCounters(collection: string, found: HashFields): Generator<[string, string]> {
  for (const [hash, fields] of found) {
    const first = hash.slice(collection.length);
    const alone = aloneIn(fields);
    if (alone !== undefined) yield [first, alone];
    for (const [field, value] of fields) {
      if (field === TOTAL_FIELD) continue;
      yield [`${first}.${field === `(${TOTAL_FIELD})` ? TOTAL_FIELD : field}`, value];
    }
  }
}

/** What `total` holds beyond the other fields; undefined where that is nothing. */
function aloneIn(fields: readonly [string, string][]): string | undefined {
  let alone = 0n;
  let total: string | undefined;
  for (const [field, value] of fields) {
    if (field === TOTAL_FIELD) total = value;
    if (!INT64.test(value)) return undefined; // somebody else's
    alone += field === TOTAL_FIELD ? BigInt(value) : -BigInt(value);
  }
  return alone !== 0n || fields.length === 1 ? total && alone.toString() : undefined;
}

const INT64 = /^-?\d{1,20}$/;
