import { createCounterPanel } from './counter-panel.ts';
import { byId } from './dom.ts';
import { createGaugePanel, createSetPanel } from './held-panel.ts';
import type { PageContext, Panel } from './page-context.ts';
import { createPrefixPanel } from './prefix-panel.ts';
import { createTimingPanel } from './timing-panel.ts';
import { isSame, type Shown } from './view.ts';

/** What is shown at large. */
export interface Panels {
  /** Makes the panels be those of the view. */
  arrange(): void;
  /** Has all of them drawn soon, one in each frame of the screen: none makes the page stutter. */
  draw(): void;
  /** Moves the cursor of all but one. */
  point(second: number | undefined, by: Panel): void;
}

const CREATE = {
  timing: createTimingPanel,
  counter: createCounterPanel,
  gauge: createGaugePanel,
  set: createSetPanel,
  prefix: createPrefixPanel,
};

/** Creates the place for panels. */
export function createPanels(context: PageContext): Panels {
  const root = byId('panels');
  let panels: Panel[] = [];
  let waiting: Panel[] = [];
  let isDue = false;

  return {
    arrange() {
      const { shown } = context.view();
      const before = panels;
      // Into the document first: a chart asks how wide its place is.
      panels = shown.map((one) => before.find((panel) => isSame(panel.shown, one)) ?? create(one));
      for (const panel of before) {
        if (panels.includes(panel)) continue;
        panel.close();
        panel.root.remove();
      }
      for (const [at, panel] of panels.entries()) {
        if (root.children[at] !== panel.root)
          root.insertBefore(panel.root, root.children[at] ?? null);
      }
      root.dataset['count'] = String(panels.length);
    },
    draw() {
      waiting = [...panels];
      if (isDue) return;
      isDue = true;
      requestAnimationFrame(drawNext);
    },
    point(second, by) {
      for (const panel of panels) if (panel !== by) panel.point(second);
    },
  };

  function create(one: Shown): Panel {
    const panel = CREATE[one.kind](context, one);
    root.append(panel.root);
    return panel;
  }

  function drawNext(): void {
    const panel = waiting.shift();
    if (panel !== undefined && panels.includes(panel)) panel.update();
    isDue = waiting.length > 0;
    if (isDue) requestAnimationFrame(drawNext);
  }
}
