import type uPlotClass from 'uplot';

import type { WatchedStored } from '../live/frame.ts';
import { element, type Item, setItems, setText } from './dom.ts';
import { clock } from './format.ts';
import { notKnown, wholeColumns } from './known.ts';
import { createChartParts, createPanelFrame, SHORT_NOTE } from './panel-frame.ts';
import type { PageContext, Panel } from './page-context.ts';
import { marksOf, markTexts, stepsOf } from './scale.ts';
import { createTimeChart } from './time-chart.ts';
import type { Shown } from './view.ts';

/** A column of a line over time. */
export interface LineCell {
  readonly second: number;
  readonly span: number;
}

/** What stands beside a line. */
export interface LineHead {
  /** Where it is kept, or that nothing is known of it. */
  readonly note: string;
  readonly figures: readonly Item[];
  /** The same for who does not see it; empty where nothing is known. */
  readonly text: string;
}

/** What makes a line over time that of a counter, a gauge or a set. */
export interface LineParts<Cell extends LineCell> {
  /** Returns the columns of the time shown. */
  cells(): Cell[];
  table(cells: readonly Cell[]): (string | number)[][];
  /** Returns what is drawn: times, and values of each of the series. */
  data(cells: readonly Cell[]): uPlotClass.AlignedData;
  /** Undefined until the collector has told of it. */
  head(cells: readonly Cell[]): LineHead | undefined;
  /** What a column says. */
  reading(cell: Cell): string;
  /** What a part of time says; undefined where nothing is known of it. */
  brushed(cells: readonly Cell[]): string | undefined;
  series: uPlotClass.Series[];
  bands?: uPlotClass.Band[];
  /** Between which values the line is drawn, of those that it has; none is `null`. */
  range: (low: number | null, high: number | null) => [low: number, high: number];
}

const HEIGHT_PX = 190;
const HINT = 'Point at it to read a second; drag to look at a part of time.';
/** Creates a panel with a line over time and figures beside it. */
export function createLinePanel<Cell extends LineCell>(
  context: PageContext,
  shown: Shown,
  parts: LineParts<Cell>,
): Panel {
  const frame = createPanelFrame(context, shown, () => parts.table(cells));
  const { chartPlace, reading, brushed } = createChartParts('line chart', HINT);
  frame.root.classList.add('line');
  // Beside the chart, so that its time lies beneath the time of a heatmap.
  const row = element('div', { class: 'chart-row' }, frame.figures, chartPlace);
  frame.body.append(row, reading, brushed);
  const chart = createTimeChart({
    context,
    into: chartPlace,
    heightPx: () => HEIGHT_PX,
    scales: { y: { range: (_plot, low, high) => parts.range(low, high) } },
    axis: {
      incrs: (_plot, _axis, low, high) => stepsOf(high - low),
      splits: (...[, , low, high, step]) => marksOf(low, high, step),
      values: (_plot, marks) => markTexts(marks),
    },
    series: parts.series,
    bands: parts.bands ?? [],
    onPoint(second) {
      context.point(second, panel);
      read(second);
    },
  });
  let cells: Cell[] = [];
  let at: number | undefined; // where the keys are
  const panel: Panel = {
    shown,
    root: frame.root,
    update,
    point(second) {
      chart.point(second);
      read(second);
    },
    close: () => chart.close(),
  };
  chartPlace.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') at = undefined;
    else if (event.key === 'ArrowLeft') at = Math.max(0, (at ?? cells.length) - 1);
    else if (event.key === 'ArrowRight') at = Math.min(cells.length - 1, (at ?? cells.length) + 1);
    else return;
    event.preventDefault();
    const cell = at === undefined ? undefined : cells[at];
    const second = cell && cell.second + cell.span / 2;
    panel.point(second);
    context.point(second, panel);
  });
  return panel;

  function update(): void {
    cells = parts.cells();
    chart.draw(parts.data(cells));
    sayHead();
    sayBrushed();
  }

  function sayHead(): void {
    const head = parts.head(cells);
    if (head === undefined) return;
    setText(frame.note, head.note);
    setItems(frame.figures, head.figures);
    const text = head.text === '' ? '' : `${shown.name}: ${head.text}. Arrow keys read it.`;
    chartPlace.setAttribute('aria-label', text);
  }

  function sayBrushed(): void {
    const { brush } = context.view();
    if (brush === undefined) return setText(brushed, '');
    const looked = wholeColumns(brush, context.range(), context.known(shown));
    const part = cells.filter(({ second }) => second >= looked.from && second < looked.to);
    const found = parts.brushed(part) ?? notKnown(context.known(shown), looked);
    setText(brushed, `${clock(looked.from)} to ${clock(looked.to)}: ${found}`);
  }

  function read(second: number | undefined): void {
    const cell = cells.find((one) => {
      return second !== undefined && second >= one.second && second < one.second + one.span;
    });
    setText(reading, cell === undefined ? HINT : `${clock(cell.second)}: ${parts.reading(cell)}`);
  }
}

/** Returns where a name is kept, and how far what is shown of it reaches. */
export function placeNote(context: PageContext, told: WatchedStored): string {
  const { hash, field, otherHashes, isLong } = told;
  const place = [context.storeName(), hash, ...(field === null ? [] : [field])].join(' · ');
  const others = otherHashes === 0 ? '' : `, and in ${otherHashes} more`;
  const isShort = context.cellSpan() > 1 && !isLong;
  return `${place}${others}${isShort ? `. ${SHORT_NOTE}` : ''}`;
}
