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

/** What a line is: its name with all tags and its samples, or every reason there is against it. */
export interface NaiveLine {
  /** Reasons to refuse the line; whoever refuses it may give any of them. Empty: accepted. */
  reasons: Set<string>;
  name: string;
  samples: NaiveSample[];
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
  const reasons = new Set<string>();
  const read: NaiveLine = { reasons, name: '', samples: [] };
  // An event or a service check, whatever follows.
  if (/^(_e\{.|_sc\|)/s.test(line)) return refuse(read, 'unsupported');
  if (!line.includes(':') || !line.includes('|')) return refuse(read, 'no_separator');
  const name = line.split(':', 1)[0]!;
  if (name.includes('|')) refuse(read, 'bad_name');
  const { base } = partsOf(name, dialect);
  if (base === '') refuse(read, 'bad_name');
  if (base.length > 512) refuse(read, 'name_too_long');

  const tags: string[] = [];
  readBits(line.slice(name.length + 1), read, tags);
  if (tags.length > 1) refuse(read, 'bad_tags');
  nameIt(read, { name, tags: tags[0] ?? '', rule, dialect });
  return read;
}

function refuse(read: NaiveLine, reason: string): NaiveLine {
  read.reasons.add(reason);
  return read;
}

/** `values|type|field|field`, and after a `:` in the type or the rate the next such. */
function readBits(text: string, read: NaiveLine, tags: string[]): void {
  const parts = text.split('|');
  let values: string | undefined = parts.shift();
  while (values !== undefined) {
    const typeText = parts.shift();
    if (typeText === undefined) return void refuse(read, 'bad_type');
    const [type, afterType] = cut(typeText);
    let next: string | undefined = afterType;
    const fields: string[] = [];
    while (next === undefined && parts.length > 0) {
      const field = parts.shift()!;
      const [rate, afterRate] = field.startsWith('@') ? cut(field) : [field, undefined];
      fields.push(rate);
      next = afterRate;
    }
    tags.push(...fields.filter((field) => field.startsWith('#')).map((field) => field.slice(1)));
    readSamples(values, type, fields, read);
    // Nothing behind that `:`: there are no values, and no type either.
    if (next === '') refuse(read, 'bad_value');
    values = next;
  }
}

/** `before:after`, or all of it and nothing after. */
function cut(text: string): [string, string | undefined] {
  const at = text.indexOf(':');
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function readSamples(values: string, type: string, fields: string[], read: NaiveLine): void {
  const rates = fields.filter((field) => field.startsWith('@')).map((field) => field.slice(1));
  const rate = rates.length === 0 ? 1 : number(rates[0]!);
  if (rates.length > 1 || !(rate > 0 && rate <= 1)) refuse(read, 'bad_rate');
  const times = fields.filter((field) => field.startsWith('T')).map((field) => field.slice(1));
  if (/^[cmg]$/.test(type) && times.some((time) => !/^\d+$/.test(time))) refuse(read, 'bad_value');

  if (!/^(c|ms|g|s|h|d|m)$/.test(type)) return void refuse(read, 'bad_type');
  if (type === 's') {
    if (values === '') refuse(read, 'bad_value');
    return void read.samples.push({ kind: 'set', value: 0, weight: 1, member: values });
  }
  const texts = values.split(':').filter((text) => text !== '');
  if (texts.length === 0) refuse(read, 'bad_value');
  for (const text of texts) {
    const value = number(text);
    const sample = sampleOf(type, value, rate);
    if (type === 'g') sample.relative = /^[-+]/.test(text);
    const finite = [value, sample.value, sample.weight].every(Number.isFinite);
    if (!finite || (type === 'ms' && value < 0)) refuse(read, 'bad_value');
    read.samples.push(sample);
  }
}

function sampleOf(type: string, value: number, rate: number): NaiveSample {
  if (type === 'c' || type === 'm') return { kind: 'counter', value: value / rate, weight: 1 };
  if (type === 'g') return { kind: 'gauge', value, weight: 1 };
  return { kind: 'timing', value, weight: 1 / rate };
}

function number(text: string): number {
  return /^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$/.test(text) ? Number(text) : NaN;
}

/** The name that all spellings share: sanitised, with its tags sorted, each once. */
function nameIt(
  read: NaiveLine,
  spelled: { name: string; tags: string; rule: NaiveRule; dialect: NaiveDialect | undefined },
): void {
  const { name, tags, rule, dialect } = spelled;
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
