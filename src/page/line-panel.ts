import type uPlotClass from 'uplot';

import type { WatchedStored } from '../live/frame.ts';
import { attachChartKeys } from './chart-keys.ts';
import { element, type Item, setAttribute, setItems, setText } from './dom.ts';
import { clock } from './format.ts';
import { createLineScale } from './line-scale.ts';
import { notKnown, wholeColumns } from './known.ts';
import { createChartParts, createPanelFrame, SHORT_NOTE } from './panel-frame.ts';
import type { PageContext, Panel } from './page-context.ts';

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
  /** Whether a column says anything. */
  isKnown: (cell: Cell) => boolean;
  /** What a column says. */
  reading(cell: Cell): string;
  /** What a part of time says; undefined where nothing is known of it. */
  brushed(cells: readonly Cell[]): string | undefined;
  series: uPlotClass.Series[];
  bands?: uPlotClass.Band[];
  /** Between which values the line is drawn, of those that it has; none is `null`. */
  range: (low: number | null, high: number | null) => [low: number, high: number];
  /** Whether there is nothing between whole numbers. */
  isWhole?: boolean;
}

const HEIGHT_PX = 190;
/** At 30 pixels each. */
const MARKS_MAX = 6;
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
    // It draws places from 0 to 1, and never sees the values: at the ends of what a number holds it
    // would find no way between them, and at 1e±17 no marks.
    scales: { y: { range: [0, 1] } },
    axis: {
      splits: () => scale.marks.map((mark) => scale.place(mark)!),
      values: () => [...scale.texts],
    },
    series: parts.series.map((one) =>
      one.fill === undefined ? one : { ...one, fillTo: () => scale.place(0) ?? 0 },
    ),
    bands: parts.bands ?? [],
    onPoint(second) {
      context.point(second, panel);
      read(second);
    },
  });
  let cells: Cell[] = [];
  let scale = createLineScale(0, 1, MARKS_MAX, false);
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
  attachChartKeys<Cell>(chartPlace, {
    context,
    cells: () => cells,
    hasData: parts.isKnown,
    point(second) {
      panel.point(second);
      context.point(second, panel);
    },
  });
  return panel;

  function update(): void {
    cells = parts.cells();
    const [times, ...lines] = parts.data(cells);
    const [low, high] = endsOf(lines);
    scale = createLineScale(...parts.range(low, high), MARKS_MAX, parts.isWhole === true);
    const places = lines.map((line) => Array.from(line, (value) => scale.place(value ?? null)));
    chart.draw([times, ...places]);
    sayHead();
    sayBrushed();
  }

  function sayHead(): void {
    const head = parts.head(cells);
    if (head === undefined) return;
    setText(frame.note, head.note);
    setItems(frame.figures, head.figures);
    const text = head.text === '' ? '' : `${shown.name}: ${head.text}. Arrow keys read it.`;
    setAttribute(chartPlace, 'aria-label', text);
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

/** Returns the lowest and the highest value of lines; null where there is none. */
function endsOf(lines: Lines): [low: number | null, high: number | null] {
  let [low, high] = [Infinity, -Infinity];
  for (const line of lines) {
    for (const value of Array.from(line)) {
      low = Math.min(low, value ?? Infinity);
      high = Math.max(high, value ?? -Infinity);
    }
  }
  return low <= high ? [low, high] : [null, null];
}

type Lines = readonly ArrayLike<number | null | undefined>[];

/** Returns where a name is kept, and how far what is shown of it reaches. */
export function placeNote(context: PageContext, told: WatchedStored): string {
  const { hash, field, otherHashes, isLong } = told;
  const place = [context.storeName(), hash, ...(field === null ? [] : [field])].join(' · ');
  const others = otherHashes === 0 ? '' : `, and in ${otherHashes} more`;
  const isShort = context.cellSpan() > 1 && !isLong;
  return `${place}${others}${isShort ? `. ${SHORT_NOTE}` : ''}`;
}
