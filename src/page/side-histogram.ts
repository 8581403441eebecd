import type { WireColumn } from '../live/frame.ts';
import { element, setText } from './dom.ts';
import { clock } from './format.ts';
import { heatGrid } from './heat-grid.ts';
import type { PageContext } from './page-context.ts';
import type { Range } from './view.ts';

/** A histogram beside a heatmap, at the same scale: what a span of time holds in all. */
export interface SideHistogram {
  draw(columns: readonly WireColumn[], range: Range): void;
  close(): void;
}

/** A row of pixels each, so that a bin is one bar, however high. */
const BAR_PX = 1;
/** Where the plot beside it has its edges; see time-chart.ts. */
const TOP_PX = 8;
const BOTTOM_PX = 28;

/** Creates a histogram in a place as high as the chart beside it. */
export function createSideHistogram(context: PageContext, into: HTMLElement): SideHistogram {
  const canvas = element('canvas', { 'aria-hidden': 'true' });
  const caption = element('span', { class: 'side-caption' });
  into.append(canvas, caption);
  const pen = canvas.getContext('2d');
  let drawn: [columns: readonly WireColumn[], range: Range] | undefined;
  const watcher = new ResizeObserver(() => {
    if (drawn !== undefined) draw(...drawn);
  });
  watcher.observe(into);

  return { draw, close: () => watcher.disconnect() };

  function draw(columns: readonly WireColumn[], range: Range): void {
    drawn = [columns, range];
    const { clientWidth: width, clientHeight: height } = into;
    const ratio = devicePixelRatio;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const isBrushed = context.view().brush !== undefined;
    const whole = context.view().span === 300 ? 'all 5 min' : 'all 2 h';
    setText(caption, isBrushed ? `${clock(range.from)} – ${clock(range.to)}` : whole);
    if (pen === null || width === 0) return;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    const inner = height - TOP_PX - BOTTOM_PX;
    const rows = Math.max(8, Math.floor(inner / BAR_PX));
    const { from, to } = range;
    const shape = { ...context.values(), from, to, span: to - from, rows };
    // Each column counts wholly, wherever it begins.
    const all = columns.map((column) => ({ ...column, second: from, span: 1 }));
    const { cells } = heatGrid(all, shape);
    const most = Math.max(1, ...cells);
    const { accent, line } = context.theme();
    pen.fillStyle = line;
    pen.fillRect(0, TOP_PX, 1, inner);
    pen.fillStyle = accent;
    for (const [row, samples] of cells.entries()) {
      const length = samples < 0.01 ? 0 : Math.max(1, (samples / most) * (width - 6));
      pen.fillRect(1, TOP_PX + (row * inner) / rows, length, inner / rows);
    }
  }
}
