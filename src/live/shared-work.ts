/** Something that takes long to make, and is made once for all who want the same. */
export interface SharedWork<Wish, Value> {
  open(wish: Wish): OpenWork<Value>;
}

/** One who wants it. */
export interface OpenWork<Value> {
  /**
   * Returns it. One that is due but takes long to make is returned still, while the next one is
   * made, unless it is old. Rejects if closed meanwhile.
   */
  read(): Promise<Value>;
  close(): void;
}

/** A value that was made. */
export interface Made<Value> {
  readonly value: Value;
  readonly ageMs: number;
  /** How long it took to make. */
  readonly tookMs: number;
}

/** How it is made. */
export interface SharedWorkParts<Wish, Value> {
  /** Wishes with the same key are the same. */
  keyOf: (wish: Wish) => string;
  /** Makes it; may look at what was made before. */
  make: (wish: Wish, signal: AbortSignal, before: Value | undefined) => Promise<Value>;
  /** Whether it is to be made anew. */
  isDue: (wish: Wish, made: Made<Value>) => boolean;
  nowMs: () => number;
}

/** One this old is not shown any more, not even for a moment. */
const OLD_MS = 10_000;
/** What took less than this is waited for. */
const LONG_MS = 50;
/** Who scrolls closes one stream and opens the next: so many are kept that nobody wants. */
const SPARES_MAX = 2;

interface Entry<Wish, Value> {
  readonly wish: Wish;
  readonly stop: AbortController;
  users: number;
  making: Promise<Value> | undefined;
  last: { value: Value; atMs: number; tookMs: number } | undefined;
}

/** Creates work of which none is done yet. */
export function createSharedWork<Wish, Value>(
  parts: SharedWorkParts<Wish, Value>,
): SharedWork<Wish, Value> {
  const { keyOf, nowMs } = parts;
  // Those in use, and the spares in the order in which they became ones.
  const entries = new Map<string, Entry<Wish, Value>>();

  return {
    open(wish) {
      const key = keyOf(wish);
      const entry = entries.get(key) ?? entryOf<Wish, Value>(wish);
      entries.set(key, entry);
      entry.users++;
      let isOpen = true;
      return {
        async read() {
          if (!isOpen) throw closed();
          if (entry.last === undefined) return make(entry);
          const { value, atMs, tookMs } = entry.last;
          const ageMs = nowMs() - atMs;
          if (!parts.isDue(wish, { value, ageMs, tookMs })) return value;
          const making = make(entry);
          if (ageMs > OLD_MS || tookMs < LONG_MS) return making;
          making.catch(() => {}); // it was closed meanwhile: nobody waits for it
          return value;
        },
        close() {
          if (isOpen && --entry.users === 0) leave(key, entry);
          isOpen = false;
        },
      };
    },
  };

  function make(entry: Entry<Wish, Value>): Promise<Value> {
    entry.making ??= makeNow(entry).finally(() => (entry.making = undefined));
    return entry.making;
  }

  async function makeNow(entry: Entry<Wish, Value>): Promise<Value> {
    const startMs = nowMs();
    const value = await parts.make(entry.wish, entry.stop.signal, entry.last?.value);
    const atMs = nowMs();
    entry.last = { value, atMs, tookMs: atMs - startMs };
    return value;
  }

  /** Nobody wants it any more: what is being made is given up. */
  function leave(key: string, { wish, stop, last }: Entry<Wish, Value>): void {
    stop.abort(closed());
    entries.delete(key);
    if (last === undefined) return;
    entries.set(key, { ...entryOf<Wish, Value>(wish), last });
    const spares = [...entries].filter(([, { users }]) => users === 0);
    for (const [spare] of spares.slice(0, -SPARES_MAX)) entries.delete(spare);
  }
}

function entryOf<Wish, Value>(wish: Wish): Entry<Wish, Value> {
  return { wish, stop: new AbortController(), users: 0, making: undefined, last: undefined };
}

function closed(): Error {
  return new Error('nobody wants it any more');
}
