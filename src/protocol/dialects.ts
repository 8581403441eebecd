/**
 * Ways to write tags into a name that are read when asked for; Graphite's and DogStatsD's always
 * are. The mark begins the list, which goes up to the end of the name, or up to the `]`.
 *
 *     influx     checkout.time,zone=eu,host=a:320|ms
 *     librato    checkout.time#zone=eu,host=a:320|ms
 *     signalfx   checkout.time[zone=eu,host=a]:320|ms      also    checkout[zone=eu,host=a].time
 *
 * Sources: InfluxData, "Getting started with sending StatsD metrics to Telegraf"; Librato's
 * stat-level tags; SignalFx' collectd-statsd. That SignalFX' list may stand anywhere in the name,
 * and the name is what is before and behind it, is as prometheus/statsd_exporter reads it.
 */
export const TAG_DIALECTS = ['influx', 'librato', 'signalfx'] as const;
/** One of {@link TAG_DIALECTS}. */
export type TagDialect = (typeof TAG_DIALECTS)[number];

/** A name taken apart: what is left of it, and its lists of tags, without marks. */
export interface NameParts {
  base: Uint8Array;
  /** `key=value,key`, of the dialect. */
  listed: Uint8Array;
  /** `key=value;key`, of Graphite. */
  graphite: Uint8Array;
}

/** Returns the byte that begins a dialect's list of tags; one that no byte equals without it. */
export function markOf(dialect: TagDialect | undefined): number {
  return dialect === undefined ? NO_MARK : MARKS[dialect];
}

/**
 * Returns a name's parts; undefined where a bracket has no other, or there is a second list.
 *
 * The mark that comes first decides: in `a,k=v;w` the `;` is within an Influx tag, in `a;k=v,w` the
 * comma is within a Graphite one. Only a list in brackets ends, and may have Graphite tags behind.
 */
export function nameParts(
  name: Uint8Array,
  dialect: TagDialect | undefined,
): NameParts | undefined {
  const mark = markOf(dialect);
  const at = name.findIndex((byte) => byte === SEMICOLON || byte === mark);
  if (at < 0 || name[at] === SEMICOLON) {
    const base = at < 0 ? name : name.subarray(0, at);
    if (mark === OPEN && base.includes(CLOSE)) return undefined;
    return { base, listed: NOTHING, graphite: at < 0 ? NOTHING : name.subarray(at + 1) };
  }
  if (mark !== OPEN) {
    return { base: name.subarray(0, at), listed: name.subarray(at + 1), graphite: NOTHING };
  }
  const close = name.indexOf(CLOSE, at);
  if (close < 0) return undefined;
  const behind = nameParts(name.subarray(close + 1), undefined)!;
  const base = Uint8Array.from([...name.subarray(0, at), ...behind.base]);
  if (base.includes(OPEN) || base.includes(CLOSE)) return undefined;
  return { ...behind, base, listed: name.subarray(at + 1, close) };
}

/**
 * Returns how long a name is without its tags, as {@link nameParts} would take them out.
 *
 * @param tagsAt where its first mark is; it ends at `end`. Cost: of what is behind a `[` alone.
 */
export function bareLength(bytes: Uint8Array, start: number, tagsAt: number, end: number): number {
  let length = tagsAt - start;
  if (bytes[tagsAt] !== OPEN) return length;
  let at = tagsAt;
  while (at < end && bytes[at] !== CLOSE) at++;
  for (at++; at < end && bytes[at] !== SEMICOLON; at++) length++;
  return length;
}

/**
 * Whether a name, as it is after all its tags were read, would be read to have more of them: it was
 * counted when another dialect was asked for, or none.
 */
export function isOfOtherDialect(name: string, dialect: TagDialect | undefined): boolean {
  if (dialect === undefined) return false;
  const at = name.indexOf(String.fromCharCode(markOf(dialect)));
  const semicolon = name.indexOf(';');
  return at >= 0 && (semicolon < 0 || at < semicolon);
}

const NOTHING = new Uint8Array(0);
const NO_MARK = -1;
const SEMICOLON = 0x3b;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const MARKS: Readonly<Record<TagDialect, number>> = { influx: 0x2c, librato: 0x23, signalfx: OPEN };
