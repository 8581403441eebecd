import { expect } from 'chai';
import { createPipeline } from '../../src/ingest/pipeline.ts';
import type { Ledger, LedgerLimits } from '../../src/ledger/ledger.ts';
import { Control, createLedger } from '../../src/ledger/ledger.ts';
import { Stat } from '../../src/ledger/stat.ts';
import type { LedgerReader } from '../../src/ledger/reader.ts';
import { createLedgerReader } from '../../src/ledger/reader.ts';
import type { LedgerWriter } from '../../src/ledger/writer.ts';
import { createLedgerWriter } from '../../src/ledger/writer.ts';
import { hand } from './packets.ts';
import { Kind } from '../../src/protocol/parse.ts';
import { REJECT_REASONS } from '../../src/protocol/reasons.ts';
import type { RejectReason } from '../../src/protocol/reasons.ts';
import type { Drained } from './ledger-bench.ts';
import { addDrained, drainOf, nothingDrained } from './ledger-bench.ts';

// What a name is called in Redis, and what clients may write for it: before the `:`, after the `#`.
export const NAMES: [name: string, spellings: [string, string][]][] = [
  ['plain', [['plain', '']]],
  [
    'a_b',
    [
      ['a b', ''],
      ['a_b', ''],
      ['a\t b', ''],
      ['a_b!', ''],
    ],
  ],
  [
    'n',
    [
      ['n', ''],
      ['n;', ''],
    ],
  ],
  [
    'n;k=v;z=',
    [
      ['n', 'z,k:v'],
      ['n', 'k:v,z'],
      ['n;k=v', 'z'],
      ['n;k=v;z=', ''],
      ['n;z;k=v', ''],
    ],
  ],
  [
    'n;k=w',
    [
      ['n', 'k:w'],
      ['n;k=w', ''],
    ],
  ],
  ['__proto__', [['__proto__', '']]],
  [
    'constructor',
    [
      ['constructor', ''],
      ['(constructor)', ''],
    ],
  ],
];
export const RATES = [1, 0.5, 0.25, 0.125];
export const BAD: [string, RejectReason][] = [
  ['nothing', 'no_separator'],
  ['plain:x|c', 'bad_value'],
  ['plain:1|c:2|ms|@2', 'bad_rate'],
  ['!:1|c', 'bad_name'],
];

export interface Line {
  name: number;
  spelling: number;
  bits: { kind: Kind; values: number[]; rate: number }[];
}
export type Step =
  | { do: 'line'; line: Line }
  | { do: 'bad'; which: number }
  | { do: 'request' | 'poll' | 'drain' }
  | { do: 'renew'; seeds: { kind: Kind; name: number }[] };

export interface Pair {
  run: (step: Step) => void;
  /** Drains what is left and compares the totals, which are returned. */
  finish: () => Drained;
}

interface Known {
  take: (of: Kind, text: string) => boolean;
  takeSpelling: (of: Kind, canonical: string, spelling: [string, string]) => boolean;
  usage: () => { entries: number; nameBytes: number };
}

/** A ledger and its model, which are told the same and must say the same. */
export function createPair(some: LedgerLimits, hashSeed: number): Pair {
  let ledger: Ledger;
  let writer: LedgerWriter;
  let reader: LedgerReader;
  let known: Known;
  begin();
  const onPacket = createPipeline(() => writer);
  let written = nothingDrained(); // what the model has on the side being written
  let waiting = nothingDrained(); // and on the side to be drained
  let state: 'drained' | 'requested' | 'flipped' = 'drained';
  const total = nothingDrained();
  const totalModel = nothingDrained();
  return { run, finish };

  function begin(): void {
    ledger = createLedger(some);
    reader = createLedgerReader(ledger);
    known = createKnown(some);
    writer = createLedgerWriter(ledger, {
      rule: 'statsd',
      hashSeed,
      onHalfFull: () => {},
      source: () => 'peer',
    });
  }

  function run(next: Step): void {
    switch (next.do) {
      case 'line':
        send(textOf(next.line));
        addToModel(next.line);
        break;
      case 'bad':
        send(BAD[next.which]![0]);
        refuse(...BAD[next.which]!);
        break;
      case 'request':
        if (state !== 'drained') break;
        reader.requestFlip();
        state = 'requested';
        break;
      case 'poll':
        expect(writer.poll()).to.equal(state === 'requested');
        if (state === 'requested') flipModel();
        break;
      case 'drain':
        if (state === 'flipped') drain();
        break;
      case 'renew':
        renew(next.seeds);
        break;
    }
    expect(reader.flipped()).to.equal(state !== 'requested');
    expect(reader.usage()).to.deep.equal(known.usage());
  }

  function send(text: string): void {
    const bytes = Buffer.from(text);
    for (const side of [written, totalModel]) {
      side.stats[Stat.datagrams]!++;
      side.stats[Stat.bytes]! += bytes.length;
    }
    hand(onPacket, bytes);
  }

  function flipModel(): void {
    [waiting, written] = [written, nothingDrained()];
    state = 'flipped';
  }

  function drain(): void {
    const drained = drainOf(reader);
    // A log is as long as what it holds; the model has no log.
    drained.stats[Stat.logLength] = 0;
    expect(drained).to.deep.equal(waiting);
    addDrained(total, drained);
    state = 'drained';
  }

  /** Takes out all that is in the ledger: what was flipped before, and what was not. */
  function empty(): void {
    if (state === 'flipped') drain();
    if (state === 'drained') reader.requestFlip();
    // In the place of the writer, as it is done where there is none any more.
    const { control } = ledger;
    Atomics.store(control, Control.active, Atomics.load(control, Control.requested));
    flipModel();
    drain();
  }

  function renew(seeds: { kind: Kind; name: number }[]): void {
    empty();
    begin();
    for (const seed of seeds) {
      const canonical = NAMES[seed.name]![0];
      expect(writer.intern(seed.kind, canonical)).to.equal(known.take(seed.kind, canonical));
    }
  }

  function finish(): Drained {
    empty();
    expect(total).to.deep.equal(totalModel);
    return total;
  }

  function refuse(text: string, reason: RejectReason): void {
    for (const { stats, refusals } of [written, totalModel]) {
      stats[Stat.rejected + REJECT_REASONS.indexOf(reason)]!++;
      refusals.set(reason, [text, 'peer']);
    }
  }

  function addToModel(made: Line): void {
    const canonical = NAMES[made.name]![0];
    for (const { kind: needed } of made.bits) {
      if (!known.takeSpelling(needed, canonical, spellingOf(made))) {
        refuse(textOf(made), 'key_limit');
        return;
      }
    }
    for (const { kind: of, values, rate } of made.bits) {
      for (const value of values) {
        if (of === Kind.counter) addCounter(canonical, value / 1024 / rate);
        else addTiming(canonical, Math.abs(value) / 1024, 1 / rate);
      }
    }
    for (const { stats } of [written, totalModel]) stats[Stat.linesAccepted]!++;
  }

  function addCounter(to: string, value: number): void {
    for (const { counters, stats } of [written, totalModel]) {
      const [sum, samples] = counters.get(to) ?? [0, 0];
      counters.set(to, [sum + value, samples + 1]);
      stats[Stat.counterSamples]!++;
    }
  }

  function addTiming(to: string, value: number, weight: number): void {
    const kept = [...written.timings.values()].reduce((sum, list) => sum + list.length, 0);
    for (const { timings, stats } of [written, totalModel]) {
      stats[Stat.timingSamples]!++;
      if (kept >= some.timingsMax) stats[Stat.timingsDropped]!++;
      else timings.set(to, [...(timings.get(to) ?? []), [value, weight]]);
    }
  }
}

/** The names and spellings that a ledger with these limits remembers. */
function createKnown({ entriesMax, nameBytesMax }: LedgerLimits): Known {
  const entries = new Set<string>();
  let nameBytes = 0;
  return { take, takeSpelling, usage: () => ({ entries: entries.size, nameBytes }) };

  function take(of: Kind, head: string, tags = ''): boolean {
    const length = head.length + tags.length;
    const key = `${of} ${head}|${tags}`;
    if (entries.has(key)) return true;
    if (entries.size >= entriesMax || nameBytes + length > nameBytesMax) return false;
    entries.add(key);
    nameBytes += length;
    return true;
  }

  /** A spelling for which there is no room counts all the same, if its name is known. */
  function takeSpelling(of: Kind, canonical: string, [head, tags]: [string, string]): boolean {
    if (!take(of, canonical)) return false;
    take(of, head, tags);
    return true;
  }
}

function spellingOf({ name: of, spelling }: Line): [string, string] {
  const spellings = NAMES[of]![1];
  return spellings[spelling % spellings.length]!;
}

function textOf(made: Line): string {
  const [head, tags] = spellingOf(made);
  const bits = made.bits.map(({ kind: of, values, rate }) => {
    const numbers = values.map((value) => (of === Kind.counter ? value : Math.abs(value)) / 1024);
    const type = of === Kind.counter ? 'c' : 'ms';
    return `${numbers.join(':')}|${type}${rate === 1 ? '' : `|@${rate}`}`;
  });
  return `${head}:${bits.join(':')}${tags === '' ? '' : `|#${tags}`}`;
}
