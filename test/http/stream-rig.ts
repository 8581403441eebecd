import { type ClientRequest, type IncomingMessage, request } from 'node:http';

import { heatmapRoute } from '../../src/http/heatmap.ts';
import { createHttpServer, type HttpServer } from '../../src/http/server.ts';
import { streamRoute } from '../../src/http/stream.ts';
import type { Frame } from '../../src/live/frame.ts';
import { createLiveRig, type LiveRig } from '../live/rig.ts';

/** A real server that tells of a live page whose time is in the test's hand. */
export interface StreamRig extends LiveRig {
  readonly server: HttpServer;
  readonly url: string;
  readonly port: number;
  readonly said: string[];
}

/** An event as it came. */
export interface StreamEvent {
  id: string;
  frame: Frame;
}

/** One who reads a stream. */
export interface StreamReader {
  readonly response: IncomingMessage;
  readonly request: ClientRequest;
  /** Resolves with the next event; rejects when there will be none. */
  next(): Promise<StreamEvent>;
  /** What came that is no event, such as the time to wait. */
  readonly others: string[];
  /** Resolves when the connection is closed. */
  closed(): Promise<void>;
  close(): void;
}

/** Starts one on a free port. */
export async function startStreams({
  token = undefined as string | undefined,
  silenceMs = 30_000,
} = {}): Promise<StreamRig> {
  const rig = createLiveRig();
  const said: string[] = [];
  const log = (level: string, message: string): void => void said.push(`${level}: ${message}`);
  const routes = [streamRoute(rig.live, log), heatmapRoute(rig.memory)];
  const server = createHttpServer({
    host: '127.0.0.1',
    port: 0,
    token,
    receiver: undefined,
    routes,
    log,
    silenceMs,
  });
  const url = await server.listen();
  return { ...rig, server, url, port: Number(new URL(url).port), said };
}

/** Opens a stream; resolves when its head is there. */
export function readStream(
  { port }: { port: number },
  query = '',
  headers: Record<string, string> = {},
): Promise<StreamReader> {
  return new Promise((resolve, reject) => {
    const sent = request({
      host: '127.0.0.1',
      port,
      path: `/api/stream?${query}`,
      headers,
      agent: false,
    });
    sent.on('error', reject);
    sent.on('response', (response) => resolve(readerOf(sent, response)));
    sent.end();
  });
}

function readerOf(sent: ClientRequest, response: IncomingMessage): StreamReader {
  const events: StreamEvent[] = [];
  const others: string[] = [];
  let rest = '';
  let isClosed = false;
  let notify = (): void => {};
  response.setEncoding('utf8').on('data', (piece: string) => {
    const blocks = (rest + piece).split('\n\n');
    rest = blocks.pop()!;
    for (const block of blocks) take(block);
    notify();
  });
  response.on('error', () => {});
  response.on('close', () => {
    isClosed = true;
    notify();
  });
  const changed = (): Promise<void> => new Promise((resolve) => (notify = resolve));

  return {
    response,
    request: sent,
    others,
    async next() {
      while (events.length === 0) {
        if (isClosed) throw new Error('the stream is closed');
        await changed();
      }
      return events.shift()!;
    },
    async closed() {
      while (!isClosed) await changed();
    },
    close: () => sent.destroy(),
  };

  function take(block: string): void {
    const match = /^id: (\d+)\ndata: (\{.*\})$/s.exec(block);
    if (match === null) others.push(block);
    else events.push({ id: match[1]!, frame: JSON.parse(match[2]!) as Frame });
  }
}
