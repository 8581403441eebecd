import type { NameList, NameRow } from '../live/frame.ts';
import { byId, element, setAttribute, setText } from './dom.ts';
import { setName } from './tagged-name.ts';
import type { ListPart } from './feed.ts';
import { count, duration, perSecond, rough } from './format.ts';
import { attachListKeys } from './name-list-keys.ts';
import type { PageContext } from './page-context.ts';
import { createSparkline, type Sparkline } from './sparkline.ts';
import { isSame, type Shown, SHOWN_MAX, toggled } from './view.ts';

/** The list of names. Only rows that can be seen are in the document, and are asked for. */
export interface NameListView {
  /** Which rows it wants to be told. */
  wanted(): ListPart;
  take(list: NameList): void;
  /** Marks what is shown at large, and shows what is searched for. */
  update(): void;
}

/** As in style.css. */
const ROW_PX = 44;
/** Rows beyond both edges, so that a short way needs no waiting. */
const SPARE_ROWS = 8;
/** The collector tells no more at once. */
const ROWS_MAX = 200;
/** A browser has no element higher than 33 million pixels: beyond that it is found by searching. */
const REACH_MAX = 700_000;
/** A list that scrolls asks for its rows when it rests. */
const REST_MS = 80;

interface Row {
  readonly root: HTMLElement;
  readonly name: HTMLElement;
  readonly spark: Sparkline;
  readonly figures: HTMLElement;
}

/** Creates the list; `onMove` is called when it wants to be told other rows. */
export function createNameList(context: PageContext, onMove: () => void): NameListView {
  const box = byId('name-list');
  const rows = element('div', { class: 'rows', role: 'presentation' });
  box.append(rows);
  const pool: Row[] = [];
  let list: NameList = { total: 0, matching: 0, from: 0, rows: [] };
  let part: ListPart = { from: 0, rows: 40 };
  let active = 0;
  let resting: ReturnType<typeof setTimeout> | undefined;
  attachListKeys(box, {
    page: () => Math.max(1, Math.floor(box.clientHeight / ROW_PX) - 1),
    last: () => Math.min(list.matching, REACH_MAX) - 1,
    active: () => active,
    go(to) {
      active = to;
      scrollTo(to);
      draw();
    },
    choose: (isBeside) => choose(rowAt(active), isBeside),
  });
  box.addEventListener('scroll', () => {
    draw();
    clearTimeout(resting);
    resting = setTimeout(ask, REST_MS);
  });
  new ResizeObserver(() => (draw(), ask())).observe(box);

  return {
    wanted: () => part,
    take(told) {
      list = told;
      active = Math.max(0, Math.min(active, told.matching - 1));
      draw();
    },
    update: draw,
  };

  /** The rows that can be seen, and some to spare. */
  function visible(): ListPart {
    const from = Math.max(0, Math.floor(box.scrollTop / ROW_PX) - SPARE_ROWS);
    const number = Math.ceil(box.clientHeight / ROW_PX) + 2 * SPARE_ROWS;
    return { from, rows: Math.min(ROWS_MAX, number) };
  }

  function ask(): void {
    const now = visible();
    if (now.from === part.from && now.rows === part.rows) return;
    part = now;
    onMove();
  }

  function rowAt(index: number): NameRow | undefined {
    return list.rows[index - list.from];
  }

  function scrollTo(index: number): void {
    const top = index * ROW_PX;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + ROW_PX > box.scrollTop + box.clientHeight) {
      box.scrollTop = top + ROW_PX - box.clientHeight;
    }
  }

  function draw(): void {
    const reach = Math.min(list.matching, REACH_MAX);
    rows.style.height = `${reach * ROW_PX}px`;
    const { from, rows: number } = visible();
    const to = Math.min(reach, from + number);
    while (pool.length < to - from) pool.push(createRow());
    for (const [at, row] of pool.entries()) drawRow(row, from + at, from + at < to);
    const { view } = context;
    const found = `${count(list.matching)} of ${count(list.total)} names`;
    const isAll = list.matching === list.total;
    setText(byId('found'), isAll && view().search === '' ? `${count(list.total)} names` : found);
    drawPrefix();
    byId('nothing-matches').hidden = list.matching > 0 || list.total === 0;
    const isThere = list.matching > 0;
    setAttribute(box, 'aria-activedescendant', isThere ? `row-${active}` : '');
  }

  function drawRow(row: Row, index: number, isThere: boolean): void {
    row.root.hidden = !isThere;
    if (!isThere) return;
    const told = rowAt(index);
    row.root.style.transform = `translateY(${index * ROW_PX}px)`;
    setAttribute(row.root, 'id', `row-${index}`);
    setAttribute(row.root, 'aria-posinset', String(index + 1));
    setAttribute(row.root, 'aria-setsize', String(list.matching));
    row.root.classList.toggle('active', index === active);
    const isShown = told !== undefined && context.view().shown.some((one) => isSame(one, told));
    setAttribute(row.root, 'aria-selected', String(isShown));
    setName(row.name, told?.name ?? '…');
    setAttribute(row.root, 'title', told?.name ?? '');
    row.spark.draw(told?.spark ?? []);
    setText(row.figures, told === undefined ? '' : figuresOf(told).join(' · '));
  }

  /** A pattern such as `api.*`, and nothing beside it, can be shown at once, as small charts. */
  function drawPrefix(): void {
    const button = byId('show-prefix');
    const prefix = /^([^*\s]+)\*$/.exec(context.view().search)?.[1];
    const isCounter = ({ kind, name }: NameRow): boolean =>
      kind === 'counter' && name.startsWith(prefix ?? '');
    // Of rows that are out of sight it is not known.
    const mayBe = list.rows.some(isCounter) || list.rows.length < list.matching;
    button.hidden = prefix === undefined || !mayBe;
    if (prefix !== undefined) setText(button, `Show the counters ${prefix}* side by side`);
  }

  function choose(told: NameRow | undefined, isBeside: boolean): void {
    if (told === undefined) return;
    const one: Shown = { kind: told.kind, name: told.name };
    const { shown } = context.view();
    const isFull = shown.length >= SHOWN_MAX && !shown.some((other) => isSame(one, other));
    if (isBeside && isFull) {
      return context.notice(`${SHOWN_MAX} are shown, which is all there may be: close one first.`);
    }
    context.change({ shown: isBeside ? toggled(shown, one) : [one] });
  }

  function createRow(): Row {
    const name = element('span', { class: 'name' });
    const spark = createSparkline(96, 26);
    const figures = element('span', { class: 'row-figures' });
    // To be put beside the others it is clicked at its mark; keys do it with the space bar.
    const mark = element('span', { class: 'mark', title: 'Show beside the others' });
    const root = element('div', { class: 'row', role: 'option' }, mark, name, figures, spark.root);
    const row: Row = { root, name, spark, figures };
    root.addEventListener('click', (event) => {
      active = Number(root.getAttribute('aria-posinset')) - 1;
      const isBeside = event.ctrlKey || event.metaKey || event.shiftKey || event.target === mark;
      choose(rowAt(active), isBeside);
      draw();
    });
    rows.append(root);
    return row;
  }
}

function figuresOf({ kind, rate, p99, value }: NameRow): string[] {
  const figures: string[] = [kind, perSecond(rate)];
  if (p99 !== null) figures.push(`p99 ${duration(p99)}`);
  if (value !== null) figures.push(kind === 'set' ? `${count(value)} unique` : rough(value));
  return figures;
}
