import type { Frame } from '../live/frame.ts';
import { letterOf, type Shown, type View } from './view.ts';

/** What part of the list is to be told. */
export interface ListPart {
  from: number;
  rows: number;
}

/** How it stands with the collector. */
export type Link = 'opening' | 'open' | 'lost';

/** The one connection to the collector. */
export interface Feed {
  /** Asks for what is to be shown; nothing happens where that is what is told already. */
  ask(view: View, list: ListPart): void;
}

/** What a feed is made with. */
export interface FeedParts {
  /** Up to which second something is known. */
  knownTo: (one: Shown) => number;
  onFrame: (frame: Frame) => void;
  onLink: (link: Link, sinceMs: number) => void;
}

/** A browser gives up for good when it is answered with an error; we do not. */
const RETRY_MS = 2000;
/** A frame comes each second: after so long without one the connection is dead. */
const SILENCE_MS = 5000;

/** Creates the feed. It asks, and goes on asking, for what `ask` was given last. */
export function createFeed({ knownTo, onFrame, onLink }: FeedParts): Feed {
  let asked: [view: View, list: ListPart] | undefined;
  let query = '';
  let source: EventSource | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let silence: ReturnType<typeof setTimeout> | undefined;
  let sinceMs = Date.now();
  let link: Link = 'opening';

  return {
    ask(view, list) {
      asked = [view, list];
      const wanted = queryOf(view, list, () => 0);
      if (wanted === query) return;
      query = wanted;
      open();
    },
  };

  function open(): void {
    source?.close();
    clearTimeout(retry);
    if (asked === undefined) return;
    const opened = new EventSource(`api/stream?${queryOf(...asked, knownTo)}`);
    source = opened;
    opened.addEventListener('message', ({ data }: MessageEvent<string>) => {
      listen();
      say('open');
      onFrame(JSON.parse(data) as Frame);
    });
    opened.addEventListener('error', () => {
      say('lost');
      // While it says CONNECTING it tries again by itself, with the id of the last event.
      if (opened.readyState === EventSource.CLOSED) again();
    });
    listen();
  }

  function again(): void {
    clearTimeout(retry);
    retry = setTimeout(open, RETRY_MS);
  }

  function listen(): void {
    clearTimeout(silence);
    silence = setTimeout(() => {
      say('lost');
      open();
    }, SILENCE_MS);
  }

  function say(now: Link): void {
    if (now !== link) sinceMs = Date.now();
    link = now;
    onLink(link, sinceMs);
  }
}

/** The same for the same wishes, if `knownTo` is. */
function queryOf(
  { shown, span, search, kind, sort }: View,
  { from, rows }: ListPart,
  knownTo: (one: Shown) => number,
): string {
  const params = new URLSearchParams();
  for (const one of shown) params.append(letterOf(one.kind), `${knownTo(one)}:${one.name}`);
  params.set('span', String(span));
  if (search !== '') params.set('q', search);
  params.set('kind', kind);
  params.set('sort', sort);
  params.set('from', String(from));
  params.set('rows', String(rows));
  return params.toString();
}
