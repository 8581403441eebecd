import { type CollectorProcess, startCollector } from './collector-process.ts';
import { differences, leftOver, type Leftover } from './reference-compare.ts';
import { type ReferenceReading, referenceReading } from './reference-reading.ts';
import { ruleFor } from './reference-rules.ts';
import { type Numbers, startReference } from './reference-statsd.ts';
import { referenceTraffic } from './reference-traffic.ts';
import { type RecordingTrap, startTrap } from './recording-trap.ts';
import { openSender } from './udp.ts';

/** What both have made of the same lines. */
export interface Outcome {
  /** Lines that both got. */
  sent: number;
  /** Lines that neither got, by the rule that applies. */
  excluded: Map<string, number>;
  /** How many names each kind has. */
  names: Record<'counters' | 'gauges' | 'sets' | 'timings', number>;
  /** One line for each name that is not the same, with what was sent for it. */
  differences: string[];
}

/** So many datagrams of 1,200 bytes at most are far from filling a receive buffer of 208 KiB. */
const BURST = 32;

/** Sends random lines to the reference and to statcol, and compares all that they hold. */
export async function runBesideReference(seed: number, lines: number): Promise<Outcome> {
  const traffic = referenceTraffic(seed, Math.min(2000, Math.ceil(lines / 20)));
  const excluded = new Map<string, number>();
  const readings: ReferenceReading[] = [];
  for (let at = 0; at < lines; at++) {
    const reading = referenceReading(traffic.line());
    const rule = ruleFor(reading);
    if (rule === undefined) readings.push(reading);
    else excluded.set(rule.name, (excluded.get(rule.name) ?? 0) + 1);
  }
  for (;;) {
    const day = today();
    const datagrams = traffic.datagrams(readings.map(({ raw }) => raw));
    const found = await compareBoth(datagrams, readings);
    // Sets are of a day: a run into midnight says nothing.
    if (day === today()) return { sent: readings.length, excluded, ...found };
  }
}

async function compareBoth(
  datagrams: Buffer[],
  readings: readonly ReferenceReading[],
): Promise<Pick<Outcome, 'differences' | 'names'>> {
  const [reference, ours] = await Promise.all([startReference(), startOurs()]);
  try {
    await Promise.all([toReference(), ours.take(datagrams, readings.length)]);
    const theirs = await reference.stop();
    const numbers = await ours.numbers();
    const found = await differences(theirs, numbers, readings);
    const left = leftOver(theirs.counters, numbers.counters, readings);
    found.push(...(await probe(ours, left)));
    const { counters, gauges, sets, timings } = theirs;
    const names = { counters, gauges, sets, timings };
    const sizes = Object.entries(names).map(([kind, { size }]) => [kind, size]);
    return { differences: found, names: Object.fromEntries(sizes) as Outcome['names'] };
  } finally {
    reference.kill();
    await ours.stop();
  }

  async function toReference(): Promise<void> {
    const sender = openSender(reference.port);
    for (let at = 0; at < datagrams.length; at += BURST) {
      const burst = datagrams.slice(at, at + BURST);
      await sender.send(...burst);
      await reference.hasRead(at + burst.length).catch((error: unknown) => {
        throw new Error(`behind ${JSON.stringify(burst.join('\n'))}`, { cause: error });
      });
    }
    sender.close();
  }
}

/**
 * A counter's fields hold integers; the rest waits to make a whole one. That rest is found by what
 * it lacks: a little less than that must not change the field, and a little more must.
 */
async function probe(ours: Ours, left: readonly Leftover[]): Promise<string[]> {
  const found: string[] = [];
  for (const step of ['short', 'over'] as const) {
    const lines = left.map((one) => `${one.name}:${one[step].toFixed(9)}|c`);
    await ours.take(inTens(lines), lines.length);
    const { counters } = await ours.numbers();
    for (const { name, held, rest, sign } of left) {
      const wanted = step === 'short' ? held : held + sign;
      const got = counters.get(name);
      if (got !== wanted) {
        found.push(`${name}: the rest is not ${rest}: ${step} of a whole one it is ${got}`);
      }
    }
  }
  return found;
}

function inTens(lines: readonly string[]): Buffer[] {
  const starts = Array.from({ length: Math.ceil(lines.length / 10) }, (_, at) => 10 * at);
  return starts.map((start) => Buffer.from(lines.slice(start, start + 10).join('\n')));
}

/** statcol with a memory store and a trap. */
export interface Ours {
  readonly collector: CollectorProcess;
  /** Sends datagrams; resolves when all lines of them are read and delivered. */
  take(datagrams: readonly Buffer[], lines: number): Promise<void>;
  numbers(): Promise<Numbers>;
  stop(): Promise<void>;
}

/** Starts statcol as it is compared. */
export async function startOurs(): Promise<Ours> {
  const trap = await startTrap();
  const flags = ['--trap', trap.url, '--counter-interval', '50', '--timing-interval', '50'];
  const collector = await startCollector([...flags, '--log-level', 'silent']);
  let linesInAll = 0;
  return {
    collector,
    async take(datagrams, lines) {
      const sender = openSender(collector.udpPort);
      await sender.send(...datagrams);
      sender.close();
      linesInAll += lines;
      await collector.until((vitals) => {
        const { accepted, rejected } = vitals.lines;
        const read = Object.values(rejected).reduce((sum, count) => sum + count, accepted);
        const { counters, gauges, sets, timings } = vitals;
        const pending = [counters, gauges, sets, timings].some((fate) => fate.pending > 0);
        return read === linesInAll && !pending;
      });
    },
    numbers: () => numbersOf(collector, trap),
    async stop() {
      collector.signal('SIGKILL');
      await collector.exited();
      await trap.close();
    },
  };
}

type Hashes<Value> = Record<string, Record<string, Value>>;

async function numbersOf(collector: CollectorProcess, trap: RecordingTrap): Promise<Numbers> {
  const [counters, gauges, sets] = await Promise.all(
    ['counters', 'gauges', 'sets'].map((kind) => collector.json<Hashes<number>>(`api/${kind}`)),
  );
  const held = (hashes: Hashes<number> = {}): Map<string, number> =>
    new Map(Object.entries(hashes['statcol:stats'] ?? {}));
  const summaries =
    await collector.json<Record<string, { count: number; min: number; max: number; mean: number }>>(
      'api/timings',
    );
  return {
    counters: held(counters),
    gauges: held(gauges),
    sets: held(sets),
    timings: new Map(
      [...trap.values()].map(([name, values]) => [
        untrapped(name),
        values.toSorted((a, b) => a - b),
      ]),
    ),
    summaries: new Map(Object.entries(summaries)),
  };
}

/** `name|ST[k:v,l:w]` → `name;k=v;l=w`: the names that `--names statsd` makes need no more. */
function untrapped(name: string): string {
  const found = /^(?<base>[^|]*)\|ST\[(?<tags>[^\]]*)\]$/.exec(name)?.groups;
  if (found === undefined) return name;
  const tags = found['tags']!.split(',').map((tag) => tag.replace(':', '='));
  return [found['base']!, ...tags].join(';');
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}
