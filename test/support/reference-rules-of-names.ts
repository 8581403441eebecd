import type { ReferenceReading } from './reference-reading.ts';
import { type Rule, someTaken } from './reference-rule.ts';

/** Rules about names, tags, further fields, and what is no metric. */
export const RULES_OF_NAMES: readonly Rule[] = [
  {
    name: 'a name of which nothing is left',
    applies: taken(({ key }) => /^(;|$)/.test(key)),
    reference: 'counts it under the empty name',
    statcol: 'bad_name',
    source: 'stats.js: sanitizeKeyName',
    examples: [
      [':1|c', ':1|c', ''],
      ['%:1|g', ':1|g', ''],
      ['%:1|c|#k:nameless', ';k=nameless:1|c', ''],
    ],
  },
  {
    name: 'blanks that are neither blank nor tab',
    applies: taken(({ name, tagSections }) => /[^\S \t]/.test(name + (tagSections[0] ?? ''))),
    reference: 'become _ as well',
    statcol: 'are dropped',
    source: String.raw`stats.js: key.replace(/\s+/g, '_')`,
    examples: [['other\vblank:1|c', 'other_blank:1|c', 'otherblank:1|c']],
  },
  {
    name: 'a | in a name',
    applies: taken(({ name }) => name.includes('|')),
    reference: 'drops it',
    statcol: 'bad_name',
    source: 'stats.js: sanitizeKeyName',
    examples: [['pi|pe:1|c', 'pipe:1|c', '']],
  },
  {
    name: 'longer than allowed',
    applies: taken(({ raw, name, tagSections }) => {
      const tags = [...name.split(';').slice(1), ...tagsOf(tagSections)];
      const isLong = tags.length > 64 || tags.some((tag) => Buffer.byteLength(tag) > 200);
      return isLong || raw.split(/[:;]/, 1)[0]!.length > 512;
    }),
    reference: 'takes any',
    statcol: 'name_too_long over 512 bytes, bad_tags over 64 tags or 200 bytes of one',
    source: 'stats.js has no limit',
    examples: [
      [`${'n'.repeat(513)}:1|c`, `${'n'.repeat(513)}:1|c`, ''],
      [`tag.long:1|c|#k:${'v'.repeat(199)}`, `tag.long;k=${'v'.repeat(199)}:1|c`, ''],
    ],
  },
  {
    name: 'an event or a service check',
    applies: taken(({ name }) => /^(_e\{.|_sc\|)/s.test(name)),
    reference: 'a metric, where its text looks like one',
    statcol: 'unsupported',
    source: 'stats.js knows neither',
    examples: [['_e{1,1}:5|c', '_e11:5|c', '']],
  },
  {
    name: 'another field than a rate in its place',
    applies: ({ bits }) =>
      bits.some(({ fields: { 2: third } }) => third?.startsWith('@') === false),
    reference: 'a bad line, also if there is nothing in it',
    statcol: 'passes over T, c: and unknown ones, and over empty ones (DogStatsD)',
    source: 'lib/helpers.js: is_valid_packet',
    examples: [
      ['field.time:1|c|T1700000000', '', 'field.time:1|c'],
      ['field.container:1|c|c:cid', '', 'field.container:1|c'],
      ['field.empty:1|c|', '', 'field.empty:1|c'],
    ],
  },
  {
    name: 'a colon in a field behind the rate',
    applies: ({ bits }) =>
      bits.some((bit, at) => bit.taken && at > 0 && bits[at - 1]!.fields.length > 3),
    reference: 'begins a value there',
    statcol: 'passes over the field (DogStatsD)',
    source: "stats.js: bits[0].split(':')",
    examples: [['field.value:1|c|@1|c:7|c', 'field.value:8|c', 'field.value:1|c']],
  },
  {
    name: 'fields behind the tags',
    applies: taken(({ tagSections }) => tagSections[0]?.includes('|') === true),
    reference: 'takes them for a part of the last tag; a rate there is lost',
    statcol: 'fields come in any order (DogStatsD)',
    source: "stats.js: bits[1].split(',')",
    examples: [
      ['behind:1|c|#t:v|@0.5', 'behind;t=v0.5:1|c', 'behind;t=v:2|c'],
      ['behind.id:1|c|#t:v|c:cid', 'behind.id;t=vccid:1|c', 'behind.id;t=v:1|c'],
    ],
  },
  {
    name: 'tags twice',
    applies: taken(({ tagSections }) => tagSections.length > 1),
    reference: 'takes the first',
    statcol: 'bad_tags',
    source: 'stats.js: bits[1]',
    examples: [['tags.twice:1|c|#a:b|#c:d', 'tags.twice;a=b:1|c', '']],
  },
  {
    name: 'a tag without a value',
    applies: taken(({ key }) => namedTags(key).some((tag) => tag !== '' && !tag.includes('='))),
    reference: 'leaves it as it is',
    statcol: 'names it k= (Graphite)',
    source: 'stats.js: tags.map',
    examples: [
      ['tags.flag:1|c|#canary', 'tags.flag;canary:1|c', 'tags.flag;canary=:1|c'],
      ['tags.written;canary:1|c', 'tags.written;canary:1|c', 'tags.written;canary=:1|c'],
    ],
  },
  {
    name: 'a tag without a key',
    applies: taken(({ key }) => namedTags(key).some((tag) => /^(=|$)/.test(tag))),
    reference: 'leaves it as it is',
    statcol: 'bad_tags; a ; with nothing behind it is no tag',
    source: 'stats.js: tags.map',
    examples: [
      ['tags.keyless:1|c|#:v', 'tags.keyless;=v:1|c', ''],
      ['tags.comma:1|c|#a:b,', 'tags.comma;a=b;:1|c', ''],
      ['tags.none;:1|c', 'tags.none;:1|c', 'tags.none:1|c'],
    ],
  },
  {
    name: 'tags in another order than sorted, each once',
    applies: taken(({ key }) => {
      const tags = namedTags(key);
      return tags.some((tag, at) => at > 0 && sortingKey(tags[at - 1]!) >= sortingKey(tag));
    }),
    reference: 'each order has a name of its own',
    statcol: 'one name for all',
    source: 'stats.js: tags.map',
    examples: [
      [
        'tags.order:1|c|#b:2,a:1\ntags.order:1|c|#a:1,b:2,b:2',
        'tags.order;b=2;a=1:1|c tags.order;a=1;b=2;b=2:1|c',
        'tags.order;a=1;b=2:2|c',
      ],
    ],
  },
  {
    name: 'a ; in a tag, or a = in its key',
    applies: taken(({ tagSections }) =>
      tagsOf(tagSections).some((tag) => /;.*;|^[^:]*=/.test(tag)),
    ),
    reference: 'replaces the first ; alone, and no =',
    statcol: 'replaces all by _',
    source: "stats.js: tag.replace(';', '_').replace(':', '=')",
    examples: [
      ['tags.marks:1|c|#a;b;c:v', 'tags.marks;a_b;c=v:1|c', 'tags.marks;a_b_c=v:1|c'],
      ['tags.equals:1|c|#a=b:v', 'tags.equals;a=b=v:1|c', 'tags.equals;a_b=v:1|c'],
    ],
  },
  {
    name: 'a CR at the end',
    applies: ({ cr, tagSections, bits }) => {
      const last = bits.at(-1);
      const isPlain = last?.fields.length === 2;
      const isLostSet = isPlain && last.type === 's' && !last.taken;
      const isNegative = isPlain && last.type === 'ms' && Number(last.value) < 0;
      return cr && (tagsOf(tagSections).length > 0 || isLostSet || isNegative);
    },
    reference: 'a bad line of a set, a time below 0, a _ at the end of the tags',
    statcol: 'is no part of the line',
    source: 'lib/helpers.js looks at fields[1] before stats.js trims it',
    examples: [
      ['cr:x|s\r', '', 'cr:1|s'],
      ['cr:-1|ms\r', 'cr:-1|ms', ''],
      ['cr:1|c|#t:v\r', 'cr;t=v_:1|c', 'cr;t=v:1|c'],
    ],
  },
];

/** Where the reference takes anything at all of the line. */
function taken(isSo: (line: ReferenceReading) => boolean): Rule['applies'] {
  const isTaken = someTaken(() => true);
  return (line) => isTaken(line) && isSo(line);
}

function tagsOf([section = '']: readonly string[]): string[] {
  return section === '' ? [] : section.split(',');
}

/** The tags of a name in Graphite form. */
function namedTags(key: string): string[] {
  return key.split(';').slice(1);
}

/** By the key first: `a=` is before `a-=`. */
function sortingKey(tag: string): string {
  return tag.replace('=', '\0');
}
