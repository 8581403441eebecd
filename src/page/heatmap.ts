import type uPlotClass from 'uplot';

import type { WireColumn } from '../live/frame.ts';
import { type GridShape, heatGrid, type HeatGrid, paintGrid } from './heat-grid.ts';
import type { HeatColours } from './palette.ts';

/** A row of cells is about this high. */
export const CELL_PX = 4;

/** Draws columns of bins as an image. */
export interface Heatmap {
  /** Counts what is to be drawn. */
  fill(columns: readonly WireColumn[], shape: GridShape, colours: HeatColours): HeatGrid;
  /** Draws it where its part of time is, over the whole height. */
  draw(plot: uPlotClass): void;
}

/** Creates a heatmap. It keeps one small image, a pixel a cell, which is drawn enlarged. */
export function createHeatmap(): Heatmap {
  const small = document.createElement('canvas');
  const pen = small.getContext('2d');
  let drawn = { from: 0, to: 0 };

  return {
    fill(columns, shape, colours) {
      const grid = heatGrid(columns, shape);
      drawn = shape;
      small.width = grid.columns;
      small.height = grid.rows;
      const image = new ImageData(grid.columns, grid.rows);
      paintGrid(grid, colours, new Uint32Array(image.data.buffer));
      pen?.putImageData(image, 0, 0);
      return grid;
    },
    draw(plot) {
      if (small.width === 0 || small.height === 0) return;
      const { ctx, bbox } = plot;
      const [left, right] = [drawn.from, drawn.to].map((at) => plot.valToPos(at, 'x', true));
      ctx.save();
      ctx.beginPath();
      ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
      ctx.clip();
      ctx.imageSmoothingEnabled = false; // a cell has edges: it is a count, not a landscape
      ctx.drawImage(small, left!, bbox.top, right! - left!, bbox.height);
      ctx.restore();
    },
  };
}
