import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect as connectTo } from 'node:net';

import express5 from 'express';
import express4 from 'express-4';

/** Both Expresses, by name; 4 has the types of 5, which differ in nothing the tests use. */
export const EXPRESSES: readonly (readonly [name: string, express: typeof express5])[] = [
  ['Express 5', express5],
  ['Express 4', express4],
];

/** A web application that listens. */
export interface Web {
  readonly url: string;
  readonly port: number;
  readonly server: Server;
  /** GETs a path over a connection that is kept, and reads the answer to its end. */
  get(path: string, init?: RequestInit): Promise<{ status: number; text: string }>;
  /** Writes bytes over a connection of their own; resolves with what is answered until it closes. */
  raw(bytes: string): Promise<string>;
  /** Resolves when every request that has come in has its response behind it. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

/** Serves on a free port. */
export async function serve(listener: RequestListener): Promise<Web> {
  let open = 0;
  let notify = (): void => {};
  const server = createServer((request, response) => {
    open++;
    let isOpen = true;
    const end = (): void => {
      if (isOpen) open--;
      isOpen = false;
      notify();
    };
    response.once('close', end);
    // Node 20 closes no response that has waited behind another when their client went away.
    request.once('aborted', end);
    listener(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    server,
    async get(path, init) {
      const response = await fetch(url + path, init);
      return { status: response.status, text: await response.text() };
    },
    async raw(bytes) {
      const socket = connectTo(port, '127.0.0.1');
      socket.write(bytes);
      let answer = '';
      for await (const piece of socket) answer += String(piece);
      return answer;
    },
    async idle() {
      while (open > 0) await new Promise<void>((resolve) => (notify = resolve));
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
