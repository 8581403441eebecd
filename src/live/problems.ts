import type { SaidDown } from '../admin/commands.ts';
import { receiveBufferAdvice } from '../ingest/kernel.ts';
import type { RefusedLine } from '../flush/received.ts';
import type { RejectReason } from '../protocol/reasons.ts';
import type { Vitals } from '../vitals-types.ts';
import type { Problem } from './frame.ts';
import { lossAdvice, refusalAdvice } from './advice.ts';
import { growth, type Totals } from './recent.ts';

/** How things stand: all that problems are made of. */
export interface Standing {
  vitals: Vitals;
  /** Who has taken the collector out of service, if somebody has; in Unix milliseconds. */
  saidDown: SaidDown | undefined;
  /** A minute ago, and now; undefined while nothing is known. */
  lastMinute: { before: Totals; now: Totals } | undefined;
  store: { label: string; down: Down | undefined; refusing: Refusing[] };
  /** Undefined without a trap, and while it is well. */
  trap: Down | undefined;
  /** Undefined without a state directory, and while a crash would lose nothing. */
  state: Down | undefined;
  /** How much of the room in the state directory what waits takes: 1 is all. */
  spoolFilled: number;
  /** The last line refused for each reason. */
  refusals: ReadonlyMap<RejectReason, RefusedLine>;
  /** For how long the oldest samples have waited, and how long is too long. */
  lag: { counters: Waiting; timings: Waiting };
}

/** What is away. */
export interface Down {
  /** Null: it was never reached. */
  error: string | null;
  /** In Unix milliseconds. */
  sinceMs: number;
}

/** A hash that takes no counters, or no gauges. */
export interface Refusing {
  hash: string;
  reason: string;
  sinceMs: number;
}

/** How long samples wait. */
export interface Waiting {
  lagMs: number;
  limitMs: number;
}

/** All but 408, 429 and 5xx, after which the same is sent again; see timing-flusher.ts. */
const REFUSED_FOR_GOOD = /^answered (?!408|429|5)\d+$/;
const LOST = {
  counters: 'counter sample',
  gauges: 'gauge sample',
  sets: 'set sample',
  timings: 'timing',
} as const;
const HASH_LENGTH_MAX = 80;
const SHOWN_MAX = 3;
const NEARLY_FULL = 0.9;
const SPOOL_NEARLY_FULL = 0.8;

/** Returns what is not as it should be, the worst first; empty when all is well. */
export function problemsOf(standing: Standing): Problem[] {
  const found = [
    storeProblem(standing),
    trapProblem(standing),
    stateProblem(standing),
    dropsProblem(standing),
    lostProblem(standing),
    refusedProblem(standing),
    keysProblem(standing),
    lagProblem(standing),
    downProblem(standing),
  ].filter((one) => one !== undefined);
  // Sorting keeps those of one level in the order above.
  return found.toSorted((one, other) => rank(one) - rank(other));
}

function rank({ level }: Problem): number {
  return level === 'bad' ? 0 : 1;
}

function downProblem({ saidDown }: Standing): Problem | undefined {
  if (saidDown === undefined) return undefined;
  const { peer, sinceMs } = saidDown;
  const text = `Out of service: ${peer} said "health down" at the admin console`;
  return {
    about: 'admin',
    level: 'warn',
    text,
    advice: 'Say "health up" there to undo it.',
    sinceMs,
  };
}

function storeProblem({ store, vitals }: Standing): Problem | undefined {
  const { label, down, refusing } = store;
  const where = vitals.state.up ? 'in the state directory' : 'in memory';
  const kept = `Counts are kept ${where} and written when it is back`;
  if (down !== undefined) {
    const { sinceMs } = down;
    const text = `${label} ${down.error === null ? 'was not reached yet' : `fails: ${down.error}`}`;
    const advice = `${kept}; see that it runs and lets statcol in.`;
    return { about: 'store', level: 'bad', text, advice, sinceMs };
  }
  const [first] = refusing;
  if (first === undefined) return undefined;
  const others =
    refusing.length > 1 ? ` (and ${count(refusing.length - 1, 'other hash', 'es')})` : '';
  return {
    about: 'store',
    level: 'bad',
    text: `The hash ${cut(first.hash)}${others} takes nothing: ${first.reason}`,
    advice: `${kept}; if its type is wrong, rename or delete the key, or choose another --collection.`,
    sinceMs: first.sinceMs,
  };
}

function trapProblem({ trap, vitals }: Standing): Problem | undefined {
  if (trap === undefined) return undefined;
  const isRefusal = REFUSED_FOR_GOOD.test(trap.error ?? '');
  const where = vitals.state.up ? 'in the state directory' : 'in memory';
  return {
    about: 'trap',
    level: 'bad',
    text: `The trap ${isRefusal ? 'refuses timings' : 'fails'}: ${trap.error ?? 'not reached yet'}`,
    advice: isRefusal
      ? 'What it refuses for good is dropped; check the URL and the secret given with --trap.'
      : `Timings are kept ${where} and pushed when it is back; see that it runs and can be reached.`,
    sinceMs: trap.sinceMs,
  };
}

function stateProblem({ state, spoolFilled, vitals }: Standing): Problem | undefined {
  if (state !== undefined) {
    return {
      about: 'state',
      level: 'warn',
      text: `The state directory fails: ${state.error}`,
      advice:
        'Counting goes on in memory, which a crash would lose; free some space, or see to its rights.',
      sinceMs: state.sinceMs,
    };
  }
  if (spoolFilled <= SPOOL_NEARLY_FULL) return undefined;
  const bytes = vitals.state.spoolBytes;
  return {
    about: 'state',
    level: 'warn',
    text: `What waits takes ${percent(spoolFilled)} of its room in the state directory (${count(bytes, 'byte')} now)`,
    advice:
      'The oldest timings go when it is full; see to what is away, or start with a larger --spool-limit.',
    sinceMs: null,
  };
}

function dropsProblem({ lastMinute, vitals }: Standing): Problem | undefined {
  if (lastMinute === undefined) return undefined;
  const { receiveBufferBytes, threads } = vitals.udp;
  const drops = lastMinute.now.kernelDrops - lastMinute.before.kernelDrops;
  if (drops <= 0) return undefined;
  const isSmall = receiveBufferAdvice(receiveBufferBytes) !== undefined;
  const larger = 'Allow a larger receive buffer (sysctl -w net.core.rmem_max=16777216) and restart';
  const more = `Start with more threads than ${threads} (--threads), or give it more processor time`;
  return {
    about: 'drops',
    level: 'bad',
    text: `The kernel dropped ${count(drops, 'datagram')} in the last minute: they found the receive buffer full`,
    advice: isSmall ? `${larger}; if that is not enough, use --threads.` : `${more}.`,
    sinceMs: null,
  };
}

function lostProblem({ lastMinute }: Standing): Problem | undefined {
  if (lastMinute === undefined) return undefined;
  const { before, now } = lastMinute;
  const lost = (['counters', 'gauges', 'sets', 'timings'] as const)
    .flatMap((kind) =>
      growth(before[kind].dropped, now[kind].dropped).map(([reason, samples]) => {
        return { reason, samples, what: LOST[kind] };
      }),
    )
    .toSorted((one, other) => other.samples - one.samples);
  if (lost.length === 0) return undefined;
  const parts = lost.slice(0, SHOWN_MAX).map(({ samples, what, reason }) => {
    return `${count(samples, what)} (${reason})`;
  });
  return {
    about: 'lost',
    level: 'bad',
    text: `Dropped in the last minute: ${listed(parts, lost.length)}`,
    advice: advised(lost.map(({ reason }) => lossAdvice(reason))),
    sinceMs: null,
  };
}

/** Returns what to do about each of those that are told. */
function advised(advice: readonly string[]): string {
  return [...new Set(advice.slice(0, SHOWN_MAX))].join(' ');
}

function refusedProblem({ lastMinute, refusals }: Standing): Problem | undefined {
  if (lastMinute === undefined) return undefined;
  const refused = growth(lastMinute.before.linesRejected, lastMinute.now.linesRejected);
  if (refused.length === 0) return undefined;
  const parts = refused.slice(0, SHOWN_MAX).map(([reason, lines]) => {
    return `${count(lines, 'line')} (${reason}${lastOf(refusals.get(reason))})`;
  });
  return {
    about: 'refused',
    // What finds no room is lost without its sender having done anything wrong.
    level: refused.some(([reason]) => reason === 'key_limit') ? 'bad' : 'warn',
    text: `Refused in the last minute: ${listed(parts, refused.length)}`,
    advice: advised(refused.map(([reason]) => refusalAdvice(reason))),
    sinceMs: null,
  };
}

function lastOf(refusal: RefusedLine | undefined): string {
  if (refusal === undefined) return '';
  const from = refusal.source === '' ? '' : ` from ${refusal.source}`;
  return `, the last${from}: "${refusal.line}"`;
}

function keysProblem({ vitals }: Standing): Problem | undefined {
  const { counters, timings, gauges, sets, limit } = vitals.keys;
  const keys = counters + timings + gauges + sets;
  if (keys <= NEARLY_FULL * limit) return undefined;
  return {
    about: 'keys',
    level: keys >= limit ? 'bad' : 'warn',
    text: `${count(keys, 'name')} of at most ${count(limit)} are in use${growing(vitals)}`,
    advice:
      'New ones are refused when it is full: keep what changes (ids, times) out of names, or raise --max-keys.',
    sinceMs: null,
  };
}

/** Where those come from that are new. */
function growing({ growth: grown }: Vitals): string {
  if (grown.length === 0) return '';
  const most = grown.slice(0, SHOWN_MAX).map(({ name, keys }) => {
    return `${count(keys)} of ${cut(name)}${name.endsWith('.') ? '*' : ''}`;
  });
  return `; new within 10 minutes: ${most.join(', ')}`;
}

function lagProblem({ lag, store, trap }: Standing): Problem | undefined {
  const isLate = ({ lagMs, limitMs }: Waiting): boolean => lagMs > limitMs;
  const late: string[] = [];
  // Of what waits for somebody who is away that one is told.
  if (store.down === undefined && store.refusing.length === 0 && isLate(lag.counters)) {
    late.push(`counters have waited for ${seconds(lag.counters.lagMs)}`);
  }
  if (trap === undefined && isLate(lag.timings)) {
    late.push(`timings have waited for ${seconds(lag.timings.lagMs)}`);
  }
  if (late.length === 0) return undefined;
  return {
    about: 'lag',
    level: 'bad',
    text: `Delivery is behind: ${late.join(', ')}`,
    advice:
      'More comes than is taken, or it is taken slowly: look at the latency and load of Redis and of the trap.',
    sinceMs: null,
  };
}

function listed(parts: string[], all: number): string {
  return (
    parts.join(', ') +
    (all > parts.length ? `, and ${count(all - parts.length, 'more reason')}` : '')
  );
}

function cut(text: string): string {
  return text.length > HASH_LENGTH_MAX ? `${text.slice(0, HASH_LENGTH_MAX)}…` : text;
}

function count(number: number, what = '', plural = 's'): string {
  const digits = number.toLocaleString('en-US', { maximumFractionDigits: 0 });
  return what === '' ? digits : `${digits} ${what}${number === 1 ? '' : plural}`;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
