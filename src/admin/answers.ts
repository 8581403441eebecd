import type { Fate, Vitals } from '../vitals-types.ts';

// What the console says, byte for byte as the reference does where it has the same to say.

/** What there is to be asked for, and an empty line. */
export const HELP =
  'Commands: stats, counters, timers, gauges, delcounters, deltimers, delgauges, health, config, quit\n\n';
/** The answer to what is no command, and to one that cannot be obeyed now. */
export const ERROR = 'ERROR\n';
const END = 'END\n\n';

/** How long ago something happened, in milliseconds; undefined where it has not since the start. */
export type Ago = number | undefined;

/** How store or trap has done. */
export interface SinkAges {
  sinceSuccessMs: Ago;
  sinceFailureMs: Ago;
}

/** What `stats` tells beside the vitals. */
export interface StatsAges {
  sinceLineMs: Ago;
  store: SinkAges;
  /** Undefined without a trap. */
  trap: SinkAges | undefined;
}

/**
 * Returns the answer to `stats`. All numbers are whole but `flush_time`, in milliseconds; what is
 * called `last_…` is how many seconds ago that was, and where it never was, the time since the
 * start, as the reference has it.
 *
 *     uptime: 120                      redis.last_flush: 0          trap.last_flush: 1
 *     messages.last_msg_seen: 3        redis.last_exception: 120    …
 *     messages.bad_lines_seen: 0       redis.flush_time: 0.8        END
 */
export function statsText(vitals: Vitals, ages: StatsAges): string {
  const { store, trap, counters, gauges, sets, timings, lines } = vitals;
  const uptime = Math.floor(vitals.uptimeSeconds);
  const seconds = (ago: Ago): number => (ago === undefined ? uptime : Math.floor(ago / 1000));
  const refused = sumOf(Object.values(lines.rejected));
  const sink = (name: string, of: SinkAges, tookMs: number | null, fates: Fate[]): string[] => [
    `${name}.last_flush: ${seconds(of.sinceSuccessMs)}`,
    `${name}.last_exception: ${seconds(of.sinceFailureMs)}`,
    `${name}.flush_time: ${tookMs ?? 0}`,
    `${name}.delivered: ${sumOf(fates.map(({ delivered }) => delivered))}`,
    `${name}.pending: ${sumOf(fates.map(({ pending }) => pending))}`,
    `${name}.dropped: ${sumOf(fates.flatMap(({ dropped }) => Object.values(dropped)))}`,
  ];
  const told = [
    `uptime: ${uptime}`,
    `messages.last_msg_seen: ${seconds(ages.sinceLineMs)}`,
    `messages.bad_lines_seen: ${refused}`,
    ...sink(store.kind, ages.store, store.lastFlushMs, [counters, gauges, sets]),
    ...(ages.trap === undefined ? [] : sink('trap', ages.trap, trap.lastPushMs, [timings])),
  ];
  return `${told.join('\n')}\n${END}`;
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0);
}

/**
 * Returns the answer that shows an object: its JSON on one line, `END`, an empty line. A `'`, which
 * is only in names, is told as JSON may: statsd-ruby's client makes a `"` of each that it sees.
 */
export function* objectAnswer(json: Iterable<string>): Generator<string> {
  for (const piece of json) yield piece.replaceAll("'", String.raw`\u0027`);
  yield `\n${END}`;
}

/** What has become of one word of a deletion. */
export interface Deleted {
  readonly word: string;
  /** The names that it stood for. */
  readonly names: readonly string[];
}

/** Returns the answer to a deletion: a line for each name, or for each word that stood for none. */
export function* deletedAnswer(all: Iterable<Deleted>): Generator<string> {
  for (const { word, names } of all) {
    if (names.length === 0) yield `metric ${oneLine(word)} not found\n`;
    for (const name of names) yield `deleted: ${oneLine(name)}\n`;
  }
  yield END;
}

/** Returns a text from outside on one line, its control characters as `\x0a`. */
export function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (character) => {
    return String.raw`\x` + character.codePointAt(0)!.toString(16).padStart(2, '0');
  });
}
