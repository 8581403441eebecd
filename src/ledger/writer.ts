import type { NameRule } from '../protocol/names.ts';
import { canonicalName } from '../protocol/names.ts';
import type { ParsedLine } from '../protocol/parse.ts';
import { Kind } from '../protocol/parse.ts';
import { Verdict } from '../protocol/reasons.ts';
import type { Ledger, LedgerSide } from './ledger.ts';
import {
  Control,
  ENTRY_WORDS,
  REFUSAL_BYTES,
  REFUSED_LINE_BYTES_MAX,
  REFUSED_SOURCE_BYTES_MAX,
  Stat,
} from './ledger.ts';

/** The one writer of a {@link Ledger}. */
export interface LedgerWriter {
  /** Counts a datagram that was read. */
  datagram(bytes: number): void;
  /**
   * Adds all samples of a line, or none: `key_limit` where a name is new and no room is left,
   * `bad_name` or `bad_tags` where a new spelling turns out to be no name.
   * Allocates nothing for a known spelling.
   */
  add(line: ParsedLine): Verdict;
  /** Counts a refused line and keeps it, cut to 200 bytes, as the last of its reason. */
  reject(verdict: Verdict, bytes: Uint8Array, start: number, end: number): void;
  /** Makes room for a name and returns whether there was any. For names known from before. */
  intern(kind: Kind, name: string): boolean;
  /** Answers a flip that was asked for; returns whether one was. Call between two packets. */
  poll(): boolean;
}

/** What a writer is made with. */
export interface LedgerWriterOptions {
  rule: NameRule;
  /** Seed of the hash over names, random per process, so that no sender can aim at collisions. */
  hashSeed: number;
  /** Called once between two flips when the timing log is half full. */
  onHalfFull: () => void;
  /** Returns who sent the datagram being read, such as `127.0.0.1:40001`. */
  source: () => string;
}

/** Creates the writer of a ledger. A ledger has only one at a time. */
export function createLedgerWriter(ledger: Ledger, options: LedgerWriterOptions): LedgerWriter {
  const { control, slots, entries, arena } = ledger;
  const { entriesMax, nameBytesMax, timingsMax } = ledger.limits;
  const { rule, hashSeed } = options;
  const slotMask = slots.length - 1;
  const encoder = new TextEncoder();
  let epoch = Atomics.load(control, Control.active);
  let side: LedgerSide = ledger.sides[(epoch & 1) as 0 | 1];
  let askedForFlip = false;
  // Where the last probe ended: the free slot that a new entry would take, and the entry's hash.
  let freeSlot = 0;
  let probeHash = 0;

  return { datagram, add, reject, intern, poll };

  function datagram(bytes: number): void {
    const { stats } = side;
    stats[Stat.datagrams] = stats[Stat.datagrams]! + 1;
    stats[Stat.bytes] = stats[Stat.bytes]! + bytes;
  }

  function add(line: ParsedLine): Verdict {
    const { count, kinds } = line;
    // Both names first: a line of which one cannot be counted adds nothing at all.
    let counter = NOT_LOOKED_UP;
    let timing = NOT_LOOKED_UP;
    for (let index = 0; index < count; index++) {
      if (kinds[index] === Kind.counter) {
        if (counter === NOT_LOOKED_UP && (counter = lookUp(line, Kind.counter)) < 0) {
          return -counter as Verdict;
        }
      } else if (timing === NOT_LOOKED_UP && (timing = lookUp(line, Kind.timing)) < 0) {
        return -timing as Verdict;
      }
    }
    for (let index = 0; index < count; index++) {
      if (kinds[index] === Kind.counter) addCounter(counter, line.values[index]!);
      else addTiming(timing, line.values[index]!, line.weights[index]!);
    }
    side.stats[Stat.linesAccepted] = side.stats[Stat.linesAccepted]! + 1;
    return Verdict.accepted;
  }

  function addCounter(id: number, value: number): void {
    const { sums, stats } = side;
    stats[Stat.counterSamples] = stats[Stat.counterSamples]! + 1;
    if (value >= INT64_END || value < -INT64_END) {
      stats[Stat.countersOverflown] = stats[Stat.countersOverflown]! + 1;
      return;
    }
    sums[2 * id] = sums[2 * id]! + value;
    sums[2 * id + 1] = sums[2 * id + 1]! + 1;
  }

  function addTiming(id: number, value: number, weight: number): void {
    const { ids, values, weights, stats } = side;
    stats[Stat.timingSamples] = stats[Stat.timingSamples]! + 1;
    const at = stats[Stat.logLength]!;
    if (at >= timingsMax) {
      stats[Stat.timingsDropped] = stats[Stat.timingsDropped]! + 1;
      return;
    }
    ids[at] = id;
    values[at] = value;
    weights[at] = weight;
    stats[Stat.logLength] = at + 1;
    if (at >= timingsMax >> 1 && !askedForFlip) {
      askedForFlip = true;
      options.onHalfFull();
    }
  }

  /** Returns the entry that a line's samples of one kind are counted under, or minus a verdict. */
  function lookUp(line: ParsedLine, kind: Kind): number {
    const { bytes, nameStart, nameEnd, tagsStart, tagsEnd } = line;
    let hash = hashBytes(hashSeed + kind, bytes, nameStart, nameEnd);
    if (tagsEnd > tagsStart) hash = hashBytes(hash, bytes, tagsStart, tagsEnd);
    const found = probe(hash, kind, line);
    return found >= 0 ? entries[found * ENTRY_WORDS + 3]! : firstSeen(line, kind);
  }

  /** A spelling not seen before: finds out which name it spells, and remembers both. */
  function firstSeen(line: ParsedLine, kind: Kind): number {
    const spelled = line.bytes.subarray(line.nameStart, line.nameEnd);
    const tags = line.bytes.subarray(line.tagsStart, line.tagsEnd);
    const hash = probeHash;
    const slot = freeSlot;
    const result = canonicalName(spelled, tags, rule);
    if ('refused' in result) return -result.refused;
    const name = encoder.encode(result.name);
    if (tags.length === 0 && equal(spelled, name)) {
      return append({ hash, kind, parts: [name], target: OWN }, slot);
    }
    const id = internName(name, kind);
    if (id < 0) return id;
    // The name's entry may have taken the slot that was free for the spelling.
    if (probe(hash, kind, line) >= 0) return id;
    // Without room for the spelling it is looked up the long way again: slow, but counted.
    const parts = tags.length === 0 ? [spelled] : [spelled, TAGS_MARK, tags];
    append({ hash, kind, parts, target: id }, freeSlot);
    return id;
  }

  function intern(kind: Kind, name: string): boolean {
    return internName(encoder.encode(name), kind) >= 0;
  }

  function internName(name: Uint8Array, kind: Kind): number {
    const hash = hashBytes(hashSeed + kind, name, 0, name.length);
    const line = { bytes: name, nameStart: 0, nameEnd: name.length, tagsStart: 0, tagsEnd: 0 };
    const found = probe(hash, kind, line);
    return found >= 0
      ? entries[found * ENTRY_WORDS + 3]!
      : append({ hash, kind, parts: [name], target: OWN }, freeSlot);
  }

  /** Returns the entry with these bytes, or -1 and leaves where it would go in `freeSlot`. */
  function probe(hash: number, kind: Kind, line: Spelling): number {
    const nameLength = line.nameEnd - line.nameStart;
    const tagsLength = line.tagsEnd - line.tagsStart;
    const length = nameLength + (tagsLength > 0 ? 1 + tagsLength : 0);
    for (let slot = hash & slotMask; ; slot = (slot + 1) & slotMask) {
      const entry = slots[slot]! - 1;
      if (entry < 0) {
        freeSlot = slot;
        probeHash = hash;
        return -1;
      }
      const word = entry * ENTRY_WORDS;
      if (entries[word] !== hash || entries[word + 2] !== ((length << 1) | kind)) continue;
      const offset = entries[word + 1]!;
      if (!sameBytes(offset, line.bytes, line.nameStart, line.nameEnd)) continue;
      if (tagsLength === 0) return entry;
      if (arena[offset + nameLength] !== PIPE) continue;
      if (sameBytes(offset + nameLength + 1, line.bytes, line.tagsStart, line.tagsEnd))
        return entry;
    }
  }

  function sameBytes(offset: number, bytes: Uint8Array, start: number, end: number): boolean {
    for (let at = start; at < end; at++) if (arena[offset + at - start] !== bytes[at]) return false;
    return true;
  }

  function append(entry: NewEntry, slot: number): number {
    const id = control[Control.entryCount]!;
    const offset = control[Control.arenaBytes]!;
    let length = 0;
    for (const part of entry.parts) length += part.length;
    if (id >= entriesMax || offset + length > nameBytesMax) return -Verdict.keyLimit;
    let at = offset;
    for (const part of entry.parts) {
      arena.set(part, at);
      at += part.length;
    }
    const word = id * ENTRY_WORDS;
    entries[word] = entry.hash;
    entries[word + 1] = offset;
    entries[word + 2] = (length << 1) | entry.kind;
    entries[word + 3] = entry.target === OWN ? id : entry.target;
    slots[slot] = id + 1;
    control[Control.arenaBytes] = at;
    control[Control.entryCount] = id + 1;
    return id;
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
    askedForFlip = false;
    Atomics.store(control, Control.active, epoch);
    return true;
  }
}

type Spelling = Pick<ParsedLine, 'bytes' | 'nameStart' | 'nameEnd' | 'tagsStart' | 'tagsEnd'>;

interface NewEntry {
  hash: number;
  kind: Kind;
  parts: Uint8Array[];
  /** The entry counted under, or {@link OWN}. */
  target: number;
}

/** A hash's field holds -2^63 to 2^63 - 1. */
const INT64_END = 2 ** 63;
const OWN = -1;
/** Larger than any entry: an entry's number or a negative verdict takes its place. */
const NOT_LOOKED_UP = 0x7fffffff;
const PIPE = 0x7c;
/** Between a spelling's name and its tags; neither can hold it. */
const TAGS_MARK = Uint8Array.of(PIPE);

/**
 * Hashes bytes, four at a time, to a 32-bit integer.
 * Source: MurmurHash3 x86_32 (Appleby 2011, public domain), with the seed as its state.
 */
function hashBytes(seed: number, bytes: Uint8Array, start: number, end: number): number {
  let hash = seed | 0;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const word =
      bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    hash = mix(hash, word);
    hash = Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64;
  }
  let tail = 0;
  for (let shift = 0; at < end; at++, shift += 8) tail |= bytes[at]! << shift;
  hash = mix(hash, tail) ^ (end - start);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function mix(hash: number, word: number): number {
  const scrambled = Math.imul(word, 0xcc9e2d51);
  return hash ^ Math.imul((scrambled << 15) | (scrambled >>> 17), 0x1b873593);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}
