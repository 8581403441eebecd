/** What a registry knows of a name; the books keep more in the same object. */
export interface Registered {
  readonly name: string;
  /** The period in which it was used last; see {@link Registry.nextPeriod}. */
  period: number;
}

/** The names in use, each with an entry. */
export interface Registry<Entry extends Registered> {
  readonly size: number;
  has(name: string): boolean;
  /** Returns the entry of a name, made if it is new. Keep it: looking it up again costs a hash. */
  entry(name: string): Entry;
  /** Marks a name as in use. */
  touch(entry: Entry): void;
  /** All entries, in order of first sight. */
  all(): Iterable<Entry>;
  /**
   * Ends a period: forgets the names that were not used in it, unless they are to be kept. Returns
   * those that were used.
   */
  nextPeriod(isKept: (idle: Entry) => boolean): string[];
}

/** Creates an empty registry; `make` makes what is kept of a name beside its period. */
export function createRegistry<Entry extends Registered>(
  make: (name: string, period: number) => Entry,
): Registry<Entry> {
  const entries = new Map<string, Entry>();
  let period = 0;
  return {
    get size() {
      return entries.size;
    },
    has: (name) => entries.has(name),
    entry(name) {
      let found = entries.get(name);
      if (found === undefined) entries.set(name, (found = make(name, period)));
      return found;
    },
    touch(entry) {
      entry.period = period;
    },
    all: () => entries.values(),
    nextPeriod(isKept) {
      const active: string[] = [];
      for (const entry of entries.values()) {
        if (entry.period === period) active.push(entry.name);
        else if (!isKept(entry)) entries.delete(entry.name);
      }
      period++;
      return active;
    },
  };
}
