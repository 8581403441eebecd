import type { Histogram } from '../histogram.ts';

/** How long a body may be, in bytes. */
export const TRAP_BODY_BYTES_MAX = 4_194_304;

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
  /** Appends a histogram that stands for so many samples; false where it finds no room. */
  appendHistogram(name: string, histogram: Histogram, samples: number): boolean;
  /** Returns the body, or undefined where nothing was appended. */
  end(): TrapBody | undefined;
}

/**
 * Begins a body: per name every value as it is, in a list, or a histogram's bins.
 *
 *     {"api.latency":{"_type":"n","_value":[320,12.5]},"db":{"_type":"h","_value":["H[1.2e+01]=3"]}}
 *
 * @param bytesMax limit of the whole body. Values are JSON numbers of up to 24 characters, which
 *   the trap reads as doubles, exponents included, because their type is given.
 */
export function createBodyWriter(bytesMax: number): BodyWriter {
  const pieces: string[] = [];
  let bytes = 2; // the braces
  let samples = 0;
  const headOf = (name: string, type: string): string =>
    `${pieces.length > 0 ? ',' : ''}${JSON.stringify(name)}:{"_type":"${type}","_value":[`;
  const push = (head: string, list: string): void => {
    pieces.push(head, list, TAIL);
    bytes += head.length + list.length + TAIL.length;
  };

  return {
    append(name, values, start) {
      const head = headOf(name, 'n');
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
      push(head, list);
      samples += at - start;
      return at;
    },
    appendHistogram(name, histogram, count) {
      const head = headOf(name, 'h');
      const list = histogram
        .toStrings()
        .map((bin) => `"${bin}"`)
        .join(',');
      if (bytes + head.length + list.length + TAIL.length > bytesMax) return false;
      push(head, list);
      samples += count;
      return true;
    },
    end: () => (samples === 0 ? undefined : { text: `{${pieces.join('')}}`, samples }),
  };
}

const TAIL = ']}';
/** `-1.2345678901234567e-308` and a comma. */
const NUMBER_BYTES_MAX = 25;
