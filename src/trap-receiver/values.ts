import { codeOf, highEdge, lowEdge } from '../histogram-bin.ts';
import { Histogram } from '../histogram.ts';
import { guessNumber, leadingNumber, readBin, readHistogram, saturate } from './readings.ts';
import type { ValueKind } from './syntax.ts';
import { TEXT_BYTES_MAX } from './tokenizer.ts';

/** Where the contents of a submission go. */
export interface TrapSink {
  /**
   * @param value a finite number; of what came as a bin, the bin's middle.
   * @param count 1 to 2^53 - 1: how many samples have it.
   */
  sample(name: string, value: number, count: number): void;
  /** @param histogram not empty, the sink's own from then on. */
  histogram(name: string, histogram: Histogram): void;
}

/**
 * The values of one metric, until it is known which type it has: that may stand behind them. Each
 * is read as both types would.
 */
export interface Values {
  /** Takes one; `text` and `bytes` as a token has them. */
  add(kind: ValueKind, text: string, bytes: number): void;
  /** How many were added, readable or not. */
  readonly size: number;
  /** Whether the only one is null. */
  readonly isLoneNull: boolean;
  /** Hands on what an `n` holds: every value that begins with a number. */
  giveNumbers(name: string, sink: TrapSink): void;
  /** Hands on what an `h` holds: numbers, `H[x]=n`, base64. */
  giveHistogram(name: string, sink: TrapSink): void;
  /** Hands on what an `h` of a time of its own holds: one histogram in base64, nothing else. */
  giveLoneHistogram(name: string, sink: TrapSink): void;
  clear(): void;
}

/**
 * So many values of a metric are handed on one by one, and 25 bytes each are held meanwhile. The
 * rest is counted in histograms, so that an endless list takes no endless memory.
 */
export const EXACT_VALUES_MAX: number = 65_536;

/** Creates an empty list. Memory: 1.2 MB for values one by one, and 1 MB for each histogram. */
export function createValues(): Values {
  const numbers = createColumn();
  const samples = createColumn();
  let size = 0;
  let nulls = 0;
  /** Base64 ones, merged. */
  let encoded: Histogram | undefined;

  return {
    add,
    get size() {
      return size;
    },
    get isLoneNull() {
      return size === 1 && nulls === 1;
    },
    giveNumbers: (name, sink) => numbers.give(name, sink),
    giveHistogram(name, sink) {
      samples.give(name, sink);
      giveEncoded(name, sink);
    },
    giveLoneHistogram(name, sink) {
      if (size === 1) giveEncoded(name, sink);
    },
    clear() {
      numbers.clear();
      samples.clear();
      size = 0;
      nulls = 0;
      encoded = undefined;
    },
  };

  function add(kind: ValueKind, text: string, bytes: number): void {
    size++;
    if (kind === 'null') {
      nulls++;
    } else if (bytes > TEXT_BYTES_MAX) {
      // Not all of it is there: no number and no histogram is so long.
    } else if (kind === 'string') {
      addText(cString(text));
    } else {
      const value = Number(text);
      if (Number.isFinite(value)) numbers.add(value, 1);
      addGuessed(hasExponent(text) ? guessNumber(text) : asGuessed(text, value));
    }
  }

  function addText(text: string): void {
    const value = leadingNumber(text);
    if (value !== undefined) numbers.add(value, 1);
    const guessed = guessNumber(text);
    if (guessed !== undefined) return addGuessed(guessed);
    if (text.startsWith('H[')) {
      const bin = readBin(text);
      if (bin !== undefined) samples.add(middleOf(bin.value), bin.count);
      return;
    }
    const histogram = readHistogram(text);
    if (histogram === undefined) return;
    if (encoded === undefined) encoded = histogram;
    else mergeWhereItFits(encoded, histogram);
  }

  function addGuessed(value: number | undefined): void {
    if (value !== undefined) samples.add(value, 1);
  }

  function giveEncoded(name: string, sink: TrapSink): void {
    if (encoded === undefined || encoded.count === 0) return;
    sink.histogram(name, encoded);
    encoded = undefined;
  }
}

/**
 * A bin is named by its lower edge, or by any value in it: its samples lie somewhere in it, and are
 * best taken for its middle, which is in the same bin.
 */
function middleOf(value: number): number {
  const code = codeOf(value);
  return (lowEdge(code) + highEdge(code)) / 2;
}

function hasExponent(text: string): boolean {
  return text.includes('e') || text.includes('E');
}

/** What JSON has as a number without an exponent is always guessed to be one. */
function asGuessed(text: string, value: number): number {
  return text.includes('.') ? value : saturate(value);
}

/** The text up to its first NUL, where it ends for C. */
function cString(text: string): string {
  const at = text.indexOf('\0');
  return at < 0 ? text : text.slice(0, at);
}

/** Counts stop at 2^53; what would pass it is left out. */
function mergeWhereItFits(into: Histogram, from: Histogram): void {
  if (from.count <= 2 ** 53 - into.count) into.merge(from);
}

/** Values with their counts. */
interface Column {
  add(value: number, count: number): void;
  give(name: string, sink: TrapSink): void;
  clear(): void;
}

function createColumn(): Column {
  let values = new Float64Array(16);
  let counts = new Float64Array(16);
  let used = 0;
  /** What is no number, and what the columns have no room for. */
  let rest: Histogram | undefined;

  return {
    add(value, count) {
      if (used === EXACT_VALUES_MAX || !Number.isFinite(value)) {
        rest ??= new Histogram();
        if (count <= 2 ** 53 - rest.count) rest.add(value, count);
        return;
      }
      if (used === values.length) {
        values = grown(values);
        counts = grown(counts);
      }
      values[used] = value;
      counts[used++] = count;
    },
    give(name, sink) {
      for (let at = 0; at < used; at++) sink.sample(name, values[at]!, counts[at]!);
      if (rest !== undefined) sink.histogram(name, rest);
      rest = undefined;
    },
    clear() {
      used = 0;
      rest = undefined;
    },
  };
}

function grown(values: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(2 * values.length);
  larger.set(values);
  return larger;
}
