import type { Known } from './page-context.ts';
import type { Range } from './view.ts';

/**
 * Returns how many seconds of a column are known; 0 where it is not over, is forgotten, or nobody
 * could tell of it.
 */
export function knownSeconds(
  { second, span }: { second: number; span: number },
  { completeFrom, knownTo, gaps }: Omit<Known, 'span'>,
): number {
  const from = Math.max(second, completeFrom);
  const to = Math.min(second + span, knownTo);
  let seconds = to - from;
  for (const gap of gaps) {
    seconds -= Math.max(0, Math.min(to, gap.to) - Math.max(from, gap.from));
  }
  return Math.max(0, seconds);
}

/**
 * Returns what is looked at of the time shown, by whole columns: what is in a column is told of all
 * of it or not at all. A column that is not over yet ends where it is known to.
 */
export function wholeColumns(
  brush: Range,
  shown: Range,
  { span, knownTo }: Pick<Known, 'span' | 'knownTo'>,
): Range {
  const whole = {
    from: Math.floor(brush.from / span) * span,
    to: Math.ceil(brush.to / span) * span,
  };
  const from = Math.max(whole.from, shown.from);
  const to = Math.min(whole.to, shown.to, knownTo);
  return from < to ? { from, to } : whole;
}

/** Returns what is said of a part of time of which nothing is known, and where it may be. */
export function notKnown({ span, knownTo }: Known, { from }: Range): string {
  const isOlder = from < knownTo - 300 && from >= knownTo - 7200;
  return span === 1 && isOlder ? 'not known here: look at 2 h' : 'not known';
}
