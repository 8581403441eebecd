import { createTokenizer, type Fault, type Token } from './tokenizer.ts';

/** What the grammar makes of the parts of JSON. Each may return why nothing more is to be read. */
export interface Parts {
  startObject(): string | undefined;
  endObject(): string | undefined;
  startArray(): string | undefined;
  endArray(): void;
  /** A member's name. `bytes` is its length, of which `text` may be the beginning only. */
  key(text: string, bytes: number): string | undefined;
  /** What is neither object nor array; `text` and `bytes` as a token has them. */
  value(kind: ValueKind, text: string, bytes: number): string | undefined;
}

/** The kinds of plain values. */
export type ValueKind = 'string' | 'number' | 'boolean' | 'null';

/** Reads a stream of JSON documents, part by part. */
export interface JsonReader {
  write(chunk: Uint8Array): void;
  end(): void;
  readonly fault: Fault | undefined;
}

type State = 'top' | 'firstKey' | 'key' | 'colon' | 'member' | 'afterMember' | Element;
type Element = 'firstElement' | 'element' | 'afterElement';

/**
 * Creates a reader of documents that follow one another, with or without space between.
 *
 * What is cut at the end is no fault. Depth is not limited here: `parts` refuses what is too deep.
 *
 * Source: yajl 2.1.0, `yajl_parser.c`, with multiple and partial values allowed.
 */
export function createJsonReader(parts: Parts): JsonReader {
  /** Of the objects and arrays that are open, and of the top: what may come next. */
  const states: State[] = ['top'];
  const tokenizer = createTokenizer((token, text, bytes) => {
    const last = states.length - 1;
    const state = states[last]!;
    switch (state) {
      case 'top':
      case 'member':
      case 'firstElement':
      case 'element':
        if (token === ']' && state === 'firstElement') return close(false);
        return value(token, text, bytes);
      case 'firstKey':
      case 'key':
        if (token === '}' && state === 'firstKey') return close(true);
        if (token !== 'string') return 'parse error: invalid object key (must be a string)';
        states[last] = 'colon';
        return cancelled(parts.key(text, bytes));
      case 'colon':
        if (token !== ':') return NO_COLON;
        states[last] = 'member';
        return undefined;
      case 'afterMember':
        if (token === '}') return close(true);
        if (token !== ',') return NO_COMMA_IN_OBJECT;
        states[last] = 'key';
        return undefined;
      case 'afterElement':
      default:
        if (token === ']') return close(false);
        if (token !== ',') return NO_COMMA_IN_ARRAY;
        states[last] = 'element';
        return undefined;
    }
  });

  return {
    write: (chunk) => tokenizer.write(chunk),
    end: () => tokenizer.end(),
    get fault() {
      return tokenizer.fault;
    },
  };

  function value(token: Token, text: string, bytes: number): string | undefined {
    const last = states.length - 1;
    const state = states[last]!;
    if (state !== 'top') states[last] = state === 'member' ? 'afterMember' : 'afterElement';
    switch (token) {
      case '{':
        states.push('firstKey');
        return cancelled(parts.startObject());
      case '[':
        states.push('firstElement');
        return cancelled(parts.startArray());
      case 'string':
      case 'number':
      case 'boolean':
      case 'null':
        return cancelled(parts.value(token, text, bytes));
      case '}':
      case ']':
      case ':':
      case ',':
      default:
        return 'parse error: unallowed token at this point in JSON text';
    }
  }

  function close(isObject: boolean): string | undefined {
    states.pop();
    if (isObject) return cancelled(parts.endObject());
    parts.endArray();
    return undefined;
  }
}

/** Says it as the original does, and then why. */
function cancelled(reason: string | undefined): string | undefined {
  return reason === undefined ? undefined : `${CANCELLED} (${reason})`;
}

const CANCELLED = 'parse error: client cancelled parse via callback return value';
const NO_COLON = "parse error: object key and value must be separated by a colon (':')";
const NO_COMMA_IN_OBJECT = "parse error: after key and value, inside map, I expect ',' or '}'";
const NO_COMMA_IN_ARRAY = "parse error: after array element, I expect ',' or ']'";
