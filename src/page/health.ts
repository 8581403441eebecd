import type { Frame, Problem } from '../live/frame.ts';
import type { Fate, Vitals } from '../vitals-types.ts';
import { byId, datum, element, type Item, setAttribute, setItems, setText } from './dom.ts';
import type { Link } from './feed.ts';
import { ago, bytes, clock, count, duration, perSecond, short } from './format.ts';

/** The strip at the top, and what it says when something is not as it should be. */
export interface HealthView {
  take(frame: Frame): void;
  /** How it stands with the collector, and since when, in Unix milliseconds. */
  link(link: Link, sinceMs: number): void;
}

const STORE_NAMES: Record<string, string> = {
  memory: 'memory',
  redis: 'Redis',
  'redis-cluster': 'Redis Cluster',
  'redis-sentinel': 'Redis (Sentinel)',
};

/** Returns what a store is called. */
export function storeName(kind: string): string {
  return STORE_NAMES[kind] ?? kind;
}

/** Creates the strip. */
export function createHealth(): HealthView {
  const strip = byId('strip');
  const problems = byId('problems');
  const more = byId('more-numbers');
  let told: Problem[] = [];
  let lost: { sinceMs: number } | undefined;
  let shown = new Map<Problem, HTMLElement>();

  return {
    take(frame) {
      told = frame.problems;
      setItems(strip, itemsOf(frame));
      setItems(more, numbersOf(frame.vitals));
      sayProblems();
    },
    link(link, sinceMs) {
      lost = link === 'lost' ? { sinceMs } : undefined;
      setAttribute(document.documentElement, 'data-link', link);
      sayProblems();
    },
  };

  function sayProblems(): void {
    const all = lost === undefined ? told : [lostProblem(lost.sinceMs), ...told];
    const worst = all.some(({ level }) => level === 'bad')
      ? 'bad'
      : all.length > 0
        ? 'warn'
        : 'well';
    setAttribute(document.documentElement, 'data-health', worst);
    setText(byId('health-word'), worst === 'well' ? '' : `${all.length}`);
    setAttribute(byId('health-mark'), 'title', worst === 'well' ? 'All is well' : 'See below');
    // One that is read aloud already is not to be read again because another has come.
    const before = new Map([...shown].map(([problem, root]) => [keyOf(problem), root]));
    shown = new Map(all.map((one) => [one, before.get(keyOf(one)) ?? problemElement(one)]));
    for (const [problem, root] of shown) sayProblem(root, problem);
    const roots = [...shown.values()];
    if (roots.some((root, at) => problems.children[at] !== root))
      problems.replaceChildren(...roots);
    while (problems.children.length > roots.length) problems.lastElementChild?.remove();
  }
}

/** There is one of each at a time. */
function keyOf({ about, level }: Problem): string {
  return `${about} ${level}`;
}

function problemElement({ level }: Problem): HTMLElement {
  const word = level === 'bad' ? 'Trouble: ' : 'Note: ';
  return element(
    'p',
    { class: `problem ${level}` },
    element('span', { class: 'visually-hidden' }, word),
    element('strong'),
    ' ',
    element('span', { class: 'advice' }),
    ' ',
    element('span', { class: 'since' }),
  );
}

function sayProblem(root: HTMLElement, { text, advice, sinceMs }: Problem): void {
  const [, what, todo, since] = root.children;
  // It ends where it is read aloud, too.
  setText(what!, /[.?!]$/.test(text) ? text : `${text}.`);
  setText(todo!, advice);
  setText(since!, sinceMs === null ? '' : sinceText(sinceMs));
}

function sinceText(sinceMs: number): string {
  return `Since ${clock(sinceMs / 1000)}.`;
}

function lostProblem(sinceMs: number): Problem {
  return {
    about: 'lag',
    level: 'bad',
    text: 'The collector does not answer.',
    advice:
      'This page tries again by itself, and fills the gap as far as the collector remembers it. If it stays away: is it running, does it want another token, are more than 32 pages open?',
    sinceMs,
  };
}

function itemsOf({ rates, vitals }: Frame): Item[] {
  const { udp, tcp, keys, store, trap, state } = vitals;
  const used = keys.counters + keys.timings + keys.gauges + keys.sets;
  const items: Item[] = [
    ['packets', datum(rates.datagrams, perSecond(rates.datagrams))],
    ['lines', datum(rates.lines, perSecond(rates.lines))],
    ['refused', datum(rates.rejected, perSecond(rates.rejected))],
    [
      'kernel drops',
      udp.kernelDrops === null ? 'not told' : datum(udp.kernelDrops, count(udp.kernelDrops)),
    ],
    ['names in use', datum(used, `${count(used)} / ${short(keys.limit)}`)],
    [storeName(store.kind), upText(store.up, store.lastFlushMs)],
    ['trap', trap.configured ? upText(trap.up, trap.lastPushMs) : 'none'],
  ];
  if (tcp.configured) items.push(['TCP peers', datum(tcp.connections, count(tcp.connections))]);
  if (state.configured) items.push(['spool', state.up ? bytes(state.spoolBytes) : 'down']);
  return items;
}

function upText(isUp: boolean, lastMs: number | null): string {
  if (!isUp) return 'down';
  return lastMs === null ? 'up' : `up, ${duration(lastMs)}`;
}

/** Everything else that is counted, for who wants to see it. */
function numbersOf(vitals: Vitals): Item[] {
  const { lines, window, udp, unix, tcp } = vitals;
  return [
    ['version', vitals.version],
    ['up for', ago(vitals.uptimeSeconds * 1000)],
    [
      'receives with',
      `${udp.receiver}, ${udp.threads} ${udp.threads === 1 ? 'thread' : 'threads'}`,
    ],
    ['receive buffer', bytes(udp.receiveBufferBytes)],
    ['packets over UDP', count(udp.datagrams)],
    ...(unix.configured ? [['packets over the unix socket', count(unix.datagrams)] as const] : []),
    ...(tcp.configured ? tcpNumbers(tcp) : []),
    ['lines counted', count(lines.accepted)],
    ...reasons('lines refused', lines.rejected),
    ...fateOf('counter samples', vitals.counters),
    ...fateOf('gauge samples', vitals.gauges),
    ...fateOf('set samples', vitals.sets),
    ...fateOf('timings', vitals.timings),
    ...(vitals.keys.tagSetsFolded > 0
      ? [['samples counted as other=true', count(vitals.keys.tagSetsFolded)] as const]
      : []),
    ...vitals.growth.map(({ name, keys }): Item => {
      return [`new names of ${name}${name.endsWith('.') ? '*' : ''}`, count(keys)];
    }),
    ['timings kept for this page', `${count(window.names)} names, ${bytes(window.bytes)}`],
  ];
}

function tcpNumbers({ accepted, refused, bytes: read }: Vitals['tcp']): Item[] {
  return [
    ['TCP connections so far', count(accepted)],
    ['TCP connections refused', count(refused)],
    ['read over TCP', bytes(read)],
  ];
}

function fateOf(what: string, { delivered, pending, dropped }: Fate): Item[] {
  return [
    [`${what} delivered`, count(delivered)],
    [`${what} pending`, count(pending)],
    ...reasons(`${what} dropped`, dropped),
  ];
}

function reasons(of: string, counts: Record<string, number>): Item[] {
  return Object.entries(counts).map(([reason, number]) => [`${of}: ${reason}`, count(number)]);
}
