import { createTurns } from './turns.ts';

/** The counters that the store knows, also those that others count, or were counted before. */
export interface StoreNames {
  names(): ReadonlySet<string>;
  /** Another number when the names may be others. */
  readonly version: number | string;
  /** Begins to read them again if they are a minute old. Whatever fails leaves what there is. */
  refresh(): void;
  /** Forgets them: nobody looks. */
  clear(): void;
}

/** What they are read with. */
export interface StoreNamesParts {
  /** Returns the fields of every hash; undefined where fields are not names. */
  read: (() => Promise<Iterable<readonly [field: string, value: string]>[]>) | undefined;
  nowMs: () => number;
}

const READ_EVERY_MS = 60_000;
/** More would be no list that anybody reads. */
const NAMES_MAX = 200_000;

const NONE: ReadonlySet<string> = new Set();

/** Creates names of which none are known yet. */
export function createStoreNames({ read, nowMs }: StoreNamesParts): StoreNames {
  let names = NONE;
  let version = 0;
  let forgotten = 0;
  let isReading = false;
  let dueMs = -Infinity;

  return {
    names: () => names,
    get version() {
      return version;
    },
    refresh() {
      if (read === undefined || isReading || nowMs() < dueMs) return;
      isReading = true;
      dueMs = nowMs() + READ_EVERY_MS;
      const before = forgotten;
      readAll(read)
        .then((found) => {
          if (forgotten !== before) return; // it may have what was to be forgotten
          names = found;
          version++;
        })
        .catch(() => {}) // that the store is away is told elsewhere
        .finally(() => (isReading = false));
    },
    clear() {
      forgotten++;
      names = NONE;
      version++;
      dueMs = -Infinity;
    },
  };
}

async function readAll(read: NonNullable<StoreNamesParts['read']>): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const turns = createTurns();
  for (const fields of await read()) {
    for (const [field] of fields) {
      if (found.size >= NAMES_MAX) return found;
      found.add(field);
      if (turns.isOver()) await turns.next();
    }
  }
  return found;
}
