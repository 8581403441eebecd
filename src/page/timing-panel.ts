import type uPlotClass from 'uplot';

import type { WireColumn } from '../live/frame.ts';
import type { TimingSummary } from '../window/summary.ts';
import { type Figures, figuresOf, merge, readBin, readZero } from './bins.ts';
import { attachChartKeys } from './chart-keys.ts';
import { datum, element, type Item, setAttribute, setItems, setText } from './dom.ts';
import { clock, count, duration, share } from './format.ts';
import { notKnown, wholeColumns } from './known.ts';
import { CELL_PX, createHeatmap } from './heatmap.ts';
import { createChartParts, createPanelFrame, SHORT_NOTE } from './panel-frame.ts';
import type { PageContext, Panel } from './page-context.ts';
import { isZeroAt, type ValueRange, valueMarks } from './scale.ts';
import { createLegend } from './legend.ts';
import { createSideHistogram } from './side-histogram.ts';
import { createTimeChart } from './time-chart.ts';
import { type Cell, cellsOf, curveFigures, tableOf, within } from './timing-cells.ts';
import { type Curve, CURVES, type Range, type Shown } from './view.ts';

/** How each curve is drawn: told apart without colour. */
const DASHES: Record<Curve, number[]> = { average: [7, 4], p50: [], p99: [2, 3] };

/** Its enum is in uPlot's types alone: there is nothing to take the value from. */
// oxlint-disable-next-line typescript/no-unsafe-enum-assignment
const LOGARITHMIC = { distr: 3 as uPlotClass.Scale.Distr };
const EMPTY_NOTE = 'Nothing was timed under this name of late: see the list for those that were.';
const HINT = 'Point at it to read a bin; drag to look at a part of time.';

/** Creates the panel of a timing: heatmap, curves, a histogram at its side, what the cursor reads. */
export function createTimingPanel(context: PageContext, shown: Shown): Panel {
  const frame = createPanelFrame(context, shown, () => tableOf(shown.name, cells));
  const { chartPlace, reading, brushed } = createChartParts('heatmap', HINT);
  const sidePlace = element('div', { class: 'side' });
  const legend = createLegend();
  frame.body.append(
    element('div', { class: 'chart-row' }, chartPlace, sidePlace),
    element('div', { class: 'reading-row' }, reading, legend.root),
    brushed,
  );
  const heatmap = createHeatmap();
  const side = createSideHistogram(context, sidePlace);
  const chart = createTimeChart({
    context,
    into: chartPlace,
    heightPx: () => chartHeight(context),
    scales: { y: { ...LOGARITHMIC, range: () => [context.values().low, context.values().high] } },
    axis: valueAxis(context),
    series: CURVES.flatMap((curve) => [halo(context), line(context, curve)]),
    under: (plot) => heatmap.draw(plot),
    onPoint(second, value) {
      context.point(second, panel);
      read(second, value);
    },
  });
  let cells: Cell[] = [];
  const panel: Panel = {
    shown,
    root: frame.root,
    update,
    point(second) {
      chart.point(second);
      read(second);
    },
    close() {
      chart.close();
      side.close();
    },
  };
  attachChartKeys<Cell>(chartPlace, {
    context,
    cells: () => cells,
    hasData: ({ merged }) => merged.samples > 0,
    codes: ({ merged }) => merged.codes,
    point(second, value) {
      chart.point(second, value);
      context.point(second, panel);
      read(second, value);
    },
  });
  return panel;

  function update(): void {
    const { from, to } = context.range();
    const data = context.data.timing(shown.name);
    const span = context.cellSpan();
    const { low, high } = context.values();
    const { clientWidth, clientHeight } = chart.plot.over;
    const shownColumns = within(data.columns, { from, to });
    // A screen that is too narrow for all columns has several in one, and none left out. They begin
    // at multiples of their width: else they would be other ones each second.
    const narrow = Math.ceil((to - from) / span / Math.max(1, clientWidth * devicePixelRatio));
    const width = span * narrow;
    const shape = {
      from: Math.floor(from / width) * width,
      to: Math.ceil(to / width) * width,
      span: width,
      low,
      high,
      rows: Math.max(8, Math.floor(clientHeight / CELL_PX)),
    };
    const { most } = heatmap.fill(shownColumns, shape, context.theme().heat);
    legend.draw(most, context.theme());
    cells = cellsOf(data.columns, { from, to }, context.known(shown));
    chart.draw(curvesOf(cells, curveFigures(cells)));
    for (const [at, curve] of CURVES.entries()) {
      const show = context.view().curves.includes(curve);
      for (const series of [2 * at + 1, 2 * at + 2]) {
        if (chart.plot.series[series]!.show !== show) chart.plot.setSeries(series, { show });
      }
    }
    const { brush } = context.view();
    const range =
      brush === undefined ? { from, to } : wholeColumns(brush, { from, to }, context.known(shown));
    const looked = within(data.columns, range);
    side.draw(looked, range);
    if (brush === undefined) setText(brushed, '');
    else sayBrushed(looked, range);
    sayFigures(shownColumns);
    const isShort = span > 1 && data.latest !== undefined && !data.latest.isLong;
    const isEmpty = data.latest?.summary === null && shownColumns.length === 0;
    setText(frame.note, isEmpty ? EMPTY_NOTE : isShort ? SHORT_NOTE : '');
  }

  function sayFigures(columns: readonly WireColumn[]): void {
    const found = isOfCollector(columns) ? apiFigures() : shownFigures(columns);
    setItems(frame.figures, found);
    const texts = found.map(([term, value]) => {
      return `${term} ${typeof value === 'string' ? value : value.textContent}`;
    });
    const all = found.length === 0 ? 'nothing timed' : texts.join(', ');
    setAttribute(chartPlace, 'aria-label', `${shown.name}: ${all}. Arrow keys read it.`);
  }

  /** Whether the collector's figures are of what is shown: it knows nothing of its earlier lives. */
  function isOfCollector([first]: readonly WireColumn[]): boolean {
    return context.isNow() && !(first !== undefined && first.second < context.data.lifeFrom());
  }

  /** Of the live window: to the digit what the API tells. */
  function apiFigures(): Item[] {
    const summary = context.data.timing(shown.name).latest?.summary ?? null;
    return summary === null ? [] : figureItems('in 5 min', summary.count, summary);
  }

  /** Of what is shown, where that is something else. */
  function shownFigures(columns: readonly WireColumn[]): Item[] {
    const merged = merge(columns);
    const { average: mean, ...rest } = figuresOf(merged);
    if (merged.samples === 0) return [];
    const term = context.view().span === 300 ? 'shown' : 'in 2 h';
    return figureItems(term, Math.round(merged.weight), { ...rest, mean, max: merged.max });
  }

  function sayBrushed(columns: readonly WireColumn[], range: Range): void {
    const merged = merge(columns);
    const { average, p50, p99 } = figuresOf(merged);
    const isIn = ({ second }: Cell): boolean => second >= range.from && second < range.to;
    const isKnown = columns.length > 0 || cells.some((cell) => cell.isKnown && isIn(cell));
    const when = `${clock(range.from)} to ${clock(range.to)}`;
    if (!isKnown) return setText(brushed, `${when}: ${notKnown(context.known(shown), range)}`);
    const figures = `average ${duration(average)}, p50 ${duration(p50)}, p99 ${duration(p99)}`;
    setText(brushed, `${when}: ${counted(Math.round(merged.weight))}, ${figures}`);
  }

  function read(second: number | undefined, value?: number): void {
    const range = context.values();
    setText(reading, second === undefined ? HINT : readingOf(cells, { second, value, range }));
  }
}

/** The figures of a span as they stand in the head of a panel. */
function figureItems(
  term: string,
  samples: number,
  figures: Pick<TimingSummary, 'mean' | 'p50' | 'p90' | 'p99' | 'max'>,
): Item[] {
  const terms = (['mean', 'p50', 'p90', 'p99', 'max'] as const).map((key): Item => {
    return [key, datum(figures[key], duration(figures[key]), { 'data-of': key })];
  });
  return [[term, datum(samples, count(samples), { 'data-of': 'count' })], ...terms];
}

/** What the cursor reads: time, bin, how many samples are in it, and what share of its column. */
function readingOf(cells: readonly Cell[], at: Place): string {
  const { second, value, range } = at;
  const cell = cells.find((one) => second >= one.second && second < one.second + one.span);
  if (cell === undefined) return '';
  const { merged, figures } = cell;
  const when = clock(cell.second);
  if (!cell.isKnown) return `${when}: not known`;
  if (merged.samples === 0) return `${when}: nothing`;
  const [column] = cell.columns;
  if (value !== undefined && column !== undefined && cell.columns.length === 1) {
    const isZero = isZeroAt(value, range);
    const bin = isZero ? readZero(column) : readBin(column, value);
    if (bin !== undefined) {
      const { from, to, count: found } = bin;
      const edges = isZero && from === 0 ? '0 ms' : `${duration(from)} to ${duration(to)}`;
      const samples = `${count(found)} of ${counted(merged.samples)}`;
      return `${when}: ${edges}: ${samples}, ${share(found, merged.samples)}`;
    }
  }
  const { average, p50, p99 } = figures;
  const curves = `average ${duration(average)}, p50 ${duration(p50)}, p99 ${duration(p99)}`;
  return `${when}: ${counted(merged.samples)}, ${curves}`;
}

/** Where a cursor is. */
interface Place {
  second: number;
  value: number | undefined;
  range: ValueRange;
}

function counted(samples: number): string {
  return `${count(samples)} ${samples === 1 ? 'sample' : 'samples'}`;
}

/** Lower where several share the page. */
function chartHeight(context: PageContext): number {
  if (innerWidth < 640) return 220;
  return context.view().shown.length > 2 ? 240 : 320;
}

function valueAxis(context: PageContext): uPlotClass.Axis {
  return {
    splits: ({ over }) => valueMarks(context.values(), Math.max(3, over.clientHeight / 28)),
    values: (_plot, splits) =>
      splits.map((value) => (isZeroAt(value, context.values()) ? '≤ 0' : duration(value))),
    // uPlot would leave out marks of a logarithmic scale that are not powers of ten.
    filter: (_plot, splits) => splits,
  };
}

function halo(context: PageContext): uPlotClass.Series {
  return { scale: 'y', stroke: () => context.theme().surface, width: 4, points: { show: false } };
}

function line(context: PageContext, curve: Curve): uPlotClass.Series {
  return {
    label: curve,
    scale: 'y',
    stroke: () => context.theme().ink,
    width: curve === 'p99' ? 2 : 1.5,
    dash: DASHES[curve],
    points: { show: false },
  };
}

/** Times in the middle of their columns, then each curve twice: its halo, and itself. */
function curvesOf(cells: readonly Cell[], figures: readonly Figures[]): uPlotClass.AlignedData {
  const times = cells.map(({ second, span }) => second + span / 2);
  const curves = CURVES.flatMap((curve) => {
    const values = figures.map((one) => (one[curve] > 0 ? one[curve] : null));
    return [values, values];
  });
  return [times, ...curves] as uPlotClass.AlignedData;
}
