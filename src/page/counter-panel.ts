import {
  addedIn,
  type CounterCell,
  counterCells,
  counterTable,
  rateUpTo,
} from './counter-cells.ts';
import { datum } from './dom.ts';
import { clock, count, perSecond, total } from './format.ts';
import { createLinePanel, type LineHead, placeNote } from './line-panel.ts';
import type { PageContext, Panel } from './page-context.ts';
import type { Shown } from './view.ts';

/** Creates the panel of a counter: its rate as a line, and the running total beside it. */
export function createCounterPanel(context: PageContext, shown: Shown): Panel {
  const { name } = shown;
  const stroke = (): string => context.theme().accent;
  const fill = (): string => context.theme().accentSoft;
  return createLinePanel<CounterCell>(context, shown, {
    cells: () =>
      counterCells(context.data.counter(name).points, context.range(), context.known(shown)),
    table: (cells) => counterTable(name, cells),
    data: (cells) => [
      cells.map(({ second, span }) => second + span / 2),
      cells.map((cell) => cell.perSecond),
    ],
    head,
    isKnown: ({ perSecond: rate }) => rate !== null,
    reading: ({ perSecond: rate }) => (rate === null ? 'not known' : perSecond(rate)),
    brushed(cells) {
      const found = addedIn(cells);
      return found && `${count(found.added)} added, ${perSecond(found.perSecond)}`;
    },
    series: [{ stroke, fill, width: 1.5, points: { show: false } }],
    range: (low, high) => [Math.min(0, low ?? 0), high !== null && high > 0 ? high * 1.05 : 1],
  });

  function head(cells: readonly CounterCell[]): LineHead | undefined {
    const { latest, points } = context.data.counter(name);
    if (latest === undefined) return undefined;
    if (latest.total === null && !context.isStoreAway() && points.length === 0) {
      const note = 'No counter of this name is known: see the list for those that are.';
      return { note, figures: [], text: '' };
    }
    const { knownTo } = context.known(shown);
    const to = Math.min(knownTo, context.range().to);
    const rate = rateUpTo(cells, to);
    const seconds = context.cellSpan() === 1 ? '10 s' : '30 s';
    const lately = to < knownTo ? `${seconds} to ${clock(to)}` : `last ${seconds}`;
    const rateText = rate === null ? 'not known' : perSecond(rate);
    const totalNode = latest.total === null ? '–' : datum(latest.total, total(latest.total));
    return {
      note: placeNote(context, latest),
      figures: [
        ['total', totalNode],
        [lately, rate === null ? '–' : datum(rate, rateText)],
      ],
      text: `total ${latest.total ?? 'not known'}, ${lately} ${rateText}`,
    };
  }
}
