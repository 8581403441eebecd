import { request } from 'node:http';
import { connect } from 'node:net';
import { systemTime } from '../../src/flush/time.ts';
import { createMetrics } from '../../src/http/metrics.ts';
import { createRoutes, type RouteSources } from '../../src/http/routes.ts';
import { createHttpServer, type HttpServer } from '../../src/http/server.ts';
import { createFakeStore, type FakeStore } from '../support/fake-store.ts';
import { VITALS } from './vitals.ts';

/** A real server over sources in the test's hand. */
export interface HttpRig {
  readonly server: HttpServer;
  /** Such as `http://127.0.0.1:49152/`. */
  readonly url: string;
  readonly port: number;
  readonly store: FakeStore;
  readonly said: string[];
  readonly sources: RouteSources;
}

/** What came back. */
export interface Reply {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  body: string;
}

/** Starts a server on a free port. */
export async function startHttp(token?: string, host = '127.0.0.1'): Promise<HttpRig> {
  const store = createFakeStore();
  const said: string[] = [];
  const sources: RouteSources = {
    vitals: () => Promise.resolve(VITALS),
    reasons: () => [],
    hashes: () => [],
    collections: ['statcol:stats'],
    sets: () => Promise.resolve([['statcol:stats', [['users', '3']]]]),
    store,
    timings: () => Promise.resolve([]),
    metrics: () => metrics(),
  };
  const metrics = createMetrics({
    vitals: () => sources.vitals(),
    hashes: () => sources.hashes(),
    collections: sources.collections,
    sets: (isWanted) => sources.sets(isWanted),
    store,
    histograms: undefined,
    time: systemTime(),
  });
  // Read anew at each request, so that a test may exchange them.
  const routes = createRoutes({
    vitals: () => sources.vitals(),
    reasons: () => sources.reasons(),
    hashes: () => sources.hashes(),
    collections: sources.collections,
    sets: (isWanted) => sources.sets(isWanted),
    store,
    timings: () => sources.timings(),
    metrics: () => sources.metrics(),
  });
  const log = (level: string, message: string): void => void said.push(`${level}: ${message}`);
  const server = createHttpServer({ host, port: 0, token, receiver: undefined, routes, log });
  const url = await server.listen();
  return { server, url, port: Number(new URL(url).port), store, said, sources };
}

/** Sends a request; unlike `fetch`, with any method, Host and cookie. */
export function ask(
  { port }: Pick<HttpRig, 'port'>,
  path: string,
  { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false });
    sent.on('error', reject).on('response', (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (piece: string) => (body += piece));
      response.on('end', () => {
        resolve({ status: response.statusCode!, headers: response.headers, body });
      });
    });
    sent.end();
  });
}

/** Sends bytes as they are, ends nothing, and returns all that comes until the server closes. */
export function sendRaw({ port }: HttpRig, ...pieces: string[]): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => {
      for (const piece of pieces) socket.write(piece);
    });
    socket.setEncoding('latin1').on('data', (piece: string) => (answer += piece));
    socket.on('error', () => {}).on('close', () => resolve(answer));
  });
}
