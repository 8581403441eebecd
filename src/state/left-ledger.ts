import { HEADER_WORDS, nameLengthOf } from '../ledger/key-index.ts';
import { Control, Count, type Ledger } from '../ledger/ledger.ts';
import { memberWords } from '../ledger/memory.ts';
import { createLedgerReader, type GaugeReading } from '../ledger/reader.ts';
import { Stat } from '../ledger/stat.ts';
import { DATAGRAM_BYTES_MAX, Kind } from '../protocol/parse.ts';

/** What is told of a ledger that was left; each name may come several times. */
export interface LeftVisitor {
  counter(name: string, sum: number, samples: number): void;
  /** The older first. */
  gauge(name: string, reading: GaugeReading, samples: number): void;
  timings(name: string, values: Float64Array, weights: Float64Array): void;
  member(name: string, bytes: Uint8Array): void;
}

/**
 * Reports what a ledger holds that a process left behind, on whichever side.
 *
 * @param drained the highest mark of a side that was drained: it may still be there, or a part.
 * @returns how many entries could not be read, or undefined where nothing of it makes sense.
 */
export function readLeftLedger(
  ledger: Ledger,
  drained: number,
  visitor: LeftVisitor,
): number | undefined {
  if (!makesSense(ledger)) return undefined;
  const reader = createLedgerReader(ledger);
  const unreadable = new Set<number>();
  const nameOf = (entry: number, kind: Kind): string | undefined => {
    if (isName(ledger, entry) && reader.kindOf(entry) === kind) return reader.nameOf(entry);
    unreadable.add(entry);
    return undefined;
  };
  // What a gauge was set to last is what holds: the side that was written first comes first.
  const [first, second] = ledger.sides;
  for (const side of first.mark[0]! <= second.mark[0]! ? [0, 1] : [1, 0]) {
    Atomics.store(ledger.control, Control.active, side ^ 1); // the reader looks at the other one
    if (reader.drainedFlip() <= drained) continue;
    const reports = reader.read({
      counter(entry, sum, samples) {
        const name = nameOf(entry, Kind.counter);
        if (name === undefined) return;
        if (Number.isSafeInteger(samples) && samples > 0 && Number.isFinite(sum)) {
          visitor.counter(name, sum, samples);
        } else unreadable.add(entry);
      },
      gauge(entry, reading, samples) {
        const name = nameOf(entry, Kind.gauge);
        if (name === undefined) return;
        const isCount = Number.isInteger(samples) && samples > 0;
        if (isCount && Number.isFinite(reading.value)) visitor.gauge(name, reading, samples);
        else unreadable.add(entry);
      },
      timings(entry, values, weights) {
        const name = nameOf(entry, Kind.timing);
        if (name === undefined) return;
        if (values.every(isTime) && weights.every(isWeight)) visitor.timings(name, values, weights);
        else unreadable.add(entry);
      },
      member(entry, bytes) {
        const name = nameOf(entry, Kind.set);
        if (name !== undefined) visitor.member(name, bytes);
      },
    });
    for (const _ of reports) void 0; // in one go
  }
  return unreadable.size;
}

function makesSense({ counts, arena, limits, sides }: Ledger): boolean {
  const isWithin = (value: number, most: number): boolean => value >= 0 && value <= most;
  return (
    isWithin(counts[Count.entries]!, limits.entriesMax) &&
    isWithin(counts[Count.arenaWords]!, arena.length) &&
    sides.every(({ stats, log, members }) => {
      const logged = stats[Stat.logLength]!;
      if (!Number.isInteger(logged) || !isWithin(logged, limits.timingsMax)) return false;
      for (let at = 0; at < logged; at++) {
        const entry = log[3 * at]!;
        if (!Number.isInteger(entry) || !isWithin(entry, counts[Count.entries]! - 1)) return false;
      }
      return isMemberLog(members, stats[Stat.memberWords]!, counts[Count.entries]!);
    })
  );
}

function isMemberLog(members: Int32Array, end: number, entries: number): boolean {
  if (!Number.isInteger(end) || end < 0 || end > members.length) return false;
  let at = 0;
  while (at < end) {
    const [entry, length] = [members[at]!, members[at + 1]!];
    if (entry < 0 || entry >= entries || length < 1 || length > DATAGRAM_BYTES_MAX) return false;
    at += memberWords(length);
  }
  return at === end;
}

function isTime(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}

function isWeight(weight: number): boolean {
  return Number.isFinite(weight) && weight >= 1;
}

/** Whether there is a record of the entry, and it is that of a name, not of another spelling. */
function isName({ records, arena, counts }: Ledger, entry: number): boolean {
  const end = counts[Count.arenaWords]!;
  const record = records[entry]!;
  if (record < 0 || record + HEADER_WORDS > end || arena[record] !== entry) return false;
  const length = nameLengthOf(arena[record + 1]!);
  return length > 0 && record + HEADER_WORDS + Math.ceil(length / 4) <= end;
}
