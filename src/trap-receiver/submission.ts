import { keptName, NAME_BYTES_MAX, nestedName, overflows, topName } from './names.ts';
import { createJsonReader, type ValueKind } from './syntax.ts';
import { createValues, type TrapSink } from './values.ts';

/** What a trap answers to a submission. */
export interface SubmissionResult {
  /** 406 where the submission is no submission from some byte on; what came before it counts. */
  status: 200 | 406;
  /** How many values were read; what they are and whether they are kept makes no difference. */
  stats: number;
  /** Always 0: nothing is filtered here. */
  filtered: number;
  /** Why it is a 406; with a 200, that a name was too long. */
  error?: string;
}

/** Reads one submission. */
export interface Submission {
  /** Reads on, and hands on what is complete. Does nothing once it has failed. */
  write(chunk: Uint8Array): void;
  /** Whether the result is a 406, whatever follows. */
  readonly failed: boolean;
  /** Tells that nothing follows; call it once, and `write` no more. */
  end(): SubmissionResult;
}

/** Objects and arrays within one another. */
const DEPTH_MAX = 32;

/** Members that say something about the object they are in. */
type Special = '_type' | '_value' | '_ts' | '_fl' | '_tags';
const SPECIAL: ReadonlySet<string> = new Set<Special>(['_type', '_value', '_ts', '_fl', '_tags']);
const TYPES = 'iIlLnshH';
const TOO_LONG = 'at least one metric exceeded max name length';
/** Where the original would read the name of something that has none, and crash. */
const NAMELESS = 'a reserved name stands where a name must be';

/**
 * Creates a reader of what HTTP traps take: any JSON. An object with `_type` and `_value` is a
 * metric, here one by the name "outer`name" with three samples.
 *
 *     {"outer":{"name":{"_type":"n","_value":[12,7,940]}}}
 *                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
 *
 * What metrics of the types `n` and `h` hold goes to `sink`, each metric when its
 * object ends; all other values are counted in `stats` only. Not atomic: what stands before an
 * error, or before a cut, has gone to the sink. The parts may come in chunks of any size.
 *
 * The state is the original's, member by member, so that stray members have the same effects.
 * Where that would crash, the result is a 406.
 *
 * Never throws, unless the sink does. Memory: up to 5 MB, whatever comes; a few kB for what is
 * usual.
 *
 * Source: reconnoiter `httptrap.c` (2025-08).
 */
export function createSubmission(sink: TrapSink): Submission {
  /** How deep the reader is; the object or array at the top is at 0. */
  let depth = -1;
  /** By depth: the name of what is being read there; undefined behind `_ts`, `_fl`, `_tags`. */
  const names: (string | undefined)[] = Array.from({ length: DEPTH_MAX });
  /** By depth: how many elements of the array have begun; -1 where it is an object. */
  const elements = new Int32Array(DEPTH_MAX).fill(-1);
  /** The last member, where it was special: it holds until the next one, also in what follows. */
  let special: Special | undefined;
  // What the objects that are open have said. An object that ends forgets it all.
  let type = '';
  let hasValue = false;
  let hasTime = false;
  const values = createValues();
  let stats = 0;
  let isNameTooLong = false;

  const reader = createJsonReader({
    startObject: start,
    startArray() {
      const reason = start();
      if (reason === undefined) elements[depth] = 0;
      return reason;
    },
    endObject() {
      depth--;
      const reason = hasValue && (type !== '' || hasTime) ? endMetric() : undefined;
      type = '';
      hasValue = false;
      hasTime = false;
      values.clear();
      return reason;
    },
    endArray() {
      elements[depth] = -1;
      depth--;
    },
    key,
    value,
  });

  return {
    write: (chunk) => reader.write(chunk),
    get failed() {
      return reader.fault !== undefined;
    },
    end() {
      reader.end();
      const { fault } = reader;
      if (fault !== undefined) {
        const error = `${fault.reason} At byte ${fault.at}.`;
        return { status: 406, stats, filtered: 0, error };
      }
      return { status: 200, stats, filtered: 0, ...(isNameTooLong ? { error: TOO_LONG } : {}) };
    },
  };

  /** Begins an object or an array: an element's name is needed only for what is in it. */
  function start(): string | undefined {
    const index = depth < 0 ? -1 : elements[depth]!;
    const reason = nextElement();
    if (reason !== undefined) return reason;
    if (index >= 0) {
      names[depth] = depth === 0 ? String(index) : nestedName(names[depth - 1]!, String(index));
    }
    depth++;
    return depth >= DEPTH_MAX ? `more than ${DEPTH_MAX} levels` : undefined;
  }

  /** Counts an element, where it is one. */
  function nextElement(): string | undefined {
    if (depth < 0 || elements[depth]! < 0) return undefined;
    const index = elements[depth]!++;
    if (depth === 0) return undefined;
    const outer = names[depth - 1];
    if (outer === undefined) return NAMELESS;
    if (outer.length > NAME_BYTES_MAX - 16 && overflows(outer, String(index).length)) {
      isNameTooLong = true;
    }
    return undefined;
  }

  function key(text: string, bytes: number): string | undefined {
    const outer = depth === 0 ? '' : names[depth - 1];
    special = SPECIAL.has(text) ? (text as Special) : undefined;
    if (bytes > NAME_BYTES_MAX) isNameTooLong = true;
    if (special === '_ts' || special === '_fl' || special === '_tags') {
      names[depth] = undefined;
      return undefined;
    }
    if (outer === undefined) return NAMELESS;
    if (special !== undefined) {
      if (special === '_value') hasValue = true;
      names[depth] = depth === 0 ? undefined : outer;
      return undefined;
    }
    if (depth === 0) {
      names[0] = topName(text);
      return undefined;
    }
    if (overflows(outer, Math.min(bytes, NAME_BYTES_MAX))) isNameTooLong = true;
    names[depth] = nestedName(outer, text);
    return undefined;
  }

  function value(kind: ValueKind, text: string, bytes: number): string | undefined {
    if (depth < 0) return 'a value outside of any object or array';
    if (kind === 'string' && special === '_tags') return undefined;
    const reason = nextElement();
    if (reason !== undefined) return reason;
    switch (special) {
      case undefined:
        stats++;
        return undefined;
      case '_value':
        values.add(kind, text, bytes);
        return undefined;
      case '_type':
        if (kind !== 'string' || bytes !== 1 || !TYPES.includes(text)) return 'no known _type';
        type = text;
        return undefined;
      case '_ts':
        if (kind !== 'string' && kind !== 'number') return `${kind} as _ts`;
        hasTime = true;
        return undefined;
      case '_fl':
        return kind === 'string' || kind === 'number' ? undefined : `${kind} as _fl`;
      case '_tags':
      default:
        return `${kind} as _tags`;
    }
  }

  /** The object that has just ended is a metric. */
  function endMetric(): string | undefined {
    const path = depth < 0 ? undefined : names[depth];
    if (path === undefined) return NAMELESS;
    const isHistogram = type === 'h' || type === 'H';
    if (isHistogram && hasTime && values.isLoneNull) return 'null as a histogram';
    stats += values.size;
    const name = type === 'n' || type === 'h' ? keptName(path) : undefined;
    if (name === undefined) return undefined;
    if (type === 'n') values.giveNumbers(name, sink);
    else if (hasTime) values.giveLoneHistogram(name, sink);
    else values.giveHistogram(name, sink);
    return undefined;
  }
}
