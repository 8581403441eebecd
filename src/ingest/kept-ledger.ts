import { setImmediate } from 'node:timers/promises';

import { Control, type Ledger, type LedgerLimits, openLedger } from '../ledger/ledger.ts';
import { newHandshake, regionBytes, sharedMemory } from '../ledger/memory.ts';
import type { LedgerReader } from '../ledger/reader.ts';
import { createLedgerWriter } from '../ledger/writer.ts';
import { isOfOtherDialect, type TagDialect } from '../protocol/dialects.ts';
import type { NameRule } from '../protocol/names.ts';
import type { Kind } from '../protocol/parse.ts';
import type { LedgerHandle } from './messages.ts';

/** A ledger, and what becomes of its memory. */
export interface KeptLedger {
  readonly ledger: Ledger;
  /** The same, for the thread that writes. */
  readonly handle: LedgerHandle;
  /** Tells it from all others of a state directory; 0 where it lies in none. */
  readonly id: number;
  /** Gives its memory back: it is drained, and nobody will look at it again. */
  release(): void;
}

/** A ledger that nobody writes into any more. */
export interface OldLedger {
  /** Its `drain` has to be called once more. */
  readonly reader: LedgerReader;
  /** Gives its memory back. After that drain. */
  release(): void;
}

/** Makes an empty ledger. Never fails for want of a file: then it is in plain memory. */
export type CreateLedger = () => KeptLedger;

/** Returns what makes ledgers in plain memory. */
export function plainLedgers(limits: LedgerLimits): CreateLedger {
  return () => {
    const region = new SharedArrayBuffer(regionBytes(limits));
    const handshake = newHandshake();
    return {
      ledger: openLedger(sharedMemory(region, handshake), limits),
      handle: { limits, handshake, region },
      id: 0,
      release: () => {},
    };
  };
}

/** Returns a ledger that stands for one that is no more, and holds nothing. */
export function noLedger(): KeptLedger {
  return plainLedgers({ entriesMax: 1, nameBytesMax: 1, timingsMax: 1 })();
}

/** Answers a flip in the place of a writer that is no more. */
export function takeOver({ control }: Ledger): void {
  Atomics.store(control, Control.active, Atomics.load(control, Control.requested));
}

/** A name to be known from the start. */
export interface Seed {
  kind: Kind;
  name: string;
}

/** So many names are written into a fresh ledger in one go: some milliseconds. */
const SEEDS_PER_TURN = 5000;

/** How names come to be, and how many of one. */
export interface Naming {
  names: NameRule;
  /** Of tags in names, beside those that are always read. */
  dialect?: TagDialect | undefined;
  /** How many sets of tags a name may have, in each ledger; any number, if absent. */
  tagSetsMax?: number | undefined;
  hashSeed: number;
}

/**
 * Makes names known to a ledger that nobody writes into yet. Resolves with how many sets of tags
 * they have, for the one who will.
 */
export async function seedLedger(
  ledger: Ledger,
  seeds: Iterable<Seed>,
  { names: rule, ...naming }: Naming,
): Promise<SharedArrayBuffer | undefined> {
  const writer = createLedgerWriter(ledger, {
    rule,
    ...naming,
    onHalfFull: () => {},
    source: () => '',
  });
  let seeded = 0;
  for (const { kind, name } of seeds) {
    // A line of these bytes would now mean another name.
    if (!isOfOtherDialect(name, naming.dialect)) writer.intern(kind, name);
    if (++seeded % SEEDS_PER_TURN === 0) await setImmediate();
  }
  return writer.tagSets();
}
