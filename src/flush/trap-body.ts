/** The body of one submission to an HTTP trap. */
export interface TrapBody {
  /** JSON, ASCII only: as many bytes as characters. */
  readonly text: string;
  readonly samples: number;
}

/** Writes one body, up to a limit. */
export interface BodyWriter {
  /**
   * Appends as many of `values`, from `start` on, as fit; returns the index of the first that did
   * not. A name may be appended once.
   */
  append(name: string, values: readonly number[], start: number): number;
  /** Returns the body, or undefined where nothing was appended. */
  end(): TrapBody | undefined;
}

/**
 * Begins a body of type `n`: every value as it is, in a list per name.
 *
 *     {"api.latency":{"_type":"n","_value":[320,12.5]},"db":{"_type":"n","_value":[3]}}
 *
 * @param bytesMax limit of the whole body. Values are JSON numbers of up to 24 characters, which
 *   the trap reads as doubles, exponents included, because their type is given.
 */
export function createBodyWriter(bytesMax: number): BodyWriter {
  const pieces: string[] = [];
  let bytes = 2; // the braces
  let samples = 0;

  return {
    append(name, values, start) {
      const head = `${pieces.length > 0 ? ',' : ''}${JSON.stringify(name)}:{"_type":"n","_value":[`;
      let room = bytesMax - bytes - head.length - TAIL.length;
      let at = start;
      let list = '';
      // As many as fit if all were of the longest form; again with what room that has left.
      for (;;) {
        const count = Math.min(values.length - at, Math.floor(room / NUMBER_BYTES_MAX));
        if (count <= 0) break;
        const text = (list === '' ? '' : ',') + values.slice(at, at + count).join(',');
        list += text;
        room -= text.length;
        at += count;
      }
      if (at === start) return start;
      pieces.push(head, list, TAIL);
      bytes += head.length + list.length + TAIL.length;
      samples += at - start;
      return at;
    },
    end: () => (samples === 0 ? undefined : { text: `{${pieces.join('')}}`, samples }),
  };
}

const TAIL = ']}';
/** `-1.2345678901234567e-308` and a comma. */
const NUMBER_BYTES_MAX = 25;
/** Names up to here are stored by a trap; one byte more and the metric is dropped. */
const TRAP_NAME_BYTES_MAX = 4095;
/** Members that mean something else in the trap's grammar. */
const RESERVED = new Set(['_type', '_value', '_ts', '_tags', '_fl']);

/**
 * Returns a name that the trap's grammar can carry: non-ASCII and control bytes, backticks, and
 * blanks at either end as `%XX`, and so the first character of a reserved word. A longer name than
 * 4,095 bytes is cut, and keeps apart from others by a hash of the whole: `…%1a2b3c4d`.
 */
export function trapName(name: string): string {
  if (RESERVED.has(name)) return `%5F${name.slice(1)}`;
  const safe = SAFE.test(name) ? name : escapeName(name);
  if (safe.length <= TRAP_NAME_BYTES_MAX) return safe;
  const mark = `%${fnv1a(safe).toString(16).padStart(8, '0')}`;
  return safe.slice(0, TRAP_NAME_BYTES_MAX - mark.length).replace(/%.?$/, '') + mark;
}

const SAFE = /^[!-_a-~](?:[ -_a-~]*[!-_a-~])?$/;
const encoder = new TextEncoder();

function escapeName(name: string): string {
  let safe = '';
  const bytes = encoder.encode(name);
  for (const [at, byte] of bytes.entries()) {
    const outer = at === 0 || at === bytes.length - 1;
    const plain = byte > 0x20 && byte < 0x7f && byte !== BACKTICK;
    safe +=
      plain || (byte === BLANK && !outer)
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return safe;
}

const BLANK = 0x20;
const BACKTICK = 0x60;

/** Source: FNV-1a, 32 bits (Fowler, Noll, Vo; draft-eastlake-fnv). */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash >>> 0;
}
