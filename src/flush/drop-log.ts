import type { Log } from './health.ts';
import { createSparing } from './sparing.ts';

/** Says which samples are lost: sparingly, but so that all of them are told in the end. */
export interface DropLog {
  /**
   * Keeps in mind that samples are lost.
   *
   * @param what they are called.
   * @param where they were to go: a hash and its field, or the like.
   */
  add(what: string, where: string, reason: string, samples: number): void;
  /**
   * Says what no line tells yet: at most one line per second and reason, which names the place that
   * came first, and tells how much of how many others there was.
   *
   * @param isLast nothing will be said any more: what is left is told at once.
   */
  say(isLast?: boolean): void;
}

/** What no line of the log tells yet, of one kind of samples and one reason. */
interface Unsaid {
  readonly what: string;
  readonly reason: string;
  readonly where: string;
  samples: number;
  readonly others: Set<string>;
  otherSamples: number;
}

const SAY_EVERY_MS = 1000;
/** So many other places are told apart; and so many of them are named. */
const OTHERS_MAX = 1000;
const NAMED_MAX = 3;

/** What is to be done about it, where few words say it. */
const REMEDIES: ReadonlyMap<string, string> = new Map([
  ['not_integer', 'remove that field, or write an integer to it'],
  ['not_number', 'remove that field, or set the gauge'],
  ['wrong_type', 'rename or remove that key'],
  ['key_limit', 'see --max-keys'],
]);

/** Returns a reason, and what to do about it. */
export function reasonText(reason: string): string {
  const remedy = REMEDIES.get(reason);
  return remedy === undefined ? reason : `${reason}; ${remedy}`;
}

/** Creates a log of no losses. */
export function createDropLog(nowMs: () => number, log: Log): DropLog {
  const unsaid = new Map<string, Unsaid>();
  const mayBeSaid = createSparing(nowMs, SAY_EVERY_MS);
  return {
    add(what, where, reason, samples) {
      const kind = `${what} ${reason}`;
      const known = unsaid.get(kind);
      if (known === undefined) {
        unsaid.set(kind, { what, where, reason, samples, others: new Set(), otherSamples: 0 });
      } else if (known.where === where) known.samples += samples;
      else {
        if (known.others.size < OTHERS_MAX) known.others.add(where);
        known.otherSamples += samples;
      }
    },
    say(isLast = false) {
      for (const [kind, one] of unsaid) {
        if (!isLast && !mayBeSaid(kind)) continue;
        unsaid.delete(kind);
        log('warn', lineOf(one));
      }
    },
  };
}

function lineOf({ what, where, reason, samples, others, otherSamples }: Unsaid): string {
  const rest = others.size === 0 ? '' : ` (and ${otherSamples} of ${othersText(others)})`;
  return `${quoted(where)}: ${samples} ${what} dropped${rest}: ${reasonText(reason)}`;
}

function othersText(others: ReadonlySet<string>): string {
  const count = others.size < OTHERS_MAX ? `${others.size}` : `${OTHERS_MAX} or more`;
  const named = Array.from(others).slice(0, NAMED_MAX).map(quoted).join(', ');
  return `${count} others: ${named}${others.size > NAMED_MAX ? ', …' : ''}`;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
