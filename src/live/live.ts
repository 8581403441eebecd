import type { Layout } from '../flush/layout.ts';
import { dayOf } from '../flush/set-book.ts';
import type { SetSender } from '../flush/set-sender.ts';
import type { Time } from '../flush/time.ts';
import { readHashes } from '../http/read-hashes.ts';
import { hostPort } from '../ingest/address.ts';
import type { Options } from '../option-types.ts';
import type { SetStore } from '../sinks/set-store.ts';
import type { Store } from '../sinks/store.ts';
import { readVitals, type Vitals, type VitalsParts } from '../vitals.ts';
import type { LiveMemory } from '../window/live-memory.ts';
import { type CommonPart, createFrameSession, type FrameSession } from './frames.ts';
import { createNameLists } from './name-list.ts';
import type { NameSources, OtherNames } from './name-sources.ts';
import { createPrefixes } from './prefixes.ts';
import { problemsOf } from './problems.ts';
import { createRecent } from './recent.ts';
import { readStanding, readTotals } from './standing.ts';
import { createStoreNames, type StoreNames } from './store-names.ts';
import { createAllTotals } from './totals.ts';
import type { StreamView } from './view.ts';

/** All that the page is told. Beside one look a second at a dozen numbers, it costs nothing idle. */
export interface Live {
  readonly memory: LiveMemory;
  /** How many streams are open. */
  readonly streams: number;
  /**
   * Opens a stream.
   *
   * @param lastSecond up to which all was told already, of Unix time; 0 where that is not known.
   */
  open(view: StreamView, lastSecond?: number): LiveStream;
  /** Names were deleted: all that pages were told of is told again, as it is now. */
  tellAnew(): void;
  /** Begins and ends to look at the numbers each second. */
  start(): void;
  stop(): void;
}

/** A stream. */
export interface LiveStream extends Pick<FrameSession, 'frame'> {
  /** The last second that is over. */
  second(): number;
  /** Calls back after each second. Once only. */
  onSecond(listener: (second: number) => void): void;
  close(): void;
}

/** What the page is told of. */
export interface LiveParts {
  memory: LiveMemory;
  store: Store & Pick<SetStore, 'countMembers'>;
  layout: Layout;
  /** Tells which sets were written to today. */
  setSender: Pick<SetSender, 'today'>;
  /** The hashes that counters are read from. */
  hashes: () => string[];
  /** The name of this process, which no other has. */
  instance: string;
  time: Time;
  intervals: Pick<Options, 'counterInterval' | 'timingInterval'>;
  /** Drains, then reads: numbers of one moment. */
  vitals: () => Promise<Vitals>;
  /** Undefined before the start. */
  vitalsParts: () => VitalsParts | undefined;
}

/** A page that is looked at must not have Redis read a hash out that would hold it up. */
const STORE_NAMES_MAX = 100_000;
/** Rates are over so many seconds. */
const RATE_SECONDS = 10;
/** A last second further ahead than this was told by another clock. */
const AHEAD_SECONDS = 5;
/** A reader who looks at something else opens another stream in a moment. */
const FORGET_MS = 60_000;

/** Creates what the page is told by. */
export function createLive(parts: LiveParts): Live {
  const { memory, store, layout, time, vitalsParts } = parts;
  const { clock, window, trace } = memory;
  const nowMs = (): number => time.nowMs();
  const lastSecond = (): number => clock.complete();
  const clockIsAheadMs = clock.nowMs() - nowMs();
  const toUnixMs = (ms: number): number =>
    Math.round(ms + clockIsAheadMs) + 1000 * clock.offsetSeconds();
  const { counterInterval: counterMs, timingInterval: timingMs } = parts.intervals;
  const recent = createRecent();
  const standing = { recent, toUnixMs, intervals: { counterMs, timingMs } };
  const day = (): string => dayOf(toUnixMs(nowMs()));
  const fieldsOf = (hashes: () => readonly string[]): StoreNames =>
    createStoreNames({ read: () => readFields(store, hashes()), nowMs });
  const storeNames =
    layout.name === 'flat' ? fieldsOf(parts.hashes) : createStoreNames({ read: undefined, nowMs });
  const gaugeNames = fieldsOf(() => layout.gaugeHashes);
  const setNames: OtherNames = {
    names: () => parts.setSender.today().names,
    get version() {
      const { day: present, names } = parts.setSender.today();
      return `${present} ${names.length}`;
    },
  };
  const rateSpan: NameSources['rateSpan'] = (to) => {
    return { from: Math.min(to, Math.max(firstSecond, to - RATE_SECONDS + 1)), to };
  };
  const sources: NameSources = {
    trace,
    window,
    storeNames,
    gauges: { memory: memory.gauges, others: gaugeNames },
    sets: { memory: memory.sets, others: setNames },
    lastSecond,
    offsetSeconds: () => clock.offsetSeconds(),
    rateSpan,
  };
  const totals = createAllTotals(store, layout, time, day);
  const frameParts = {
    memory,
    layout,
    totals,
    day,
    rateSpan,
    common,
    lists: createNameLists(sources, nowMs),
    prefixes: createPrefixes(sources, nowMs),
    firstSecond: () => firstSecond,
    timesTold: () => timesTold,
    sessions: () => open,
  };
  let firstSecond = clock.present();
  let open = 0;
  let timesTold = 1;
  let closedMs = 0;
  let told: { second: number; part: Promise<CommonPart> } | undefined;
  let unsubscribe = (): void => {};

  return {
    memory,
    get streams() {
      return open;
    },
    open: openStream,
    tellAnew() {
      timesTold++;
      forget();
    },
    start() {
      firstSecond = clock.present();
      look();
      unsubscribe = memory.subscribe(onSecond);
    },
    stop: () => unsubscribe(),
  };

  function onSecond(second: number): void {
    look();
    if (open === 0 && nowMs() - closedMs >= FORGET_MS) forget();
    const found = vitalsParts();
    if (open === 0 || found === undefined) return;
    refresh();
    // Now, right behind the drain, the numbers are of one moment.
    told = { second, part: Promise.resolve(commonOf(found, readVitals(found))) };
  }

  function forget(): void {
    for (const one of [storeNames, gaugeNames, ...Object.values(totals)]) one.clear();
  }

  function refresh(): void {
    for (const names of [storeNames, gaugeNames]) names.refresh();
  }

  function look(): void {
    const found = vitalsParts();
    if (found !== undefined) recent.add(readTotals(found));
  }

  function common(second: number): Promise<CommonPart> {
    if (told?.second !== second) told = { second, part: commonNow() };
    return told.part;
  }

  async function commonNow(): Promise<CommonPart> {
    const vitals = await parts.vitals();
    return commonOf(vitalsParts()!, vitals);
  }

  function commonOf(found: VitalsParts, vitals: Vitals): CommonPart {
    const { address, port } = found.socket;
    return {
      instance: parts.instance,
      udp: `udp://${hostPort(address, port)}`,
      rates: recent.rates(),
      vitals,
      problems: problemsOf(readStanding(found, vitals, standing)),
    };
  }

  function openStream(view: StreamView, lastSecondTold = 0): LiveStream {
    open++;
    refresh();
    const isSane = lastSecondTold <= clock.toWall(lastSecond()) + AHEAD_SECONDS;
    const session = createFrameSession(isSane ? raised(view, lastSecondTold) : view, frameParts);
    let end = (): void => {};
    let isOpen = true;
    return {
      frame: (second) => session.frame(second),
      second: lastSecond,
      onSecond: (listener) => void (end = memory.subscribe(listener)),
      close() {
        if (!isOpen) return;
        isOpen = false;
        end();
        session.close();
        open--;
        closedMs = nowMs();
      },
    };
  }
}

/** Reads the fields of hashes, but for those that it would take long to read. */
async function readFields(store: Store, all: readonly string[]): Promise<[string, string][][]> {
  const hashes: string[] = [];
  for (const hash of all) {
    const count = await store.countFields(hash).catch(() => Infinity);
    if (count <= STORE_NAMES_MAX) hashes.push(hash);
  }
  return (await readHashes(store, hashes)).map(([, fields]) => fields);
}

/** What was told already is not told again, though the reader asks as he did at first. */
function raised(view: StreamView, lastSecond: number): StreamView {
  const watched = view.watched.map((wish) => {
    return { ...wish, since: Math.max(wish.since, lastSecond) };
  });
  return { ...view, watched };
}
