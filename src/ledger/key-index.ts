import { CANONICAL_BYTES_MAX } from '../protocol/names.ts';
import type { Kind } from '../protocol/parse.ts';
import { Count, type Ledger } from './ledger.ts';

/** The names of a ledger and their spellings, found by their bytes. */
export interface KeyIndex {
  /** The hash that every key begins with: random, so that no sender can aim at collisions. */
  readonly seed: number;
  /**
   * Returns the entry that a spelling is counted under, or -1 for one not seen before.
   *
   * @param hash of the name's words and then those of the tags, by {@link hashWord}; see `hash`.
   * @param shape of the spelling; see {@link shapeOf}.
   */
  find(hash: number, shape: number, view: DataView, nameStart: number, tagsStart: number): number;
  /** Returns the hash of a spelling, as `find` wants it. */
  hash(view: DataView, spelling: Spelling): number;
  /**
   * Remembers a spelling that is not there yet. Returns its entry, or -1 where no room is left.
   */
  append(hash: number, view: DataView, spelling: Spelling, as: KeyUse): number;
}

/** Where a name and its DogStatsD tags lie in memory; the tags are empty when there are none. */
export interface Spelling {
  nameStart: number;
  nameEnd: number;
  tagsStart: number;
  tagsEnd: number;
}

/** What a key is for. */
export interface KeyUse {
  kind: Kind;
  /** The entry counted under; {@link OWN} for a name. */
  target: number;
}

/** Stands for an entry that is counted under itself. */
export const OWN = -1;
/** A longer name or longer tags are refused when they are first seen, so they are never known. */
const LENGTH_MAX = CANONICAL_BYTES_MAX;
/**
 * A new key that finds no slot within so many is refused. At most half of the slots are taken, so
 * this never happens by chance; somebody who aims at collisions gets no longer searches.
 */
const PROBES_MAX = 256;

/** Returns in one word what keys of equal bytes must agree in: `name length:14 tags length:14 kind:2`. */
export function shapeOf(nameLength: number, tagsLength: number, kind: Kind): number {
  return nameLength > LENGTH_MAX || tagsLength > LENGTH_MAX
    ? NO_SHAPE
    : (((nameLength << 14) | tagsLength) << KIND_BITS) | kind;
}

/** Returns the kind of what has a shape. */
export function kindOfShape(shape: number): Kind {
  return (shape & ((1 << KIND_BITS) - 1)) as Kind;
}

/** Returns the length of its name. */
export function nameLengthOf(shape: number): number {
  return shape >>> (14 + KIND_BITS);
}

const KIND_BITS = 2;
/** The shape of nothing. */
const NO_SHAPE = -1;

/**
 * Takes the next four bytes into a hash. Bytes come as little-endian words, the last one filled up
 * with zeros; a name whose length is a multiple of four ends in a word of zeros.
 */
export function hashWord(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}

/** Returns the last, incomplete word of a range: 0 to 3 bytes. Reads up to 3 bytes beyond it. */
export function tailWord(view: DataView, at: number, end: number): number {
  return at === end ? 0 : view.getInt32(at, true) & ((1 << ((end - at) << 3)) - 1);
}

/**
 * Returns the index of a ledger's keys; see {@link Ledger} for how they lie there. Memory that is
 * searched for has to go on for 3 bytes behind the spelling: it is read by words.
 */
export function createKeyIndex(ledger: Ledger, seed: number): KeyIndex {
  const { counts, slots, records, arena, room } = ledger;
  const { entriesMax, nameBytesMax } = ledger.limits;
  // So many entries and words may be written; more are to be asked for.
  let entriesRoom = 0;
  let arenaRoom = 0;
  let slotMask = counts[Count.slots]! - 1;
  if (slotMask < 0) growTo(SLOTS_FIRST);
  return { seed, find, hash, append };

  // oxlint-disable-next-line max-params -- an object for them would be one per line
  function find(
    wanted: number,
    shape: number,
    view: DataView,
    nameStart: number,
    tagsStart: number,
  ): number {
    const full = finish(wanted, shape);
    for (let slot = full & slotMask, left = PROBES_MAX; left > 0; left--) {
      const record = slots[2 * slot + 1]! - 1;
      if (record < 0) return -1;
      // The whole hash stands in the slot: another key's bytes are almost never looked at.
      if (
        slots[2 * slot] === full &&
        arena[record + 1] === shape &&
        holds(record, shape, view, nameStart, tagsStart)
      ) {
        return arena[record]!;
      }
      slot = (slot + 1) & slotMask;
    }
    return -1;
  }

  // oxlint-disable-next-line max-params -- an object for them would be one per line
  function holds(
    record: number,
    shape: number,
    view: DataView,
    nameStart: number,
    tagsStart: number,
  ): boolean {
    const nameLength = nameLengthOf(shape);
    const tagsLength = (shape >>> KIND_BITS) & LENGTH_MAX;
    const at = record + HEADER_WORDS;
    if (!sameWords(at, view, nameStart, nameStart + nameLength)) return false;
    return (
      tagsLength === 0 ||
      sameWords(at + wordsOf(nameLength), view, tagsStart, tagsStart + tagsLength)
    );
  }

  function sameWords(from: number, view: DataView, start: number, end: number): boolean {
    let word = from;
    let at = start;
    for (; at + 4 <= end; at += 4) if (arena[word++] !== view.getInt32(at, true)) return false;
    return at === end || arena[word] === tailWord(view, at, end);
  }

  function hash(view: DataView, { nameStart, nameEnd, tagsStart, tagsEnd }: Spelling): number {
    const ofName = hashRange(seed, view, nameStart, nameEnd);
    return tagsEnd > tagsStart ? hashRange(ofName, view, tagsStart, tagsEnd) : ofName;
  }

  function append(wanted: number, view: DataView, spelling: Spelling, use: KeyUse): number {
    const { nameStart, nameEnd, tagsStart, tagsEnd } = spelling;
    const { kind, target } = use;
    const entry = counts[Count.entries]!;
    const bytes = nameEnd - nameStart + tagsEnd - tagsStart;
    const taken = counts[Count.nameBytes]!;
    if (entry >= entriesMax || taken + bytes > nameBytesMax) return -1;
    const shape = shapeOf(nameEnd - nameStart, tagsEnd - tagsStart, kind);
    if (shape === NO_SHAPE) return -1;
    if (2 * (entry + 1) > slotMask + 1) growTo(2 * (slotMask + 1));
    const full = finish(wanted, shape);
    const slot = freeSlot(full);
    if (slot < 0) return -1;
    const record = counts[Count.arenaWords]!;
    const end = record + HEADER_WORDS + wordsOf(nameEnd - nameStart) + wordsOf(tagsEnd - tagsStart);
    if (entry >= entriesRoom) entriesRoom = room.entries(entry + 1);
    if (end > arenaRoom) arenaRoom = room.arenaWords(end);
    arena[record] = target === OWN ? entry : target;
    arena[record + 1] = shape;
    arena[record + 2] = full;
    const tagsAt = put(record + HEADER_WORDS, view, nameStart, nameEnd);
    counts[Count.arenaWords] = put(tagsAt, view, tagsStart, tagsEnd);
    counts[Count.nameBytes] = taken + bytes;
    records[entry] = record;
    fill(slot, full, record);
    counts[Count.entries] = entry + 1;
    return entry;
  }

  /**
   * Takes more slots into use and lays all keys out anew. Cost: about 30 ns a key, every time their
   * number has doubled. Gain, with 100,000 names and room for a million: 80 ns a line against 205
   * with all slots in use from the start, of which almost each was in another page of memory.
   */
  function growTo(count: number): void {
    const wanted = Math.min(count, slots.length / 2);
    room.slots(wanted);
    slots.fill(0, 0, 2 * wanted);
    slotMask = wanted - 1;
    for (let entry = 0; entry < counts[Count.entries]!; entry++) {
      const record = records[entry]!;
      const full = arena[record + 2]!;
      // The table was half full and is a quarter full now: what had a slot finds one.
      fill(freeSlot(full), full, record);
    }
    counts[Count.slots] = wanted;
  }

  function fill(slot: number, full: number, record: number): void {
    slots[2 * slot] = full;
    slots[2 * slot + 1] = record + 1;
  }

  function freeSlot(full: number): number {
    for (let probe = 0; probe < PROBES_MAX; probe++) {
      const slot = (full + probe) & slotMask;
      if (slots[2 * slot + 1] === 0) return slot;
    }
    return -1;
  }

  /** Writes a range word by word; returns where the next one goes. */
  function put(from: number, view: DataView, start: number, end: number): number {
    let word = from;
    let at = start;
    for (; at + 4 <= end; at += 4) arena[word++] = view.getInt32(at, true);
    if (at < end) arena[word++] = tailWord(view, at, end);
    return word;
  }
}

/** Words in front of a record's bytes: the entry counted under, the shape, the hash. */
export const HEADER_WORDS = 3;
/** Slots in use at first: 16 KiB, half of a core's first cache. */
const SLOTS_FIRST = 2048;

/** How many words a number of bytes takes. */
function wordsOf(bytes: number): number {
  return (bytes + 3) >> 2;
}

/** Takes a range into a hash, word by word. */
export function hashRange(seed: number, view: DataView, start: number, end: number): number {
  let hash = seed;
  let at = start;
  for (; at + 4 <= end; at += 4) hash = hashWord(hash, view.getInt32(at, true));
  return hashWord(hash, tailWord(view, at, end));
}

/** Lets every bit tell on every other. Source: the finalizer of MurmurHash3 (Appleby 2011). */
function finish(hash: number, shape: number): number {
  let mixed = hash ^ shape;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
