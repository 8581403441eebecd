import { highEdge, lowEdge } from '../histogram-bin.ts';
import type { PageContext } from './page-context.ts';

/** A column of any chart. */
interface KeyCell {
  readonly second: number;
  readonly span: number;
}

/** What the keys of a chart need. */
export interface ChartKeyParts<Cell extends KeyCell> {
  context: PageContext;
  cells: () => readonly Cell[];
  /** Whether something is to be read in it: the first key stands at the latest such. */
  hasData: (cell: Cell) => boolean;
  /** The bins of a column, ascending; a line has none. */
  codes?: (cell: Cell) => readonly number[];
  /** Moves the cursor; undefined takes it away. */
  point: (second: number | undefined, value?: number) => void;
}

/**
 * Lets a chart be read by keys: left and right go from column to column, up and down from bin to
 * bin, with shift they brush, Escape ends that. The first key stands at the latest column.
 */
export function attachChartKeys<Cell extends KeyCell>(
  place: HTMLElement,
  parts: ChartKeyParts<Cell>,
): void {
  const { context, cells, hasData, codes: codesOf, point } = parts;
  let second: number | undefined;
  let code: number | undefined;
  let anchor: number | undefined; // where a brush began

  place.addEventListener('keydown', (event) => {
    const { key, shiftKey, ctrlKey, metaKey, altKey } = event;
    if (ctrlKey || metaKey || altKey) return;
    if (key === 'Escape') end();
    else if (key === 'ArrowLeft' || key === 'ArrowRight') {
      move(key === 'ArrowLeft' ? -1 : 1, shiftKey);
    } else if (codesOf !== undefined && (key === 'ArrowUp' || key === 'ArrowDown')) {
      choose(key === 'ArrowUp' ? 1 : -1);
    } else return;
    event.preventDefault();
  });
  place.addEventListener('blur', () => point(undefined));

  function move(by: number, isBrush: boolean): void {
    const all = cells();
    const last = all.at(-1);
    if (last === undefined) return;
    const at = all.findIndex((cell) => cell.second === second);
    const next = all[at < 0 ? lastOf(all) : Math.min(all.length - 1, Math.max(0, at + by))]!;
    if (isBrush) {
      anchor ??= second ?? next.second;
      const from = Math.min(anchor, next.second);
      context.brush({ from, to: Math.max(anchor, next.second) + next.span });
    } else anchor = undefined;
    second = next.second;
    show(next);
  }

  function choose(by: number): void {
    const cell = cells().find((one) => one.second === second);
    if (cell === undefined) return move(0, false);
    const codes = codesOf?.(cell) ?? [];
    const at = codes.findIndex((one) => one >= (code ?? codes[0] ?? 0));
    code = codes[Math.min(codes.length - 1, Math.max(0, (at < 0 ? codes.length : at) + by))];
    show(cell);
  }

  function show(cell: Cell): void {
    const codes = codesOf?.(cell) ?? [];
    const value =
      code !== undefined && codes.includes(code) ? (lowEdge(code) + highEdge(code)) / 2 : undefined;
    point(cell.second + cell.span / 2, value);
  }

  function end(): void {
    second = code = anchor = undefined;
    point(undefined);
    context.brush(undefined);
  }
  function lastOf(all: readonly Cell[]): number {
    const at = all.findLastIndex(hasData);
    return at < 0 ? all.length - 1 : at;
  }
}
