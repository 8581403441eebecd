import {
  ESCAPES,
  hexDigit,
  isBlank,
  isDigit,
  NUMBER_NEXT,
  NUMBER_OVER,
  numberMissing,
  NumberState,
  PLAIN,
} from './characters.ts';
import { createTextBuffer } from './text-buffer.ts';

/** What a token is. */
export type Token = '{' | '}' | '[' | ']' | ':' | ',' | 'string' | 'number' | 'boolean' | 'null';

/**
 * Takes a token; returns why nothing more is to be read, or undefined.
 *
 * @param text one character per byte. Of strings: decoded, and only the first
 *   {@link TEXT_BYTES_MAX} bytes. Of booleans: `1` or `0`. Of all others: empty.
 * @param bytes how long a string or number is, whether or not all of it is in `text`.
 */
export type OnToken = (token: Token, text: string, bytes: number) => string | undefined;

/** Why and where reading stopped. */
export interface Fault {
  reason: string;
  /** Bytes of the stream before the one at which it was seen. */
  at: number;
}

/** Cuts a stream of bytes into the tokens of JSON. */
export interface Tokenizer {
  /** Reads on; does nothing after a fault. The chunk is not kept. */
  write(chunk: Uint8Array): void;
  /** Tells that nothing follows: a number may end there. Any other token that is cut is no fault. */
  end(): void;
  readonly fault: Fault | undefined;
}

/** The longest histogram has 676 kB in base64; what is longer is measured and not kept. */
export const TEXT_BYTES_MAX: number = 1024 * 1024;

type State =
  | 'between'
  | 'string'
  | 'escape'
  | 'hex'
  | 'literal'
  | 'number'
  | 'slash'
  | 'lineComment'
  | 'blockComment'
  | 'blockCommentStar';

/**
 * Creates a tokenizer that takes and refuses what yajl 2.1.0 does, as the original receiver sets
 * it up: comments are allowed, and strings need not be valid UTF-8.
 *
 * Memory: one token's text, at most {@link TEXT_BYTES_MAX}, whatever comes.
 *
 * Source: yajl 2.1.0, `yajl_lex.c`.
 */
export function createTokenizer(onToken: OnToken): Tokenizer {
  const text = createTextBuffer(TEXT_BYTES_MAX);
  let state: State = 'between';
  /** Bytes in the chunks before this one. */
  let passed = 0;
  let fault: Fault | undefined;
  // Of a literal: what it must be, and how much of that is there.
  let literal: Literal = LITERALS[0]!;
  let literalAt = 0;
  let numberState: NumberState = NumberState.minus;
  // Of an escape: the hexadecimal digits so far, and the first half of a pair of them.
  let hexDigits = 0;
  let hexValue = 0;
  let highSurrogate = 0;

  return {
    write(chunk) {
      for (let at = 0; at < chunk.length && fault === undefined;) at = step(chunk, at);
      passed += chunk.length;
    },
    end() {
      if (state !== 'number' || fault !== undefined || numberMissing(numberState) !== undefined)
        return;
      state = 'between';
      // A fault is not reported here, as the original does not ask for it.
      onToken('number', text.take(), text.bytes);
    },
    get fault() {
      return fault;
    },
  };

  /** Reads some bytes of one token; returns the index of the first that it has not read. */
  function step(chunk: Uint8Array, at: number): number {
    switch (state) {
      case 'between':
        return between(chunk, at);
      case 'string':
        return string(chunk, at);
      case 'escape':
        return escape(chunk[at]!, at);
      case 'hex':
        return hex(chunk[at]!, at);
      case 'literal':
        return readLiteral(chunk[at]!, at);
      case 'number':
        return number(chunk, at);
      case 'slash':
      case 'lineComment':
      case 'blockComment':
      case 'blockCommentStar':
      default:
        return comment(state, chunk[at]!, at);
    }
  }

  function between(chunk: Uint8Array, from: number): number {
    let at = from;
    while (at < chunk.length && isBlank(chunk[at]!)) at++;
    if (at === chunk.length) return at;
    const byte = chunk[at]!;
    const mark = PUNCTUATION[byte];
    if (mark !== undefined) return give(mark, '', at);
    text.clear();
    if (byte === QUOTE) {
      state = 'string';
      return at + 1;
    }
    if (byte === MINUS || isDigit(byte)) {
      state = 'number';
      if (byte === MINUS) numberState = NumberState.minus;
      else numberState = byte === ZERO ? NumberState.zero : NumberState.integer;
      text.add(byte);
      return at + 1;
    }
    if (byte === SLASH) {
      state = 'slash';
      return at + 1;
    }
    const found = LITERALS.find(({ bytes }) => bytes[0] === byte);
    if (found === undefined) return fail('lexical error: invalid char in json text.', at);
    literal = found;
    literalAt = 1;
    state = 'literal';
    return at + 1;
  }

  function string(chunk: Uint8Array, from: number): number {
    let at = from;
    while (at < chunk.length && PLAIN[chunk[at]!] === 1) at++;
    if (at > from) {
      loneSurrogate();
      text.addAll(chunk, from, at);
      return at;
    }
    const byte = chunk[at]!;
    if (byte === BACKSLASH) {
      state = 'escape';
      return at + 1;
    }
    loneSurrogate();
    if (byte !== QUOTE) return fail('lexical error: invalid character inside string.', at);
    state = 'between';
    return give('string', text.take(), at);
  }

  function escape(byte: number, at: number): number {
    if (byte === LETTER_U) {
      state = 'hex';
      hexDigits = 0;
      hexValue = 0;
      return at + 1;
    }
    loneSurrogate();
    const meant = ESCAPES.get(byte);
    if (meant === undefined) {
      const reason = "inside a string, '\\' occurs before a character which it may not.";
      return fail(`lexical error: ${reason}`, at);
    }
    text.add(meant);
    state = 'string';
    return at + 1;
  }

  function hex(byte: number, at: number): number {
    const digit = hexDigit(byte);
    if (digit === undefined) {
      const reason = "invalid (non-hex) character occurs after '\\u' inside string.";
      return fail(`lexical error: ${reason}`, at);
    }
    hexValue = hexValue * 16 + digit;
    if (++hexDigits < 4) return at + 1;
    state = 'string';
    if (highSurrogate !== 0) {
      // The second half is taken for one, whatever it is.
      text.addCodePoint(0x10000 + ((highSurrogate & 0x3ff) << 10) + (hexValue & 0x3ff));
      highSurrogate = 0;
    } else if ((hexValue & 0xfc00) === 0xd800) {
      highSurrogate = hexValue;
    } else {
      text.addCodePoint(hexValue);
    }
    return at + 1;
  }

  /** A first half that no second one follows becomes `?`. */
  function loneSurrogate(): void {
    if (highSurrogate === 0) return;
    highSurrogate = 0;
    text.add(QUESTION);
  }

  function readLiteral(byte: number, at: number): number {
    const { bytes, token, value } = literal;
    if (byte !== bytes[literalAt]) return fail('lexical error: invalid string in json text.', at);
    if (++literalAt < bytes.length) return at + 1;
    state = 'between';
    return give(token, value, at);
  }

  function number(chunk: Uint8Array, from: number): number {
    let at = from;
    let now: number = numberState;
    for (; at < chunk.length; at++) {
      const next = NUMBER_NEXT[now * 256 + chunk[at]!]!;
      if (next === NUMBER_OVER) break;
      now = next;
    }
    numberState = now as NumberState;
    text.addAll(chunk, from, at);
    if (at === chunk.length) return at;
    const missing = numberMissing(numberState);
    if (missing !== undefined) {
      return fail(`lexical error: malformed number, a digit is required after ${missing}.`, at);
    }
    state = 'between';
    give('number', text.take(), at);
    return at;
  }

  function comment(where: State, byte: number, at: number): number {
    if (where === 'slash') {
      if (byte === SLASH) state = 'lineComment';
      else if (byte === STAR) state = 'blockComment';
      else return fail('lexical error: invalid char in json text.', at);
    } else if (where === 'lineComment') {
      if (byte === LINE_FEED) state = 'between';
    } else if (where === 'blockCommentStar' && byte === SLASH) {
      state = 'between';
    } else {
      state = byte === STAR ? 'blockCommentStar' : 'blockComment';
    }
    return at + 1;
  }

  /** Hands a token on, of which `at` is the last byte, or for a number the one behind it. */
  function give(token: Token, value: string, at: number): number {
    const reason = onToken(token, value, text.bytes);
    return reason === undefined ? at + 1 : fail(reason, at);
  }

  function fail(reason: string, at: number): number {
    fault = { reason, at: passed + at };
    return at;
  }
}

interface Literal {
  bytes: readonly number[];
  token: Token;
  value: string;
}

const LITERALS: readonly Literal[] = [
  { bytes: bytesOf('true'), token: 'boolean', value: '1' },
  { bytes: bytesOf('false'), token: 'boolean', value: '0' },
  { bytes: bytesOf('null'), token: 'null', value: '' },
];

function bytesOf(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SLASH = 0x2f;
const STAR = 0x2a;
const MINUS = 0x2d;
const ZERO = 0x30;
const LINE_FEED = 0x0a;
const QUESTION = 0x3f;
const LETTER_U = 0x75;

const PUNCTUATION: (Token | undefined)[] = Array.from({ length: 256 });
for (const mark of ['{', '}', '[', ']', ':', ','] as const) PUNCTUATION[mark.charCodeAt(0)] = mark;
