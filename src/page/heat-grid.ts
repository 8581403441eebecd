import { highEdge, lowEdge, NOT_A_NUMBER } from '../histogram-bin.ts';
import type { WireColumn } from '../live/frame.ts';
import { binsOf } from './bins.ts';
import type { HeatColours } from './palette.ts';

/** What part of the data a grid covers, and how finely. */
export interface GridShape {
  /** Seconds: from the first that is in it to the first that is not. */
  from: number;
  to: number;
  /** How many seconds are one cell wide. */
  span: number;
  /** Values at the lower and the upper edge, both above 0. */
  low: number;
  high: number;
  /** Cells from bottom to top; they are equally high on a logarithmic scale. */
  rows: number;
}

/** Samples per cell. A bin that lies across several rows is spread over them evenly. */
export interface HeatGrid {
  readonly columns: number;
  readonly rows: number;
  /** Row by row, the topmost first: as an image is stored. */
  readonly cells: Float32Array;
  /** What the brightest colour stands for. */
  readonly most: number;
}

/** A cell with anything in it is at least this far up the scale: a lone slow request is the point. */
const FLOOR = 0.1;
/** So large a share of the cells is at or below what the brightest colour stands for. */
const CEILING = 0.995;

/** Returns the cells for columns of data. */
export function heatGrid(data: readonly WireColumn[], shape: GridShape): HeatGrid {
  const columns = Math.max(1, Math.round((shape.to - shape.from) / shape.span));
  const { rows } = shape;
  const cells = new Float32Array(columns * rows);
  for (const column of data) {
    const place = Math.floor((column.second - shape.from) / shape.span);
    if (place < 0 || place >= columns) continue;
    // Further back a column of data is wider than a cell: its samples are spread over time too.
    const wide = Math.min(columns - place, Math.max(1, Math.round(column.span / shape.span)));
    for (const [code, count] of binsOf(column)) {
      if (code === NOT_A_NUMBER) continue;
      spread(cells, { columns, place, wide, count: count / wide }, rowsOf(code, shape));
    }
  }
  return { columns, rows, cells, most: ceilingOf(cells) };
}

/** Returns how far up the scale of colours a cell is, from 0 to 1; 0 for nothing. */
export function heatShare(samples: number, most: number): number {
  return samples <= 0 ? 0 : Math.max(FLOOR, Math.min(1, Math.sqrt(samples / most)));
}

/** Fills an image, a pixel a cell. Empty cells are clear. */
export function paintGrid(
  { cells, most }: HeatGrid,
  colours: HeatColours,
  pixels: Uint32Array,
): void {
  const last = colours.length - 1;
  for (let at = 0; at < cells.length; at++) {
    const samples = cells[at]!;
    // Spread thin over many rows, less than a hundredth of a sample is nobody's.
    pixels[at] = samples < 0.01 ? 0 : colours[Math.round(heatShare(samples, most) * last)]!;
  }
}

/**
 * The rows that a bin lies across, from the bottom. Edges are moved to those of rows, so that one
 * bin looks like one, and the next one begins where it ends; one that is thinner than a row is in
 * the row of its middle.
 */
function rowsOf(code: number, { low, high, rows }: GridShape): [from: number, to: number] {
  const [lowest, highest] = [lowEdge(code), highEdge(code)];
  if (highest <= 0) return [0, 1];
  const perUnit = rows / Math.log(high / low);
  const place = (value: number): number =>
    value <= low ? 0 : Math.min(rows, Math.log(value / low) * perUnit);
  const [from, to] = [place(lowest), place(highest)];
  if (Math.round(from) < Math.round(to)) return [Math.round(from), Math.round(to)];
  const row = Math.min(rows - 1, Math.floor((from + to) / 2));
  return [row, row + 1];
}

interface Part {
  columns: number;
  place: number;
  wide: number;
  count: number;
}

function spread(cells: Float32Array, part: Part, [from, to]: [from: number, to: number]): void {
  const rows = cells.length / part.columns;
  const inRow = part.count / (to - from);
  for (let row = from; row < to; row++) {
    const start = (rows - 1 - row) * part.columns + part.place;
    for (let at = start; at < start + part.wide; at++) cells[at] = cells[at]! + inRow;
  }
}

function ceilingOf(cells: Float32Array): number {
  const filled = cells.filter((samples) => samples >= 0.01).toSorted();
  return filled[Math.ceil(CEILING * (filled.length - 1))] ?? 1;
}
