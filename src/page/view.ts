import type { Kind } from '../live/frame.ts';

/** The curves that may lie over a heatmap. */
export const CURVES = ['average', 'p50', 'p99'] as const;

/** One of {@link CURVES}. */
export type Curve = (typeof CURVES)[number];

/** How the list may be sorted. */
export type Sort = 'name' | 'rate' | 'p99';

/** Something that is shown at large: a name, or all counters that begin alike. */
export interface Shown {
  kind: Kind | 'prefix';
  name: string;
}

/** Seconds of Unix time: from the first that is in it to the first that is not. */
export interface Range {
  from: number;
  to: number;
}

/** What is on the page. All of it is in the address, so that it can be shared. */
export interface View {
  readonly shown: readonly Shown[];
  /** How many seconds are shown. */
  readonly span: 300 | 7200;
  /** Where time stands still; undefined while it runs. */
  readonly pausedAt: number | undefined;
  /** What part of time is looked at closely. */
  readonly brush: Range | undefined;
  readonly curves: readonly Curve[];
  readonly search: string;
  readonly kind: Kind | 'all';
  readonly sort: Sort;
}

/** The view of an address that says nothing. */
export const FIRST_VIEW: View = {
  shown: [],
  span: 300,
  pausedAt: undefined,
  brush: undefined,
  curves: CURVES,
  search: '',
  kind: 'all',
  sort: 'rate',
};

/** More would be too small to be read, and is more than the collector tells at once. */
export const SHOWN_MAX = 12;

const LETTERS = { t: 'timing', c: 'counter', g: 'gauge', s: 'set', p: 'prefix' } as const;

/** Returns what an address' fragment says; what it says wrongly is as if it were not there. */
export function readView(fragment: string): View {
  const params = new URLSearchParams(fragment.replace(/^#/, ''));
  const shown: Shown[] = [];
  for (const [letter, name] of params) {
    if (!isLetter(letter) || (name === '' && letter !== 'p')) continue;
    shown.push({ kind: LETTERS[letter], name });
  }
  const curves = params.get('curves')?.split(',');
  return {
    shown: withoutDoubles(shown).slice(0, SHOWN_MAX),
    span: params.get('span') === '7200' ? 7200 : 300,
    pausedAt: secondIn(params.get('at')),
    brush: rangeIn(params.get('brush')),
    curves: CURVES.filter((one) => curves === undefined || curves.includes(one)),
    search: params.get('q') ?? '',
    kind: oneOf(['counter', 'gauge', 'set', 'timing'] as const, params.get('kind')) ?? 'all',
    sort: oneOf(['name', 'p99'] as const, params.get('sort')) ?? 'rate',
  };
}

/** Returns the fragment that says so, without what is so anyway; empty for {@link FIRST_VIEW}. */
export function writeView(view: View): string {
  const params = new URLSearchParams();
  for (const { kind, name } of view.shown) params.append(letterOf(kind), name);
  if (view.span !== 300) params.set('span', String(view.span));
  if (view.pausedAt !== undefined) params.set('at', String(view.pausedAt));
  if (view.brush !== undefined) params.set('brush', `${view.brush.from}-${view.brush.to}`);
  if (view.curves.length < CURVES.length) params.set('curves', view.curves.join(','));
  if (view.search !== '') params.set('q', view.search);
  if (view.kind !== 'all') params.set('kind', view.kind);
  if (view.sort !== 'rate') params.set('sort', view.sort);
  const text = params.toString();
  return text === '' ? '' : `#${text}`;
}

/** Returns what a kind is called in addresses and queries. */
export function letterOf(kind: Shown['kind']): string {
  return kind[0]!;
}

/** Returns whether two are the same. */
export function isSame(one: Shown, other: Shown): boolean {
  return one.kind === other.kind && one.name === other.name;
}

/** Returns what is shown once a name is put beside the others, or taken away. Not bounded. */
export function toggled(shown: readonly Shown[], one: Shown): readonly Shown[] {
  const others = shown.filter((other) => !isSame(one, other));
  return others.length < shown.length ? others : [...others, one];
}

function isLetter(letter: string): letter is keyof typeof LETTERS {
  return Object.hasOwn(LETTERS, letter);
}

function withoutDoubles(shown: readonly Shown[]): Shown[] {
  return shown.filter((one, at) => shown.findIndex((other) => isSame(one, other)) === at);
}

function secondIn(text: string | null | undefined): number | undefined {
  return text != null && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

function rangeIn(text: string | null): Range | undefined {
  const [from, to] = (text ?? '').split('-').map(secondIn);
  return from !== undefined && to !== undefined && from < to ? { from, to } : undefined;
}

function oneOf<Value extends string>(
  values: readonly Value[],
  text: string | null,
): Value | undefined {
  return values.find((value) => value === text);
}
