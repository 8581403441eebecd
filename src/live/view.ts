import type { Kind } from './frame.ts';

/** What a stream is asked to tell. */
export interface StreamView {
  /** In the order in which they were named. */
  watched: Wish[];
  /** How far back what is watched reaches, in seconds. */
  span: number;
  list: ListView;
}

/** Something to watch. */
export interface Wish {
  kind: Kind | 'prefix';
  name: string;
  /** The last second of it that the reader has already; 0 for none. */
  since: number;
}

/** Which part of the list of names is seen. */
export interface ListView extends Order {
  /** The first one, of those that match. */
  from: number;
  /** How many. */
  rows: number;
}

/** Which names, and in what order. */
export interface Order {
  /** What names are to hold; see {@link matcherOf}. Empty for all names. */
  q: string;
  kind: 'all' | Kind;
  /** Rate and p99: the highest first. */
  sort: 'name' | 'rate' | 'p99';
}

/** How far back the live window reaches, and the history of the busiest names. */
export const SPANS = [300, 7200] as const;
/** How many things may be watched at once. */
export const WATCHED_MAX = 16;

const KINDS = { t: 'timing', c: 'counter', g: 'gauge', s: 'set', p: 'prefix' } as const;
const ROWS_MAX = 200;
const ROWS = 50;
/** Searched for in 100,000 names. No name needs a limit: the head of a request has one. */
const Q_LENGTH_MAX = 1000;
/** What a fault repeats of what was given. */
const SHOWN_LENGTH_MAX = 100;

/**
 * Reads the query of a stream. Members that are none of its own are passed over.
 *
 *     t=1763791200:api.latency&p=0:api.&span=300&q=api.*&kind=all&sort=rate&from=0&rows=50
 *       ^^^^^^^^^^ ^^^^^^^^^^^   ^ ^^^^
 *       since      name, which may hold anything
 *
 * @returns one text per fault instead, where there are any.
 */
export function readView(query: URLSearchParams): StreamView | string[] {
  const faults: string[] = [];
  const watched: Wish[] = [];
  let wishes = 0;
  for (const [key, value] of query) {
    if (!isWatchKey(key) || ++wishes > WATCHED_MAX) continue;
    const wish = readWish(KINDS[key], value);
    if (wish === undefined) fault(key, '<second>:<name>, the second a whole number', value);
    else watched.push(wish);
  }
  if (wishes > WATCHED_MAX) {
    faults.push(`expected at most ${WATCHED_MAX} of t, c, g, s and p together, got ${wishes}`);
  }
  const view = {
    watched,
    span: Number(word('span', SPANS.map(String), '300')),
    list: {
      q: search(),
      kind: word('kind', ['all', 'counter', 'gauge', 'set', 'timing'], 'all'),
      sort: word('sort', ['name', 'rate', 'p99'], 'name'),
      from: integer('from', Number.MAX_SAFE_INTEGER, 0),
      rows: integer('rows', ROWS_MAX, ROWS),
    },
  };
  return faults.length > 0 ? faults : view;

  function fault(key: string, expected: string, got: string): void {
    const cut = got.length > SHOWN_LENGTH_MAX ? `${got.slice(0, SHOWN_LENGTH_MAX)}…` : got;
    faults.push(
      `${key}: expected ${expected}, got ${cut === '' ? 'nothing' : JSON.stringify(cut)}`,
    );
  }

  /** Returns what is given, once; undefined where nothing is. */
  function single(key: string): string | undefined {
    const given = query.getAll(key);
    if (given.length > 1) fault(key, 'it once', given.join(', '));
    return given[0];
  }

  function word<Value extends string>(key: string, values: readonly Value[], none: Value): Value {
    const given = single(key);
    const found = given === undefined ? none : values.find((value) => value === given);
    if (found === undefined) fault(key, `one of ${values.join(', ')}`, given!);
    return found ?? none;
  }

  function integer(key: string, max: number, none: number): number {
    const given = single(key);
    if (given === undefined) return none;
    const value = readInteger(given);
    if (value !== undefined && value <= max) return value;
    fault(key, `a whole number from 0 to ${max}`, given);
    return none;
  }

  function search(): string {
    const q = single('q') ?? '';
    if (q.length > Q_LENGTH_MAX) fault('q', `at most ${Q_LENGTH_MAX} characters`, q);
    return q;
  }
}

function isWatchKey(key: string): key is keyof typeof KINDS {
  return Object.hasOwn(KINDS, key);
}

function readWish(kind: Wish['kind'], value: string): Wish | undefined {
  const colon = value.indexOf(':');
  const since = colon < 0 ? undefined : readInteger(value.slice(0, colon));
  return since === undefined ? undefined : { kind, name: value.slice(colon + 1), since };
}

function readInteger(text: string): number | undefined {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

/**
 * Returns a test for names, case disregarded: whether one holds every word of `q`.
 *
 *     checkout zone:eu     checkout.time;zone=eu, and zone=eu-west too: a part is enough
 *     api.*                all of a name is of that form, or all of it before its tags
 *     zone:e*              the same of a tag, where the word has a `:` or `=`
 *
 * Each `*` stands for anything. Between a tag's key and value `:` is as good as `=`. Where `q` has
 * blanks, so may a name: it is found by all of `q` as well.
 */
export function matcherOf(q: string): (name: string) => boolean {
  const all = q.toLowerCase();
  const words = all.split(/\s+/).filter((word) => word !== '');
  const [first, ...rest] = words.map(wordMatcher);
  if (first === undefined) return () => true;
  if (rest.length === 0 && words[0] === all) return (name) => first(name.toLowerCase());
  const asOne = wordMatcher(all);
  return (given) => {
    const name = given.toLowerCase();
    return asOne(name) || (first(name) && rest.every((matches) => matches(name)));
  };
}

function wordMatcher(word: string): (name: string) => boolean {
  const asTag = word.replace(':', '=');
  if (!word.includes('*')) {
    if (asTag === word) return (name) => name.includes(word);
    return (name) => name.includes(word) || name.includes(asTag);
  }
  const matches = formOf(word);
  const matchesTag = asTag.includes('=') ? formOf(asTag) : () => false;
  return (name) => {
    if (matches(name)) return true;
    if (!name.includes(';')) return false;
    const [bare = '', ...tags] = name.split(';');
    return matches(bare) || tags.some(matchesTag);
  };
}

/** Returns a test for texts that are of a form as a whole, each `*` standing for anything. */
function formOf(pattern: string): (text: string) => boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop()!;
  return (text) => {
    if (!text.startsWith(first)) return false;
    // The earliest place for each part leaves the most for those behind it: no need to go back.
    let at = first.length;
    for (const part of rest) {
      const found = text.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return text.length - last.length >= at && text.endsWith(last);
  };
}
