import type { ServerResponse } from 'node:http';

import { createPageRoutes } from '../../src/http/page.ts';
import { createHttpServer, json } from '../../src/http/server.ts';
import type { Frame } from '../../src/live/frame.ts';
import { readView, type StreamView } from '../../src/live/view.ts';

/** The real page, served as it is, on a stream that is in the test's hand. */
export interface PageRig {
  readonly url: string;
  /** What the page that is connected asked for last. */
  asked(): StreamView | undefined;
  /** Resolves when a page has connected, for the `count`th time. */
  connected(count: number): Promise<void>;
  /** Sends a frame to the page; resolves when the connection has taken it. */
  send(frame: Frame): Promise<void>;
  close(): Promise<void>;
}

/** Starts a server; `onOpen` is called with each connection, and may send at once. */
export async function startPage(onOpen: (rig: PageRig) => void = () => {}): Promise<PageRig> {
  let open: ServerResponse | undefined;
  let asked: StreamView | undefined;
  let connections = 0;
  const waiting: { count: number; resolve: () => void }[] = [];
  const server = createHttpServer({
    host: '127.0.0.1',
    port: 0,
    token: undefined,
    receiver: undefined,
    log: () => {},
    routes: [
      ...createPageRoutes(),
      {
        path: '/api/stream',
        guarded: true,
        streams: true,
        answer({ query }) {
          const view = readView(query);
          if (Array.isArray(view)) return json(400, { error: view.join('; ') });
          asked = view;
          return {
            type: 'text/event-stream',
            start(response) {
              open = response;
              connections++;
              onOpen(rig);
              for (const one of waiting) if (one.count <= connections) one.resolve();
            },
          };
        },
      },
    ],
  });
  const rig: PageRig = {
    url: await server.listen(),
    asked: () => asked,
    connected(count) {
      if (connections >= count) return Promise.resolve();
      return new Promise((resolve) => waiting.push({ count, resolve }));
    },
    send(frame) {
      return new Promise((resolve) => {
        const text = `id: ${frame.second}\ndata: ${JSON.stringify(frame)}\n\n`;
        if (open === undefined || open.closed) resolve();
        else open.write(text, () => resolve());
      });
    },
    close: () => server.close(),
  };
  return rig;
}
