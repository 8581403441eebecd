import { saveCsv } from './csv.ts';
import { element } from './dom.ts';
import { visible } from './format.ts';
import type { PageContext } from './page-context.ts';
import { setName } from './tagged-name.ts';
import { isSame, type Shown } from './view.ts';

/** What is said of a name where two hours are to be shown, and are not there. */
export const SHORT_NOTE =
  'Two hours are kept of the 200 busiest names of a kind; of this one there are 5 minutes.';

/** What every panel has: a head with a name and buttons, and room for the rest. */
export interface PanelFrame {
  readonly root: HTMLElement;
  /** Beside the name: numbers. */
  readonly figures: HTMLElement;
  /** Between the name and the numbers, in small print. */
  readonly note: HTMLElement;
  readonly body: HTMLElement;
}

/** Creates the frame of a panel; `table` gives what the panel shows, to be taken along. */
export function createPanelFrame(
  context: PageContext,
  shown: Shown,
  table: () => (string | number)[][],
): PanelFrame {
  const title = titleOf(shown);
  const note = element('p', { class: 'note' });
  const figures = element('dl', { class: 'figures' });
  const body = element('div', { class: 'panel-body' });
  const save = element('button', { type: 'button', class: 'quiet' }, 'CSV');
  save.setAttribute('aria-label', `Save what is shown of ${title} as CSV`);
  save.addEventListener('click', () => saveCsv(title, table()));
  const close = element('button', { type: 'button', class: 'quiet' }, '×');
  close.setAttribute('aria-label', `Close ${title}`);
  close.addEventListener('click', () => {
    const others = context.view().shown.filter((other) => !isSame(shown, other));
    context.change({ shown: others });
  });
  const heading = element('h2', { title });
  if (shown.kind === 'prefix') heading.append(title);
  else setName(heading, title);
  const head = element(
    'header',
    {},
    heading,
    element('div', { class: 'panel-buttons' }, save, close),
    note,
    figures,
  );
  const root = element('article', { class: `panel ${shown.kind}` }, head, body);
  root.setAttribute('aria-label', `${shown.kind} ${title}`);
  return { root, figures, note, body };
}

/** What every panel with a chart has. */
export interface ChartParts {
  /** Where the chart is put; it is reached by keys. */
  readonly chartPlace: HTMLElement;
  /** What the cursor reads. */
  readonly reading: HTMLElement;
  /** What is said of the part of time that is brushed. */
  readonly brushed: HTMLElement;
}

/** Creates the place of a chart, and of what is said of it. */
export function createChartParts(what: string, hint: string): ChartParts {
  const role = { role: 'application', 'aria-roledescription': what };
  return {
    chartPlace: element('div', { class: 'chart', tabindex: 0, ...role }),
    reading: element('p', { class: 'reading', 'aria-live': 'polite' }, hint),
    brushed: element('p', { class: 'brushed' }),
  };
}

/** Returns what a panel is called, to be read. */
export function titleOf({ kind, name }: Shown): string {
  return visible(kind === 'prefix' ? `${name}*` : name);
}
