import type { SubmissionResult } from './submission.ts';

/** Remembers which submissions were taken. */
export interface KeyMemory {
  /**
   * Returns the answer to the submission of this key, or undefined where none is remembered. Of
   * older ones it is known only that they were taken: then `stats` is 0.
   */
  find(key: string): SubmissionResult | undefined;
  /** Remembers that the submission of this key was taken. */
  add(key: string, answer: SubmissionResult): void;
}

/** How much is remembered. What was used least recently is forgotten first. */
export interface KeyLimits {
  /** Senders whose keys are numbered: `<instance>/<seq>`. */
  instances: number;
  /** Per instance: runs of numbers without a gap, of which the lowest is forgotten first. */
  runs: number;
  /** Per instance: answers, besides that there was one. */
  answers: number;
  /** Keys of any other form. */
  keys: number;
}

/** About 20 MB and 40 MB when full, which takes 4,096 restarts of senders or 100,000 odd keys. */
export const KEY_LIMITS: KeyLimits = { instances: 4096, runs: 64, answers: 32, keys: 100_000 };

/** The numbers taken from one sender. */
interface Instance {
  /** First and last number of each run, ascending: `[1, 57, 59, 60]`. No two runs touch. */
  readonly runs: number[];
  readonly answers: Map<number, SubmissionResult>;
}

const TAKEN: SubmissionResult = { status: 200, stats: 0, filtered: 0 };

/**
 * Creates an empty memory.
 *
 * A sender that numbers its submissions one by one takes two numbers of memory for all of them,
 * however many, and two more for each number it left out; it is never taken to have sent a number
 * that it left out.
 */
export function createKeyMemory(limits: KeyLimits = KEY_LIMITS): KeyMemory {
  const instances = new Map<string, Instance>();
  const keys = new Map<string, SubmissionResult>();

  return {
    find(key) {
      const numbered = numberedKey(key);
      if (numbered === undefined) return touch(keys, key);
      const { prefix, seq } = numbered;
      const instance = touch(instances, prefix);
      if (instance === undefined || !holds(instance.runs, seq)) return undefined;
      return instance.answers.get(seq) ?? TAKEN;
    },
    add(key, answer) {
      const numbered = numberedKey(key);
      if (numbered === undefined) {
        keys.set(key, answer);
        dropOldest(keys, limits.keys);
        return;
      }
      const { prefix, seq } = numbered;
      let instance = touch(instances, prefix);
      if (instance === undefined) {
        instances.set(prefix, (instance = { runs: [], answers: new Map() }));
        dropOldest(instances, limits.instances);
      }
      insert(instance.runs, seq);
      if (instance.runs.length > 2 * limits.runs) instance.runs.splice(0, 2);
      instance.answers.set(seq, answer);
      dropOldest(instance.answers, limits.answers);
    },
  };
}

/** Returns the parts of `<prefix>/<number>`, or undefined for a key of another form. */
function numberedKey(key: string): { prefix: string; seq: number } | undefined {
  const found = /^(.*)\/(0|[1-9]\d{0,14})$/.exec(key);
  return found === null ? undefined : { prefix: found[1]!, seq: Number(found[2]) };
}

/** Returns an entry, which becomes the one used last. */
function touch<V>(map: Map<string, V>, key: string): V | undefined {
  const value = map.get(key);
  if (value === undefined) return undefined;
  map.delete(key);
  map.set(key, value);
  return value;
}

function dropOldest<K>(map: Map<K, unknown>, max: number): void {
  if (map.size <= max) return;
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}

function holds(runs: readonly number[], seq: number): boolean {
  for (let at = 0; at < runs.length; at += 2) {
    if (seq >= runs[at]! && seq <= runs[at + 1]!) return true;
  }
  return false;
}

function insert(runs: number[], seq: number): void {
  if (holds(runs, seq)) return;
  let at = 0;
  while (at < runs.length && runs[at]! < seq) at += 2;
  // `at` is the first run behind; the one before it ends before `seq`.
  const touchesBefore = at > 0 && runs[at - 1] === seq - 1;
  const touchesAfter = runs[at] === seq + 1;
  if (touchesBefore && touchesAfter) runs.splice(at - 1, 2);
  else if (touchesBefore) runs[at - 1] = seq;
  else if (touchesAfter) runs[at] = seq;
  else runs.splice(at, 0, seq, seq);
}
