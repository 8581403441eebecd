import type { Ranked } from './busiest.ts';
import type { WindowClock } from './clock.ts';

/** A counter in the trace. Whoever adds to it keeps it: looking it up again costs a hash. */
export interface Traced extends Ranked {
  /** The last second in which something was added, and what; -1 while there was none. */
  second: number;
  sum: number;
  /** Where the record of the one before that lies, if any; see {@link createCounterTrace}. */
  last: number;
  /** Whether the trace lists it: one that was idle for long is forgotten. */
  isListed: boolean;
}

/**
 * What was added to each counter in each of the last 300 seconds, within 16 MiB: where that is not
 * enough for so many names, it reaches less far back.
 */
export interface CounterTrace {
  /** Returns a counter by its name, made if it is new. */
  of(name: string): Traced;
  /** Adds to a counter, in the second of the clock. */
  add(traced: Traced, sum: number): void;
  /**
   * Returns the seconds after `since` in which something was added, oldest first, and the sum; only
   * seconds that are over. None for an unknown name.
   */
  points(name: string, since: number): [second: number, sum: number][];
  /** Sum of what was added from a second on, to the last one that is over if not to one before. */
  recentSum(name: string, fromSecond: number, toSecond?: number): number;
  /** The same of the absolute values of the seconds' sums. */
  recentAmount(name: string, fromSecond: number, toSecond?: number): number;
  /** The counters that were added to in the last 300 s, and some that were a moment before. */
  names(): Iterable<string>;
  /** The same, with their ranks. */
  counters(): Iterable<Traced>;
  readonly size: number;
  has(name: string): boolean;
  /** Forgets a counter and all that was added to it; false for an unknown one. */
  remove(name: string): boolean;
  /** The first second of which everything is still there. */
  oldestSecond(): number;
  /** What the records take, 16 MiB at most. */
  readonly bytes: number;
  /** Forgets counters idle for 300 s; yields often. To be run now and then. */
  forgetIdle(): Iterable<void>;
}

/** What a trace is made with. */
export interface CounterTraceOptions {
  clock: WindowClock;
  /** What the records may take: a power of 2, at least 32. */
  bytesMax?: number;
  /**
   * Whether a number holds until the next, as a gauge does: the last of a second counts, `points`
   * has the one before in front, and idle ones stay for 2 hours, where they are 131,072 at most.
   */
  holds?: boolean;
}

type Visit = (second: number, sum: number) => void;

/** How far back it reaches. */
const TRACE_SECONDS = 300;
/** What holds is known for as long as anything is shown. */
const HELD_SECONDS = 7200;
const HELD_NAMES_MAX = 131_072;
const BYTES_MAX = 16 << 20;
const BYTES_AT_FIRST = 4096;
/** A way back up to 2^24, seconds up to 2^14, and a mark and a double. */
const RECORD_BYTES_MAX = 4 + 2 + 9;
/** Of so many seconds it is known where their records begin: a power of 2 above 300. */
const STARTS = 512;
const NONE = -1;
const UNKNOWN = { second: NONE, sum: 0, last: NONE, isListed: false, score: 0 };
/** What is no whole number from 0 up is marked, and written as a double. */
const DOUBLE = 1;

/**
 * Creates an empty trace.
 *
 * The present sum of a counter is in its object. When a later second begins for it, that sum
 * becomes a record at the end of one circular log of all counters, and points back to the record
 * before:
 *
 *      last of `a`                          last of `b`   end
 *           |                                    |         |
 *     ... [ a ] [ c ] [ b ] [ d ] [ c ] ... ... [ b ] ... <
 *     <-----^             <---------way back----^
 *
 *     7 bits a byte   7 bits a byte             7 bits a byte, or 1 and a double
 *     way back,       seconds from this one     twice the sum: whole, 0 or more;
 *     0: none         to the counter's next     else the mark 1, and the sum
 *
 * A place is a number of bytes since the beginning; it lies at that number modulo the length. What
 * is further back than that has been overwritten, and so has all before it: that ends a chain.
 *
 * Cost: 20 ns to add to a counter in the same second, 50 where a second begins; and 130 bytes of
 * memory a counter beside the records (`npm run bench:window`).
 */
export function createCounterTrace({
  clock,
  bytesMax = BYTES_MAX,
  holds = false,
}: CounterTraceOptions): CounterTrace {
  const listed = new Map<string, Traced>();
  let bytes = new Uint8Array(Math.min(BYTES_AT_FIRST, bytesMax));
  let mask = bytes.length - 1;
  let end = 0;
  let at = 0; // where is read next
  const double = new DataView(new ArrayBuffer(8));
  // Of records before this, some are gone.
  let intactFrom = 0;
  // Where `end` was when a second began; what was added in it is written behind that. Of the last
  // seconds up to `begun`, by the second modulo their number.
  const starts = new Float64Array(STARTS);
  let begun = clock.present();

  return {
    of(name) {
      const found = listed.get(name);
      if (found !== undefined) return found;
      const one: Traced = { name, ...UNKNOWN, isListed: true };
      listed.set(name, one);
      return one;
    },
    add,
    points(name, since) {
      const found: [number, number][] = [];
      visitBack(name, since + 1, (second, sum) => {
        if (second > since) found.push([second, sum]);
      });
      return found.toReversed();
    },
    recentSum: (name, from, to = Infinity) => recent(name, from, to, (sum) => sum),
    recentAmount: (name, from, to = Infinity) => recent(name, from, to, Math.abs),
    names: () => listed.keys(),
    counters: () => listed.values(),
    get size() {
      return listed.size;
    },
    has: (name) => listed.has(name),
    remove(name) {
      const one = listed.get(name);
      // Whoever keeps it may add to it again: then it is listed again.
      if (one !== undefined) Object.assign(one, UNKNOWN);
      return listed.delete(name);
    },
    oldestSecond,
    get bytes() {
      return bytes.length;
    },
    *forgetIdle() {
      const isRoomy = holds && listed.size <= HELD_NAMES_MAX;
      const oldest = clock.complete() - (isRoomy ? HELD_SECONDS : TRACE_SECONDS);
      for (const one of listed.values()) {
        if (one.second <= oldest) {
          one.isListed = false;
          one.score = 0;
          listed.delete(one.name);
        }
        yield;
      }
    },
  };

  function recent(name: string, from: number, to: number, of: (sum: number) => number): number {
    let all = 0;
    visitBack(name, from, (second, sum) => {
      if (second <= to) all += of(sum);
    });
    return finite(all);
  }

  function add(one: Traced, sum: number): void {
    const second = clock.second();
    // What comes late joins the second that has begun.
    if (second <= one.second) one.sum = holds ? sum : finite(one.sum + sum);
    else if (one.isListed || isListedAgain(one)) {
      begin(second);
      if (one.second !== NONE) record(one, second - one.second);
      one.second = second;
      one.sum = finite(sum);
    } else add(listed.get(one.name)!, sum);
  }

  /** False where another object has taken the place of one that was forgotten. */
  function isListedAgain(one: Traced): boolean {
    if (listed.has(one.name)) return false;
    listed.set(one.name, one);
    return (one.isListed = true);
  }

  /** Writes down what a counter has in its object, before a later second begins for it. */
  function record(one: Traced, ahead: number): void {
    if (ahead > TRACE_SECONDS && !holds) {
      one.last = NONE; // too long ago by now
      return;
    }
    reserve();
    const place = end;
    let to = writeNumber(place, one.last >= intactFrom ? place - one.last : 0);
    to = writeNumber(to, Math.min(ahead, 2 ** 14 - 1));
    const isWhole = one.sum >= 0 && Number.isSafeInteger(one.sum);
    end = isWhole ? writeNumber(to, 2 * one.sum) : writeDouble(to, one.sum);
    one.last = place;
  }

  /** Makes room for a record: that of a larger log, or that of what is too old or too much. */
  function reserve(): void {
    const needed = starts[(begun - TRACE_SECONDS + 1) & (STARTS - 1)]!;
    while (end + RECORD_BYTES_MAX - needed > bytes.length && bytes.length < bytesMax) grow();
    const from = end + RECORD_BYTES_MAX - bytes.length;
    if (from > intactFrom) intactFrom = from;
  }

  function grow(): void {
    const larger = new Uint8Array(2 * bytes.length);
    for (let from = intactFrom; from < end;) {
      const old = from % bytes.length;
      const length = Math.min(end - from, bytes.length - old);
      larger.set(bytes.subarray(old, old + length), from % larger.length);
      from += length;
    }
    bytes = larger;
    mask = larger.length - 1;
  }

  /**
   * Writes a number to a place and returns where it ends. Twice a safe integer is even and below
   * 2^54, so that all of this is exact.
   */
  function writeNumber(place: number, number: number): number {
    let to = place;
    let left = number;
    for (; left >= 128; left = Math.floor(left / 128)) bytes[to++ & mask] = (left % 128) | 128;
    bytes[to++ & mask] = left;
    return to;
  }

  function writeDouble(place: number, number: number): number {
    let to = writeNumber(place, DOUBLE);
    double.setFloat64(0, number);
    for (let byte = 0; byte < 8; byte++) bytes[to++ & mask] = double.getUint8(byte);
    return to;
  }

  function readNumber(): number {
    let number = 0;
    let byte = 128;
    for (let scale = 1; byte >= 128; scale *= 128) {
      byte = bytes[at++ & mask]!;
      number += (byte & 127) * scale;
    }
    return number;
  }

  function readDouble(): number {
    for (let byte = 0; byte < 8; byte++) double.setUint8(byte, bytes[at++ & mask]!);
    return double.getFloat64(0);
  }

  /** Visits the seconds of a counter that are over, the last one first; and what held before. */
  function visitBack(name: string, from: number, visit: Visit): void {
    const one = listed.get(name);
    if (one === undefined) return;
    const to = clock.complete();
    const oldest = Math.max(from, to - TRACE_SECONDS + 1, 0);
    let { second, sum, last } = one;
    while (second >= oldest || (holds && second >= 0)) {
      if (second <= to) visit(second, sum);
      if (last < intactFrom || second < oldest) return;
      at = last;
      const back = readNumber();
      second -= readNumber();
      const number = readNumber();
      sum = number === DOUBLE ? readDouble() : number / 2;
      last = back === 0 ? NONE : last - back;
    }
  }

  function begin(second: number): void {
    if (second <= begun) return;
    const first = Math.max(begun + 1, second - STARTS + 1);
    for (let one = first; one <= second; one++) starts[one & (STARTS - 1)] = end;
    begun = second;
  }

  function oldestSecond(): number {
    begin(clock.present());
    let second = Math.max(0, begun - TRACE_SECONDS);
    while (second < begun && starts[(second + 1) & (STARTS - 1)]! < intactFrom) second++;
    return second;
  }
}

/** One beyond all doubles stays a number; 0 has one sign. */
function finite(sum: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, sum)) + 0;
}
