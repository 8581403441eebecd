import { toBase64 } from '../histogram-codec.ts';

/** Names up to here are stored by a trap; one byte more and the metric is dropped. */
const TRAP_NAME_BYTES_MAX = 4095;
/** Members that mean something else in the trap's grammar. */
const RESERVED = new Set(['_type', '_value', '_ts', '_tags', '_fl']);

/** Limits of a broker's stream tags: a pair, and its category, in bytes. */
const TAG_PAIR_BYTES_MAX = 256;
const TAG_CATEGORY_BYTES_MAX = 254;

/**
 * Returns a name that the trap's grammar can carry. Tags become stream tags:
 *
 *     checkout.time;canary=;zone=eu   →   checkout.time|ST[canary:,zone:eu]
 *
 * Of the name, non-ASCII and control bytes, backticks, and blanks at either end become `%XX`, and
 * so do the first character of a reserved word, and a `%` that would be taken for one of these, so
 * that names that differ stay different. Of a tag, what is outside a broker's characters
 * goes in base64: `b"w6k="`. Where a tag is too long for a broker, the tags stay as they are, part
 * of the name. A longer name than 4,095 bytes is cut, and keeps apart from others by a hash of the
 * whole: `…%1a2b3c4d`.
 */
export function trapName(name: string): string {
  const [base = '', ...tags] = name.split(';');
  const streamTags = tags.map(streamTag);
  if (streamTags.length > 0 && streamTags.every((tag) => tag !== undefined)) {
    const tagged = `${safeName(base)}|ST[${streamTags.join(',')}]`;
    if (tagged.length <= TRAP_NAME_BYTES_MAX) return tagged;
  }
  return untaggedTrapName(name);
}

/** Returns a name that the trap's grammar can carry, as {@link trapName}, of a name without tags. */
export function untaggedTrapName(name: string): string {
  const safe = safeName(name);
  if (safe.length <= TRAP_NAME_BYTES_MAX) return safe;
  const mark = `%${fnv1a(safe).toString(16).padStart(8, '0')}`;
  return safe.slice(0, TRAP_NAME_BYTES_MAX - mark.length).replace(/%.?$/, '') + mark;
}

function streamTag(tag: string): string | undefined {
  const split = tag.indexOf('=');
  const category = spelled(tag.slice(0, Math.max(0, split)), CATEGORY);
  const pair = `${category}:${spelled(tag.slice(split + 1), VALUE)}`;
  const fits = category.length <= TAG_CATEGORY_BYTES_MAX && pair.length <= TAG_PAIR_BYTES_MAX;
  return fits && category !== '' ? pair : undefined;
}

/** Backticks are a broker's too, but part its names: better not. */
const CATEGORY = /^[+A-Za-z0-9!@#$%^&"'/?._-]*$/;
const VALUE = /^[+A-Za-z0-9!@#$%^&"'/?._:=-]*$/;

function spelled(text: string, plain: RegExp): string {
  return plain.test(text) && !text.startsWith('b"') ? text : `b"${toBase64(encoder.encode(text))}"`;
}

function safeName(name: string): string {
  if (RESERVED.has(name)) return `%5F${name.slice(1)}`;
  return SAFE.test(name) ? name : escapeName(name);
}

/** Also no `%XX`, which an escaped byte would be taken for. */
const SAFE = /^(?!.*%[0-9A-Fa-f]{2})[!-_a-~](?:[ -_a-~]*[!-_a-~])?$/;
const HEX_PAIR = /^[0-9A-Fa-f]{2}$/;
const encoder = new TextEncoder();

function escapeName(name: string): string {
  let safe = '';
  const bytes = encoder.encode(name);
  for (const [at, byte] of bytes.entries()) {
    const outer = at === 0 || at === bytes.length - 1;
    const isEscape =
      byte === PERCENT && HEX_PAIR.test(String.fromCharCode(...bytes.subarray(at + 1, at + 3)));
    const plain = byte > 0x20 && byte < 0x7f && byte !== BACKTICK && !isEscape;
    safe +=
      plain || (byte === BLANK && !outer)
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return safe;
}

const BLANK = 0x20;
const PERCENT = 0x25;
const BACKTICK = 0x60;

/** Source: FNV-1a, 32 bits (Fowler, Noll, Vo; draft-eastlake-fnv). */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash >>> 0;
}
