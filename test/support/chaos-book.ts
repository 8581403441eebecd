import { setTimeout as pause } from 'node:timers/promises';

import { seededRandom } from './random.ts';

/** What happens in a run of chaos: how many faults of each kind, what was wrong, what came last. */
export interface ChaosBook {
  readonly seed: number;
  /** How often each kind of fault has struck. */
  readonly faults: ReadonlyMap<string, number>;
  /** What must not be and was seen, such as an answer that does not add up. */
  readonly wrongs: readonly string[];
  /** The last events, the oldest first. */
  readonly events: readonly string[];
  /** Counts a fault, and notes it among the events. */
  fault(kind: string, detail?: string): void;
  event(text: string): void;
  wrong(text: string): void;
  /** Whether a kind of fault is wanted in this run. */
  wants(kind: string): boolean;
  /** False as soon as no new faults are to begin. */
  readonly isOn: boolean;
  end(): void;
  /** Returns a stream of chance of its own: the same one for the same seed and name. */
  chance(name: string): Chance;
}

/** Chance from a seed. */
export interface Chance {
  /** A number in [0, 1). */
  next(): number;
  /** A number from `from` to just below `to`. */
  between(from: number, to: number): number;
  /** A whole number from `from` to `to`, both among them. */
  whole(from: number, to: number): number;
  of<One>(all: readonly One[]): One;
  yes(share: number): boolean;
  /** Waits for a time between two, in milliseconds. */
  pause(fromMs: number, toMs: number): Promise<void>;
}

/** A fault that may be chosen, the more often the greater its weight. */
export interface Choice {
  kind: string;
  weight: number;
  strike: () => Promise<void>;
}

const EVENTS_KEPT = 300;

/**
 * Begins a book.
 *
 * @param only the kinds of faults that are wanted; all of them, if absent.
 */
export function openBook(seed: number, only?: readonly string[]): ChaosBook {
  const faults = new Map<string, number>();
  const wrongs: string[] = [];
  const events: string[] = [];
  const startMs = performance.now();
  let isOn = true;
  const event = (text: string): void => {
    events.push(`${((performance.now() - startMs) / 1000).toFixed(3)} ${text}`);
    if (events.length > EVENTS_KEPT) events.splice(0, EVENTS_KEPT / 3);
  };
  return {
    seed,
    faults,
    wrongs,
    events,
    fault(kind, detail = '') {
      faults.set(kind, (faults.get(kind) ?? 0) + 1);
      event(`${kind} ${detail}`.trim());
    },
    event,
    wrong(text) {
      event(`WRONG: ${text}`);
      if (wrongs.length < 20) wrongs.push(text);
      isOn = false;
    },
    wants: (kind) => only === undefined || only.includes(kind),
    get isOn() {
      return isOn;
    },
    end: () => void (isOn = false),
    chance: (name) => chanceOf(seededRandom(seed + 1000 * hashOf(name))),
  };
}

function chanceOf(next: () => number): Chance {
  const between = (from: number, to: number): number => from + next() * (to - from);
  return {
    next,
    between,
    whole: (from, to) => Math.floor(between(from, to + 1)),
    of: (all) => all[Math.floor(next() * all.length)]!,
    yes: (share) => next() < share,
    pause: (fromMs, toMs) => pause(between(fromMs, toMs)),
  };
}

function hashOf(text: string): number {
  let hash = 7;
  for (const character of text) hash = (hash * 31 + character.codePointAt(0)!) % 1_000_003;
  return hash;
}

/** Lets one fault after the other strike, with pauses between them, until the book ends. */
export async function keepStriking(
  book: ChaosBook,
  name: string,
  choices: readonly Choice[],
  [fromMs, toMs]: readonly [number, number],
): Promise<void> {
  const chance = book.chance(name);
  const wanted = choices.filter(({ kind }) => book.wants(kind));
  const weights = wanted.reduce((sum, { weight }) => sum + weight, 0);
  while (book.isOn && wanted.length > 0) {
    await chance.pause(fromMs, toMs);
    if (!book.isOn) return;
    let at = chance.next() * weights;
    const choice = wanted.find(({ weight }) => (at -= weight) < 0) ?? wanted[0]!;
    try {
      await choice.strike();
    } catch (error) {
      book.wrong(`${name}, ${choice.kind}: ${String((error as Error).stack ?? error)}`);
    }
  }
}

/** Lets one at a time. */
export interface Gate {
  alone<Result>(work: () => Promise<Result>): Promise<Result>;
}

/** Creates a gate that is open. */
export function openGate(): Gate {
  let last: Promise<unknown> = Promise.resolve();
  return {
    alone(work) {
      const next = last.then(work);
      last = next.catch(() => {});
      return next;
    },
  };
}
