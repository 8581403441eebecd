// How the reference takes a line apart, as in its `stats.js` and `lib/helpers.js`, without what it
// then does with it: rules about lines are said in these terms.

/** A line in the reference's parts. Each character of the raw line stands for one byte. */
export interface ReferenceReading {
  /** As it came. */
  readonly raw: string;
  /** It ends in a CR, which the reference has in the last part, and statcol nowhere. */
  readonly cr: boolean;
  /** Before the first `:`, not made safe. */
  readonly name: string;
  /** Made safe, with its tags. */
  readonly key: string;
  /** Between each `|#` and the next. */
  readonly tagSections: readonly string[];
  /** Behind the name, as `:` parts them, each as `|` parts it. */
  readonly bits: readonly Bit[];
}

/** `value|type|field|…`, without the CR that may end the line; and whether the reference takes it. */
export interface Bit {
  readonly fields: readonly string[];
  readonly value: string;
  /** Undefined where there is no `|`. */
  readonly type: string | undefined;
  /** Behind the `@` of the third field; undefined if there is none. */
  readonly rate: string | undefined;
  readonly taken: boolean;
}

/** Takes a line apart. */
export function referenceReading(raw: string): ReferenceReading {
  const cr = raw.endsWith('\r');
  const text = Buffer.from(raw, 'latin1').toString('utf8');
  const [plain = '', ...tagSections] = text.split('|#');
  const [name = '', ...rest] = plain.split(':');
  const tags = (tagSections[0] ?? '') === '' ? [] : tagSections[0]!.split(',');
  const tagged = tags.map((tag) => `;${tag.replace(';', '_').replace(':', '=')}`).join('');
  const isOpen = cr && tagSections.length === 0;
  const bits = rest.map((bit, at) => readBit(bit, isOpen && at === rest.length - 1));
  return { raw, cr, name, key: safe(name + tagged), tagSections, bits };
}

function readBit(text: string, cr: boolean): Bit {
  const [judged = '', judgedType, judgedThird] = text.split('|');
  const fields = (cr ? text.slice(0, -1) : text).split('|');
  const [value = '', type, third] = fields;
  const rate = third?.startsWith('@') === true ? third.slice(1) : undefined;
  return { fields, value, type, rate, taken: isTaken(judged, judgedType, judgedThird) };
}

function isTaken(value: string, type: string | undefined, third: string | undefined): boolean {
  if (type === undefined) return false;
  if (third !== undefined) {
    const isRate = third.length > 1 && third.startsWith('@');
    if (!isRate || !isNumeric(third.slice(1)) || third[1] === '-') return false;
  }
  if (type === 's') return true;
  return isNumeric(value) && (type !== 'ms' || Number(value) >= 0);
}

function isNumeric(text: string): boolean {
  return text !== '' && !Number.isNaN(Number(text));
}

function safe(key: string): string {
  return key
    .replaceAll(/\s+/g, '_')
    .replaceAll('/', '-')
    .replaceAll(/[^a-zA-Z_\-0-9.;=]/g, '');
}
