import type { ParsedLine } from '../protocol/parse.ts';
import { Kind } from '../protocol/parse.ts';
import { Verdict } from '../protocol/reasons.ts';
import type { KeyIndex } from './key-index.ts';
import type { Ledger, LedgerSide } from './ledger.ts';
import { Control, GaugeMark } from './ledger.ts';
import { MEMBER_HEADER_WORDS, memberWords } from './memory.ts';
import { createNameFinder, type NameFinderOptions } from './name-finder.ts';
import { REFUSAL_BYTES, REFUSED_LINE_BYTES_MAX, REFUSED_SOURCE_BYTES_MAX, Stat } from './stat.ts';

/** The one writer of a {@link Ledger}. */
export interface LedgerWriter {
  /** The names, for who finds them faster than `add` does; see `ingest/pipeline.ts`. */
  readonly keys: KeyIndex;
  /** Counts a datagram that was read. */
  datagram(bytes: number): void;
  /**
   * Adds all samples of a line, or none: `key_limit` where a name is new and no room is left,
   * `bad_name` or `bad_tags` where a new spelling turns out to be no name.
   * Allocates nothing for a known spelling.
   */
  add(line: ParsedLine): Verdict;
  /** Adds a line of one counter sample whose entry is known. */
  addCounter(entry: number, value: number): void;
  /** Adds a line of one timing whose entry is known. */
  addTiming(entry: number, value: number, weight: number): void;
  /** Counts a refused line and keeps it, cut to 200 bytes, as the last of its reason. */
  reject(verdict: Verdict, bytes: Uint8Array, start: number, end: number): void;
  /**
   * Makes room for a name and returns whether there was any. For names known from before, so that
   * no limit of tag sets keeps it out.
   */
  intern(kind: Kind, name: string): boolean;
  /** Returns how many sets of tags names have, for the next writer of this ledger. */
  tagSets(): SharedArrayBuffer | undefined;
  /** Answers a flip that was asked for; returns whether one was. Call between two packets. */
  poll(): boolean;
}

/** What a writer is made with. */
export interface LedgerWriterOptions extends NameFinderOptions {
  /** Called once between two flips when a log is half full. */
  onHalfFull: () => void;
  /** Returns who sent the datagram being read, such as `127.0.0.1:40001`. */
  source: () => string;
}

/** Creates the writer of a ledger. A ledger has only one at a time. */
export function createLedgerWriter(ledger: Ledger, options: LedgerWriterOptions): LedgerWriter {
  const { control, room } = ledger;
  const { timingsMax } = ledger.limits;
  const names = createNameFinder(ledger, options);
  const { keys, intern, tagSets } = names;
  const encoder = new TextEncoder();
  // By kind: where the samples of the line in hand go.
  const entries = new Int32Array(Object.keys(Kind).length);
  let epoch = Atomics.load(control, Control.active);
  let side: LedgerSide = ledger.sides[(epoch & 1) as 0 | 1];
  side.mark[0] = epoch + 1;
  let memberRoom = 0; // so many words of members may be written, likewise
  let logRoom = 0; // so many timings may be logged on this side; more are to be asked for
  let askedForFlip = false;

  return { keys, tagSets, datagram, add, addCounter, addTiming, reject, intern, poll };

  function datagram(bytes: number): void {
    const { stats } = side;
    stats[Stat.datagrams] = stats[Stat.datagrams]! + 1;
    stats[Stat.bytes] = stats[Stat.bytes]! + bytes;
  }

  function add(line: ParsedLine): Verdict {
    const { count, kinds, values } = line;
    // All names first: a line of which one cannot be counted adds nothing at all.
    entries.fill(NOT_LOOKED_UP);
    for (let index = 0; index < count; index++) {
      const kind = kinds[index] as Kind;
      if (entries[kind] !== NOT_LOOKED_UP) continue;
      const entry = names.find(line, kind);
      if (entry < 0) return -entry as Verdict;
      entries[kind] = entry;
    }
    for (let index = 0; index < count; index++) {
      const kind = kinds[index] as Kind;
      const entry = entries[kind]!;
      if (kind === Kind.counter) sum(entry, values[index]!);
      else if (kind === Kind.timing) log(entry, values[index]!, line.weights[index]!);
      else if (kind === Kind.set) logMember(entry, line, index);
      else if (line.relative[index] === 1) changeGauge(entry, values[index]!);
      else setGauge(entry, values[index]!);
    }
    side.stats[Stat.linesAccepted] = side.stats[Stat.linesAccepted]! + 1;
    return Verdict.accepted;
  }

  function addCounter(entry: number, value: number): void {
    side.stats[Stat.linesAccepted] = side.stats[Stat.linesAccepted]! + 1;
    sum(entry, value);
  }

  function addTiming(entry: number, value: number, weight: number): void {
    side.stats[Stat.linesAccepted] = side.stats[Stat.linesAccepted]! + 1;
    log(entry, value, weight);
  }

  function sum(entry: number, value: number): void {
    const { sums, stats } = side;
    stats[Stat.counterSamples] = stats[Stat.counterSamples]! + 1;
    if (value >= INT64_END || value < -INT64_END) {
      stats[Stat.countersOverflown] = stats[Stat.countersOverflown]! + 1;
      return;
    }
    const at = 3 * entry;
    const samples = sums[at + 2]!;
    const odd = samples & 1;
    sums[at + 1 - odd] = sums[at + odd]! + value;
    sums[at + 2] = samples + 1;
  }

  function setGauge(entry: number, value: number): void {
    side.stats[Stat.gaugeSamples] = side.stats[Stat.gaugeSamples]! + 1;
    const samples = gaugeSamples(entry);
    const wasSet = samples % GaugeMark.gauge >= GaugeMark.absolute;
    putGauge(entry, value, wasSet ? samples : samples + GaugeMark.absolute);
  }

  function changeGauge(entry: number, change: number): void {
    const { sums, stats } = side;
    stats[Stat.gaugeSamples] = stats[Stat.gaugeSamples]! + 1;
    const samples = gaugeSamples(entry);
    const value = sums[3 * entry + (samples & 1)]! + change;
    if (Number.isFinite(value)) putGauge(entry, value, samples);
    else stats[Stat.gaugesOverflown] = stats[Stat.gaugesOverflown]! + 1;
  }

  /** Returns the samples of a gauge with their marks. */
  function gaugeSamples(entry: number): number {
    return side.sums[3 * entry + 2]! || GaugeMark.gauge;
  }

  /** Puts a value beside the one that counts, and then has it count, as with a sum. */
  function putGauge(entry: number, value: number, samples: number): void {
    const { sums } = side;
    sums[3 * entry + 1 - (samples & 1)] = value;
    sums[3 * entry + 2] = samples + 1;
  }

  function log(entry: number, value: number, weight: number): void {
    const { log: timings, stats } = side;
    stats[Stat.timingSamples] = stats[Stat.timingSamples]! + 1;
    const at = stats[Stat.logLength]!;
    if (at >= logRoom && (logRoom = room.timings(side, at + 1)) <= at) {
      stats[Stat.timingsDropped] = stats[Stat.timingsDropped]! + 1;
      return;
    }
    timings[3 * at] = entry;
    timings[3 * at + 1] = value;
    timings[3 * at + 2] = weight;
    stats[Stat.logLength] = at + 1;
    if (at >= timingsMax >> 1) askForFlip();
  }

  //     entry   length   bytes…        the next
  //     ^^^^^   ^^^^^^   ^^^^^^^^      a word, a word, as many words as they take
  function logMember(entry: number, { bytes, values, weights }: ParsedLine, index: number): void {
    const { members, memberBytes, stats } = side;
    stats[Stat.setSamples] = stats[Stat.setSamples]! + 1;
    const start = values[index]!;
    const length = weights[index]! - start;
    const at = stats[Stat.memberWords]!;
    const end = at + memberWords(length);
    if (end > memberRoom && (memberRoom = room.members(side, end)) < end) {
      stats[Stat.membersDropped] = stats[Stat.membersDropped]! + 1;
      askForFlip();
      return;
    }
    members[at] = entry;
    members[at + 1] = length;
    const to = 4 * (at + MEMBER_HEADER_WORDS);
    for (let n = 0; n < length; n++) memberBytes[to + n] = bytes[start + n]!;
    stats[Stat.memberWords] = end;
    if (end >= timingsMax >> 1) askForFlip();
  }

  function askForFlip(): void {
    if (askedForFlip) return;
    askedForFlip = true;
    options.onHalfFull();
  }

  function reject(verdict: Verdict, bytes: Uint8Array, start: number, end: number): void {
    if (verdict === Verdict.accepted) return;
    const { stats, refusals } = side;
    const stat = Stat.rejected + verdict - 1;
    stats[stat] = stats[stat]! + 1;
    const offset = (verdict - 1) * REFUSAL_BYTES;
    const length = Math.min(end - start, REFUSED_LINE_BYTES_MAX);
    refusals[offset] = length;
    for (let at = 0; at < length; at++) refusals[offset + 2 + at] = bytes[start + at]!;
    const from = offset + 2 + REFUSED_LINE_BYTES_MAX;
    const source = refusals.subarray(from, from + REFUSED_SOURCE_BYTES_MAX);
    refusals[offset + 1] = encoder.encodeInto(options.source(), source).written;
  }

  function poll(): boolean {
    const requested = Atomics.load(control, Control.requested);
    if (requested === epoch) return false;
    epoch = requested;
    side = ledger.sides[(epoch & 1) as 0 | 1];
    side.mark[0] = epoch + 1;
    logRoom = memberRoom = 0;
    askedForFlip = false;
    names.flipped();
    Atomics.store(control, Control.active, epoch);
    return true;
  }
}

/** A hash's field holds -2^63 to 2^63 - 1. */
const INT64_END = 2 ** 63;
/** Larger than any entry: an entry's number or a negative verdict takes its place. */
const NOT_LOOKED_UP = 0x7fffffff;
