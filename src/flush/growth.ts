/**
 * A name and how many sets of tags of it were new; or the beginning of names, which ends in a `.`,
 * and how many keys were new under it.
 */
export interface Grown {
  name: string;
  keys: number;
}

/** Which names grow: where new keys come from, over the last ten minutes. */
export interface Growth {
  /** Takes a key that was not known. Cost: below 1 µs. */
  add(name: string): void;
  /**
   * Returns those under which most keys were new, the most first; at most ten. What is told within
   * another is not told again, nor one of which another within it has more than half.
   *
   *     user.1.hits user.2.hits …                 →   user.
   *     checkout.time;id=1 checkout.time;id=2 …   →   checkout.time
   */
  top(): Grown[];
}

const MINUTE_MS = 60_000;
const MINUTES = 10;
const TOLD_MAX = 10;
/** What is counted at once: a minute's 1,000 at most, of 512 bytes each, so that 6 MB is the most. */
const COUNTED_MAX = 1000;
/** `a.b.c.` is told, `a.b.c.d.` is not looked at. */
const PREFIXES_MAX = 3;

/**
 * Creates a count of nothing.
 *
 * With more than 1,000 names and prefixes in a minute, counts are too low by at most a thousandth
 * of all that was counted in it, and those that have less than that may be missing. Source: Misra
 * and Gries, Finding repeated elements (1982).
 */
export function createGrowth(nowMs: () => number): Growth {
  // The minutes before this one, the oldest first, and what came in all of them.
  let minutes: { minute: number; counts: Counts }[] = [];
  let minute = minuteNow();
  let counts: Counts = new Map();
  let told: Grown[] | undefined = [];

  return {
    add(name) {
      turn();
      told = undefined;
      forEachGroup(name, (group) => addTo(counts, group));
    },
    top() {
      turn();
      return (told ??= topOf(summed([...minutes.map((one) => one.counts), counts])));
    },
  };

  function minuteNow(): number {
    return Math.floor(nowMs() / MINUTE_MS);
  }

  function turn(): void {
    const now = minuteNow();
    if (now === minute) return;
    if (counts.size > 0) minutes.push({ minute, counts });
    // Of a clock that was set back nothing is kept.
    minutes = minutes.filter((one) => one.minute > now - MINUTES && one.minute < now);
    counts = new Map();
    minute = now;
    told = undefined;
  }
}

type Counts = Map<string, number>;

/** Calls back with what a key is counted under: its prefixes; its name, where it has tags or no `.`. */
function forEachGroup(name: string, onGroup: (group: string) => void): void {
  const semicolon = name.indexOf(';');
  const end = semicolon < 0 ? name.length : semicolon;
  let dot = name.indexOf('.');
  // One that ends in a `.` is a prefix of its own.
  if ((semicolon >= 0 || dot < 0) && name[end - 1] !== '.') onGroup(name.slice(0, end));
  for (let left = PREFIXES_MAX; left > 0 && dot >= 0 && dot < end; left--) {
    onGroup(name.slice(0, dot + 1));
    dot = name.indexOf('.', dot + 1);
  }
}

/** Where there is no room for one more, everyone gives one up: those with many remain. */
function addTo(counts: Counts, group: string): void {
  const before = counts.get(group);
  if (before !== undefined || counts.size < COUNTED_MAX) {
    counts.set(group, (before ?? 0) + 1);
    return;
  }
  for (const [one, count] of counts) {
    if (count === 1) counts.delete(one);
    else counts.set(one, count - 1);
  }
}

function summed(all: readonly Counts[]): Counts {
  const sums: Counts = new Map();
  for (const counts of all) {
    for (const [group, count] of counts) sums.set(group, (sums.get(group) ?? 0) + count);
  }
  return sums;
}

function topOf(sums: Counts): Grown[] {
  // The most that one within a prefix has.
  const within: Counts = new Map();
  for (const [group, count] of sums) {
    for (const prefix of prefixesOf(group)) {
      within.set(prefix, Math.max(count, within.get(prefix) ?? 0));
    }
  }
  const candidates = Array.from(sums, ([name, keys]): Grown => ({ name, keys }))
    .filter(({ name, keys }) => 2 * (within.get(name) ?? 0) <= keys)
    .toSorted((a, b) => b.keys - a.keys || (a.name < b.name ? -1 : 1));
  const told = new Map<string, Grown>();
  for (const one of candidates) {
    if (told.size === TOLD_MAX) break;
    if (!prefixesOf(one.name).some((prefix) => told.has(prefix))) told.set(one.name, one);
  }
  return [...told.values()];
}

/** Returns what a name or prefix lies within. */
function prefixesOf(group: string): string[] {
  const prefixes: string[] = [];
  forEachGroup(group, (prefix) => void (prefix !== group && prefixes.push(prefix)));
  return prefixes;
}
