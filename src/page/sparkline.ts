import { drawing, setAttribute } from './dom.ts';
import { placeIn } from './line-scale.ts';

/** A line without axes, as high as the text beside it. */
export interface Sparkline {
  readonly root: SVGElement;
  /** Draws values, oldest first, from 0 up to the greatest; null leaves a gap. */
  draw(values: readonly (number | null)[]): void;
}

/** Creates a line that fills its place; what it shows stands beside it as text. */
export function createSparkline(width: number, height: number): Sparkline {
  const line = drawing('path', { class: 'spark-line' });
  const area = drawing('path', { class: 'spark-area' });
  const props = { viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true', class: 'spark' };
  const root = drawing('svg', { ...props, preserveAspectRatio: 'none' }, area, line);
  return {
    root,
    draw(values) {
      const path = pathOf(values, width, height);
      setAttribute(line, 'd', path.line);
      setAttribute(area, 'd', path.area);
    },
  };
}

function pathOf(
  values: readonly (number | null)[],
  width: number,
  height: number,
): { line: string; area: string } {
  const known = values.filter((value) => value !== null);
  const most = Math.max(...known, 0);
  const least = Math.min(...known, 0);
  const place = placeIn(least, most);
  const step = width / Math.max(1, values.length - 1);
  let line = '';
  let area = '';
  let first: number | undefined; // where the part without a gap began
  let x = 0;
  for (const [at, value] of [...values, null].entries()) {
    if (value === null) {
      if (first !== undefined) area += `L${round(x)} ${height}L${round(first)} ${height}Z`;
      if (first === x) line += 'h0.1'; // one alone is a dot
      first = undefined;
      continue;
    }
    x = at * step;
    const point = `${first === undefined ? 'M' : 'L'}${round(x)} ${round(height - 1 - place(value) * (height - 2))}`;
    line += point;
    area += point;
    first ??= x;
  }
  return { line, area };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
