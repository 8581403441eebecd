import type { CounterEntry } from '../flush/counter-book.ts';
import type { Log } from '../flush/health.ts';
import { createLayout } from '../flush/layout.ts';
import type { Account } from '../in-process/account.ts';
import { type Counting, createCounting, type StoreChoice } from '../in-process/counting.ts';
import { FIRST_KINDS, type Kind } from './kinds.ts';

/** What a query counter is made with. */
export interface QueryCounterOptions {
  store: StoreChoice;
  statPrefix: string;
  pushIntervalMs: number;
  stopTimeoutMs: number;
  log: Log;
}

/** Counts requests and responses by URI, in a hash per kind. */
export interface QueryCounter {
  /** Sees to it that a URI has its fields, be they 0. */
  register(uri: string): void;
  counted(kind: Kind, uri: string): void;
  /** Reads every hash as it was written. */
  read(): Promise<[hash: string, fields: [field: string, value: string][]][]>;
  account(): Account;
  stop(): Promise<number>;
}

/** Nothing is refused for want of names: the URIs are few already, and each has ten of them. */
const NAMES_MAX = 2 ** 31;

/**
 * Creates a query counter, which connects and writes its hashes' totals at once.
 *
 * A URI is counted under a name per kind, `requestTotal./users`, which the layout `split` makes a
 * hash and a field of: the same as a collector does with lines of these names.
 */
export function createQueryCounter(options: QueryCounterOptions): QueryCounter {
  const { statPrefix } = options;
  const counting: Counting = createCounting({
    store: options.store,
    layout: createLayout('split', [statPrefix]),
    maxKeys: NAMES_MAX,
    forgetsIdle: false,
    intervalMs: options.pushIntervalMs,
    stopTimeoutMs: options.stopTimeoutMs,
    log: options.log,
  });
  const kinds = new Set<Kind>(FIRST_KINDS);
  // Per URI, its counter of each kind: found once, not at each request.
  const entries = new Map<string, Partial<Record<Kind, CounterEntry | undefined>>>();
  for (const kind of FIRST_KINDS) counting.register(counting.entry(kind));
  counting.flush();

  return {
    register(uri) {
      for (const kind of FIRST_KINDS) counting.register(entry(kind, uri));
    },
    counted(kind, uri) {
      counting.add(entry(kind, uri), 1);
    },
    read: () =>
      counting.hold.during(() => {
        const hashes = Array.from(kinds, (kind) => statPrefix + kind);
        return Promise.all(
          hashes.map(async (hash) => [hash, await counting.store.read(hash)] as const),
        ) as Promise<[string, [string, string][]][]>;
      }),
    account: () => counting.account(),
    stop: () => counting.stop(),
  };

  function entry(kind: Kind, uri: string): CounterEntry | undefined {
    let ofUri = entries.get(uri);
    if (ofUri === undefined) entries.set(uri, (ofUri = {}));
    return (ofUri[kind] ??= newEntry(kind, uri));
  }

  function newEntry(kind: Kind, uri: string): CounterEntry | undefined {
    kinds.add(kind);
    return counting.entry(`${kind}.${uri}`);
  }
}
