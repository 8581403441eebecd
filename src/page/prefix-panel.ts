import { type CounterCell, counterCells, counterTable, rateUpTo } from './counter-cells.ts';
import { datum, element, setText } from './dom.ts';
import { count, perSecond, total } from './format.ts';
import { createPanelFrame } from './panel-frame.ts';
import type { PageContext, Panel } from './page-context.ts';
import { createSparkline, type Sparkline } from './sparkline.ts';
import { setName } from './tagged-name.ts';
import type { Shown } from './view.ts';

/** One of the small charts. */
interface Small {
  readonly root: HTMLElement;
  readonly spark: Sparkline;
  readonly rate: HTMLElement;
  readonly total: HTMLElement;
  cells: CounterCell[];
}

/** Creates the panel of all counters that begin alike: a small chart of each, to its own scale. */
export function createPrefixPanel(context: PageContext, shown: Shown): Panel {
  const frame = createPanelFrame(context, shown, table);
  const grid = element('ul', { class: 'multiples' });
  frame.body.append(grid);
  const smalls = new Map<string, Small>();
  return { shown, root: frame.root, update, point: () => {}, close: () => {} };

  function update(): void {
    const { matching, counters } = context.data.prefix(shown.name);
    for (const name of smalls.keys()) if (!counters.has(name)) smalls.delete(name);
    const range = context.range();
    const known = context.known(shown);
    for (const [name, { latest, points }] of counters) {
      const small = smalls.get(name) ?? createSmall(name);
      smalls.set(name, small);
      small.cells = counterCells(points, range, known);
      small.spark.draw(small.cells.map((cell) => cell.perSecond));
      const rate = rateUpTo(small.cells, Math.min(known.knownTo, range.to));
      small.rate.replaceChildren(rate === null ? '–' : datum(rate, perSecond(rate)));
      const digits = latest?.total ?? null;
      small.total.replaceChildren(digits === null ? '–' : datum(digits, total(digits)));
    }
    const roots = [...counters.keys()].map((name) => smalls.get(name)!.root);
    if (roots.some((root, at) => grid.children[at] !== root) || grid.children.length > roots.length)
      grid.replaceChildren(...roots);
    const all = `${count(matching)} ${matching === 1 ? 'counter' : 'counters'}`;
    const some = matching > counters.size ? `the ${counters.size} busiest of ${all}` : all;
    const none = 'No counter begins like this: see the list for those that are known.';
    setText(frame.note, matching === 0 ? none : `${some}, each to its own scale`);
  }

  function createSmall(name: string): Small {
    const spark = createSparkline(300, 56);
    const open = element('button', { type: 'button', class: 'name', title: name });
    setName(open, name);
    open.addEventListener('click', () => context.change({ shown: [{ kind: 'counter', name }] }));
    const rate = element('span', { class: 'rate' });
    const sum = element('span', { class: 'total' });
    const root = element('li', {}, open, spark.root, element('p', {}, rate, sum));
    return { root, spark, rate, total: sum, cells: [] };
  }

  function table(): (string | number)[][] {
    const parts = [...smalls].map(([name, { cells }]) => counterTable(name, cells));
    return [parts[0]?.[0] ?? [], ...parts.flatMap((part) => part.slice(1))];
  }
}
