/** Members that are added to a set in one step. Added again, they change nothing. */
export interface SetChunk {
  readonly key: string;
  /** When all of it may be forgotten, in seconds since 1970. */
  readonly expireAt: number;
  /** One character per byte; a thousand at most. */
  readonly members: readonly string[];
}

/** A place where unique members are counted. */
export interface SetStore {
  /** Sees to it that the store can be reached. Rejects with the reason where it cannot. */
  connect(): Promise<void>;
  readonly connected: boolean;
  /**
   * Adds members, and returns about how many there are by then; undefined where that may not be
   * asked. Rejects with `HashFault` where the key is of another type, with
   * {@link SetsFull} where there is no room for another set, and with any other error where it is
   * not known whether they were added.
   */
  addMembers(chunk: SetChunk): Promise<number | undefined>;
  /** Returns about how many members there are; rejects with `HashFault` as above. */
  countMembers(key: string): Promise<number>;
}

/** The store has no room for another set; those that there are go on. */
export class SetsFull extends Error {
  override readonly name = 'SetsFull';
}

/** Sets are kept so long after the last write. */
export const SET_SECONDS: number = 8 * 24 * 3600;

/** Returns the key of a set of one day. */
export function setKey(collection: string, name: string, day: string): string {
  return `${collection}:set:${name}:${day}`;
}
