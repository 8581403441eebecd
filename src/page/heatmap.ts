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
  /** Draws it over the whole plot. */
  draw(plot: uPlotClass): void;
}

/** Creates a heatmap. It keeps one small image, a pixel a cell, which is drawn enlarged. */
export function createHeatmap(): Heatmap {
  const small = document.createElement('canvas');
  const pen = small.getContext('2d');

  return {
    fill(columns, shape, colours) {
      const grid = heatGrid(columns, shape);
      small.width = grid.columns;
      small.height = grid.rows;
      const image = new ImageData(grid.columns, grid.rows);
      paintGrid(grid, colours, new Uint32Array(image.data.buffer));
      pen?.putImageData(image, 0, 0);
      return grid;
    },
    draw({ ctx, bbox }) {
      if (small.width === 0 || small.height === 0) return;
      ctx.save();
      ctx.imageSmoothingEnabled = false; // a cell has edges: it is a count, not a landscape
      ctx.drawImage(small, bbox.left, bbox.top, bbox.width, bbox.height);
      ctx.restore();
    },
  };
}
