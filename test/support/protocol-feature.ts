import type { RejectReason } from '../../src/protocol/reasons.ts';

// What a row of the README's table of features is, and how it is written there.

/** One thing that the protocol has: what is sent, and what has to come of it. */
export interface Feature {
  /** What it is, in a few words of Markdown; no two rows have the same. */
  what: string;
  /** Datagrams, or what is written over TCP; each character stands for one byte. */
  sent: string[];
  /** UDP if absent. A `reset` breaks off the connection when all of it has been read. */
  over?: 'tcp' | 'tcp, reset' | 'unix' | 'admin';
  /** A datagram that comes before it. */
  given?: string;
  /** The flag that its collector has; one of those in {@link FLAGS}. */
  flag?: string;
  /** How many lines that is, where a datagram does not have one for each LF in it. */
  lines?: number;
  becomes: Outcome;
}

/** What lines have become. Names are as the API has them, and belong to one row alone. */
export interface Outcome {
  counters?: Record<string, number>;
  gauges?: Record<string, number>;
  /** How many timings there are, and from where to where they go. */
  timings?: Record<string, [count: number, min: number, max: number]>;
  /** How many members. */
  sets?: Record<string, number>;
  refused?: Partial<Record<RejectReason, number>>;
  /** What a connection says; or, where that differs from time to time, how, and in words. */
  answer?: string | { like: RegExp; told: string };
}

/** Features that belong together, under a heading. */
export interface FeatureGroup {
  title: string;
  features: Feature[];
}

/** Flags of the collectors that rows are sent to, beside the one that has none of them. */
export const FLAGS = [
  '--tags influx --names keep',
  '--tags librato --max-keys 4',
  '--tags signalfx --tag-sets-per-name 2',
  '--admin 0',
];

/** Where the table stands in the README. */
export const TABLE_BEGIN = '<!-- protocol: written by its test -->';
export const TABLE_END = '<!-- /protocol -->';

/** Returns the groups as one table of Markdown, with a row for each heading. */
export function renderTable(groups: readonly FeatureGroup[]): string {
  const rows = ['| feature | sent | becomes |', '|---|---|---|'];
  for (const { title, features } of groups) {
    rows.push(`| **${title}** | | |`);
    for (const feature of features) {
      const given = feature.given === undefined ? '' : `after ${asCode(feature.given)}: `;
      const sent = given + feature.sent.map((text) => asCode(text)).join(' ');
      const what = feature.what.replaceAll('|', String.raw`\|`);
      rows.push(`| ${what} | ${sent} | ${renderOutcome(feature.becomes)} |`);
    }
  }
  return rows.join('\n');
}

/** Returns a text with what is between the two markers replaced by a table. */
export function withTable(text: string, table: string): string {
  const from = text.indexOf(TABLE_BEGIN);
  const to = text.indexOf(TABLE_END);
  if (from < 0 || to < from) throw new Error('the README has no place for the table');
  return `${text.slice(0, from)}${TABLE_BEGIN}\n\n${table}\n\n${text.slice(to)}`;
}

function renderOutcome(outcome: Outcome): string {
  const { counters, timings, gauges, sets, refused, answer } = outcome;
  const parts = [
    ...entries(counters).map(([name, sum]) => `counter ${asCode(utf8(name))} ${grouped(sum)}`),
    ...entries(timings).map(([name, timed]) => renderTimings(asCode(utf8(name)), timed)),
    ...entries(gauges).map(([name, value]) => `gauge ${asCode(utf8(name))} ${grouped(value)}`),
    ...entries(sets).map(([name, members]) => `set ${asCode(utf8(name))} of ${members}`),
    ...entries(refused).map(([reason, lines]) => `${lines} refused: \`${reason}\``),
  ];
  if (typeof answer === 'string') parts.push(asCode(answer, ANSWER_BYTES_MAX));
  else if (answer !== undefined) parts.push(answer.told);
  return parts.length === 0 ? 'nothing' : parts.join('; ');
}

function renderTimings(name: string, [count, min, max]: [number, number, number]): string {
  if (count === 1) return `timing ${name} of ${min}`;
  return `${grouped(count)} timings ${name} ${min === max ? `of ${min}` : `from ${min} to ${max}`}`;
}

function entries<Value>(of: Record<string, Value> | undefined): [string, Value][] {
  return Object.entries(of ?? {});
}

function grouped(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 20 });
}

function utf8(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** Returns bytes as code in a table: what cannot be seen as a sign that can, long ones cut. */
function asCode(bytes: string, shownMax = SHOWN_BYTES_MAX): string {
  if (bytes === '') return '(0 bytes)';
  if (bytes.length <= shownMax) return `\`${visible(bytes)}\``;
  const ends = `${visible(bytes.slice(0, 16))} … ${visible(bytes.slice(-12))}`;
  return `\`${ends}\` (${grouped(bytes.length)} bytes)`;
}

function visible(bytes: string): string {
  return decoded(bytes)
    .replaceAll(/[^ -\u{10ffff}]/gu, signOf)
    .replaceAll('|', String.raw`\|`);
}

/** Unicode has a sign for each control character. */
function signOf(control: string): string {
  return String.fromCodePoint(0x2400 + control.charCodeAt(0));
}

/** As UTF-8 if it is, else each byte that is no ASCII as `\xNN`. */
function decoded(bytes: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return bytes.replaceAll(/[\x80-\xff]/g, (one) => `\\x${one.charCodeAt(0).toString(16)}`);
  }
}

const SHOWN_BYTES_MAX = 70;
const ANSWER_BYTES_MAX = 110;
