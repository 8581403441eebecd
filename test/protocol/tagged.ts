import type { TagDialect } from '../../src/protocol/dialects.ts';
import type { NameRule } from '../../src/protocol/names.ts';
import { createWire } from './wire.ts';

/** Room for whatever a test sends. */
export const WIDE = { entriesMax: 1000, nameBytesMax: 1 << 20, timingsMax: 64 };

/** Tags, in the order in which they are written. */
export type Pairs = readonly (readonly [key: string, value: string])[];

/** How each dialect writes a name with tags; `rest` is what follows the name in the line. */
export const WRITTEN: Record<
  TagDialect | 'dogstatsd' | 'graphite',
  (name: string, tags: Pairs) => string
> = {
  dogstatsd: (name, tags) => `${name}:1|c|#${listOf(tags, ':', ',')}`,
  graphite: (name, tags) => `${name}${tags.length > 0 ? ';' : ''}${listOf(tags, '=', ';')}:1|c`,
  influx: (name, tags) => `${name},${listOf(tags, '=', ',')}:1|c`,
  librato: (name, tags) => `${name}#${listOf(tags, '=', ',')}:1|c`,
  signalfx: (name, tags) => `${name}[${listOf(tags, '=', ',')}]:1|c`,
};

function listOf(tags: Pairs, inside: string, between: string): string {
  return tags.map((tag) => tag.join(inside)).join(between);
}

/** The name that a line is counted under, or in brackets why it is not. */
export function countedAs(line: string, dialect?: TagDialect, rule: NameRule = 'statsd'): string {
  const wire = createWire(WIDE, rule, { dialect });
  wire.send(line);
  const { counters, rejected } = wire.drain();
  const [name = `(${Object.keys(rejected).join()})`] = counters.keys();
  return name;
}
