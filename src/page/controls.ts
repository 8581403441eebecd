import { byId, setAttribute, setText } from './dom.ts';
import { clock } from './format.ts';
import type { PageContext } from './page-context.ts';
import { CURVE_SECONDS } from './timing-cells.ts';
import { CURVES, type Curve, FIRST_VIEW, type Sort, type View } from './view.ts';

/** What the buttons and keys do beside changing the view. */
export interface ControlParts {
  /** Stops time, or lets it run again. */
  pause: () => void;
  /** Lets time run again, from now on, with nothing brushed. */
  now: () => void;
}

/** The buttons and fields outside of panels and list. */
export interface Controls {
  /** Makes them show the view. */
  update(): void;
}

/** How long a search rests before it is sent. */
const TYPING_MS = 120;

/** Joins the controls to the view, and keys to the controls. */
export function createControls(context: PageContext, { pause, now }: ControlParts): Controls {
  const search = byId('search', HTMLInputElement);
  const kind = byId('kind', HTMLSelectElement);
  const sort = byId('sort', HTMLSelectElement);
  const help = byId('help', HTMLDialogElement);
  let typing: ReturnType<typeof setTimeout> | undefined;

  search.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(() => context.change({ search: search.value }), TYPING_MS);
  });
  search.addEventListener('keydown', ({ key }) => {
    if (key === 'Escape') clearSearch();
    if (key === 'Enter' || key === 'ArrowDown') byId('name-list').focus();
  });
  kind.addEventListener('change', () => context.change({ kind: kind.value as View['kind'] }));
  sort.addEventListener('change', () => context.change({ sort: sort.value as Sort }));
  byId('show-prefix').addEventListener('click', () => {
    const name = context.view().search.replace(/\*$/, '');
    context.change({ shown: [{ kind: 'prefix', name }] });
  });
  byId('pause').addEventListener('click', pause);
  byId('now').addEventListener('click', now);
  for (const span of [300, 7200] as const) {
    byId(`span-${span}`).addEventListener('click', () => context.change({ span }));
  }
  for (const curve of CURVES) byId(`curve-${curve}`).addEventListener('click', () => flip(curve));
  byId('open-help').addEventListener('click', () => help.showModal());
  byId('close-help').addEventListener('click', () => help.close());
  document.addEventListener('keydown', onKey);

  return { update };

  function update(): void {
    const view = context.view();
    if (document.activeElement !== search) search.value = view.search;
    kind.value = view.kind;
    sort.value = view.sort;
    const isPaused = view.pausedAt !== undefined;
    setAttribute(byId('pause'), 'aria-pressed', String(isPaused));
    byId('now').hidden = !isPaused;
    const { from, to } = context.range();
    setText(byId('time-shown'), isPaused ? `${clock(from)} – ${clock(to)}` : '');
    for (const span of [300, 7200]) {
      setAttribute(byId(`span-${span}`), 'aria-pressed', String(view.span === span));
    }
    for (const curve of CURVES) {
      setAttribute(byId(`curve-${curve}`), 'aria-pressed', String(view.curves.includes(curve)));
    }
    const hasTimings = view.shown.some((one) => one.kind === 'timing');
    byId('curves').hidden = !hasTimings;
    const seconds = Math.max(CURVE_SECONDS, context.cellSpan());
    setText(byId('curves-note'), `each point of ${seconds} s`);
  }

  function flip(curve: Curve): void {
    const { curves } = context.view();
    context.change({ curves: CURVES.filter((one) => curves.includes(one) !== (one === curve)) });
  }

  function clearSearch(): void {
    clearTimeout(typing);
    search.value = '';
    context.change({ search: FIRST_VIEW.search });
  }

  function onKey(event: KeyboardEvent): void {
    const { key, ctrlKey, metaKey, altKey, target } = event;
    if (ctrlKey || metaKey || altKey || help.open) return;
    if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) return;
    const actions: Record<string, () => void> = {
      '/': () => (search.focus(), search.select()),
      p: pause,
      n: now,
      a: () => flip('average'),
      5: () => flip('p50'),
      9: () => flip('p99'),
      '?': () => help.showModal(),
    };
    const action = Object.hasOwn(actions, key) ? actions[key] : undefined;
    if (action === undefined) return;
    event.preventDefault();
    action();
  }
}
