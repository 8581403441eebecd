import { setImmediate } from 'node:timers/promises';

import type { LedgerReader, SampleVisitor } from '../ledger/reader.ts';
import { memberText } from './set-book.ts';
import type { DrainedSamples, DrainMemory } from './journal.ts';

/** Finds which name an entry of a ledger is counted under; null where it is not to be remembered. */
export interface FindName {
  counterAt(id: number): { readonly name: string } | null;
  gaugeAt(id: number): { readonly name: string } | null;
  timingAt(id: number): { readonly name: string } | null;
  setAt(id: number): { readonly name: string } | null;
  /** The day that members count to. */
  readonly day: string;
}

/**
 * Has everything that a side of a ledger holds remembered while it still is in the ledger: one who
 * reads both after a crash finds there by the mark which side to pass over.
 */
export async function rememberSide(
  memory: DrainMemory,
  reader: LedgerReader,
  find: FindName,
): Promise<void> {
  const mark = reader.drainedFlip();
  const what: DrainedSamples = { counters: [], gauges: [], timings: [], sets: [] };
  const sets = new Map<string, { members: Set<string>; samples: number }>();
  const visitor: SampleVisitor = {
    counter(id, sum, samples) {
      const name = find.counterAt(id)?.name;
      if (name !== undefined) what.counters.push({ name, sum, samples });
    },
    gauge(id, reading, samples) {
      const name = find.gaugeAt(id)?.name;
      if (name !== undefined) what.gauges.push({ name, reading, samples });
    },
    timings(id, values, weights) {
      const name = find.timingAt(id)?.name;
      if (name !== undefined) what.timings.push({ name, values, weights });
    },
    member(id, bytes) {
      const name = find.setAt(id)?.name;
      if (name === undefined) return;
      const ofName = sets.get(name) ?? { members: new Set(), samples: 0 };
      sets.set(name, ofName);
      ofName.members.add(memberText(bytes));
      ofName.samples++;
    },
  };
  for (const _ of reader.read(visitor)) await setImmediate();
  for (const [name, { members, samples }] of sets) {
    what.sets.push({ name, day: find.day, members: [...members], samples });
  }
  if (Object.values(what).every(({ length }) => length === 0)) return;
  memory.drained(reader.ledgerId, mark, what);
}
