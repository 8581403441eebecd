import { element, setText } from './dom.ts';
import { short } from './format.ts';
import { heatShare } from './heat-grid.ts';
import { cssColour } from './palette.ts';
import type { Theme } from './theme.ts';

/** Tells which colour of a heatmap stands for how many samples. */
export interface Legend {
  readonly root: HTMLElement;
  /** Shows a scale up to what the last colour stands for. */
  draw(most: number, theme: Theme): void;
}

/** How many colours are enough to look like all. */
const STEPS = 24;

/** Creates a legend. */
export function createLegend(): Legend {
  const bar = element('i');
  const text = element('span');
  const root = element('span', { class: 'legend' }, bar, text);
  return {
    root,
    draw(most, { heat }) {
      const colours = Array.from({ length: STEPS }, (_, at) => {
        return cssColour(heat, heatShare((most * (at + 0.5)) / STEPS, most));
      });
      bar.style.background = `linear-gradient(to right, ${colours.join(', ')})`;
      const samples = Math.max(1, Math.round(most));
      setText(text, `to ${short(samples)} ${samples === 1 ? 'sample' : 'samples'} a cell`);
    },
  };
}
