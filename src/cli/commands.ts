import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';

import { jsonInteger, jsonObject } from '../counters-json.ts';
import { type Fields, printable } from '../collector-source.ts';
import { readCounters, readGauges, readSets, readValue } from '../counters-source.ts';
import type { SetsOfToday, SourceOptions } from '../counters-source.ts';
import { ErrorCode, errorText, StatcolError } from '../errors.ts';
import { gaugeHash } from '../flush/layout.ts';
import { oneOf, readRedisUrl } from '../option-readers.ts';
import { formatLine, safeName, type SampleType } from '../protocol/format.ts';
import { TAG_DIALECTS, type TagDialect } from '../protocol/dialects.ts';
import { canonicalName } from '../protocol/names.ts';
import { createParser, forEachLine } from '../protocol/parse.ts';
import { reasonOf, Verdict } from '../protocol/reasons.ts';
import { Usage } from './report.ts';

/** 65,535, less the headers of IPv4 and UDP. */
const DATAGRAM_BYTES_MAX = 65_507;
const NOTHING_YET = '(nothing counted yet)\n';

interface TargetFlags {
  host: string;
  port: string;
}

interface SourceFlags {
  redis?: string;
  http: string;
  httpToken?: string;
  collection?: string;
  layout: string;
}

/** `statcol send`: sends lines as they are, unless a collector would refuse one of them. */
export async function send(lines: string[], flags: TargetFlags & { tags?: string }): Promise<void> {
  const { read, expected } = oneOf(...TAG_DIALECTS);
  const dialect = flags.tags === undefined ? undefined : read(flags.tags);
  if (flags.tags !== dialect) {
    throw new Usage([`--tags: expected ${expected}, got ${JSON.stringify(flags.tags)}`]);
  }
  const faults = lines.flatMap((line) => {
    const bytes = Buffer.byteLength(line);
    if (bytes > DATAGRAM_BYTES_MAX) {
      const which = JSON.stringify(`${line.slice(0, 40)}…`);
      return [`${which} has ${bytes} bytes: a datagram holds ${DATAGRAM_BYTES_MAX}`];
    }
    const reason = refusalOf(line, dialect);
    return reason === undefined ? [] : [`${JSON.stringify(line)} would be refused: ${reason}`];
  });
  if (faults.length > 0) throw new Usage(faults);
  await sendLines(lines, flags);
}

/** `statcol incr` and `statcol timing`: sends one sample. */
export async function sendSample(
  { name, value, type }: { name: string; value: string; type: SampleType },
  flags: TargetFlags & { rate: string },
): Promise<void> {
  if (safeName(name) !== name) {
    throw new Usage([`${JSON.stringify(name)}: expected a name without : | and line breaks`]);
  }
  const line = formatLine({ name, value, type });
  const rated = flags.rate === '1' ? line : `${line}|@${flags.rate}`;
  const reason = refusalOf(rated);
  if (reason === 'bad_rate') {
    const got = JSON.stringify(flags.rate);
    throw new Usage([`--rate: expected a number above 0, at most 1, got ${got}`]);
  }
  if (reason === 'bad_value') {
    const expected = type === 'ms' ? 'milliseconds, 0 or more' : 'a number';
    throw new Usage([`expected ${expected}, got ${JSON.stringify(value)}`]);
  }
  await send([rated], flags);
}

/** `statcol get`: prints a counter, else a gauge, else how many members a set has today. */
export async function get(name: string, flags: SourceFlags): Promise<void> {
  process.stdout.write(`${await readValue(name, readSource(flags))}\n`);
}

/** `statcol stats`: prints all counters as JSON, or counters, gauges and sets as tables. */
export async function stats(flags: SourceFlags & { json?: boolean }): Promise<void> {
  const source = readSource(flags);
  const hashes = await readCounters(source);
  if (flags.json === true) {
    const text = jsonObject(hashes, (fields) => jsonObject(fields, jsonInteger));
    process.stdout.write(`${text}\n`);
    return;
  }
  const gauges = (await readGauges(source)).filter(([, fields]) => fields.length > 0);
  const sets = await readSets(source);
  const blocks = [
    ...hashes.map(([hash, fields]) => block(hash, fields)),
    ...gauges.map(([collection, fields]) => block(gaugeHash(collection), fields)),
    ...sets.flatMap((one) => setBlock(one)),
  ];
  process.stdout.write(blocks.length === 0 ? NOTHING_YET : blocks.join('\n'));
}

function setBlock({ collection, counts, missing }: SetsOfToday): string[] {
  if (counts.length === 0 && missing === undefined) return [];
  const which = missing === undefined ? '' : `; not all: ${printable(missing)}`;
  const title = `${collection} sets (unique members today, UTC${which})`;
  return [block(title, counts, '(none could be read)\n')];
}

function block(title: string, fields: Fields, empty: string = NOTHING_YET): string {
  const shown = fields.map(([field, value]): [string, string] => [printable(field), value]);
  // One long name must not push all values out of sight.
  const width = Math.min(60, longest(shown.map(([field]) => field)));
  const digits = longest(shown.map(([, value]) => value));
  const sorted = shown.toSorted(([a], [b]) => (a < b ? -1 : 1));
  const rows = sorted.map(
    ([field, value]) => `  ${field.padEnd(width)}  ${value.padStart(digits)}\n`,
  );
  return `${printable(title)}\n${rows.length === 0 ? `  ${empty}` : rows.join('')}`;
}

/** Not by `Math.max(...texts)`: more than some 120,000 arguments are more than the stack holds. */
function longest(texts: readonly string[]): number {
  return texts.reduce((most, { length }) => Math.max(most, length), 0);
}

/** Returns why a collector would refuse a text, which may hold several lines. */
function refusalOf(text: string, dialect?: TagDialect): string | undefined {
  const parser = createParser(dialect);
  const reasons: (string | undefined)[] = [];
  const bytes = Buffer.from(text);
  forEachLine(bytes, bytes.length, (_bytes, start, end) => {
    let verdict: Verdict = parser.parse(bytes, start, end);
    if (verdict === Verdict.accepted) {
      const { nameStart, nameEnd, tagsStart, tagsEnd } = parser.line;
      const name = bytes.subarray(nameStart, nameEnd);
      const result = canonicalName(name, bytes.subarray(tagsStart, tagsEnd), 'keep', dialect);
      if ('refused' in result) verdict = result.refused;
    }
    reasons.push(reasonOf(verdict));
  });
  // A collector passes over empty lines, but to send nothing else is a mistake.
  return reasons.length === 0 ? 'no_separator' : reasons.find((reason) => reason !== undefined);
}

async function sendLines(lines: string[], { host, port }: TargetFlags): Promise<void> {
  const number = Number(port);
  if (!/^\d+$/.test(port) || number < 1 || number > 65_535) {
    throw new Usage([`--port: expected a number from 1 to 65535, got ${JSON.stringify(port)}`]);
  }
  try {
    const { address, family } = await lookup(host);
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    try {
      for (const line of lines) {
        await new Promise<void>((resolve, reject) => {
          socket.send(line, number, address, (error) => (error ? reject(error) : resolve()));
        });
      }
    } finally {
      socket.close();
    }
  } catch (cause) {
    throw new StatcolError(
      ErrorCode.ERR_SOURCE,
      `nothing could be sent to ${host}:${port}: ${errorText(cause)}`,
      { cause },
    );
  }
}

function readSource(flags: SourceFlags): SourceOptions {
  const faults: string[] = [];
  const layout = oneOf('flat', 'split').read(flags.layout);
  if (layout === undefined) {
    faults.push(`--layout: expected flat or split, got ${JSON.stringify(flags.layout)}`);
  }
  // The environment may hold what a collector listens on: host and port.
  const http = /^[^/]+:\d+$/.test(flags.http) ? `http://${flags.http}` : flags.http;
  // With --redis it is not asked for, and the environment may say that it is off.
  const wantsHttp = flags.redis === undefined;
  if (wantsHttp && (!URL.canParse(http) || !/^https?:$/.test(new URL(http).protocol))) {
    faults.push(`--http: expected a URL like http://127.0.0.1:8127, got ${JSON.stringify(http)}`);
  }
  if (flags.redis !== undefined && readRedisUrl(flags.redis) === undefined) {
    faults.push('--redis: expected a URL like redis://127.0.0.1:6379, got something else');
  }
  if (faults.length > 0 || layout === undefined) throw new Usage(faults);
  const { redis, httpToken, collection } = flags;
  return { redis, http, httpToken, collection, layout };
}
