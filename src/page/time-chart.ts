import type uPlotClass from 'uplot';

import { clock } from './format.ts';
import type { PageContext } from './page-context.ts';
import type { Range } from './view.ts';

/** It is a script of its own, not a module, and stands before this one in index.html. */
const Plot = (globalThis as unknown as { uPlot: typeof uPlotClass }).uPlot;

/** Draws a series as steps: a value holds until the next one. */
export const steps: uPlotClass.Series.PathBuilder = Plot.paths.stepped!({ align: 1 });

/** A chart over time whose part can be brushed, and whose cursor can be moved by keys. */
export interface TimeChart {
  readonly plot: uPlotClass;
  /** Shows data over the time of the context: a list of times, and a list of values per series. */
  draw(data: uPlotClass.AlignedData): void;
  /** Puts the cursor at a second, or takes it away; `value` is on the y axis. */
  point(second: number | undefined, value?: number): void;
  close(): void;
}

/** What a chart is made with. */
export interface TimeChartParts {
  context: PageContext;
  /** Where it is put; it is as wide as this. */
  into: HTMLElement;
  heightPx: () => number;
  series: uPlotClass.Series[];
  /** What is filled between two of the series. */
  bands?: uPlotClass.Band[];
  scales: uPlotClass.Scales;
  /** The axis of values. */
  axis: uPlotClass.Axis;
  /** Draws beneath the series. */
  under?: (plot: uPlotClass) => void;
  /** The mouse is at a second and a value, or has gone. */
  onPoint: (second: number | undefined, value?: number) => void;
}

const AXIS_FONT = '11px system-ui, sans-serif';
/** Axes are as wide as each other, so that their times lie beneath each other, if they can be. */
const AXIS_WIDTH_PX = 58;
/** Between a label and the plot, and before it; a wide axis is not another one for each digit. */
const LABEL_GAP_PX = 8;
const AXIS_STEP_PX = 8;
/** Half of the last label of time: it stands at the edge. */
const LABEL_PX = 26;
const TIME_AXIS_PX = 28;
/** Pixels that the mouse moves before it is a brush. */
const BRUSH_PX = 4;

/** Creates a chart. */
export function createTimeChart(parts: TimeChartParts): TimeChart {
  const { context, into, heightPx, onPoint } = parts;
  let isHeld = false; // the mouse is down: what it draws must not be drawn over
  const plot = new Plot(
    {
      width: Math.max(200, into.clientWidth),
      height: heightPx(),
      padding: [8, LABEL_PX, 0, 0],
      legend: { show: false },
      cursor: {
        points: { show: false },
        drag: { x: true, y: false, setScale: false, dist: BRUSH_PX },
        bind: {
          dblclick: () => () => (context.brush(undefined), null),
          mousedown: (_plot, _target, handler) => (event) => (
            (isHeld = true),
            handler(event),
            null
          ),
          mouseup: (_plot, _target, handler) => (event) => ((isHeld = false), handler(event), null),
        },
      },
      scales: { x: { time: true, auto: false }, ...parts.scales },
      axes: [timeAxis(context), { ...axisStyle(context), size: axisWidth, ...parts.axis }],
      series: [{}, ...parts.series],
      bands: parts.bands ?? [],
      hooks: {
        drawClear: [(drawn) => parts.under?.(drawn)],
        setSelect: [brushed],
        setCursor: [moved],
      },
    },
    [[]],
    into,
  );
  // It is reached by keys through the panel, which says what it is.
  plot.root.setAttribute('aria-hidden', 'true');
  const watcher = new ResizeObserver(() => resize());
  watcher.observe(into);
  let isPointing = false;

  return {
    plot,
    draw(data) {
      if (isHeld) return;
      const { from, to } = context.range();
      plot.batch(() => {
        plot.setData(data, false);
        plot.setScale('x', { min: from, max: to });
        // Labels may be others though all scales are the same.
        plot.redraw(false, true);
      });
      showBrush();
    },
    point(second, value) {
      isPointing = true;
      const left = second === undefined ? -10 : plot.valToPos(second, 'x');
      const top = second === undefined || value === undefined ? -10 : plot.valToPos(value, 'y');
      plot.setCursor({ left, top });
      isPointing = false;
    },
    close() {
      watcher.disconnect();
      plot.destroy();
    },
  };

  function resize(): void {
    const size = { width: Math.max(200, into.clientWidth), height: heightPx() };
    if (size.width === plot.width && size.height === plot.height) return;
    plot.setSize(size);
    showBrush();
  }

  function showBrush(): void {
    const { brush } = context.view();
    const left = brush === undefined ? 0 : plot.valToPos(brush.from, 'x');
    const right = brush === undefined ? 0 : plot.valToPos(brush.to, 'x');
    const height = brush === undefined ? 0 : plot.over.clientHeight;
    plot.setSelect({ left, width: right - left, top: 0, height }, false);
  }

  function brushed({ select: { left, width } }: uPlotClass): void {
    if (width < BRUSH_PX) return;
    const range: Range = {
      from: Math.floor(plot.posToVal(left, 'x')),
      to: Math.ceil(plot.posToVal(left + width, 'x')),
    };
    context.brush(range);
  }

  function moved({ cursor }: uPlotClass): void {
    if (isPointing) return;
    const { left = -1, top = -1 } = cursor;
    if (left < 0) onPoint(undefined);
    else onPoint(plot.posToVal(left, 'x'), plot.posToVal(top, 'y'));
  }
}

function axisStyle(context: PageContext): uPlotClass.Axis {
  return {
    stroke: () => context.theme().muted,
    font: AXIS_FONT,
    grid: { show: true, width: 1, stroke: () => context.theme().line },
    ticks: { show: false },
  };
}

/** As wide as the widest label: one that is cut reads as another number. */
function axisWidth(plot: uPlotClass, texts: string[] | null): number {
  const { ctx } = plot;
  ctx.save();
  ctx.font = AXIS_FONT;
  const widest = Math.max(0, ...(texts ?? []).map((text) => ctx.measureText(text).width));
  ctx.restore();
  const wider = Math.ceil((widest + LABEL_GAP_PX - AXIS_WIDTH_PX) / AXIS_STEP_PX);
  return AXIS_WIDTH_PX + Math.max(0, wider) * AXIS_STEP_PX;
}

function timeAxis(context: PageContext): uPlotClass.Axis {
  return {
    ...axisStyle(context),
    size: TIME_AXIS_PX,
    space: ({ width }) => (width < 380 ? 34 : 56),
    grid: { show: false },
    values: (_plot, splits) => splits.map((second) => timeText(second)),
  };
}

/** Seconds only where they tell something. */
function timeText(second: number): string {
  const text = clock(second);
  return text.endsWith(':00') ? text.slice(0, -3) : text;
}
