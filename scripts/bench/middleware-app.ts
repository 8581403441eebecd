// What `middleware.ts` puts under load: one process that serves a bare Express application, the
// same with a middleware that does nothing, and with ours, on three ports. Speaks by messages.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import express from 'express';

import { Client } from '../../dist/client.js';
import { middleware } from '../../dist/express.js';
import { StatCollector } from '../../dist/index.js';

const [way = '', redis = '', trapPort = ''] = process.argv.slice(2);

type App = ReturnType<typeof express>;

function useNothing(app: App): void {
  app.use((_request, _response, next) => next());
}

function useOurs(app: App): void {
  if (way === 'client') app.use(middleware({ client: new Client() }));
  if (way !== 'route' && way !== 'path') return;
  const collector = new StatCollector({
    key: way,
    queryCounter: { redisConfig: redis, pushInterval: 1000 },
    responseTimer: {
      circonusConfig: { host: '127.0.0.1', port: Number(trapPort), protocol: 'http:' },
    },
  });
  app.use(collector.middleware());
}

const ports: number[] = [];
for (const prepare of [() => {}, useNothing, useOurs]) {
  const app = express();
  prepare(app);
  app.get('/users/:id', (_request, response) => void response.send('hello'));
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ports.push((server.address() as AddressInfo).port);
}
process.on('message', (how) => {
  if (how === 'collect') globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMs: (user + system) / 1000, heapBytes: process.memoryUsage().heapUsed });
});
process.on('disconnect', () => process.exit());
process.send?.(ports);
