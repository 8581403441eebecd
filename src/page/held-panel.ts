import { datum, type Item } from './dom.ts';
import { clock, number, perSecond, total } from './format.ts';
import {
  type HeldCell,
  heldCells,
  heldEnds,
  heldLine,
  heldRange,
  heldTable,
} from './held-cells.ts';
import { createLinePanel, type LineHead, placeNote } from './line-panel.ts';
import type { PageContext, Panel } from './page-context.ts';
import { steps } from './time-chart.ts';
import type { Shown } from './view.ts';

/** What differs between the kinds. */
const KINDS = {
  gauge: { present: 'now', none: 'No gauge of this name is known', isNothing: null },
  set: { present: 'unique today', none: 'No set of this name has members today', isNothing: '0' },
} as const;

/** Creates the panel of a gauge: what it stood at, as steps, and what the store holds now. */
export function createGaugePanel(context: PageContext, shown: Shown): Panel {
  return createHeldPanel(context, shown, 'gauge');
}

/** Creates the panel of a set: how many unique members it had by then of the day, likewise. */
export function createSetPanel(context: PageContext, shown: Shown): Panel {
  return createHeldPanel(context, shown, 'set');
}

function createHeldPanel(context: PageContext, shown: Shown, kind: 'gauge' | 'set'): Panel {
  const { name } = shown;
  const { present, none, isNothing } = KINDS[kind];
  const points = { show: false };
  const paths = steps;
  const stroke = (): string => context.theme().accent;
  return createLinePanel<HeldCell>(context, shown, {
    cells: () => {
      const { points: told } = context.data.held(kind, name);
      return heldCells(told, context.range(), context.known(shown), kind === 'set');
    },
    table: (cells) => heldTable(name, cells),
    data: heldLine,
    head,
    isKnown: ({ value }) => value !== null,
    reading: (cell) => (cell.value === null ? 'not known' : readingOf(cell)),
    brushed(cells) {
      const { low, high } = heldEnds(cells);
      if (low === null || high === null) return undefined;
      const last = cells.findLast(({ value }) => value !== null)!.value!;
      return `from ${number(low)} to ${number(high)}, ${number(last)} at the end`;
    },
    series: [
      { stroke, width: 1.5, points, paths },
      { points, paths },
      { points, paths },
    ],
    bands: [{ series: [2, 3], fill: () => context.theme().accentSoft }],
    range: heldRange,
    isWhole: kind === 'set',
  });

  function readingOf({ value, low, high, span }: HeldCell): string {
    const ends = span > 1 && low !== high ? `, from ${number(low!)} to ${number(high!)}` : '';
    return `${number(value!)}${ends}`;
  }

  function head(cells: readonly HeldCell[]): LineHead | undefined {
    const { latest, points: told } = context.data.held(kind, name);
    if (latest === undefined) return undefined;
    if (latest.total === isNothing && !context.isStoreAway() && told.length === 0) {
      return { note: `${none}: see the list for those that are.`, figures: [], text: '' };
    }
    const text = latest.total === null ? 'not known' : textOf(latest.total);
    const figures: Item[] = [
      [present, latest.total === null ? '–' : datum(latest.total, text)],
      ...endsOf(cells),
    ];
    const { writtenSecond: written } = latest;
    if (written !== null) figures.push(['last write', datum(written, clock(written))]);
    figures.push(['writes', datum(latest.rate, perSecond(latest.rate))]);
    return { note: placeNote(context, latest), figures, text: `${present} ${text}` };
  }

  function endsOf(cells: readonly HeldCell[]): Item[] {
    const { low, high } = heldEnds(cells);
    if (low === null || high === null) return [];
    return [
      ['lowest', datum(low, number(low))],
      ['highest', datum(high, number(high))],
    ];
  }

  function textOf(stored: string): string {
    return kind === 'set' ? total(stored) : number(Number(stored), stored);
  }
}
