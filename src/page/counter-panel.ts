import { type CounterCell, counterCells, counterTable, rateOfNow } from './counter-cells.ts';
import { datum, element, setItems, setText } from './dom.ts';
import { clock, count, perSecond, short, total } from './format.ts';
import { createChartParts, createPanelFrame, SHORT_NOTE } from './panel-frame.ts';
import type { PageContext, Panel } from './page-context.ts';
import { createTimeChart } from './time-chart.ts';
import type { Shown } from './view.ts';

const HEIGHT_PX = 190;
const HINT = 'Point at it to read a second; drag to look at a part of time.';

/** Creates the panel of a counter: its rate as a line, and the running total beside it. */
export function createCounterPanel(context: PageContext, shown: Shown): Panel {
  const frame = createPanelFrame(context, shown, () => counterTable(shown.name, cells));
  const { chartPlace, reading, brushed } = createChartParts('line chart', HINT);
  // Beside the chart, so that its time lies beneath the time of a heatmap.
  const row = element('div', { class: 'chart-row' }, frame.figures, chartPlace);
  frame.body.append(row, reading, brushed);
  const chart = createTimeChart({
    context,
    into: chartPlace,
    heightPx: () => HEIGHT_PX,
    scales: {
      y: { range: (_plot, low, high) => [Math.min(0, low ?? 0), high > 0 ? high * 1.05 : 1] },
    },
    axis: { values: (_plot, splits) => splits.map((value) => short(value)) },
    series: [
      {
        stroke: () => context.theme().accent,
        fill: () => context.theme().accentSoft,
        width: 1.5,
        points: { show: false },
      },
    ],
    onPoint(second) {
      context.point(second, panel);
      read(second);
    },
  });
  let cells: CounterCell[] = [];
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
    const data = context.data.counter(shown.name);
    const range = context.range();
    cells = counterCells(data.points, range, context.counterKnown());
    chart.draw([
      cells.map(({ second, span }) => second + span / 2),
      cells.map((cell) => cell.perSecond),
    ]);
    sayTotal();
    sayBrushed();
  }

  function sayTotal(): void {
    const data = context.data.counter(shown.name);
    const { latest } = data;
    if (latest === undefined) return;
    if (latest.total === null && !context.isStoreAway() && data.points.length === 0) {
      setItems(frame.figures, []);
      return setText(
        frame.note,
        'No counter of this name is known: see the list for those that are.',
      );
    }
    const { hash, field, otherHashes } = latest;
    const others = otherHashes === 0 ? '' : `, and in ${otherHashes} more`;
    const isShort = context.cellSpan() > 1 && !latest.isLong;
    const reach = isShort ? `. ${SHORT_NOTE}` : '';
    setText(frame.note, `${context.storeName()} · ${hash} · ${field}${others}${reach}`);
    const rate = rateOfNow(cells, context.counterKnown().knownTo);
    const lately = context.cellSpan() === 1 ? 'last 10 s' : 'last 30 s';
    const totalNode = latest.total === null ? '–' : datum(latest.total, total(latest.total));
    setItems(frame.figures, [
      ['total', totalNode],
      [lately, datum(rate, perSecond(rate))],
    ]);
    const text = `total ${latest.total ?? 'not known'}, ${lately} ${perSecond(rate)}`;
    chartPlace.setAttribute('aria-label', `${shown.name}: ${text}. Arrow keys read it.`);
  }

  function sayBrushed(): void {
    const { brush } = context.view();
    if (brush === undefined) return setText(brushed, '');
    const part = cells.filter(
      ({ second, span }) => second + span > brush.from && second < brush.to,
    );
    const sum = part.reduce((all, { added }) => all + (added ?? 0), 0);
    const when = `${clock(brush.from)} to ${clock(brush.to)}`;
    setText(brushed, `${when}: ${count(sum)} added, ${perSecond(sum / (brush.to - brush.from))}`);
  }

  function read(second: number | undefined): void {
    const cell = cells.find((one) => {
      return second !== undefined && second >= one.second && second < one.second + one.span;
    });
    const rate = cell?.perSecond;
    const text = rate === null ? 'not known' : perSecond(rate ?? 0);
    setText(reading, cell === undefined ? HINT : `${clock(cell.second)}: ${text}`);
  }
}
