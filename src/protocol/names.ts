import { nameParts, type TagDialect } from './dialects.ts';
import { Verdict } from './reasons.ts';

/**
 * How names are made safe. `statsd`: each run of blanks and tabs becomes one `_`, `/` becomes `-`,
 * everything outside `[A-Za-z0-9_.;=-]` is dropped. `keep`: each control character becomes `_`.
 */
export type NameRule = 'statsd' | 'keep';

/** The most tags a line may carry, wherever they stand. */
export const TAGS_MAX = 64;
/** The longest tag, in bytes, as it came. */
export const TAG_BYTES_MAX = 200;

/**
 * The longest canonical name, in bytes: 14 bits hold its length. What is UTF-8 is never as long;
 * only of bytes that are none does each become three.
 */
export const CANONICAL_BYTES_MAX = 0x3fff;

/** A canonical name, or why there is none. */
export type NameResult = { name: string } | { refused: Verdict };

/**
 * Returns the one name that all spellings of a metric share: sanitised, with its tags behind it in
 * Graphite form, sorted by key, then value, in byte order, each once.
 *
 *     checkout.time;zone=eu  +  host:a,canary   →   checkout.time;canary=;host=a;zone=eu
 *     ^^^^^^^^^^^^^^^^^^^^^     ^^^^^^^^^^^^^
 *     name                      tags
 *
 * @param name the bytes before the `:`, with Graphite tags behind a `;`, or tags of the dialect, if
 *   there are any.
 * @param tags the bytes behind the `#`: `key:value` or `key`, separated by commas. May be empty.
 *
 * Bytes that are not UTF-8 become U+FFFD (and are then dropped under `statsd`). Refuses a name of
 * which nothing is left (`bad_name`), and an empty key, over 64 tags, a tag over 200 bytes, or half
 * a pair of SignalFX' brackets (`bad_tags`).
 *
 * Cost: strings and arrays; runs once per spelling.
 */
export function canonicalName(
  name: Uint8Array,
  tags: Uint8Array,
  rule: NameRule,
  dialect?: TagDialect,
): NameResult {
  const parts = nameParts(name, dialect);
  if (parts === undefined) return { refused: Verdict.badTags };
  const base = sanitise(decode(parts.base), rule);
  if (base === '') return { refused: Verdict.badName };
  const spelled = [
    ...splitTags(parts.listed, COMMA, EQUALS),
    ...splitTags(parts.graphite, SEMICOLON, EQUALS),
    ...splitTags(tags, COMMA, COLON),
  ];
  if (spelled.length === 0) return { name: base };
  if (spelled.length > TAGS_MAX) return { refused: Verdict.badTags };

  const pairs: Tag[] = [];
  for (const tag of spelled) {
    if (tag.bytes > TAG_BYTES_MAX) return { refused: Verdict.badTags };
    const key = sanitise(tag.key.replaceAll(/[;=]/g, '_'), rule);
    if (key === '') return { refused: Verdict.badTags };
    pairs.push({ key, value: sanitise(tag.value.replaceAll(';', '_'), rule) });
  }
  pairs.sort((a, b) => compareBytes(a.key, b.key) || compareBytes(a.value, b.value));
  const texts = new Set(pairs.map(({ key, value }) => `${key}=${value}`));
  const full = [base, ...texts].join(';');
  const isLong = 3 * full.length > CANONICAL_BYTES_MAX;
  if (isLong && encoder.encode(full).length > CANONICAL_BYTES_MAX) {
    return { refused: Verdict.badTags };
  }
  return { name: full };
}

/** Applies a {@link NameRule} to a text; may return an empty one. */
export function sanitise(text: string, rule: NameRule): string {
  if (rule === 'keep') return text.replaceAll(/\p{Cc}/gu, '_');
  return text
    .replaceAll(/[ \t]+/g, '_')
    .replaceAll('/', '-')
    .replaceAll(/[^A-Za-z0-9_.;=-]/g, '');
}

interface Tag {
  key: string;
  value: string;
}

const COMMA = 0x2c;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

function decode(bytes: Uint8Array): string {
  // A copy: a decoder refuses views of shared memory.
  return decoder.decode(Uint8Array.from(bytes));
}

/** Splits `key=value;key` (or `key:value,key`). An empty section holds no tags. */
function splitTags(
  section: Uint8Array,
  between: number,
  inside: number,
): (Tag & { bytes: number })[] {
  const found: (Tag & { bytes: number })[] = [];
  if (section.length === 0) return found;
  for (let start = 0; start <= section.length && found.length <= TAGS_MAX;) {
    const next = section.indexOf(between, start);
    const end = next < 0 ? section.length : next;
    const tag = section.subarray(start, end);
    const split = tag.indexOf(inside);
    found.push({
      key: decode(split < 0 ? tag : tag.subarray(0, split)),
      value: split < 0 ? '' : decode(tag.subarray(split + 1)),
      bytes: tag.length,
    });
    start = end + 1;
  }
  return found;
}

/** Compares by UTF-8 bytes, which is by code points; plain `<` would compare UTF-16 units. */
function compareBytes(a: string, b: string): number {
  if (a === b) return 0;
  const left = encoder.encode(a);
  const right = encoder.encode(b);
  const shared = Math.min(left.length, right.length);
  for (let index = 0; index < shared; index++) {
    if (left[index] !== right[index]) return left[index]! - right[index]!;
  }
  return left.length - right.length;
}
