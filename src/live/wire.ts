import type { Column } from '../window/column.ts';
import type { HeldPoint } from '../window/held-values.ts';
import type { WireColumn, WireHeld } from './frame.ts';

/** Returns a column as it is sent, its second being that of a clock which is `offset` behind. */
export function wireColumn(column: Column, offset: number): WireColumn {
  const { second, span, weight, min, max, weightedSum, bins } = column;
  const pairs: number[] = [];
  for (let bin = 0; bin < bins.used; bin++) pairs.push(bins.codes[bin]!, bins.counts[bin]!);
  return {
    second: second + offset,
    span,
    weight: finite(weight),
    min: min <= max ? min : null,
    max: min <= max ? max : null,
    weightedSum: finite(weightedSum),
    bins: pairs,
  };
}

/** Returns what held in a span as it is sent, likewise. */
export function wireHeld([second, span, ...values]: HeldPoint, offset: number): WireHeld {
  const [last, low, high] = values.map((value) => (Number.isNaN(value) ? null : value));
  return [second + offset, span, last!, low!, high!];
}

/** Of weights beyond reason the sums are no numbers, which JSON has no word for. */
function finite(sum: number): number {
  if (Number.isNaN(sum)) return 0;
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, sum));
}
