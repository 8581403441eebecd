// The grammar once more: slow, by splitting and by regular expressions, and written from its
// description alone. Nothing of the collector's own reading is used here, so that the two can be
// held against each other.

/** A sample as the grammar has it. */
export interface NaiveSample {
  kind: 'counter' | 'timing' | 'gauge' | 'set';
  /** What is added to a counter (`value / rate`), or a timing's value. */
  value: number;
  /** `1 / rate`, for a timing. */
  weight: number;
  /** Of a gauge: it had a sign. */
  relative?: boolean;
  /** Of a set. */
  member?: string;
}

/** What a line is: its name with all tags and its samples, or why it is refused. */
export interface NaiveLine {
  /**
   * The first fault that there is, read from the left, but for two things: a type is read before
   * its values, and what a name is made of when all of the line is well. Absent: accepted.
   */
  reason?: string;
  name: string;
  samples: NaiveSample[];
  /** The name and the tags behind `|#` as they are written. */
  spelled: { name: string; tags: string };
}

export type NaiveRule = 'statsd' | 'keep';

export type NaiveDialect = 'influx' | 'librato' | 'signalfx';

/** Returns the lines of a datagram; each character of the text stands for one byte. */
export function naiveLines(datagram: string): string[] {
  return datagram
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
    .filter((line) => line !== '');
}

/** Reads a line; each character of the text stands for one byte. */
export function naiveParse(line: string, rule: NaiveRule, dialect?: NaiveDialect): NaiveLine {
  const spelled = { name: line.split(/[:|]/, 1)[0]!, tags: '' };
  const read: NaiveLine = { name: '', samples: [], spelled };
  // An event or a service check, whatever follows.
  if (/^(_e\{.|_sc\|)/s.test(line)) return refuse(read, 'unsupported');
  if (!line.includes(':') || !line.includes('|')) return refuse(read, 'no_separator');
  const parts = partsOf(spelled.name, dialect);
  // A bracket that is not closed is told of later, and no part of how long the name is; but behind
  // a pair it is a part of the name like any other.
  const isHalf = dialect === 'signalfx' && !/\[[^\]]*\]/s.test(spelled.name);
  const base = isHalf ? parts.base.replace(/\[[^\]]*$/s, '') : parts.base;
  if (base.length > 512) return refuse(read, 'name_too_long');
  if (base === '' || line[spelled.name.length] === '|') return refuse(read, 'bad_name');

  const tags: string[] = [];
  readBits(line.slice(spelled.name.length + 1), read, tags);
  spelled.tags = tags[0] ?? '';
  if (read.reason === undefined) nameIt(read, rule, dialect);
  return read;
}

/** Only the first fault counts. */
function refuse(read: NaiveLine, reason: string): NaiveLine {
  read.reason ??= reason;
  return read;
}

/** `values|type|field|field`, and after a `:` in the type or the rate the next such. */
function readBits(text: string, read: NaiveLine, tags: string[]): void {
  const parts = text.split('|').toReversed(); // the next is the last: there may be thousands
  let values = parts.pop();
  while (values !== undefined) {
    const typeText = parts.pop();
    if (typeText === undefined) return void refuse(read, 'bad_type');
    const [type, afterType] = cut(typeText);
    let next: string | undefined = afterType;
    const fields: string[] = [];
    while (next === undefined && parts.length > 0) {
      const field = parts.pop()!;
      const [rate, afterRate] = field.startsWith('@') ? cut(field) : [field, undefined];
      fields.push(rate);
      next = afterRate;
    }
    readSamples(values, { type, fields, tags }, read);
    // Nothing behind that `:`: there are no values, and no type either.
    if (next === '' && parts.length === 0) refuse(read, 'bad_value');
    values = next;
  }
}

/** `before:after`, or all of it and nothing after. */
function cut(text: string): [string, string | undefined] {
  const at = text.indexOf(':');
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

interface Bit {
  type: string;
  fields: string[];
  /** Of the whole line: there may be only one. */
  tags: string[];
}

function readSamples(values: string, bit: Bit, read: NaiveLine): void {
  const { type } = bit;
  if (!/^(c|ms|g|s|h|d|m)$/.test(type)) return void refuse(read, 'bad_type');
  const texts = type === 's' ? [values] : values.split(':').filter((text) => text !== '');
  if (texts.length === 0 || texts[0] === '') refuse(read, 'bad_value');
  if (type !== 's') {
    const numbers = texts.map(number);
    if (numbers.some((one) => !Number.isFinite(one))) refuse(read, 'bad_value');
    if (type === 'ms' && numbers.some((one) => one < 0)) refuse(read, 'bad_value');
  }
  const rate = readFields(bit, read);
  for (const text of texts) {
    const sample = sampleOf(type, text, rate);
    if (![sample.value, sample.weight].every(Number.isFinite)) refuse(read, 'bad_value');
    read.samples.push(sample);
  }
}

/** Returns the rate. */
function readFields({ type, fields, tags }: Bit, read: NaiveLine): number {
  let rate: number | undefined;
  for (const field of fields) {
    const rest = field.slice(1);
    if (field.startsWith('@')) {
      const isSecond = rate !== undefined;
      rate = number(rest);
      if (isSecond || !(rate > 0 && rate <= 1)) refuse(read, 'bad_rate');
    } else if (field.startsWith('#')) {
      tags.push(rest);
      if (tags.length > 1) refuse(read, 'bad_tags');
    } else if (field.startsWith('T') && /^[cmg]$/.test(type) && !/^\d+$/.test(rest)) {
      refuse(read, 'bad_value');
    }
  }
  return rate ?? 1;
}

function sampleOf(type: string, text: string, rate: number): NaiveSample {
  if (type === 's') return { kind: 'set', value: 0, weight: 1, member: text };
  const value = number(text);
  if (type === 'c' || type === 'm') return { kind: 'counter', value: value / rate, weight: 1 };
  if (type === 'g') return { kind: 'gauge', value, weight: 1, relative: /^[-+]/.test(text) };
  return { kind: 'timing', value, weight: 1 / rate };
}

function number(text: string): number {
  return /^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$/.test(text) ? Number(text) : NaN;
}

/** The name that all spellings share: sanitised, with its tags sorted, each once. */
function nameIt(read: NaiveLine, rule: NaiveRule, dialect: NaiveDialect | undefined): void {
  const { name, tags } = read.spelled;
  const { base, graphite, listed } = partsOf(name, dialect);
  if (dialect === 'signalfx' && /[[\]]/.test(base)) refuse(read, 'bad_tags');
  const clean = (text: string): string => sanitised(text, rule);
  if (clean(base) === '') refuse(read, 'bad_name');
  const given = [
    ...(graphite === '' ? [] : graphite.split(';').map((tag) => halves(tag, '='))),
    ...(listed === '' ? [] : listed.split(',').map((tag) => halves(tag, '='))),
    ...(tags === '' ? [] : tags.split(',').map((tag) => halves(tag, ':'))),
  ];
  if (given.length > 64) refuse(read, 'bad_tags');
  const keyed: string[] = [];
  for (const [key, value, length] of given) {
    const cleanKey = clean(key.replaceAll(/[;=]/g, '_'));
    if (cleanKey === '' || length > 200) refuse(read, 'bad_tags');
    // By bytes, the key first: a NUL comes before all that a key can hold.
    const cleanValue = clean(value.replaceAll(';', '_'));
    keyed.push(Buffer.from(`${cleanKey}\0${cleanValue}`).toString('latin1'));
  }
  keyed.sort();
  const sorted = keyed.map((text) => Buffer.from(text, 'latin1').toString().replace('\0', '='));
  read.name = [clean(base), ...new Set(sorted)].join(';');
}

/** A name, and the tags written into it: up to the first mark it is plain. */
function partsOf(
  name: string,
  dialect: NaiveDialect | undefined,
): { base: string; graphite: string; listed: string } {
  const forms = {
    influx: /^(?<base>[^;,]*),(?<listed>.*)$/s,
    librato: /^(?<base>[^;#]*)#(?<listed>.*)$/s,
    signalfx: /^(?<base>[^;[]*)\[(?<listed>[^\]]*)\](?<more>[^;]*)(;(?<graphite>.*))?$/s,
  };
  const found = dialect && forms[dialect].exec(name)?.groups;
  if (found) {
    const { base = '', listed = '', more = '', graphite = '' } = found;
    return { base: base + more, graphite, listed };
  }
  const [base = ''] = name.split(';', 1);
  return { base, graphite: name.slice(base.length + 1), listed: '' };
}

function halves(tag: string, mark: string): [key: string, value: string, length: number] {
  const [key, ...rest] = tag.split(mark);
  return [key!, rest.join(mark), tag.length];
}

function sanitised(text: string, rule: NaiveRule): string {
  const decoded = Buffer.from(text, 'latin1').toString('utf8');
  const characters = Array.from(decoded);
  if (rule === 'keep') return characters.map((one) => (isControl(one) ? '_' : one)).join('');
  const blanks = decoded.replaceAll(/[ \t]+/g, '_').replaceAll('/', '-');
  return blanks.split(/[^A-Za-z0-9_.;=-]/).join('');
}

function isControl(character: string): boolean {
  const code = character.codePointAt(0)!;
  return code < 0x20 || (code >= 0x7f && code < 0xa0);
}
