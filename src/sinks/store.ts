/** Why a field's part of a chunk was not written. */
export type FieldFault = 'not_integer' | 'not_number' | 'overflow' | 'refused';

/** What is added to one hash in one step: all of it once, or nothing of it. */
export interface Chunk {
  readonly hash: string;
  /** Number of the chunk among those of this hash and process, rising. */
  readonly seq: number;
  /** What is added; `field` null adds to `total` alone. Up to about 1,000. */
  readonly parts: readonly ChunkPart[];
  /** Every part but those of gauges also adds to the hash's field `total`. */
  readonly total: boolean;
}

/** One field's part of a chunk. */
export interface ChunkPart {
  readonly field: string | null;
  /** An integer within 64 bits; of a gauge any finite number. */
  readonly amount: number;
  /** Of a gauge: whether `amount` is what it is set to, or what is added to it. */
  readonly gauge?: 'set' | 'change' | undefined;
}

/** Per part, in order: why it was not written. Parts that were are not in the map. */
export type ChunkOutcome = ReadonlyMap<number, FieldFault>;

/**
 * A hash is of another type, while others are well. Nothing was applied, and the chunk's number is
 * used up: it would be answered like this for ever.
 */
export class HashFault extends Error {
  override readonly name = 'HashFault';
}

/**
 * A place where counters are kept. `apply` may be called again with the same chunk after it was
 * rejected, and never applies it twice.
 */
export interface Store {
  readonly kind: 'memory' | 'redis' | 'redis-cluster' | 'redis-sentinel';
  /** What it is called in the log. Holds no secret. */
  readonly label: string;
  /** Sees to it that the store can be reached. Rejects with the reason where it cannot. */
  connect(): Promise<void>;
  /** Whether there is a connection, as far as is known. */
  readonly connected: boolean;
  /** It is not there any more and will not come back: waiting for it is in vain. */
  readonly closed: boolean;
  /**
   * Adds a chunk. Rejects with {@link HashFault} where this hash refuses, and with any other error
   * where the store does, or where it is not known whether the chunk was applied.
   *
   * @param onChanged is told of each gauge that was changed, before it resolves: its part, and what
   *   it stands at. Not of a chunk that was applied before, whose answer alone was lost.
   */
  apply(chunk: Chunk, onChanged?: (part: number, value: number) => void): Promise<ChunkOutcome>;
  /**
   * Returns the fields of a hash and their values, in the store's order. Rejects with
   * {@link HashFault} if it is of another type.
   */
  read(hash: string): Promise<[field: string, value: string][]>;
  /** Returns the value of a field, null where it is not there; rejects as `read` does. */
  readField(hash: string, field: string): Promise<string | null>;
  /**
   * Takes a field out of a hash; false where it is not there. Undefined where counts are
   * everybody's, and nobody's to take away.
   *
   * @param total whether parts of this hash added to `total` too (see {@link Chunk}): then that is
   *   reduced by what the field held, and goes with the last field. `field` null is then what was
   *   counted in `total` alone.
   */
  readonly remove?: ((hash: string, field: string | null, total: boolean) => boolean) | undefined;
  /** Returns how many fields a hash has, which costs little however many; rejects as `read` does. */
  countFields(hash: string): Promise<number>;
  close(): void;
}

/** Returns an integer as a plain decimal: no exponent, however large. */
export function decimal(amount: number): string {
  return Number.isSafeInteger(amount) ? String(amount + 0) : BigInt(amount).toString();
}

/**
 * Returns a number as a plain decimal: no exponent, and as few digits as read back the same.
 *
 *     0.1   →   0.1         1e21   →   1000000000000000000000         1e-7   →   0.0000001
 *
 * @param value finite; up to 325 characters come of it.
 */
export function plainDecimal(value: number): string {
  const text = String(value + 0); // no minus before 0
  const parts = /^(-?)(\d)(?:\.(\d+))?e([-+]\d+)$/.exec(text);
  if (parts === null) return text;
  const [, sign = '', first = '', rest = '', exponent] = parts;
  const digits = first + rest;
  const point = Number(exponent) + 1;
  return point > 0
    ? sign + digits.padEnd(point, '0') // such a number is at least 1e21, of 17 digits at most
    : `${sign}0.${'0'.repeat(-point)}${digits}`;
}

/** Returns whether an amount fits a signed 64-bit integer. */
export function fitsInt64(amount: number): boolean {
  return amount >= -(2 ** 63) && amount < 2 ** 63;
}
