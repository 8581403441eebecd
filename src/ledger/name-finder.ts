import type { TagDialect } from '../protocol/dialects.ts';
import type { NameRule } from '../protocol/names.ts';
import { canonicalName } from '../protocol/names.ts';
import { createPacketMemory, PACKET_BYTES_MAX } from '../protocol/packet.ts';
import { Kind, type ParsedLine } from '../protocol/parse.ts';
import { Verdict } from '../protocol/reasons.ts';
import { createKeyIndex, type KeyIndex, OWN, shapeOf } from './key-index.ts';
import type { Ledger } from './ledger.ts';
import { createFoldedRoom, createTagSets, isOtherTags, otherTags } from './tag-sets.ts';

/** Finds the entries of names in a ledger, and makes those of new ones. */
export interface NameFinder {
  /** The names, for who finds plain ones faster. */
  readonly keys: KeyIndex;
  /**
   * Returns the entry that a line's samples of one kind are counted under, or minus a verdict.
   * Allocates nothing for a known spelling.
   */
  find(line: ParsedLine, kind: Kind): number;
  /**
   * Makes room for a name and returns whether there was any. For names known from before, so that
   * no limit of tag sets keeps it out.
   */
  intern(kind: Kind, name: string): boolean;
  /** Returns how many sets of tags names have, for the next writer of this ledger. */
  tagSets(): SharedArrayBuffer | undefined;
  /** The ledger was flipped: what was said once may be said again. */
  flipped(): void;
}

/** What a finder is made with. */
export interface NameFinderOptions {
  rule: NameRule;
  /** Of tags in names, beside those that are always read. */
  dialect?: TagDialect | undefined;
  /** How many sets of tags a name may have; any number, if absent. */
  tagSetsMax?: number | undefined;
  /** What a writer before has counted of them. */
  tagSets?: SharedArrayBuffer | undefined;
  /** Seed of the hash over names, random per process, so that no sender can aim at collisions. */
  hashSeed: number;
  /** Called at most once between two flips, with a name that has too many sets of tags. */
  onFolded?: ((name: string) => void) | undefined;
}

/** Creates a finder for a ledger. A ledger has only one at a time. */
export function createNameFinder(ledger: Ledger, options: NameFinderOptions): NameFinder {
  const { rule, dialect, tagSetsMax } = options;
  const keys = createKeyIndex(ledger, options.hashSeed);
  const encoder = new TextEncoder();
  const sets =
    tagSetsMax === undefined || tagSetsMax >= ledger.limits.entriesMax
      ? undefined
      : createTagSets(tagSetsMax, options.hashSeed, options.tagSets);
  // Where a spelling is laid that is looked up: name, then tags.
  const scratch = createPacketMemory(PACKET_BYTES_MAX);
  const mayRememberFolded = createFoldedRoom(ledger.limits);
  // The entries that further sets of tags share.
  const shared = new Set<number>();
  let saidFolded = false;

  return {
    keys,
    find,
    intern: (kind, name) => internName(name, kind) >= 0,
    tagSets: () => sets?.memory,
    flipped: () => void (saidFolded = false),
  };

  function find(line: ParsedLine, kind: Kind): number {
    const { bytes, nameStart, nameEnd, tagsStart, tagsEnd } = line;
    const nameLength = copy(bytes, nameStart, nameEnd, 0);
    const length = copy(bytes, tagsStart, tagsEnd, nameLength);
    const found = known(kind, nameLength, length);
    return found >= 0 ? found : firstSeen(line, kind, nameLength, length);
  }

  /** Copies a range into the scratch memory; returns where it ends there. */
  function copy(bytes: Uint8Array, start: number, end: number, to: number): number {
    const target = scratch.bytes;
    for (let at = start; at < end; at++) target[to + at - start] = bytes[at]!;
    return to + end - start;
  }

  /** Returns the entry of the spelling in the scratch memory, or -1. */
  function known(kind: Kind, nameLength: number, length: number): number {
    const { view } = scratch;
    const spelling = { nameStart: 0, nameEnd: nameLength, tagsStart: nameLength, tagsEnd: length };
    const shape = shapeOf(nameLength, length - nameLength, kind);
    return keys.find(keys.hash(view, spelling), shape, view, 0, nameLength);
  }

  /** A spelling not seen before: finds out which name it spells, and remembers both. */
  function firstSeen(line: ParsedLine, kind: Kind, nameLength: number, length: number): number {
    const spelled = scratch.bytes.slice(0, nameLength);
    const tags = scratch.bytes.slice(nameLength, length);
    const result = canonicalName(spelled, tags, rule, dialect);
    if ('refused' in result) return -result.refused;
    let entry = internName(result.name, kind, tagSetsMax);
    if (entry === FOLDED) entry = fold(result.name, kind);
    if (entry < 0) return -Verdict.keyLimit;
    if (shared.has(entry) && !mayRememberFolded(length)) return entry;
    // Without room for the spelling it is looked up the long way again: slow, but counted.
    copy(line.bytes, line.nameStart, line.nameEnd, 0);
    copy(line.bytes, line.tagsStart, line.tagsEnd, nameLength);
    if (known(kind, nameLength, length) < 0) remember(kind, nameLength, length, entry);
    return entry;
  }

  /**
   * Returns a name's entry, made if it is new; -1 without room, or {@link FOLDED} where its tags
   * would be one set more than `most` of the name. The same tags of another kind are the same set.
   */
  function internName(name: string, kind: Kind, most = Infinity): number {
    const bytes = encoder.encode(name);
    const length = copy(bytes, 0, bytes.length, 0);
    const found = known(kind, length, length);
    if (found >= 0) return found;
    const bare = sets === undefined || isOtherTags(name) ? -1 : bytes.indexOf(SEMICOLON);
    const isNewSet = bare >= 0 && KINDS.every((other) => !isOwn(known(other, length, length)));
    if (!isNewSet) return remember(kind, length, length, OWN);
    if (sets!.count(scratch.view, bare) >= most) return FOLDED;
    const entry = remember(kind, length, length, OWN);
    if (entry >= 0) sets!.add(scratch.view, bare);
    return entry;
  }

  /** Returns the entry that all further sets of tags of a name share, or -1 without room. */
  function fold(name: string, kind: Kind): number {
    const bare = name.slice(0, name.indexOf(';'));
    if (!saidFolded) options.onFolded?.(bare);
    saidFolded = true;
    const entry = internName(otherTags(bare), kind);
    if (entry >= 0) shared.add(entry);
    return entry;
  }

  /** Whether a name has an entry for itself: one that was folded may be spelled as it is named. */
  function isOwn(entry: number): boolean {
    return entry >= 0 && !shared.has(entry);
  }

  /** Makes an entry of the spelling in the scratch memory; returns it, or -1 without room. */
  function remember(kind: Kind, nameLength: number, length: number, target: number): number {
    const { view } = scratch;
    const spelling = { nameStart: 0, nameEnd: nameLength, tagsStart: nameLength, tagsEnd: length };
    return keys.append(keys.hash(view, spelling), view, spelling, { kind, target });
  }
}

/** In the place of an entry: the name has too many sets of tags. */
const FOLDED = -2;
const KINDS = Object.values(Kind);
const SEMICOLON = 0x3b;
