import type uPlotClass from 'uplot';

import { type Figures, figuresOf, merge, type Merged, readBin } from './bins.ts';
import { datum, element, type Item, setItems, setText } from './dom.ts';
import { clock, count, duration, share } from './format.ts';
import { CELL_PX, createHeatmap } from './heatmap.ts';
import { createChartParts, createPanelFrame, SHORT_NOTE } from './panel-frame.ts';
import type { PageContext, Panel } from './page-context.ts';
import { valueMarks } from './scale.ts';
import { createLegend } from './legend.ts';
import { createSideHistogram } from './side-histogram.ts';
import { createTimeChart } from './time-chart.ts';
import { type Cell, cellsOf, curveFigures, tableOf, within } from './timing-cells.ts';
import { attachTimingKeys } from './timing-keys.ts';
import { type Curve, CURVES, type Shown } from './view.ts';

/** How each curve is drawn: told apart without colour. */
export const DASHES: Record<Curve, number[]> = { average: [7, 4], p50: [], p99: [2, 3] };

/** Its enum is in uPlot's types alone: there is nothing to take the value from. */
// oxlint-disable-next-line typescript/no-unsafe-enum-assignment
const LOGARITHMIC = { distr: 3 as uPlotClass.Scale.Distr };
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
    table: () => tableOf(shown.name, cells),
    close() {
      chart.close();
      side.close();
    },
  };
  attachTimingKeys(chartPlace, {
    context,
    cells: () => cells,
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
    const rows = Math.max(8, Math.floor(chart.plot.over.clientHeight / CELL_PX));
    const shownColumns = within(data.columns, { from, to });
    const shape = { from, to, span, low, high, rows };
    const { most } = heatmap.fill(shownColumns, shape, context.theme().heat);
    legend.draw(most, context.theme());
    cells = cellsOf(shownColumns, { from, to }, span);
    chart.draw(curvesOf(cells, curveFigures(cells)));
    for (const [at, curve] of CURVES.entries()) {
      const show = context.view().curves.includes(curve);
      for (const series of [2 * at + 1, 2 * at + 2]) chart.plot.setSeries(series, { show });
    }
    const range = context.view().brush ?? { from, to };
    const span1 = within(data.columns, range);
    side.draw(span1, range);
    sayBrushed(merge(span1));
    sayFigures();
    const isShort = span > 1 && data.latest !== undefined && !data.latest.isLong;
    setText(frame.note, isShort ? SHORT_NOTE : '');
  }

  function sayFigures(): void {
    const { latest } = context.data.timing(shown.name);
    const summary = latest?.summary;
    if (summary === undefined || summary === null) {
      setItems(frame.figures, []);
      chartPlace.setAttribute('aria-label', `${shown.name}: nothing timed in the last 5 minutes`);
      return;
    }
    const terms = (['mean', 'p50', 'p90', 'p99', 'max'] as const).map((key): Item => {
      return [key, datum(summary[key], duration(summary[key]), { 'data-of': key })];
    });
    const counted = datum(summary.count, count(summary.count), { 'data-of': 'count' });
    const all: Item[] = [['in 5 min', counted], ...terms];
    setItems(frame.figures, all);
    const texts = all
      .map(([term, value]) => `${term} ${typeof value === 'string' ? value : value.textContent}`)
      .join(', ');
    chartPlace.setAttribute('aria-label', `${shown.name}: ${texts}. Arrow keys read it.`);
  }

  function sayBrushed(merged: Merged): void {
    const { brush } = context.view();
    if (brush === undefined) return setText(brushed, '');
    const { average, p50, p99 } = figuresOf(merged);
    const when = `${clock(brush.from)} to ${clock(brush.to)}`;
    const figures = `average ${duration(average)}, p50 ${duration(p50)}, p99 ${duration(p99)}`;
    setText(brushed, `${when}: ${count(merged.weight)} samples, ${figures}`);
  }

  function read(second: number | undefined, value?: number): void {
    setText(reading, second === undefined ? HINT : readingOf(cells, second, value));
  }
}

/** What the cursor reads: time, bin, how many samples are in it, and what share of its column. */
function readingOf(cells: readonly Cell[], second: number, value: number | undefined): string {
  const cell = cells.find((one) => second >= one.second && second < one.second + one.span);
  if (cell === undefined) return '';
  const { merged, figures } = cell;
  const when = clock(cell.second);
  if (merged.samples === 0) return `${when}: nothing`;
  const [column] = cell.columns;
  const bin = value === undefined || column === undefined ? undefined : readBin(column, value);
  if (bin !== undefined && cell.columns.length === 1) {
    const range = `${duration(bin.from)} to ${duration(bin.to)}`;
    const samples = `${count(bin.count)} of ${count(merged.samples)} samples`;
    return `${when}: ${range}: ${samples}, ${share(bin.count, merged.samples)}`;
  }
  const { average, p50, p99 } = figures;
  const curves = `average ${duration(average)}, p50 ${duration(p50)}, p99 ${duration(p99)}`;
  return `${when}: ${count(merged.samples)} samples, ${curves}`;
}

/** Lower where several share the page. */
function chartHeight(context: PageContext): number {
  if (innerWidth < 640) return 220;
  return context.view().shown.length > 2 ? 240 : 320;
}

function valueAxis(context: PageContext): uPlotClass.Axis {
  return {
    splits: ({ over }) => valueMarks(context.values(), Math.max(3, over.clientHeight / 28)),
    values: (_plot, splits) => splits.map((value) => duration(value)),
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
