import type { Vitals } from '../vitals-types.ts';
import type { TimingSummary } from '../window/summary.ts';

// What `GET /api/stream` sends. Types only: the page reads the same ones.
// All seconds are whole seconds of Unix time, values of timings are milliseconds.

/** What has happened, once a second. A reader that was slow gets all that it missed in one. */
export interface Frame {
  /** The last second that is over; all that is told reaches up to its end. Also the event's id. */
  second: number;
  /** Tells one life of a collector from the next: counts begin at 0 with each. */
  instance: string;
  /** Where it listens, such as `udp://127.0.0.1:8125`. */
  udp: string;
  /** What came before is to be forgotten: names were deleted, or the system's clock was set. */
  reset?: true;
  /** Per second, over the last 10 s at most. */
  rates: Rates;
  vitals: Vitals;
  /** Since which second all that was added to counters is known: what has no point since then is 0. */
  countersFrom: number;
  /** What is not as it should be, the worst first; empty when all is well. */
  problems: Problem[];
  list: NameList;
  /** One for each that was asked for, in that order. */
  watched: Watched[];
}

/** How much comes, per second. */
export interface Rates {
  /** Over UDP and the unix socket. */
  datagrams: number;
  lines: number;
  rejected: number;
  kernelDrops: number;
}

/** Something that a user should know, and what to do about it. */
export interface Problem {
  /** What it is about: one problem each at a time. */
  about: 'store' | 'trap' | 'state' | 'refused' | 'drops' | 'keys' | 'lost' | 'lag' | 'admin';
  /** `bad`: counts are lost or late now. `warn`: they may be, or somebody sends nonsense. */
  level: 'bad' | 'warn';
  /** What happened, in one sentence, with its numbers. May hold text from outside. */
  text: string;
  /** What to do, in one sentence. */
  advice: string;
  /** Since when, in Unix milliseconds; null where that is not known. */
  sinceMs: number | null;
}

/** Kinds of names. */
export type Kind = 'counter' | 'gauge' | 'set' | 'timing';

/** A part of the list of names: the rows that are to be seen. */
export interface NameList {
  /** How many names there are, and how many of them match what was searched for. */
  total: number;
  matching: number;
  /** Which one of those that match comes first in `rows`. */
  from: number;
  rows: NameRow[];
}

/** A name in the list. */
export interface NameRow {
  kind: Kind;
  name: string;
  /** Increments, samples, or writes of a gauge or set, per second, over the last 10 s. */
  rate: number;
  /** Over the live window, as in `/api/timings`; null for other kinds. */
  p99: number | null;
  /**
   * What a gauge stood at, or how many unique members a set had today, after the last write of this
   * collector; null where that is not known, and for other kinds.
   */
  value: number | null;
  /**
   * The last 60 seconds, oldest first: a counter's increments, a timing's p99 (null where nothing
   * was timed), what a gauge or set stood at (null where that is not known). Of three digits.
   */
  spark: (number | null)[];
}

/** What is shown at large. */
export type Watched = WatchedTiming | WatchedCounter | WatchedHeld | WatchedPrefix;

/** A timing. */
export interface WatchedTiming {
  kind: 'timing';
  name: string;
  /** Over the live window, as in `/api/timings`; null where nothing is in it. */
  summary: TimingSummary | null;
  /** Whether it is one of the 200 busiest, which alone reach further back than 5 minutes. */
  isLong: boolean;
  /** What is new, oldest first; one of the same `second` and `span` as before replaces it. */
  columns: WireColumn[];
}

/** The samples of a name in one span of time. */
export interface WireColumn {
  second: number;
  /** In seconds: 1, or 30 where it is further back. */
  span: number;
  /** Sum of the weights. */
  weight: number;
  /** Exact; null where nothing in it is a number. */
  min: number | null;
  max: number | null;
  /** Sum of values times weights. */
  weightedSum: number;
  /** Code and count of each bin in turns, lowest first. The codes are those of histogram-bin.ts. */
  bins: number[];
}

/** What the store keeps of a name. */
export interface WatchedStored {
  name: string;
  /** Where it is kept: the first of its places. A set has a key for the day, and no field. */
  hash: string;
  field: string | null;
  /** How many other hashes or keys it is kept in as well. */
  otherHashes: number;
  /**
   * What the store holds, all digits of it and whoever wrote it; null where it is not there, or
   * does not answer.
   */
  total: string | null;
  isLong: boolean;
}

/** A counter. */
export interface WatchedCounter extends WatchedStored {
  kind: 'counter';
  /** What is new, oldest first, as of {@link WatchedTiming.columns}. Seconds of nothing are left out. */
  points: WirePoint[];
}

/** What was added to a counter in one span of time: begin, seconds, sum of the increments. */
export type WirePoint = [second: number, span: number, sum: number];

/** A gauge, or a set, whose number of unique members of the day (UTC) holds likewise. */
export interface WatchedHeld extends WatchedStored {
  kind: 'gauge' | 'set';
  /** Writes per second, over the last 10 s. */
  rate: number;
  /** The last second in which this collector has written it; null where that is not known. */
  writtenSecond: number | null;
  /**
   * What is new, oldest first, as of {@link WatchedTiming.columns}: when this collector has written
   * it, and what the store held then. It holds until the next one. What is told first may begin
   * with one that is older than all that is kept of seconds.
   */
  points: WireHeld[];
}

/** Begin, seconds; the last value in them, the lowest, the highest: null where not known. */
export type WireHeld = [
  second: number,
  span: number,
  last: number | null,
  low: number | null,
  high: number | null,
];

/** All counters whose names begin alike. */
export interface WatchedPrefix {
  kind: 'prefix';
  /** Such as `api.`; empty for all. */
  prefix: string;
  /** How many there are. */
  matching: number;
  /** The busiest 24 of them, by name. */
  counters: WatchedCounter[];
}
