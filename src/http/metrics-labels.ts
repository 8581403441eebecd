import { TAGS_MAX } from '../protocol/names.ts';

/**
 * Returns a label as it stands between the braces, `name="value"`. What would end the value or the
 * line is escaped; half a character, which UTF-8 cannot hold, becomes U+FFFD.
 *
 * Source: Prometheus, Exposition formats, text-based format 0.0.4.
 */
export function label(name: string, value: string): string {
  return `${name}="${UNFIT.test(value) ? escaped(value) : value}"`;
}

/**
 * Returns the labels of a counter's or timing's name, its tags one by one:
 *
 *     checkout.time;zone=eu      →   name="checkout.time",tag_zone="eu"
 *     checkout.time;hostName=a   →   name="checkout.time",tag_host_name="a",
 *                                    full_name="checkout.time;hostName=a"
 *
 * No two names have the same labels, or Prometheus would take one's value for the other's. So where
 * they could be those of another name too, `full_name` tells which it is, as in a string of JSON: a
 * tag's key had to be changed, or stands there twice; a tag has no value, which to Prometheus is no
 * label; or there is half a character.
 *
 * Cost: 0.1 µs without tags, 1 µs with.
 */
export function nameLabels(full: string): string {
  const [name = '', ...tags] = full.includes(';') ? sectionsOf(full) : [full];
  let labels = label('name', name);
  let areAlone = !HALF_CHARACTER.test(full);
  const used = new Set<string>();
  for (const tag of tags) {
    const equals = tag.indexOf('=');
    const key = tag.slice(0, equals);
    const value = tag.slice(equals + 1);
    const fit = fitKey(key);
    let unique = fit;
    for (let n = 2; used.has(unique); n++) unique = `${fit}_${n}`;
    used.add(unique);
    if (unique !== key || value === '') areAlone = false;
    labels += `,${label(`tag_${unique}`, value)}`;
  }
  return areAlone ? labels : `${labels},${label('full_name', JSON.stringify(full).slice(1, -1))}`;
}

const HALF_CHARACTER = /\p{Surrogate}/u;
const UNFIT = /[\\"\n\p{Surrogate}]/u;

/** Returns the name and its tags; a text of another form than ours is a name with a `;` in it. */
function sectionsOf(full: string): string[] {
  const sections = full.split(';');
  const areTags = sections.every((tag, at) => at === 0 || tag.indexOf('=') > 0);
  return areTags && sections.length <= 1 + TAGS_MAX ? sections : [full];
}

/** Returns a key as a label may be called: in `snake_case`, as Prometheus wants its labels. */
function fitKey(key: string): string {
  if (/^[a-z0-9_]+$/.test(key)) return key;
  return key
    .replaceAll(/[^a-zA-Z0-9_]/gu, '_')
    .replaceAll(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}

function escaped(value: string): string {
  return value
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n')
    .replaceAll(/\p{Surrogate}/gu, '\ufffd');
}
