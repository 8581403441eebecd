/** Members for one set. Added again, they change nothing. */
export interface SetChunk {
  readonly key: string;
  /** When all of it may be forgotten, in seconds since 1970. */
  readonly expireAt: number;
  /** One character per byte; at least one member. */
  readonly members: readonly string[];
}

/** Why a set takes no members: its key is of another type, or there is no room for another set. */
export type SetFault = 'wrong_type' | 'sets_full';

/** Which of several sets have taken no members, by their place among them. */
export type SetFaults = ReadonlyMap<number, SetFault>;

/** A place where unique members are counted. */
export interface SetStore {
  /** Sees to it that the store can be reached. Rejects with the reason where it cannot. */
  connect(): Promise<void>;
  readonly connected: boolean;
  /**
   * Adds members to several sets, a thousand members at most in all. Rejects where it is not known
   * which of them were added.
   *
   * @param onCount is told how many members each has by then, before it resolves; nothing where
   *   that may not be asked.
   */
  addMembers(
    chunks: readonly SetChunk[],
    onCount?: (chunk: number, unique: number) => void,
  ): Promise<SetFaults>;
  /** Returns about how many members there are; rejects with `HashFault` if it is no set. */
  countMembers(key: string): Promise<number>;
}

/** Sets are kept so long after the last write. */
export const SET_SECONDS: number = 8 * 24 * 3600;

/** Returns the key of a set of one day. */
export function setKey(collection: string, name: string, day: string): string {
  return `${collection}:set:${name}:${day}`;
}
