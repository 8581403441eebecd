import type { Frame } from '../live/frame.ts';
import { createControls } from './controls.ts';
import { byId, setText } from './dom.ts';
import { createFeed } from './feed.ts';
import { createFirstRun } from './first-run.ts';
import { createHealth, storeName } from './health.ts';
import { createNameList } from './name-list.ts';
import type { PageContext } from './page-context.ts';
import { titleOf } from './panel-frame.ts';
import { createPanels } from './panels.ts';
import { valueRange } from './scale.ts';
import { createDataStore } from './store.ts';
import { onThemeChange, readTheme } from './theme.ts';
import { within } from './timing-cells.ts';
import { type Range, readView, type Shown, type View, writeView } from './view.ts';

// The page's one assembly: the address says what is shown, the collector tells it, the parts draw
// it. Everything that happens comes either from a frame or as a change of the view.

const data = createDataStore();
let view = readView(location.hash);
let theme = readTheme();
let frame: Frame | undefined;
let values = valueRange([]);
/** Whether what is shown has been drawn since it was chosen. */
let hasDrawn = false;
/** Whether what is shown is still ours to choose: nobody else has. */
let mayChoose = view.shown.length === 0;

const context: PageContext = {
  data,
  view: () => view,
  range,
  cellSpan: () => (view.span === 300 ? 1 : 30),
  values: () => values,
  theme: () => theme,
  known: (one) => ({
    span: context.cellSpan(),
    completeFrom: data.completeFrom(one),
    knownTo: (frame?.second ?? 0) + 1,
    gaps: data.gaps(),
  }),
  storeName: () => storeName(frame?.vitals.store.kind ?? ''),
  isStoreAway: () => frame?.vitals.store.up === false,
  isNow: () => view.span === 300 && view.pausedAt === undefined,
  notice: (text) => setText(byId('notice'), text),
  change,
  brush(brush) {
    if (brush === undefined) change({ brush });
    else change({ brush, pausedAt: view.pausedAt ?? range().to });
  },
  point: (second, by) => panels.point(second, by),
};
const health = createHealth();
const firstRun = createFirstRun();
const panels = createPanels(context);
const list = createNameList(context, ask);
const controls = createControls(context, {
  pause: () => change({ pausedAt: view.pausedAt === undefined ? range().to : undefined }),
  now: () => change({ pausedAt: undefined, brush: undefined }),
});
const feed = createFeed({
  knownTo: (one) => data.knownTo(one),
  onFrame: take,
  onLink: (link, sinceMs) => health.link(link, sinceMs),
});

addEventListener('hashchange', () => show(readView(location.hash)));
onThemeChange(() => {
  theme = readTheme();
  panels.draw();
});
show(view);

function take(told: Frame): void {
  const isAnother = frame !== undefined && frame.instance !== told.instance;
  frame = told;
  document.documentElement.dataset['second'] = String(told.second); // how far it is, for who asks
  data.take(told);
  health.take(told);
  list.take(told.list);
  firstRun.update(told.udp, told.list.total === 0);
  if (mayChoose && view.shown.length === 0 && told.list.total > 0) choose(told);
  keep();
  // While time stands still, only what has never been drawn is to be drawn.
  if (view.pausedAt === undefined || isAnother || !hasDrawn) draw();
}

/** Something is to be seen at once: the first timing and the first counter, or what there is. */
function choose({ list: { rows } }: Frame): void {
  const firsts = (['timing', 'counter', 'gauge', 'set'] as const).flatMap((kind): Shown[] => {
    const row = rows.find((one) => one.kind === kind);
    return row === undefined ? [] : [{ kind, name: row.name }];
  });
  if (firsts.length > 0) show({ ...view, shown: firsts.slice(0, 2) });
}

/** The view and the address are one; what is chosen can be gone back from. */
function change(patch: Partial<View>): void {
  const isChoice = patch.shown !== undefined;
  if (isChoice) mayChoose = false;
  context.notice('');
  show({ ...view, ...patch });
  const address = `${location.pathname}${writeView(view)}`;
  if (isChoice) history.pushState(null, '', address);
  else history.replaceState(null, '', address);
}

function show(next: View): void {
  const isOtherSpan = next.span !== view.span;
  view = next;
  if (isOtherSpan) data.clear(); // what is known is of seconds, or of half minutes
  hasDrawn = false;
  keep();
  panels.arrange();
  list.update();
  ask();
  draw();
}

function ask(): void {
  feed.ask(view, list.wanted());
}

function draw(): void {
  const shown = view.shown.filter(({ kind }) => kind === 'timing');
  const told = shown.map(({ name }) => data.timing(name));
  hasDrawn = view.shown.every((one) => data.knownTo(one) > 0);
  values = valueRange(told.flatMap(({ columns }) => within(columns, range())));
  controls.update();
  const isEmpty = view.shown.length === 0 && (frame?.list.total ?? 0) > 0;
  byId('nothing-shown').hidden = !isEmpty;
  sayTitle();
  panels.draw();
}

/** A tab in the background tells by its title what it shows, and that something is wrong. */
function sayTitle(): void {
  const names = view.shown.map(titleOf).slice(0, 3).join(', ');
  const trouble = frame?.problems.some(({ level }) => level === 'bad') === true ? '✕ ' : '';
  document.title = `${trouble}${names === '' ? '' : `${names} · `}statcol`;
}

function keep(): void {
  data.keep(view.shown, view.span, view.pausedAt === undefined ? undefined : range());
}

/** What part of time is shown. Of half minutes, the one that is not over yet is the last. */
function range(): Range {
  const now = view.pausedAt ?? (frame?.second ?? Math.floor(Date.now() / 1000)) + 1;
  const cell = context.cellSpan();
  const to = Math.ceil(now / cell) * cell;
  return { from: to - view.span, to };
}
