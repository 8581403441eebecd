import { Histogram } from './histogram.ts';

/** What the window tells of one name. Values are milliseconds. */
export interface TimingSummary {
  /** Rounded sum of the samples' weights. */
  count: number;
  /** Exact, as all but the percentiles. */
  min: number;
  max: number;
  /** Weighted. */
  mean: number;
  /** The middle of a histogram's bin: off by 5 % at most. Never outside `min` and `max`. */
  p50: number;
  p90: number;
  p99: number;
}

/** The timings of one name in one span of time. */
interface Cell {
  /** Number of the newest slot in it. */
  slot: number;
  readonly histogram: Histogram;
  min: number;
  max: number;
  /** Sum of the weights, and of values times weights. */
  weight: number;
  weightedSum: number;
  /** The part of the weights that is not in the histogram, which counts whole samples. */
  carry: number;
}

/** The live window: what the page and `/api/timings` show. */
export interface LiveWindow {
  /** Adds samples of a name to the present. The arrays are not kept. */
  add(name: string, values: Float64Array, weights: Float64Array): void;
  /** Returns a summary per name that has samples in the window, in order of first appearance. */
  summaries(): [name: string, summary: TimingSummary][];
}

/** What a window is made with. */
export interface WindowOptions {
  /** How far back it reaches. */
  windowMs: number;
  /** Time is cut into slots of this length: what leaves the window leaves it by slots. */
  slotMs: number;
  /** About how much memory it may take; beyond it, the oldest slots of each name are merged. */
  budgetBytes: number;
  nowMs: () => number;
}

/** Creates an empty window. */
export function createWindow(options: WindowOptions): LiveWindow {
  const { slotMs, budgetBytes, nowMs } = options;
  const slotsMax = Math.ceil(options.windowMs / slotMs);
  // Per name its cells, ascending by time; the last one is being added to.
  const series = new Map<string, Cell[]>();
  let sweptSlot = currentSlot();

  return { add, summaries };

  function add(name: string, values: Float64Array, weights: Float64Array): void {
    const slot = currentSlot();
    if (slot !== sweptSlot) sweep(slot);
    let cells = series.get(name);
    if (cells === undefined) series.set(name, (cells = []));
    let cell = cells.at(-1);
    if (cell?.slot !== slot) cells.push((cell = emptyCell(slot)));
    for (let index = 0; index < values.length; index++) {
      addSample(cell, values[index]!, weights[index]!);
    }
  }

  function summaries(): [string, TimingSummary][] {
    sweep(currentSlot());
    return Array.from(series, ([name, cells]) => [name, summaryOf(cells)]);
  }

  /** Lets go of what is too old, and merges where the rest is too much. */
  function sweep(slot: number): void {
    sweptSlot = slot;
    let bytes = 0;
    for (const [name, cells] of series) {
      while (cells.length > 0 && cells[0]!.slot <= slot - slotsMax) cells.shift();
      if (cells.length === 0) series.delete(name);
      for (const { histogram } of cells) bytes += cellBytes(histogram);
    }
    for (let merged = true; bytes > budgetBytes && merged;) {
      merged = false;
      for (const cells of series.values()) {
        if (cells.length < 2) continue;
        const [oldest, next] = cells as [Cell, Cell];
        const before = cellBytes(oldest.histogram) + cellBytes(next.histogram);
        mergeCell(next, oldest);
        cells.shift();
        bytes += cellBytes(next.histogram) - before;
        merged = true;
      }
    }
  }

  function currentSlot(): number {
    return Math.floor(nowMs() / slotMs);
  }
}

/** Counts in a cell stop here, so that all cells of a window can be merged: 2^53 is the limit. */
const CELL_COUNT_MAX = 2 ** 46;

function emptyCell(slot: number): Cell {
  const histogram = new Histogram();
  return { slot, histogram, min: Infinity, max: -Infinity, weight: 0, weightedSum: 0, carry: 0 };
}

/** Two typed arrays and four objects, measured at about 400 bytes, and 10 bytes a bin. */
function cellBytes(histogram: Histogram): number {
  return 400 + 10 * histogram.binCount;
}

function addSample(cell: Cell, value: number, weight: number): void {
  if (value < cell.min) cell.min = value;
  if (value > cell.max) cell.max = value;
  cell.weight += weight;
  cell.weightedSum += value * weight;
  cell.carry += weight;
  // 1e-6: three times 1/0.3 is ten whole samples.
  const whole = Math.floor(cell.carry + 1e-6);
  cell.carry -= whole;
  cell.histogram.add(value, Math.min(whole, CELL_COUNT_MAX - cell.histogram.count));
}

function mergeCell(into: Cell, from: Cell): void {
  if (into.histogram.count + from.histogram.count <= CELL_COUNT_MAX) {
    into.histogram.merge(from.histogram);
  }
  into.min = Math.min(into.min, from.min);
  into.max = Math.max(into.max, from.max);
  into.weight += from.weight;
  into.weightedSum += from.weightedSum;
  into.carry += from.carry;
}

function summaryOf(cells: readonly Cell[]): TimingSummary {
  const all = emptyCell(0);
  for (const cell of cells) mergeCell(all, cell);
  const { min, max, weight, weightedSum, histogram } = all;
  const within = (value: number): number => Math.min(max, Math.max(min, value));
  // Of weights beyond reason the sums are no numbers; what is shown stays one.
  const mean = within(Number.isFinite(weightedSum / weight) ? weightedSum / weight : max);
  const count = Math.min(Number.MAX_VALUE, Math.round(weight));
  const [p50, p90, p99] = percentiles(histogram, [0.5, 0.9, 0.99]).map((found) => {
    return Number.isNaN(found) ? max : within(found);
  });
  return { count, min, max, mean, p50: p50!, p90: p90!, p99: p99! };
}

/** The middle of the bin that each ascending `q` falls into; NaN where no bin is of numbers. */
function percentiles(histogram: Histogram, qs: readonly number[]): number[] {
  const bins = [...histogram.bins()].filter(({ from }) => !Number.isNaN(from));
  const total = bins.reduce((sum, { count }) => sum + count, 0);
  let at = 0;
  let passed = bins[0]?.count ?? 0;
  return qs.map((q) => {
    while (passed < q * total && at < bins.length - 1) passed += bins[++at]!.count;
    const bin = bins[at];
    return bin === undefined ? NaN : (bin.from + bin.to) / 2;
  });
}
