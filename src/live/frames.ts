import type { Layout } from '../flush/layout.ts';
import type { Column } from '../window/column.ts';
import type { HeldPoint } from '../window/held-values.ts';
import type { LiveMemory } from '../window/live-memory.ts';
import type {
  Frame,
  Watched,
  WatchedCounter,
  WatchedHeld,
  WatchedTiming,
  WirePoint,
} from './frame.ts';
import type { NameLists } from './name-list.ts';
import type { RateSpan } from './name-sources.ts';
import type { PrefixCounters } from './prefixes.ts';
import type { OpenWork, SharedWork } from './shared-work.ts';
import { placeOf, type StoredKind, type Totals } from './totals.ts';
import { createTurns } from './turns.ts';
import type { StreamView, Wish } from './view.ts';
import { wireColumn, wireHeld } from './wire.ts';

/** What one stream tells: it knows what was told already. */
export interface FrameSession {
  /**
   * Returns a frame, up to the end of a second of the clock: of what is watched all that
   * came since the last frame. Not to be asked again before it is there. Rejects if closed.
   *
   * Of a name it has at most 300 columns of about 20 bins, which is 100 kB: a first frame may be
   * large, those after it have one column of each.
   */
  frame(second: number): Promise<MadeFrame>;
  close(): void;
}

/** A frame, ready to be sent. */
export interface MadeFrame {
  /** Its second of Unix time. */
  second: number;
  /** A {@link Frame} as JSON. */
  text: string;
}

/** What all streams are told alike. */
export type CommonPart = Pick<Frame, 'instance' | 'udp' | 'rates' | 'vitals' | 'problems'>;

/** What frames are made of. */
export interface FrameParts {
  memory: Pick<LiveMemory, 'clock' | 'window' | 'trace' | 'history' | 'gauges' | 'sets'>;
  lists: NameLists;
  prefixes: SharedWork<string, PrefixCounters>;
  totals: Readonly<Record<StoredKind, Totals>>;
  layout: Layout;
  /** The present day, in UTC. */
  day: () => string;
  /** Over how many seconds, up to one, rates are taken. */
  rateSpan: (second: number) => RateSpan;
  /** Returns what all streams are told of a second. */
  common: (second: number) => Promise<CommonPart>;
  /** The first second of which something is known. */
  firstSecond: () => number;
  /** Another number when what was told is to be told anew: some of it is not there any more. */
  timesTold: () => number;
  /** How many sessions there are. */
  sessions: () => number;
}

/** How far something was told. */
interface Told {
  /** The last second, on the clock; {@link NEVER} where nothing was. */
  since: number;
  /** Whether it was told in spans of 30 s. */
  inSpans?: boolean;
}

interface Item extends Told {
  readonly wish: Wish;
  /** For a prefix: those of its counters that were in the last frame. */
  counters: ReadonlyMap<string, Told>;
  busiest: OpenWork<PrefixCounters> | undefined;
}

const NEVER = -Infinity;
const STORED = ['counter', 'gauge', 'set'] as const;
/** The reader's clock of a while ago may have been this much ahead without having been another. */
const AHEAD_SECONDS = 5;
/** A system's clock that was set by this much tells other times. */
const RESET_SECONDS = 2;
const SPAN_SECONDS = 30;
const LONG_SPAN = 7200;

/** Begins a session. */
export function createFrameSession(view: StreamView, parts: FrameParts): FrameSession {
  const { clock, window, trace, history, gauges, sets } = parts.memory;
  const list = parts.lists.open(view.list);
  // How far the clock was set when something was told first.
  let startOffset = clock.offsetSeconds();
  const items = view.watched.map(itemOf);
  // One who knows of times that have not come yet has got them from another clock.
  let isReset = items.some(({ since }) => since > clock.complete() + AHEAD_SECONDS);
  let isClosed = false;
  let timesTold = parts.timesTold();

  return {
    async frame(second) {
      const turns = createTurns();
      await turns.next();
      if (isClosed) throw new Error('the session was closed');
      const offset = clock.offsetSeconds();
      if (Math.abs(offset - startOffset) >= RESET_SECONDS) isReset = true;
      if (timesTold !== parts.timesTold()) isReset = true;
      timesTold = parts.timesTold();
      if (isReset) forget(offset);
      const [common, names, busiest] = await Promise.all([
        parts.common(second),
        list.read(second),
        Promise.all(items.map(async ({ busiest: open }) => open?.read())),
      ]);
      await Promise.all(
        STORED.map((kind) => {
          const shown = items.flatMap((item, at) => namesOf(item, kind, busiest[at]));
          return parts.totals[kind].read(shown, second, parts.sessions());
        }),
      );
      const texts: string[] = [];
      for (const [at, item] of items.entries()) {
        texts.push(JSON.stringify(watchedOf(item, busiest[at], { second, offset })));
        if (turns.isOver()) await turns.next();
      }
      const head: Omit<Frame, 'list' | 'watched'> = {
        second: second + offset,
        ...common,
        ...(isReset ? { reset: true } : {}),
        countersFrom: Math.max(parts.firstSecond(), trace.oldestSecond()) + offset,
      };
      isReset = false;
      const open = JSON.stringify(head).slice(0, -1);
      const text = `${open},"list":${JSON.stringify(names)},"watched":[${texts.join(',')}]}`;
      return { second: head.second, text };
    },
    close() {
      isClosed = true;
      list.close();
      for (const { busiest } of items) busiest?.close();
    },
  };

  function itemOf(wish: Wish): Item {
    const since = wish.since === 0 ? NEVER : wish.since - startOffset;
    const busiest = wish.kind === 'prefix' ? parts.prefixes.open(wish.name) : undefined;
    return { wish, since, counters: new Map(), busiest };
  }

  /** All is told again, by another clock. */
  function forget(offset: number): void {
    startOffset = offset;
    for (const item of items) {
      item.since = NEVER;
      item.counters = new Map();
    }
  }

  function namesOf({ wish }: Item, kind: StoredKind, busiest?: PrefixCounters): string[] {
    if (busiest !== undefined) return kind === 'counter' ? busiest.names : [];
    return wish.kind === kind ? [wish.name] : [];
  }

  function watchedOf(item: Item, busiest: PrefixCounters | undefined, at: At): Watched {
    const { wish } = item;
    if (wish.kind === 'timing') return timingOf(wish.name, item, at);
    if (wish.kind === 'counter') return counterOf(wish.name, item, at);
    if (wish.kind !== 'prefix') return heldOf(wish.kind, wish.name, item, at);
    const { names, matching, fromSecond } = busiest!;
    // Which of them a new reader knows is not known, unless they have been the same since then.
    const first = item.since > fromSecond ? item.since : NEVER;
    const told = new Map(names.map((name) => [name, item.counters.get(name) ?? { since: first }]));
    item.counters = told;
    item.since = NEVER;
    const counters = names.map((name) => counterOf(name, told.get(name)!, at));
    return { kind: 'prefix', prefix: wish.name, matching, counters };
  }

  function timingOf(name: string, told: Told, { second, offset }: At): WatchedTiming {
    const isLong = history.has('timing', name);
    const since = tellFrom(told, isLong, second);
    const columns = told.inSpans
      ? history.timing(name, since - SPAN_SECONDS)
      : fineColumns(name, since);
    return {
      kind: 'timing',
      name,
      summary: window.summary(name) ?? null,
      isLong,
      columns: columns
        .filter((column) => column.second <= second)
        .map((column) => wireColumn(column, offset)),
    };
  }

  function fineColumns(name: string, since: number): Column[] {
    // Where seconds had to be merged, one may have joined a column that was told before it.
    const before = window.usage().columnsMerged > 0 ? since - SPAN_SECONDS : since;
    const columns = window.columnsSince(name, before);
    return columns.filter(({ second, span }) => second + span - 1 > since);
  }

  function counterOf(name: string, told: Told, { second, offset }: At): WatchedCounter {
    const isLong = history.has('counter', name);
    const since = tellFrom(told, isLong, second);
    const points: WirePoint[] = told.inSpans
      ? history.counter(name, since - SPAN_SECONDS)
      : trace.points(name, since).map(([at, sum]) => [at, 1, sum]);
    return {
      kind: 'counter',
      name,
      ...placeOf(parts.layout, 'counter', name, parts.day()),
      total: parts.totals.counter.last(name),
      isLong,
      points: points
        .filter(([at]) => at <= second)
        .map(([at, span, sum]) => [at + offset, span, sum]),
    };
  }

  function heldOf(
    kind: 'gauge' | 'set',
    name: string,
    told: Told,
    { second, offset }: At,
  ): WatchedHeld {
    const held = kind === 'gauge' ? gauges : sets;
    const isLong = held.history.has(name);
    const since = tellFrom(told, isLong, second);
    const points: HeldPoint[] = told.inSpans
      ? held.history.points(name, since - SPAN_SECONDS)
      : held.values.points(name, since).map(([at, value]) => [at, 1, value, value, value]);
    const { from, to } = parts.rateSpan(second);
    const [lastWrite] = held.values.points(name, NEVER).at(-1) ?? [];
    return {
      kind,
      name,
      ...placeOf(parts.layout, kind, name, parts.day()),
      total: parts.totals[kind].last(name),
      writtenSecond: lastWrite === undefined ? null : lastWrite + offset,
      rate: held.writes.recentSum(name, from, to) / (to - from + 1),
      isLong,
      points: points.filter(([at]) => at <= second).map((point) => wireHeld(point, offset)),
    };
  }

  /** Returns after which second is to be told, and remembers that it is told up to `second`. */
  function tellFrom(told: Told, isLong: boolean, second: number): number {
    const inSpans = isLong && view.span === LONG_SPAN;
    const wasOther = told.inSpans !== undefined && told.inSpans !== inSpans;
    // One that was told in another way is told from the beginning.
    const since = wasOther ? NEVER : Math.min(told.since, second);
    told.since = second;
    told.inSpans = inSpans;
    return since;
  }
}

interface At {
  second: number;
  offset: number;
}
